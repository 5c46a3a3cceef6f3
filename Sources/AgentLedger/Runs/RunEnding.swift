import GRDB
import StoreRows
import StoreValues

/// How a run changes its status, in one transaction at one time.
struct RunEnding {
  let db: Database
  let now: Timestamp

  init(_ db: Database, _ now: Timestamp) {
    (self.db, self.now) = (db, now)
  }

  /// - Throws: `.notFound`; `.conflict` for what may not follow.
  func set(_ status: Ledger.Run.Status, of id: Ledger.Run.ID) throws -> Ledger.Run {
    let run = try RunRow.stored(id, db)
    guard run.status != status else { return run }
    try require(status, of: run)
    try db.cachedStatement(sql: "UPDATE runs SET status = ?1, last_heartbeat = ?2 WHERE id = ?3")
      .execute(arguments: [status.rawValue, now.milliseconds, id.rawValue])
    return try RunRow.stored(id, db)
  }

  /// Triggers end the prompts that it leaves open.
  ///
  /// - Throws: `.notFound`; `.conflict` for what may not follow.
  func finish(
    _ id: Ledger.Run.ID, as status: Ledger.Run.Status, successRate: Double?, error: String?, at time: Timestamp?
  ) throws -> Ledger.Run {
    try require(status, of: RunRow.stored(id, db))
    try end(id, as: status, successRate: successRate, error: error, at: time ?? now)
    return try RunRow.stored(id, db)
  }

  private func require(_ status: Ledger.Run.Status, of run: Ledger.Run) throws {
    guard !run.status.next.contains(status) else { return }
    let next = Ledger.Run.Status.allCases.filter(run.status.next.contains).map(\.rawValue)
    let remedy = next.isEmpty ? "start another" : "it can become \(next.joined(separator: ", "))"
    throw MemoryError(
      .conflict, "run \"\(run.id)\" is \(run.status.rawValue) and cannot become \(status.rawValue); \(remedy)")
  }

  private func end(
    _ id: Ledger.Run.ID, as status: Ledger.Run.Status, successRate: Double?, error: String?, at time: Timestamp
  ) throws {
    try db.cachedStatement(
      sql: "UPDATE runs SET status = ?1, completed_at = ?2, success_rate = ?3, error = ?4 WHERE id = ?5"
    ).execute(arguments: [status.rawValue, time.milliseconds, successRate, error, id.rawValue])
  }

  // MARK: Several at once

  /// Cancels a run and all below it that have not ended.
  ///
  /// - Parameter domain: Only those of this domain; `nil` for all.
  func cancel(_ root: Ledger.Run.ID, in domain: String? = nil) throws -> [Ledger.Run.ID] {
    let members = try RunTree.members(of: root, db)
    guard !members.isEmpty else { throw MemoryError.noRun(root) }
    let living = members.filter { !$0.isEnded && $0.domain == domain ?? $0.domain }.map(\.id)
    for id in living { try end(id, as: .cancelled, successRate: nil, error: nil, at: now) }
    return living
  }

  /// Those that are silent, in the order of their last heartbeat.
  static let abandoned = """
    SELECT id, last_heartbeat, pid FROM runs WHERE completed_at IS NULL AND last_heartbeat <= ? ORDER BY last_heartbeat, seq
    LIMIT ?
    """

  /// Fails runs that were heard of at that time or before, and not since.
  func failAbandoned(silentSince time: Timestamp, limit: Int) throws -> [Ledger.Run.ID] {
    let rows = try Row.fetchAll(db.cachedStatement(sql: Self.abandoned), arguments: [time.milliseconds, limit])
    return try rows.map { row in
      let id: Ledger.Run.ID = try row.id(0)
      let pid: Int64? = try row.value(2)
      let process = pid.map { " of process \($0)" } ?? ""
      let error = "abandoned: the last heartbeat\(process) was at \(try row.time(1))"
      try end(id, as: .failed, successRate: nil, error: error, at: now)
      return id
    }
  }
}
