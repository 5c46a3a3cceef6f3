package import FileLocks
import GRDB
import SQLiteStorage
import StoreRows
import StoreValues

/// What the library that knows a memory needs, to make episodes of runs.
extension Ledger {
  /// Runs that have ended and are no episode yet, those that ended first before.
  package func unconsolidatedRuns(limit: Int) async throws(MemoryError) -> [Run] {
    try await database.read { db in
      try Row.fetchAll(db.cachedStatement(sql: Self.unconsolidated), arguments: [limit]).map(RunRow.run)
    }
  }

  static let unconsolidated = """
    SELECT \(RunRow.columns) FROM runs WHERE completed_at IS NOT NULL AND episode_id IS NULL ORDER BY completed_at, seq LIMIT ?
    """

  /// Says that a run has become the episode with its id (I7).
  package func noteConsolidated(_ id: Run.ID) async throws(MemoryError) {
    try await database.write(grows: false) { db, _ in
      try db.execute(sql: "UPDATE runs SET episode_id = id WHERE id = ?", arguments: [id.rawValue])
    }
  }

  /// A selector of which signals have come.
  package struct SignalledSelector: Hashable, Sendable {
    package let domain: String
    package let type: Signal.SelectorType
    package let selector: String
  }

  /// The selectors of the next signals that no pattern counts yet, and the number of the last of these signals.
  package func signalledSelectors(limit: Int) async throws(MemoryError) -> (
    selectors: Set<SignalledSelector>, last: Int64
  )? {
    try await database.read { db in
      let last = try Self.patternedSignal(db)
      let rows = try Row.fetchAll(
        db.cachedStatement(sql: Self.laterSignals), arguments: [last, limit])
      guard let highest = try rows.last.map({ row -> Int64 in try row.value(0) }) else { return nil }
      return (
        Set(
          try rows.map {
            SignalledSelector(domain: try $0.value(1), type: try $0.closed(2), selector: try $0.value(3))
          }), highest
      )
    }
  }

  static let laterSignals =
    "SELECT seq, domain, selector_type, selector FROM signals WHERE seq > ? ORDER BY seq LIMIT ?"

  /// Says that patterns count the signals up to a number.
  package func notePatterns(upTo signal: Int64) async throws(MemoryError) {
    try await database.write(grows: false) { db, now in
      try Setting.set(Self.patternedSignalSetting, to: .integer(signal), at: now, db)
    }
  }

  private static let patternedSignalSetting = "consolidation.signal"

  private static func patternedSignal(_ db: Database) throws -> Int64 {
    guard case .integer(let number)? = try Setting.value(patternedSignalSetting, db) else { return 0 }
    return number
  }

  /// The state of the ledger between two commits.
  package func commitStamp() throws(MemoryError) -> CommitStamp {
    do {
      return try database.stored.commitStamp()
    } catch {
      throw database.explained(error)
    }
  }

  /// Returns when the stamp is another.
  package func waitForCommit(after stamp: CommitStamp) async throws(MemoryError) {
    do {
      try await database.stored.waitForCommit(after: stamp)
    } catch {
      throw database.explained(error)
    }
  }
}
