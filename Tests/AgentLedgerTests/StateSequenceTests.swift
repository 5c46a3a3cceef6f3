import Foundation
import StoreValues
import TestSupport
import Testing

@testable import AgentLedger

/// Random sequences over the verbs of states, pages, signals and alerts, against dictionaries; the other topics have models of their own.
@Suite struct `Models of states, pages, signals and alerts` {
  private static let sequences = ProcessInfo.processInfo.environment["EPISODIC_SEQUENCES"].flatMap(Int.init) ?? 20
  private let clock = ManualClock()

  @Test func `random verbs of states have the outcomes of the model`() async throws {
    for seed in 1...UInt64(Self.sequences) {
      var random = SeededGenerator(seed: seed)
      var limits = Ledger.Limits()
      limits.stateVersions = 3
      let ledger = try await Ledger.inMemory(clock: clock, limits: limits)
      /// By application and name: the versions that are kept, and the last that there was.
      var kept: [[String]: [(version: Int, value: JSON)]] = [:]
      var last: [[String]: Int] = [:]
      for number in 0..<100 {
        clock.advance(by: .milliseconds(Int64.random(in: 0...10, using: &random)))
        let key = ["app\(Int.random(in: 0...1, using: &random))", "state\(Int.random(in: 0...2, using: &random))"]
        let current = kept[key]?.last?.version ?? 0
        let expected = [nil, current, current + 1].randomElement(using: &random) ?? nil
        let fits = expected == nil || expected == current
        if Int.random(in: 0...5, using: &random) > 0 {
          let value = JSON.object(["of": .integer(Int64(number))])
          let code = await refusal { try await ledger.put(state: key[1], of: key[0], value, expecting: expected) }
          #expect(code == (fits ? nil : .conflict), "seed \(seed), operation \(number)")
          if fits {
            last[key, default: 0] += 1
            kept[key, default: []].append((last[key] ?? 0, value))
            kept[key] = kept[key]?.suffix(3)
          }
        } else {
          var deleted = false
          let code = await refusal {
            deleted = try await ledger.delete(state: key[1], of: key[0], expecting: expected)
            return deleted
          }
          #expect(code == (fits ? nil : .conflict), "seed \(seed), operation \(number)")
          if fits {
            #expect(deleted == (current > 0), "seed \(seed), operation \(number)")
            kept[key] = nil
          }
        }
        let versions = try await ledger.versions(ofState: key[1], of: key[0])
        let modelled = (kept[key] ?? []).reversed()
        #expect(
          versions.map(\.version) == modelled.map(\.version) && versions.map(\.value) == modelled.map(\.value),
          "seed \(seed), operation \(number)")
        #expect(try await ledger.state(key[1], of: key[0])?.version == kept[key]?.last?.version)
        let names = kept.keys.filter { $0[0] == key[0] }.map { $0[1] }.sorted()
        #expect(try await ledger.states(of: key[0]).map(\.name) == names, "seed \(seed), operation \(number)")
      }
      try await ledger.close()
    }
  }

  @Test func `random verbs of pages have the outcomes of the model`() async throws {
    for seed in 1...UInt64(Self.sequences) {
      var random = SeededGenerator(seed: seed)
      var limits = Ledger.Limits()
      limits.pageBytes = 100
      let ledger = try await Ledger.inMemory(clock: clock, limits: limits)
      var kept: [String: (data: String, expires: Timestamp, used: Timestamp)] = [:]
      for number in 0..<100 {
        clock.advance(by: .milliseconds(Int64.random(in: 1...400, using: &random)))
        let key = "page\(Int.random(in: 0...5, using: &random))"
        let now = clock.now()
        switch Int.random(in: 0...9, using: &random) {
        case 0...4:
          let data = String(repeating: "x", count: Int.random(in: 1...60, using: &random))
          let lifetime = Int64.random(in: 500...5000, using: &random)
          try await ledger.put(page: key, data, lifetime: .milliseconds(lifetime))
          kept[key] = nil
          kept = kept.filter { $0.value.expires > now }
          while kept.values.reduce(data.utf8.count, { $0 + $1.data.utf8.count }) > 100,
            let oldest = kept.min(by: { $0.value.used < $1.value.used })
          {
            kept[oldest.key] = nil
          }
          kept[key] = (data, Timestamp(milliseconds: now.milliseconds + lifetime), now)
        case 5...7:
          let found = try await ledger.page(key)
          let expected = kept[key].flatMap { $0.expires > now ? $0.data : nil }
          #expect(found?.data == expected, "seed \(seed), operation \(number)")
          if expected != nil { kept[key]?.used = now }
        case 8:
          let removed = try await ledger.remove(page: key)
          // One that has expired may have gone already.
          if let page = kept.removeValue(forKey: key) {
            if page.expires > now { #expect(removed, "seed \(seed), operation \(number)") }
          } else {
            #expect(!removed, "seed \(seed), operation \(number)")
          }
        default:
          _ = try await ledger.removeExpiredPages()
          kept = kept.filter { $0.value.expires > now }
        }
      }
      for (key, page) in kept where page.expires > clock.now() {
        #expect(try await ledger.page(key)?.data == page.data)
      }
      try await ledger.close()
    }
  }

  @Test func `rates of signals are those counted over all of them, and no domain counts another's`() async throws {
    for seed in 1...UInt64(Self.sequences) {
      var random = SeededGenerator(seed: seed)
      let ledger = try await Ledger.inMemory(clock: clock)
      var all: [(domain: String, selector: String, type: Ledger.Signal.SelectorType, success: Bool, at: Timestamp)] = []
      for _ in 0..<20 {
        clock.advance(by: .seconds(Int64.random(in: 0...100, using: &random)))
        let drafts = (0..<Int.random(in: 1...5, using: &random)).map { _ in
          Ledger.Signal.Draft(
            "#\(Int.random(in: 0...3, using: &random))",
            type: Ledger.Signal.SelectorType.allCases.randomElement(using: &random) ?? .css,
            success: Bool.random(using: &random), domain: ["shop", "bank"].randomElement(using: &random) ?? "shop")
        }
        try await ledger.record(drafts)
        all += drafts.map { ($0.domain, $0.selector, $0.selectorType, $0.success, clock.now()) }
        let since = all.randomElement(using: &random)?.at
        for domain in ["shop", "bank", "nowhere"] {
          let mine = all.filter { $0.domain == domain && $0.at >= since ?? $0.at }
          let groups = Dictionary(grouping: mine) { [$0.selector, $0.type.rawValue] }
          let rates = try await ledger.selectorRates(in: domain, since: since)
          #expect(rates.count == groups.count, "seed \(seed)")
          #expect(rates.map(\.count) == rates.map(\.count).sorted(by: >), "seed \(seed)")
          for rate in rates {
            let group = groups[[rate.selector, rate.selectorType.rawValue]] ?? []
            #expect(rate.count == group.count && rate.successes == group.count { $0.success }, "seed \(seed)")
          }
        }
      }
      try await ledger.close()
    }
  }

  @Test func `random verbs of alerts have the outcomes of the model, though the clock is set back`() async throws {
    struct Rule {
      let draft: Ledger.AlertRule.Draft
      var isEnabled = true
      var fired: Timestamp?
      var history: [Ledger.Alert] = []
    }
    for seed in 1...UInt64(Self.sequences) {
      var random = SeededGenerator(seed: seed)
      let ledger = try await Ledger.inMemory(clock: clock)
      var events: [(component: String, isError: Bool, at: Timestamp)] = []
      var samples: [(host: String, value: Double, at: Timestamp)] = []
      var rules: [String: Rule] = [:]
      func found(_ draft: Ledger.AlertRule.Draft, at now: Timestamp) -> Double? {
        let start = now.milliseconds - Int64(draft.window.components.seconds) * 1000
        func isIn(_ at: Timestamp) -> Bool { at.milliseconds > start && at <= now }
        func fits(_ name: String, _ value: String) -> Bool { draft.labels[name].map { $0 == .string(value) } ?? true }
        if draft.condition == .errors {
          return Double(events.count { $0.isError && isIn($0.at) && fits("component", $0.component) })
        }
        let values = samples.filter { isIn($0.at) && fits("host", $0.host) }.map(\.value)
        return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
      }
      for number in 0..<100 {
        clock.advance(by: .seconds(Int64.random(in: 0...9, using: &random) == 0 ? -40 : 7))
        let now = clock.now()
        let name = "rule\(Int.random(in: 0...3, using: &random))"
        let side = ["a", "b"].randomElement(using: &random) ?? "a"
        switch Int.random(in: 0...11, using: &random) {
        case 0...2:
          let level = Ledger.Event.Level.allCases.randomElement(using: &random) ?? .info
          try await ledger.log(.init("m", level: level, kind: .error, component: .init(rawValue: side)))
          events.append((side, level >= .error, now))
        case 3...5:
          // Halves are summed exactly, in any order.
          let value = Double(Int.random(in: 0...20, using: &random)) / 2
          try await ledger.record(Ledger.Sample.Draft(value, of: "load", labels: ["host": side]))
          samples.append((side, value, now))
        case 6:
          let isOfErrors = Bool.random(using: &random)
          var draft = Ledger.AlertRule.Draft(
            name, isOfErrors ? .errors : .sample("load"), above: Double(Int.random(in: 0...6, using: &random)),
            over: .seconds(Int.random(in: 1...120, using: &random)))
          draft.comparison = Ledger.AlertRule.Comparison.allCases.randomElement(using: &random) ?? .above
          draft.cooldown = .seconds(Int.random(in: 0...60, using: &random))
          if Bool.random(using: &random) {
            draft.labels = .object([(isOfErrors ? "component" : "host"): .string(side)])
          }
          try await ledger.save(draft)
          var rule = Rule(draft: draft)
          (rule.fired, rule.history) = (rules[name]?.fired, rules[name]?.history ?? [])
          rules[name] = rule
        case 7:
          let isEnabled = Bool.random(using: &random)
          let code = await refusal { try await ledger.set(isEnabled: isEnabled, ofAlertRule: name) }
          #expect(code == (rules[name] == nil ? .notFound : nil), "seed \(seed), operation \(number)")
          rules[name]?.isEnabled = isEnabled
        case 8 where Bool.random(using: &random):
          let code = await refusal { try await ledger.remove(alertRule: name) }
          #expect(code == (rules[name] == nil ? .notFound : nil), "seed \(seed), operation \(number)")
          rules[name] = nil
        default:
          var expected: [Ledger.Alert] = []
          for (name, rule) in rules.sorted(by: { $0.key < $1.key }) where rule.isEnabled {
            if let fired = rule.fired {
              // Behind the time at which it fired, the cooldown begins again.
              if now < fired { rules[name]?.fired = now }
              guard now >= fired, fired.milliseconds + rule.draft.cooldown.components.seconds * 1000 <= now.milliseconds
              else { continue }
            }
            guard let value = found(rule.draft, at: now) else { continue }
            let threshold = rule.draft.threshold
            guard rule.draft.comparison == .above ? value > threshold : value < threshold else { continue }
            let alert = Ledger.Alert(rule: name, value: value, createdAt: now)
            expected.append(alert)
            rules[name]?.fired = now
            rules[name]?.history.insert(alert, at: 0)
          }
          let alerts = try await ledger.evaluateAlerts().sorted { $0.rule < $1.rule }
          #expect(alerts == expected, "seed \(seed), operation \(number)")
        }
        let kept = try await ledger.alertRules()
        #expect(kept.map(\.name) == rules.keys.sorted(), "seed \(seed), operation \(number)")
        for rule in kept {
          #expect(
            rule.lastTriggered == rules[rule.name]?.fired && rule.isEnabled == rules[rule.name]?.isEnabled,
            "seed \(seed), operation \(number): \(rule)")
        }
        // By time, which is not the order in which they fired if the clock was set back; of one time the last first.
        let history = (rules[name]?.history ?? []).enumerated().sorted { a, b in
          (b.element.createdAt, a.offset) < (a.element.createdAt, b.offset)
        }.map(\.element)
        #expect(try await ledger.alerts(of: name) == history, "seed \(seed), operation \(number)")
      }
      try await ledger.close()
    }
  }
}
