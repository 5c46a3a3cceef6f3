import GRDB
import StoreValues
import TestSupport

@testable import AgentLedger

/// Rows of every topic of retention at random times, and a plain model of which of them go.
struct RandomLedger {
  struct Task {
    let id, status: String
    let end: Int64?
    let parent: String?
  }
  struct Result {
    let id, task: String
    let at: Int64
  }
  struct Message {
    let id, key: String
    let result: String?
    let delivered, dead: Int64?
  }
  struct Run {
    let id, task: String
    let isEpisode: Bool
  }
  /// Of a table whose rows only have a time, and what else decides.
  struct Timed {
    let id, group: String
    let at: Int64
  }

  static let day: Int64 = 86_400_000
  private(set) var tasks: [Task] = []
  private(set) var results: [Result] = []
  private(set) var messages: [Message] = []
  private(set) var runs: [Run] = []
  /// By table: deliveries, events, notices, pages, logins, samples.
  private(set) var timed: [String: [Timed]] = [:]
  private(set) var windows: [String: Int64] = [:]
  private(set) var retention = Ledger.Retention()
  private let now: Int64

  init(at now: Int64, _ random: inout SeededGenerator) {
    self.now = now
    func time() -> Int64 { now - Int64.random(in: 0...400, using: &random) * Self.day / 3 }
    for number in 0..<120 {
      let status =
        ["pending", "in_progress", "completed", "completed", "completed", "failed", "cancelled"]
        .randomElement(using: &random) ?? "pending"
      let isEnded = status != "pending" && status != "in_progress"
      let long = Bool.random(using: &random) ? 4 * 365 * Self.day / 3 : 0
      tasks.append(
        Task(
          id: "t\(number)", status: status, end: isEnded ? time() - long : nil,
          parent: number > 0 && Int.random(in: 0..<6, using: &random) == 0
            ? "t\(Int.random(in: 0..<number, using: &random))" : nil))
      for attempt in 0..<Int.random(in: 0...2, using: &random) {
        let result = Result(id: "r\(number).\(attempt)", task: "t\(number)", at: time())
        results.append(result)
        if Bool.random(using: &random) { messages.append(message("m\(result.id)", of: result.id, time(), &random)) }
      }
      if Int.random(in: 0..<3, using: &random) == 0 {
        runs.append(
          Run(id: "run\(number)", task: "t\(number)", isEpisode: Bool.random(using: &random)))
      }
    }
    for number in 0..<30 {
      let key = Bool.random(using: &random) ? "t\(number)" : nil
      messages.append(message("o\(number)", of: nil, key: key, time(), &random))
    }
    let groups = [
      "deliveries": [""], "events": ["0", "1", "2", "3", "4"], "notices": ["sent", "failed", "pending"], "pages": [""],
      "logins": [""], "samples": ["cpu", "memory", "hits"],
    ]
    for (table, names) in groups.sorted(by: { $0.key < $1.key }) {
      timed[table] = (0..<60).map { number in
        Timed(id: "\(table)\(number)", group: names.randomElement(using: &random) ?? "", at: time())
      }
    }
    for condition in ["error_rate", "usage", "errors", "cpu"] where Int.random(in: 0..<3, using: &random) == 0 {
      windows[condition] = Int64.random(in: 1...120, using: &random) * Self.day
    }
    // The feed is not of the model: its rows have no time.
    for topic in Ledger.Retention.Topic.allCases where topic != .changes && Int.random(in: 0..<3, using: &random) == 0 {
      let days = [0, 1, 7, 30, 90, 365].randomElement(using: &random) ?? 7
      retention[topic] = Int.random(in: 0..<5, using: &random) == 0 ? nil : .seconds(days * 86_400)
    }
  }

  private func message(
    _ id: String, of result: String?, key: String? = nil, _ time: Int64, _ random: inout SeededGenerator
  ) -> Message {
    let state = Int.random(in: 0..<5, using: &random)
    return Message(
      id: id, key: key ?? "k\(id)", result: result, delivered: state < 3 ? time : nil, dead: state == 3 ? time : nil)
  }

  // MARK: Writing it

  func write(_ db: Database) throws {
    for task in tasks {
      try db.execute(
        sql: """
          INSERT INTO tasks (id, type, status, not_before, waits_since, lease_until, worker_id, domain, parent_id, created_at,
              completed_at)
          VALUES (?1, 'visit', ?2, 0, 0, CASE WHEN ?2 = 'in_progress' THEN 1 END,
              CASE WHEN ?2 = 'in_progress' THEN 'w' END, 'web', ?3, 0, ?4)
          """, arguments: [task.id, task.status, task.parent, task.end])
    }
    for result in results {
      try db.execute(
        sql: "INSERT INTO results (id, task_id, success, created_at) VALUES (?, ?, 1, ?)",
        arguments: [result.id, result.task, result.at])
    }
    for message in messages {
      try db.execute(
        sql: """
          INSERT INTO outbox (id, kind, key, payload, result_id, status, next_attempt_at, waits_since, delivered_at, dead_at,
              created_at)
          VALUES (?1, 'results', ?2, '{}', ?3, ?4, 0, 0, ?5, ?6, 0)
          """,
        arguments: [
          message.id, message.key, message.result,
          message.delivered != nil ? "delivered" : message.dead != nil ? "dead" : "queued", message.delivered,
          message.dead,
        ])
    }
    for run in runs {
      try db.execute(
        sql: """
          INSERT INTO runs (id, task_id, domain, task_type, status, last_heartbeat, started_at, completed_at, episode_id)
          VALUES (?1, ?2, 'web', 'testing', 'completed', 0, 0, 1, ?3)
          """, arguments: [run.id, run.task, run.isEpisode ? run.id : nil])
    }
    try db.execute(sql: "INSERT INTO people (id, handle, created_at) VALUES ('p', 'p', 0)")
    for (name, window) in windows {
      try db.execute(
        sql: """
          INSERT INTO alert_rules (name, condition, threshold, window_ms, level, channels) VALUES (?1, ?1, 1, ?2, 'info', '[]')
          """, arguments: [name, window])
    }
    for (number, name) in ["cpu", "memory", "hits", "idle"].enumerated() {
      try db.execute(sql: "INSERT INTO series (seq, name) VALUES (?, ?)", arguments: [number + 1, name])
    }
    for (table, rows) in timed {
      for (number, row) in rows.enumerated() {
        try db.execute(sql: Self.insertions[table] ?? "", arguments: [row.id, row.group, row.at, number])
      }
    }
  }

  private static let insertions = [
    "deliveries": """
    INSERT INTO deliveries (direction, kind, count, success, created_at)
    SELECT 'upload', ?1, 1, 1, ?3 FROM (SELECT ?2, ?4)
    """,
    "events": """
    INSERT INTO events (level, kind, component, message, created_at)
    SELECT CAST(?2 AS INTEGER), 'milestone', 'api', ?1, ?3 FROM (SELECT ?4)
    """,
    "notices": """
    INSERT INTO notices (id, recipient, channel, type, level, subject, body, status, not_before, created_at, sent_at)
    SELECT ?1, 'p', 'email', 'system', 'info', '', '', ?2, 0, ?3, CASE WHEN ?2 = 'sent' THEN 0 END FROM (SELECT ?4)
    """,
    "pages": """
    INSERT INTO pages (key, data, type, size, created_at, expires_at, last_accessed)
    SELECT ?1, x'00', 'text', 1, 0, ?3, 0 FROM (SELECT ?2, ?4)
    """,
    "logins": """
    INSERT INTO logins (digest, person_id, created_at, expires_at)
    SELECT CAST(substr(?1 || '________________________________', 1, 32) AS BLOB), 'p', ?3 - 1, ?3 FROM (SELECT ?2, ?4)
    """,
    "samples": """
    INSERT INTO samples (series, at, seq, value) SELECT (SELECT seq FROM series WHERE name = ?2), ?3, ?4, 1
    FROM (SELECT ?1)
    """,
  ]

  // MARK: The model

  struct Outcome: Equatable {
    var counts: [Ledger.Retention.Topic: Int] = [:]
    /// Ids of what is left.
    var tasks, archive, results, messages, series: Set<String>
    var timed: [String: Int] = [:]
  }

  private func cutoff(_ topic: Ledger.Retention.Topic) -> Int64? {
    retention[topic].map { now - $0.components.seconds * 1000 }
  }

  func outcome() -> Outcome {
    let taskWindow = ["error_rate", "usage", "response_time"].compactMap { windows[$0] }.max().map { now - $0 } ?? .max
    let completedCutoff = cutoff(.completedTasks).map { min($0, taskWindow) }
    let byID = Dictionary(uniqueKeysWithValues: tasks.map { ($0.id, $0) })
    func isOver(_ message: Message) -> Bool {
      guard let delivered = message.delivered, let cutoff = cutoff(.messages), delivered <= cutoff else { return false }
      guard let result = results.first(where: { $0.id == message.result }), byID[result.task]?.status == "completed",
        let completed = completedCutoff
      else { return true }
      return delivered <= completed
    }
    func ofTask(_ id: String) -> [Message] {
      let own = Set(results.filter { $0.task == id }.map(\.id))
      return messages.filter { $0.result.map(own.contains) ?? false }
    }
    func isFree(_ task: Task) -> Bool {
      !runs.contains { $0.task == task.id && !$0.isEpisode }
        && !tasks.contains { $0.parent == task.id && $0.end == nil }
        && !messages.contains { $0.key == task.id && $0.delivered == nil }
    }
    func isCompletedAndGoes(_ task: Task) -> Bool {
      guard task.status == "completed", let end = task.end, let cutoff = completedCutoff, end <= cutoff, isFree(task)
      else { return false }
      return ofTask(task.id).allSatisfy { $0.delivered.map { $0 <= cutoff } ?? false }
    }
    func isArchived(_ task: Task) -> Bool {
      guard !isCompletedAndGoes(task), let end = task.end, let cutoff = cutoff(.archivedTasks),
        end <= min(cutoff, taskWindow), isFree(task)
      else { return false }
      return ofTask(task.id).allSatisfy(isOver)
    }
    let goneMessages = messages.filter(isOver)
    let goneResults = results.filter { result in
      guard let cutoff = cutoff(.results), result.at <= cutoff, byID[result.task]?.end != nil else { return false }
      return messages.filter { $0.result == result.id }.allSatisfy(isOver)
    }
    let goneTasks = tasks.filter(isCompletedAndGoes)
    let archived = tasks.filter(isArchived)
    let left = Set(tasks.map(\.id)).subtracting(goneTasks.map(\.id)).subtracting(archived.map(\.id))
    let leftResults = Set(results.filter { left.contains($0.task) }.map(\.id)).subtracting(goneResults.map(\.id))
    let leftMessages = messages.filter { message in
      message.result.map(leftResults.contains) ?? true
    }
    var outcome = Outcome(
      tasks: left, archive: Set(archived.map(\.id)), results: leftResults,
      messages: Set(leftMessages.map(\.id)).subtracting(goneMessages.map(\.id)), series: [])
    outcome.counts = [
      .messages: goneMessages.count, .results: goneResults.count, .completedTasks: goneTasks.count,
      .archivedTasks: archived.count,
    ]
    outcome.series = ["idle", "cpu", "memory", "hits"]
    addTimed(&outcome)
    outcome.counts = outcome.counts.filter { $0.value > 0 }
    return outcome
  }

  private func addTimed(_ outcome: inout Outcome) {
    let eventWindow = windows["errors"].map { now - $0 } ?? .max
    for (table, rows) in timed {
      for row in rows {
        let topic: Ledger.Retention.Topic
        var bound = Int64.max
        switch table {
        case "deliveries": topic = .deliveries
        case "events": (topic, bound) = (row.group < "2" ? .infoEvents : .errorEvents, eventWindow)
        case "notices": (topic, bound) = (.notices, row.group == "pending" ? .min : .max)
        case "pages": topic = .pages
        case "logins": topic = .logins
        default: (topic, bound) = (.samples, windows[row.group].map { now - $0 } ?? .max)
        }
        if let cutoff = cutoff(topic), row.at <= min(cutoff, bound) {
          outcome.counts[topic, default: 0] += 1
        } else {
          outcome.timed[table, default: 0] += 1
        }
      }
    }
    guard let cutoff = cutoff(.samples) else { return }
    let samples = timed["samples"] ?? []
    outcome.series = Set(
      ["idle", "cpu", "memory", "hits"].filter { name in
        windows[name] != nil || samples.contains { $0.group == name && $0.at > cutoff }
      })
  }

  static func stored(_ db: Database, counts: [Ledger.Retention.Topic: Int]) throws -> Outcome {
    var outcome = Outcome(
      counts: counts, tasks: try String.fetchSet(db, sql: "SELECT id FROM tasks"),
      archive: try String.fetchSet(db, sql: "SELECT id FROM tasks_archive"),
      results: try String.fetchSet(db, sql: "SELECT id FROM results"),
      messages: try String.fetchSet(db, sql: "SELECT id FROM outbox"),
      series: try String.fetchSet(db, sql: "SELECT name FROM series"))
    for table in ["deliveries", "events", "notices", "pages", "logins", "samples"] {
      let count = try Int.fetchOne(db, sql: "SELECT count(*) FROM \(table)") ?? 0
      if count > 0 { outcome.timed[table] = count }
    }
    return outcome
  }
}
