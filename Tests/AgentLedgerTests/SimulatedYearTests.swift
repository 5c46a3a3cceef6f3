import Foundation
import StoreValues
import TestSupport
import Testing

@testable import AgentLedger

/// What notices and alerts of a year are to be, minute by minute.
private struct YearModel {
  struct Person {
    let id: Ledger.Person.ID
    let preferences: Ledger.NoticePreferences
    let requests: (count: Int, minutes: Int)
    let notices: (count: Int, minutes: Int)
    /// Minutes of notices that are not critical, by channel.
    var scheduled: [Ledger.Notice.Channel: [Int]] = [:]
    var window: (start: Int, count: Int)?
  }

  struct Rule {
    let draft: Ledger.AlertRule.Draft
    var last: Int?
    var minutes: Int { Int(draft.window.components.seconds / 60) }
    var cooldown: Int { Int(draft.cooldown.components.seconds / 60) }
  }

  struct Row: Hashable, Comparable, CustomStringConvertible {
    let recipient: Ledger.Person.ID
    let channel: Ledger.Notice.Channel
    let level: Ledger.Notice.Level
    let notBefore: Int
    var description: String { "\(recipient) \(channel) \(level) \(WallYear.time(notBefore))" }
    static func < (a: Self, b: Self) -> Bool { a.description < b.description }
  }

  let year: WallYear
  var now = 0
  var people: [Person]
  var rules: [Rule]
  var samples: [(minute: Int, value: Double)] = []
  var added: [Int] = []
  var ended: [(minute: Int, fails: Bool)] = []

  /// The first minute from now on that is not quiet and has room.
  mutating func notify(_ index: Int, _ level: Ledger.Notice.Level, by channels: [Ledger.Notice.Channel]?) -> [Row] {
    (channels ?? people[index].preferences.channels).map { channel in
      let person = people[index]
      var minute = now
      if level != .critical {
        let scheduled = person.scheduled[channel] ?? []
        while scheduled.count(where: { $0 > minute - person.notices.minutes }) >= person.notices.count
          || person.preferences.quietHours.map({ year.isQuiet($0, minute) }) ?? false
        { minute += 1 }
        people[index].scheduled[channel, default: []].append(minute)
      }
      return Row(recipient: person.id, channel: channel, level: level, notBefore: minute)
    }
  }

  /// - Returns: When to try again; `nil` if the request is allowed.
  mutating func request(_ index: Int) -> Int? {
    let (count, minutes) = people[index].requests
    var window = people[index].window ?? (now, 0)
    if now >= window.start + minutes { window = (now, 0) }
    guard window.count < count else { return window.start + minutes }
    people[index].window = (window.start, window.count + 1)
    return nil
  }

  private func value(_ rule: Rule) -> Double? {
    let minutes = (now - rule.minutes + 1)...now
    switch rule.draft.condition {
    case .usage: return Double(added.count { minutes.contains($0) })
    case .errorRate:
      let ends = ended.filter { minutes.contains($0.minute) }
      return ends.isEmpty ? nil : Double(ends.count { $0.fails }) / Double(ends.count)
    default:
      let found = samples.filter { minutes.contains($0.minute) }
      return found.isEmpty ? nil : found.reduce(0) { $0 + $1.value } / Double(found.count)
    }
  }

  /// - Returns: The rules that fire, with what they found, and their notices.
  mutating func evaluate() -> (alerts: [Ledger.Alert], notices: [Row]) {
    var (alerts, notices) = ([Ledger.Alert](), [Row]())
    for index in rules.indices {
      let rule = rules[index]
      if let last = rule.last, now < last + rule.cooldown { continue }
      guard let value = value(rule),
        rule.draft.comparison == .above ? value > rule.draft.threshold : value < rule.draft.threshold
      else { continue }
      rules[index].last = now
      alerts.append(Ledger.Alert(rule: rule.draft.name, value: value, createdAt: WallYear.time(now)))
      for recipient in rule.draft.recipients {
        guard let person = people.firstIndex(where: { $0.id == recipient }) else { continue }
        notices += notify(person, rule.draft.level, by: rule.draft.channels.isEmpty ? nil : rule.draft.channels)
      }
    }
    return (alerts, notices)
  }
}

@Suite struct `A simulated year` {
  private static let people: [(tier: Ledger.Person.Tier, preferences: Ledger.NoticePreferences)] = [
    (.free, .init(channels: [.email], quietHours: .init(from: "22:00", to: "07:00"))),
    (.premium, .init(channels: [.email, .sms], quietHours: .init(from: "02:10", to: "02:50"))),
    (.enterprise, .init(channels: [.slack], quietHours: .init(from: "06:00", to: "02:00"))),
    ("own", .init(channels: [.webhook])),
  ]
  private static let requests: [Ledger.Person.Tier: (count: Int, minutes: Int)] = [
    .free: (2, 30), .premium: (4, 60), .enterprise: (7, 10), "own": (1, 1440),
  ]
  private static let notices: [Ledger.Person.Tier: (count: Int, minutes: Int)] = [
    .free: (1, 60), .premium: (2, 180), .enterprise: (3, 45), "own": (2, 1440),
  ]
  /// Long ones and many short ones, so that notices meet quiet hours and limits together. About so many steps, or
  /// EPISODIC_YEAR_STEPS=20000.
  private static let steps = ProcessInfo.processInfo.environment["EPISODIC_YEAR_STEPS"].flatMap(Int.init) ?? 900

  private static func rules(_ ids: [Ledger.Person.ID]) -> [Ledger.AlertRule.Draft] {
    var low = Ledger.AlertRule.Draft(
      "low", .sample("load"), above: 0.3, over: .seconds(4 * 3600), level: .info, to: [ids[1], ids[3]])
    low.comparison = .below
    low.cooldown = .seconds(7 * 3600)
    var errors = Ledger.AlertRule.Draft(
      "errors", .errorRate, above: 0.5, over: .seconds(86_400), level: .critical, to: ids, by: [.sms])
    errors.cooldown = .seconds(90 * 60)
    return [
      errors, Ledger.AlertRule.Draft("load", .sample("load"), above: 0.6, over: .seconds(3600), to: [ids[0], ids[2]]),
      low,
      Ledger.AlertRule.Draft(
        "usage", .usage, above: 1, over: .seconds(1800), to: [ids[0], ids[1]], by: [.email, .slack]),
    ]
  }

  @Test(arguments: WallYear.zones)
  func `alerts, cooldowns, quiet hours and rate limits equal a model that walks minute by minute`(
    _ zone: String
  ) async throws {
    let seed = UInt64(WallYear.zones.firstIndex(of: zone) ?? 0) + 1
    var random = SeededGenerator(seed: seed)
    let clock = ManualClock(WallYear.start)
    let ledger = try await Ledger.inMemory(clock: clock)
    try await ledger.save(Ledger.NoticeTemplate("t", type: .system, subject: "s", body: "b", variables: []))
    let worker = try await ledger.register(worker: "w").id
    var people: [YearModel.Person] = []
    for (tier, preferences) in Self.people {
      let (requests, notices) = try (#require(Self.requests[tier]), #require(Self.notices[tier]))
      try await ledger.set(
        rateLimit: .init(requests.count, per: .seconds(requests.minutes * 60)), of: .requests, for: tier)
      try await ledger.set(
        rateLimit: .init(notices.count, per: .seconds(notices.minutes * 60)), of: .notices, for: tier)
      var draft = Ledger.Person.Draft(tier.rawValue, tier: tier, zone: zone, id: Ledger.Person.ID(tier.rawValue))
      draft.preferences = preferences
      try await ledger.add(draft)
      people.append(
        .init(id: Ledger.Person.ID(tier.rawValue), preferences: preferences, requests: requests, notices: notices))
    }
    let rules = Self.rules(people.map(\.id))
    for rule in rules { try await ledger.save(rule) }
    var model = try YearModel(year: .of(zone), people: people, rules: rules.map { .init(draft: $0) })
    var expected: [YearModel.Row] = []
    var alerts: [Ledger.Alert] = []
    // Half of the steps are short, and so are all about a clock change.
    let mean = 2 * 365 * 1440 / Self.steps
    var (step, stepsNearChanges) = (0, 0)
    while true {
      step += 1
      let isShort = Bool.random(using: &random)
      var next = model.now + Int.random(in: 0...(isShort ? max(4, mean / 20) : mean * 2), using: &random)
      let jump = model.year.jumps.first { $0 > model.now - 180 && $0 - 180 < next }
      if let jump { next = min(next, max(model.now, jump - 180) + Int.random(in: 0...20, using: &random)) }
      guard next < 365 * 1440 else { break }
      clock.advance(by: .seconds((next - model.now) * 60))
      model.now = next
      if jump != nil { stepsNearChanges += 1 }
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<3:
        let index = people.indices.randomElement(using: &random) ?? 0
        let level = Ledger.Notice.Level.allCases.randomElement(using: &random) ?? .info
        for _ in 0..<Int.random(in: 1...3, using: &random) {
          expected += model.notify(index, level, by: nil)
          try await ledger.notify(people[index].id, template: "t", level: level)
        }
      case 3..<5:
        let index = people.indices.randomElement(using: &random) ?? 0
        for _ in 0..<Int.random(in: 1...5, using: &random) {
          let retry = model.request(index)
          let decision = try await ledger.countRequest(of: people[index].id)
          #expect(
            decision.isAllowed == (retry == nil) && decision.retryAt == retry.map(WallYear.time),
            "seed \(seed), step \(step)")
        }
      case 5..<7:
        for _ in 0..<Int.random(in: 1...3, using: &random) {
          let value = Double(Int.random(in: 0...64, using: &random)) / 64
          model.samples.append((model.now, value))
          try await ledger.sample("load", value)
        }
      default:
        try await ledger.add(Ledger.Task.Draft("t", domain: "d"))
        model.added.append(model.now)
        guard Bool.random(using: &random) else { break }
        let claimed = try #require(try await ledger.claim(by: worker).first?.id)
        let fails = Bool.random(using: &random)
        if fails {
          try await ledger.fail(claimed, by: worker, error: "e", mayRetry: false)
        } else {
          try await ledger.complete(claimed, by: worker)
        }
        model.ended.append((model.now, fails))
      }
      let fired = model.evaluate()
      expected += fired.notices
      alerts += fired.alerts
      #expect(try await ledger.evaluateAlerts() == fired.alerts, "seed \(seed), step \(step)")
      #expect(try await ledger.evaluateAlerts().isEmpty, "seed \(seed), step \(step)")
    }
    let written = try await Self.notices(ledger)
    #expect(written.map(\.description).sorted() == expected.map(\.description).sorted(), "seed \(seed)")
    let counts = Dictionary(grouping: alerts, by: \.rule).mapValues(\.count)
    #expect(rules.allSatisfy { (counts[$0.name] ?? 0) > 3 }, "seed \(seed): \(counts)")
    #expect(expected.count(where: { $0.level != .critical }) > 100, "seed \(seed)")
    #expect(stepsNearChanges >= 20 * model.year.jumps.count, "seed \(seed)")
  }

  private static func notices(_ ledger: Ledger) async throws -> [YearModel.Row] {
    var all: [Ledger.Notice] = []
    while true {
      let page = try await ledger.notices(after: all.last?.id, limit: 1000)
      if page.isEmpty { break }
      all += page
    }
    return all.map {
      YearModel.Row(
        recipient: $0.recipient, channel: $0.channel, level: $0.level, notBefore: WallYear.minute($0.notBefore))
    }
  }
}
