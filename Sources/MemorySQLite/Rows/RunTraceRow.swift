import EpisodicMemory
import Foundation
import GRDB
import Learning
import SQLiteStorage
import StoreRows

/// The tables `run_traces` and `trace_progress`: they follow the episodes by the feed.
enum RunTraceRow {
  /// Bytes of a result that are read: all that a symbol or a signature is made of.
  private static let resultCharacters = 2048

  /// How far the traces are.
  private struct Progress {
    var watermark: Watermark
    /// Last episode that was looked at; `nil`: all were.
    var scannedTo: Int64?
    var format: Int64
  }

  /// Whether the traces are those of the last commit; costs two look-ups.
  static func isUpToDate(_ db: Database) throws -> Bool {
    guard let progress = try progress(db) else { return false }
    return try progress.scannedTo == nil && progress.format == Int64(RunTrace.format)
      && progress.watermark == ChangeFeed.watermark(db)
  }

  /// Brings at most `limit` episodes up to date, of those that changed since, or of all if the feed does not tell.
  static func follow(limit: Int, _ trace: (FinishedRun) -> [UInt8], _ db: Database) throws -> TraceProgress {
    let end = try ChangeFeed.watermark(db)
    let kept = try progress(db)
    guard var progress = kept, progress.format == Int64(RunTrace.format) else {
      return try begin(at: end, db)
    }
    if let row = progress.scannedTo {
      let rows = try Int64.fetchAll(
        db.cachedStatement(sql: "SELECT seq FROM episodes WHERE seq > ? ORDER BY seq LIMIT ?"), arguments: [row, limit])
      for row in rows { try update(row, trace, db) }
      progress.scannedTo = rows.count < limit ? nil : rows.last
      try set(progress, db)
      return TraceProgress(looked: rows.count, isComplete: progress.scannedTo == nil && progress.watermark == end)
    }
    // A change of the steps of an active episode is none of a trace, and most changes are such: far more can be looked at.
    let batch = try ChangeFeed.changes(after: progress.watermark, limit: limit * 20, db)
    guard batch.continues else { return try begin(at: end, db) }
    var rows: Set<Int64> = []
    var last = batch.changes.count
    for (index, change) in batch.changes.enumerated() where change.subject == .episode && change.finished {
      guard let row = change.row else { return try begin(at: end, db) }
      if rows.count == limit, !rows.contains(row) {
        last = index
        break
      }
      rows.insert(row)
    }
    for row in rows.sorted() { try update(row, trace, db) }
    if last == batch.changes.count {
      progress.watermark = batch.end
    } else if last > 0 {
      let revision = batch.changes[last - 1].revision
      let nonce = try Int64.fetchOne(db, sql: "SELECT nonce FROM changes WHERE revision = ?", arguments: [revision])
      progress.watermark = Watermark(revision: revision, nonce: nonce ?? 0)
    }
    try set(progress, db)
    return TraceProgress(looked: rows.count, isComplete: progress.watermark == end)
  }

  /// Looks at all episodes, and then follows the feed from here.
  private static func begin(at end: Watermark, _ db: Database) throws -> TraceProgress {
    try set(Progress(watermark: end, scannedTo: 0, format: Int64(RunTrace.format)), db)
    return TraceProgress(looked: 0, isComplete: false)
  }

  private static func progress(_ db: Database) throws -> Progress? {
    let statement = try db.cachedStatement(sql: "SELECT revision, nonce, scanned_to, format FROM trace_progress")
    return try Row.fetchOne(statement).map { row in
      Progress(
        watermark: Watermark(revision: try row.value(0), nonce: try row.value(1)), scannedTo: try row.value(2),
        format: try row.value(3))
    }
  }

  private static func set(_ progress: Progress, _ db: Database) throws {
    try db.execute(
      sql: """
        INSERT INTO trace_progress (singleton, format, revision, nonce, scanned_to) VALUES (1, ?1, ?2, ?3, ?4)
        ON CONFLICT (singleton) DO UPDATE SET format = ?1, revision = ?2, nonce = ?3, scanned_to = ?4
        """,
      arguments: [progress.format, progress.watermark.revision, progress.watermark.nonce, progress.scannedTo])
  }

  // MARK: Episodes

  /// Makes the trace of an episode that was completed or failed, and removes that of another. Of one that is encrypted there is
  /// none: a trace tells what was done.
  private static func update(_ row: Int64, _ trace: (FinishedRun) -> [UInt8], _ db: Database) throws {
    guard let run = try finishedRun(row, db) else {
      try db.cachedStatement(sql: "DELETE FROM run_traces WHERE episode_id = (SELECT id FROM episodes WHERE seq = ?)")
        .execute(arguments: [row])
      return
    }
    try db.cachedStatement(
      sql: """
        INSERT INTO run_traces (episode_id, ended_at, steps, trace) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (episode_id) DO UPDATE SET ended_at = ?2, steps = ?3, trace = ?4
        """
    ).execute(arguments: [run.id.rawValue, run.endedAt.milliseconds, run.steps.count, Data(trace(run))])
  }

  private static func finishedRun(_ row: Int64, _ db: Database) throws -> FinishedRun? {
    let statement = try db.cachedStatement(sql: finishedEpisode)
    guard let episode = try Row.fetchOne(statement, arguments: [row]) else { return nil }
    let id: String = try episode.value(0)
    let status: String = try episode.value(4)
    var steps: [StepText] = []
    var rows = try RawStatement(firstSteps, db)
    try rows.bind(id)
    try rows.bind(Int64(RunTrace.longest))
    while try rows.step() {
      steps.append(
        StepText(
          action: rows.text(0), result: rows.isNull(1) ? nil : rows.text(1), tool: rows.isNull(2) ? nil : rows.text(2),
          success: rows.isNull(3) ? nil : rows.integer(3) != 0))
    }
    let count =
      steps.count < RunTrace.longest
      ? steps.count
      : try Int.fetchOne(
        db.cachedStatement(sql: "SELECT count(*) FROM steps WHERE episode_id = ?"), arguments: [id]) ?? steps.count
    return FinishedRun(
      id: Episode.ID(composed: id), taskType: TaskType(try episode.value(1)), domain: try episode.value(2),
      context: try episode.value(3), status: Episode.Status(stored: status), successRate: try episode.value(5),
      endedAt: Timestamp(milliseconds: try episode.value(6)), metadata: JSON(storedObject: try episode.value(7)),
      steps: steps, stepCount: count)
  }

  static let finishedEpisode = """
    SELECT e.id, e.task_type, e.domain, e.context, e.status, e.success_rate, coalesce(e.completed_at, e.created_at),
        e.metadata
    FROM episodes e WHERE e.seq = ? AND e.status IN ('completed', 'failed') AND e.sealed IS NULL AND \(DeletedEpisodes.excluded)
    """

  static let firstSteps = """
    SELECT action, substr(result, 1, \(resultCharacters)), tool, success FROM steps
    WHERE episode_id = ? ORDER BY step_number LIMIT ?
    """

  // MARK: Traces

  static func traces(maximumSteps: Int, _ db: Database) throws -> [KeptTrace] {
    var rows = try RawStatement(latest, db)
    var traces: [KeptTrace] = []
    var steps = 0
    while try rows.step() {
      steps += Int(clamping: rows.integer(1))
      guard steps <= maximumSteps else { break }
      let id = rows.text(0)
      do {
        traces.append(
          KeptTrace(episode: Episode.ID(composed: id), trace: try RunTrace(encoded: Array(rows.bytes(2)))))
      } catch {
        throw MemoryError(
          .corrupted,
          "the trace of episode \"\(id)\" is damaged; delete its row of run_traces and that of trace_progress",
          cause: error)
      }
    }
    return traces
  }

  static let latest = """
    SELECT t.episode_id, t.steps, t.trace FROM run_traces t JOIN episodes e ON e.id = t.episode_id
    WHERE e.least_trust > 0 ORDER BY t.ended_at DESC, t.episode_id
    """
}
