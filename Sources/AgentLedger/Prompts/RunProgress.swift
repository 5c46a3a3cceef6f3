import GRDB
import StoreRows
import StoreValues

/// What of a run decides whether something may be added to it, with what is about to be.
struct RunProgress {
  private let run: Ledger.Run.ID
  private let status: Ledger.Run.Status
  private var lastHeartbeat: Timestamp
  /// Micro-dollars.
  private var cost: Int64
  private var lastPosition: Int

  /// - Throws: `.notFound`.
  init(of run: Ledger.Run.ID, _ db: Database) throws {
    self.run = run
    guard let row = try Row.fetchOne(db.cachedStatement(sql: Self.ofRun), arguments: [run.rawValue]) else {
      throw MemoryError.noRun(run)
    }
    (status, cost, lastHeartbeat) = (try row.closed(0), try row.value(1), try row.time(2))
    lastPosition = try row.value(3)
  }

  static let ofRun = """
    SELECT status, cost, last_heartbeat, max(
        coalesce((SELECT max(position) FROM prompts WHERE run_id = ?1), 0),
        coalesce((SELECT max(position) FROM tool_calls WHERE run_id = ?1), 0))
    FROM runs WHERE id = ?1
    """

  /// - Throws: `.conflict` if it has ended.
  func requireLiving() throws(MemoryError) {
    guard status.isEnded else { return }
    throw MemoryError(.conflict, "run \"\(run)\" is \(status.rawValue), so nothing is added to it; start another")
  }

  /// - Throws: `.limitExceeded` if the sum is more than 64 bits hold.
  mutating func add(cost more: Int64, removing old: Int64 = 0) throws(MemoryError) {
    let (sum, overflow) = (cost - min(old, cost)).addingReportingOverflow(more)
    guard !overflow else {
      throw MemoryError(
        .limitExceeded,
        "the cost of run \"\(run)\" would be more than \(Int64.max) micro-dollars: it is \(cost), and \(more) come to it; "
          + "give the cost in micro-dollars")
    }
    cost = sum
  }

  /// - Throws: `.limitExceeded` if the run has so many already.
  mutating func nextPosition(atMost limit: Int) throws(MemoryError) -> Int {
    guard lastPosition < limit else {
      throw MemoryError(
        .limitExceeded,
        "run \"\(run)\" has \(lastPosition) prompts and tool calls; start another, or raise limits.entriesPerRun")
    }
    lastPosition += 1
    return lastPosition
  }

  /// What a run writes is a sign of its life; noted at most once a second, since each costs two pages of the log.
  mutating func noteHeartbeat(at now: Timestamp, _ db: Database) throws {
    let (elapsed, overflow) = now.milliseconds.subtractingReportingOverflow(lastHeartbeat.milliseconds)
    // A clock that was set back counts too.
    guard overflow || elapsed >= 1000 || elapsed < 0 else { return }
    try RunRow.noteHeartbeat(of: run, at: now, db)
    lastHeartbeat = now
  }
}
