import GRDB
import StoreRows
import StoreValues

/// One pass over all topics: in slices, each a commit, with a pause after each. Killed anywhere, the next pass goes on.
struct RetentionPass {
  let database: LedgerDatabase
  let times: RetentionTimes
  let isDryRun: Bool

  private typealias Place = (time: Int64, seq: Int64)

  func run() async throws(MemoryError) -> [Ledger.Retention.Topic: Int] {
    var counts: [Ledger.Retention.Topic: Int] = [:]
    for rule in RetentionRule.all {
      guard let cutoff = times[rule.topic] else { continue }
      counts[rule.topic, default: 0] += try await apply(rule, cutoff)
    }
    counts[.samples] = try await removeSamples()
    if let cutoff = times[.logins] { counts[.logins] = try await removeLogins(cutoff) }
    return counts.filter { $0.value > 0 }
  }

  /// Other writers get their turn between two slices.
  private static let pause = Duration.milliseconds(2)

  private func slice<Value: Sendable>(
    _ body: @escaping @Sendable (Database, _ now: Timestamp) throws -> Value
  ) async throws(MemoryError) -> Value {
    guard !isDryRun else {
      let now = database.clock.now()
      return try await database.read { db in try body(db, now) }
    }
    let value = try await database.write(grows: false, body)
    do {
      try await _Concurrency.Task.sleep(for: Self.pause)
    } catch {
      throw MemoryError(.cancelled, "the task was cancelled; what retention did until then is done")
    }
    return value
  }

  // MARK: Rules

  private func apply(_ rule: RetentionRule, _ cutoff: Int64) async throws(MemoryError) -> Int {
    var place: Place = (.min, .min)
    var count = 0
    while true {
      let after = place
      let done = try await slice { db, now in try remove(rule, cutoff, after: after, at: now, db) }
      count += done.count
      guard let last = done.last else { return count }
      place = last
    }
  }

  /// - Returns: How many rows went, and the last that was looked at; `nil` if there were no more.
  private func remove(
    _ rule: RetentionRule, _ cutoff: Int64, after place: Place, at now: Timestamp, _ db: Database
  ) throws -> (count: Int, last: Place?) {
    var arguments = times.arguments(cutoff)
    arguments["time"] = place.time
    arguments["seq"] = place.seq
    arguments["limit"] = rule.rowsAtOnce
    arguments["now"] = now.milliseconds
    let rows = try Row.fetchAll(db.cachedStatement(sql: rule.candidates), arguments: StatementArguments(arguments))
    var count = 0
    var last: Place?
    for row in rows {
      let (seq, time): (Int64, Int64) = (try row.value(0), try row.value(1))
      last = (time, seq)
      arguments["seq"] = seq
      let ofRow = StatementArguments(arguments)
      guard try Row.fetchOne(db.cachedStatement(sql: rule.test), arguments: ofRow) != nil else { continue }
      count += 1
      guard !isDryRun else { continue }
      for sql in rule.before + [rule.deletion] { try db.cachedStatement(sql: sql).execute(arguments: ofRow) }
    }
    return (count, rows.count < rule.rowsAtOnce ? nil : last)
  }

  // MARK: Tables without a number of their rows

  private static let rowsAtOnce = 500

  static let expiredLogins = "SELECT digest FROM logins WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2"

  private func removeLogins(_ cutoff: Int64) async throws(MemoryError) -> Int {
    guard !isDryRun else {
      return try await database.read { db in
        try Int.fetchOne(db, sql: "SELECT count(*) FROM logins WHERE expires_at <= ?", arguments: [cutoff]) ?? 0
      }
    }
    return try await untilNothing { db in
      try db.execute(
        sql: "DELETE FROM logins WHERE digest IN (\(Self.expiredLogins))", arguments: [cutoff, Self.rowsAtOnce])
    }
  }

  private func removeSamples() async throws(MemoryError) -> Int {
    var count = 0
    var last: Int64 = 0
    while true {
      let after = last
      let series = try await database.read { db in
        try Row.fetchAll(
          db, sql: "SELECT seq, name FROM series WHERE seq > ? ORDER BY seq LIMIT 1000", arguments: [after]
        )
        .map { row in (seq: try row.value(0) as Int64, name: try row.text(1)) }
      }
      for (seq, name) in series {
        guard let cutoff = times.samples(named: name) else { return count }
        count += try await removeSamples(of: seq, cutoff)
        if !isDryRun, !times.isInRule(name) { try await removeEmpty(seq) }
      }
      guard let next = series.last?.seq else { return count }
      last = next
    }
  }

  static let oldSamples = "SELECT at, seq FROM samples WHERE series = ?1 AND at <= ?2 ORDER BY at, seq LIMIT ?3"

  private func removeSamples(of series: Int64, _ cutoff: Int64) async throws(MemoryError) -> Int {
    let all = try await database.read { db in
      try Int.fetchOne(
        db, sql: "SELECT count(*) FROM samples WHERE series = ? AND at <= ?", arguments: [series, cutoff]) ?? 0
    }
    guard !isDryRun, all > 0 else { return all }
    return try await untilNothing { db in
      try db.execute(
        sql: "DELETE FROM samples WHERE series = ?1 AND (at, seq) IN (\(Self.oldSamples))",
        arguments: [series, cutoff, Self.rowsAtOnce])
    }
  }

  private func removeEmpty(_ series: Int64) async throws(MemoryError) {
    // A look first: a commit for each series that stays would be one for nothing.
    let sql = "SELECT EXISTS (SELECT 1 FROM samples WHERE series = ?)"
    guard try await database.read({ db in try Bool.fetchOne(db, sql: sql, arguments: [series]) }) == false else {
      return
    }
    try await slice { db, _ in
      try db.execute(
        sql: "DELETE FROM series WHERE seq = ?1 AND NOT EXISTS (SELECT 1 FROM samples WHERE series = ?1)",
        arguments: [series])
    }
  }

  private func untilNothing(_ body: @escaping @Sendable (Database) throws -> Void) async throws(MemoryError) -> Int {
    var count = 0
    while true {
      let some = try await slice { db, _ in
        try body(db)
        return db.changesCount
      }
      count += some
      if some < Self.rowsAtOnce { return count }
    }
  }
}
