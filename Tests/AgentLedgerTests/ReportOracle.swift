import Foundation
import GRDB
import StoreValues
import TestSupport

@testable import AgentLedger

/// Random rows of a ledger, kept in memory as well, and the reports of them by plain loops.
struct ReportOracle {
  struct Task {
    var id: String, priority: Int, status: String, isReady: Bool, notBefore: Int64, category: String?
    var complexity: Double?, created: Int64, started: Int64?, completed: Int64?
  }
  struct Event { var level: Int, type: String?, person: String?, at: Int64 }
  struct Run { var id: String, agent: String?, session: String?, domain: String, started: Int64, cost: Int64 }
  struct Entry { var run: Int, model: String?, cost: Int64, tokens: [Int64], at: Int64, isPrompt: Bool }

  static let day: Int64 = 86_400_000
  let now: Int64
  private(set) var tasks: [Task] = []
  private(set) var events: [Event] = []
  private(set) var runs: [Run] = []
  private(set) var entries: [Entry] = []
  private(set) var hours: [Int64: (hits: Int, misses: Int)] = [:]
  let people = ["p1": "ada", "p2": "bob", "p3": "cy"]
  let agents = ["a1": "builder", "a2": "tester"]

  /// Times lie from 60 days before now to now, some at the beginning of a window or a day.
  init(seed: UInt64, now: Int64) {
    self.now = now
    var random = SeededGenerator(seed: seed)
    func time(_ random: inout SeededGenerator) -> Int64 {
      switch Int.random(in: 0..<6, using: &random) {
      case 0: now - Int64.random(in: 0..<40, using: &random) * Self.day
      case 1: (now / Self.day - Int64.random(in: 0..<10, using: &random)) * Self.day
      case 2: now - Int64.random(in: 0..<Self.day, using: &random)
      default: now - Int64.random(in: 0..<60 * Self.day, using: &random)
      }
    }
    for index in 0..<Int.random(in: 0...120, using: &random) {
      let created = time(&random)
      let status = ["pending", "in_progress", "completed", "failed", "cancelled"].randomElement(using: &random) ?? ""
      let isEnded = !["pending", "in_progress"].contains(status)
      let started = status == "pending" || (status == "cancelled" && Bool.random(using: &random)) ? nil : time(&random)
      tasks.append(
        Task(
          id: "t\(index)", priority: Int.random(in: 0...4, using: &random), status: status,
          isReady: Bool.random(using: &random), notBefore: now + Int64.random(in: -3...3, using: &random),
          category: [nil, "coding", "debug", "own"].randomElement(using: &random) ?? nil,
          complexity: Bool.random(using: &random) ? nil : Double(Int.random(in: 0...64, using: &random)) / 64,
          created: created, started: started, completed: isEnded ? time(&random) : nil))
    }
    for _ in 0..<Int.random(in: 0...200, using: &random) {
      events.append(
        Event(
          level: Int.random(in: 0...4, using: &random),
          type: [nil, nil, "api", "timeout", "own"].randomElement(using: &random) ?? nil,
          person: ([nil, "p1", "p2", "p3"] as [String?]).randomElement(using: &random) ?? nil, at: time(&random)))
    }
    for index in 0..<Int.random(in: 1...40, using: &random) {
      runs.append(
        Run(
          id: "r\(index)", agent: ([nil, "a1", "a2"] as [String?]).randomElement(using: &random) ?? nil,
          session: ([nil, "s1", "s2", "s3"] as [String?]).randomElement(using: &random) ?? nil,
          domain: ["d", "e"].randomElement(using: &random) ?? "d", started: time(&random), cost: 0))
    }
    for _ in 0..<Int.random(in: 0...150, using: &random) {
      let isPrompt = Bool.random(using: &random)
      let run = Int.random(in: 0..<runs.count, using: &random)
      let cost = Int64.random(in: 0...3, using: &random) * 1000
      runs[run].cost += cost
      entries.append(
        Entry(
          run: run, model: isPrompt ? ([nil, "m", "n"] as [String?]).randomElement(using: &random) ?? nil : nil,
          cost: cost, tokens: (0..<(isPrompt ? 2 : 1)).map { _ in Int64.random(in: 0...2, using: &random) },
          at: time(&random), isPrompt: isPrompt))
    }
    for _ in 0..<60 {
      hours[now / 3_600_000 - Int64.random(in: 0..<100, using: &random)] = (
        Int.random(in: 0...9, using: &random), Int.random(in: 0...9, using: &random)
      )
    }
  }

  func write(to ledger: Ledger) async throws {
    try await ledger.database.write { db, _ in
      for (id, handle) in people {
        try db.execute(sql: "INSERT INTO people (id, handle, created_at) VALUES (?, ?, 0)", arguments: [id, handle])
      }
      for (id, name) in agents {
        try db.execute(
          sql: "INSERT INTO agents (id, name, type, created_at, updated_at) VALUES (?, ?, 'builder', 0, 0)",
          arguments: [id, name])
      }
      for task in tasks {
        try db.execute(
          sql: """
            INSERT INTO tasks (id, type, priority, status, is_ready, not_before, lease_until, waits_since, worker_id, category,
                complexity, domain, created_at, started_at, completed_at) VALUES (?, 't', ?, ?, ?, ?, ?, 0, ?, ?, ?, 'd', ?, ?, ?)
            """,
          arguments: [
            task.id, task.priority, task.status, task.isReady, task.notBefore, task.status == "in_progress" ? 1 : nil,
            task.status == "in_progress" ? "w" : nil, task.category, task.complexity, task.created, task.started,
            task.completed,
          ])
      }
      for event in events {
        try db.execute(
          sql: """
            INSERT INTO events (level, kind, component, error_type, person_id, message, created_at)
            VALUES (?, 'k', 'c', ?, ?, '', ?)
            """, arguments: [event.level, event.type, event.person, event.at])
      }
      for run in runs {
        try db.execute(
          sql: """
            INSERT INTO runs (id, agent_id, session, domain, task_type, last_heartbeat, started_at)
            VALUES (?, ?, ?, ?, 't', 0, ?)
            """, arguments: [run.id, run.agent, run.session, run.domain, run.started])
      }
      for (index, entry) in entries.enumerated() {
        if entry.isPrompt {
          try db.execute(
            sql: """
              INSERT INTO prompts (id, run_id, position, type, text, model, cost, tokens_in, tokens_out, created_at)
              VALUES (?, ?, ?, 'command', '', ?, ?, ?, ?, ?)
              """,
            arguments: [
              "e\(index)", runs[entry.run].id, index + 1, entry.model, entry.cost, entry.tokens[0], entry.tokens[1],
              entry.at,
            ])
        } else {
          try db.execute(
            sql: """
              INSERT INTO tool_calls (id, run_id, position, tool, cost, tokens, created_at) VALUES (?, ?, ?, 't', ?, ?, ?)
              """,
            arguments: ["e\(index)", runs[entry.run].id, index + 1, entry.cost, entry.tokens[0], entry.at])
        }
      }
      for (hour, count) in hours {
        try db.execute(
          sql: "INSERT INTO page_hours (hour, hits, misses) VALUES (?, ?, ?)",
          arguments: [hour, count.hits, count.misses])
      }
    }
  }

  // MARK: Reports

  private func isIn(_ window: Int64) -> (Int64?) -> Bool {
    { time in time.map { $0 > now - window && $0 <= now } ?? false }
  }

  private func mean(_ values: [Double]) -> Double? {
    values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
  }

  private func meanTime(_ tasks: [Task]) -> Double? {
    mean(
      tasks.filter { $0.status != "cancelled" }.compactMap { task in
        guard let started = task.started, let completed = task.completed else { return nil }
        return Double(max(0, completed - started))
      })
  }

  func categories(_ window: Int64) -> [Ledger.CategoryReport] {
    let ended = tasks.filter { isIn(window)($0.completed) }
    return Dictionary(grouping: ended, by: \.category).sorted {
      ($1.value.count, $0.key ?? "") < ($0.value.count, $1.key ?? "")
    }.map { category, tasks in
      Ledger.CategoryReport(
        category: category.map { Ledger.Task.Category(rawValue: $0) },
        completed: tasks.count { $0.status == "completed" }, failed: tasks.count { $0.status == "failed" },
        cancelled: tasks.count { $0.status == "cancelled" }, meanComplexity: mean(tasks.compactMap(\.complexity)),
        meanMilliseconds: meanTime(tasks))
    }
  }

  /// The dates of the last days, as their numbers are on the wall.
  private func dates(_ count: Int, _ zone: TimeZone) -> [DateComponents] {
    var (dates, time) = ([DateComponents](), now)
    // A step of an hour misses no day.
    while dates.count < count {
      let date = date(of: time, zone)
      if dates.last != date { dates.append(date) }
      time -= 3_600_000
    }
    return dates.reversed()
  }

  private func date(of time: Int64, _ zone: TimeZone) -> DateComponents {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = zone
    return calendar.dateComponents([.year, .month, .day], from: Date(timeIntervalSince1970: Double(time) / 1000))
  }

  struct Day: Equatable { var added: Int, completed: Int, failed: Int, cancelled: Int, mean: Double? }

  func trend(_ count: Int, _ zone: TimeZone) -> [Day] {
    dates(count, zone).map { day in
      let ended = tasks.filter { $0.completed.map { date(of: $0, zone) } == day }
      return Day(
        added: tasks.count { date(of: $0.created, zone) == day }, completed: ended.count { $0.status == "completed" },
        failed: ended.count { $0.status == "failed" }, cancelled: ended.count { $0.status == "cancelled" },
        mean: meanTime(ended))
    }
  }

  struct Spent: Equatable { var cost: Int64, tokens: Int64, prompts: Int }

  func costTrend(_ count: Int, _ zone: TimeZone) -> [Spent] {
    dates(count, zone).map { day in
      let made = entries.filter { date(of: $0.at, zone) == day }
      return Spent(
        cost: made.reduce(0) { $0 + $1.cost }, tokens: made.reduce(0) { $0 + $1.tokens.reduce(0, +) },
        prompts: made.count { $0.isPrompt })
    }
  }

  func queue() -> [Ledger.QueueDepth] {
    Ledger.Task.Priority.allCases.map { priority in
      let tasks = tasks.filter { $0.priority == priority.rawValue }
      let ready = tasks.filter { $0.status == "pending" && ($0.isReady || $0.notBefore <= now) }
      let oldest = ready.map(\.created).min()
      return Ledger.QueueDepth(
        priority: priority, ready: ready.count, delayed: tasks.count { $0.status == "pending" } - ready.count,
        inProgress: tasks.count { $0.status == "in_progress" }, oldestAt: oldest.map(Timestamp.init(milliseconds:)),
        oldestMilliseconds: oldest.map { now - $0 })
    }
  }

  private func errors(_ window: Int64) -> [Event] {
    events.filter { ($0.level >= 3 || $0.type != nil) && isIn(window)($0.at) }
  }

  func errorRates(_ window: Int64) -> [Ledger.ErrorRate] {
    let errors = errors(window)
    return Dictionary(grouping: errors, by: \.type).sorted {
      ($1.value.count, $0.key ?? "") < ($0.value.count, $1.key ?? "")
    }.map { type, events in
      Ledger.ErrorRate(
        errorType: type, count: events.count, share: Double(events.count) / Double(errors.count),
        perHour: Double(events.count) / (Double(window) / 3_600_000),
        lastAt: Timestamp(milliseconds: events.map(\.at).max() ?? 0))
    }
  }

  func errorsByPerson(_ window: Int64) -> [Ledger.PersonErrors] {
    Dictionary(grouping: errors(window).filter { $0.person != nil }, by: { $0.person ?? "" }).map { id, events in
      Ledger.PersonErrors(
        person: .init(id), handle: people[id] ?? "", count: events.count,
        perHour: Double(events.count) / (Double(window) / 3_600_000),
        lastAt: Timestamp(milliseconds: events.map(\.at).max() ?? 0))
    }.sorted { ($1.count, $0.handle) < ($0.count, $1.handle) }
  }

  func costs(_ dimension: Ledger.Cost.Dimension, _ window: Int64) -> Set<Ledger.Cost> {
    if dimension == .model {
      let made = entries.filter { isIn(window)($0.at) && ($0.isPrompt || $0.cost > 0 || $0.tokens[0] > 0) }
      return Set(
        Dictionary(grouping: made, by: \.model).map { model, entries in
          Ledger.Cost(
            name: model, cost: entries.reduce(0) { $0 + $1.cost }, count: entries.count,
            tokens: entries.reduce(0) { $0 + $1.tokens.reduce(0, +) })
        })
    }
    let began = Dictionary(grouping: runs.filter { isIn(window)($0.started) }) { run in
      switch dimension {
      case .agent: run.agent.flatMap { agents[$0] }
      case .session: run.session
      default: run.domain
      }
    }
    return Set(
      began.map { name, runs in
        Ledger.Cost(name: name, cost: runs.reduce(0) { $0 + $1.cost }, count: runs.count, tokens: nil)
      })
  }

  func pages(_ window: Int64) -> (hits: Int, misses: Int) {
    let inside = hours.filter { $0.key >= (now - window) / 3_600_000 && $0.key <= now / 3_600_000 }.values
    return (inside.reduce(0) { $0 + $1.hits }, inside.reduce(0) { $0 + $1.misses })
  }
}
