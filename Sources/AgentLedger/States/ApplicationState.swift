import GRDB
import StoreRows
public import StoreValues

extension Ledger {
  /// A named JSON value of an application: a game, a document.
  public struct ApplicationState: Hashable, Sendable, Codable {
    /// Whose it is.
    public let application: String
    /// Its name in the application.
    public let name: String
    /// 1 for the first; no version of a name is ever given twice, also after it was deleted.
    public let version: Int
    /// Any JSON.
    public let value: JSON
    /// When this version was put.
    public let changedAt: Timestamp

    init(_ row: Row) throws {
      application = try row.text(0)
      name = try row.text(1)
      version = try row.value(2)
      value = try row.json(3)
      changedAt = try row.time(4)
    }

    enum CodingKeys: String, CodingKey {
      case application, name, version, value
      case changedAt = "changed_at"
    }
  }
}

/// Rows of `states` and `state_versions`.
enum StateRow {
  private static let columns = "application, name, version, value, changed_at"

  static let current = "SELECT \(columns) FROM states WHERE application = ? AND name = ? AND value IS NOT NULL"
  static let versioned = "SELECT \(columns) FROM state_versions WHERE application = ? AND name = ? AND version = ?"
  /// Newest first.
  static let versions = """
    SELECT \(columns) FROM state_versions WHERE application = ? AND name = ? AND version < ? ORDER BY version DESC LIMIT ?
    """
  static let list = """
    SELECT \(columns) FROM states WHERE application = ? AND name > ? AND value IS NOT NULL ORDER BY name LIMIT ?
    """
  static let place = "SELECT version, value IS NOT NULL FROM states WHERE application = ? AND name = ?"

  /// - Parameter expected: The version that must be the current one, 0 for none; `nil` for any.
  /// - Throws: `.conflict` if it is not.
  static func put(
    _ new: NewState, expecting expected: Int?, keeping versions: Int, at now: Timestamp, _ db: Database
  ) throws -> Ledger.ApplicationState {
    let last = try require(expected, new.application, new.name, db)
    let (version, overflow) = last.addingReportingOverflow(1)
    guard !overflow else {
      throw MemoryError(.conflict, "state \"\(new.name)\" has version \(last); there is none after it")
    }
    try db.cachedStatement(
      sql: """
        INSERT INTO states (application, name, version, value, changed_at) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (application, name) DO UPDATE SET version = ?3, value = ?4, changed_at = ?5
        """
    ).execute(arguments: [new.application, new.name, version, new.value, now.milliseconds])
    try db.cachedStatement(
      sql: "INSERT INTO state_versions (application, name, version, value, changed_at) VALUES (?, ?, ?, ?, ?)"
    ).execute(arguments: [new.application, new.name, version, new.value, now.milliseconds])
    try db.cachedStatement(sql: "DELETE FROM state_versions WHERE application = ? AND name = ? AND version <= ?")
      .execute(arguments: [new.application, new.name, version - versions])
    guard let row = try Row.fetchOne(db.cachedStatement(sql: current), arguments: [new.application, new.name]) else {
      throw MemoryError(.unavailable, "the ledger returned no state; report this")
    }
    return try Ledger.ApplicationState(row)
  }

  /// Deletes the value and its versions; the number of the last one is kept, so that a compare-and-set of before fails.
  static func delete(
    _ application: String, _ name: String, expecting expected: Int?, at now: Timestamp, _ db: Database
  ) throws -> Bool {
    _ = try require(expected, application, name, db)
    try db.cachedStatement(sql: "DELETE FROM state_versions WHERE application = ? AND name = ?")
      .execute(arguments: [application, name])
    try db.cachedStatement(
      sql: "UPDATE states SET value = NULL, changed_at = ?3 WHERE application = ?1 AND name = ?2 AND value IS NOT NULL"
    ).execute(arguments: [application, name, now.milliseconds])
    return db.changesCount > 0
  }

  /// - Returns: The last version that was given; 0 if none was.
  private static func require(
    _ expected: Int?, _ application: String, _ name: String, _ db: Database
  ) throws -> Int {
    let row = try Row.fetchOne(db.cachedStatement(sql: place), arguments: [application, name])
    let (last, isThere): (Int, Bool) = try row.map { (try $0.value(0), try $0.value(1)) } ?? (0, false)
    guard let expected, expected != (isThere ? last : 0) else { return last }
    let found = isThere ? "has version \(last)" : "is not there"
    let wanted = expected == 0 ? "that it is not there" : "version \(expected)"
    throw MemoryError(
      .conflict,
      "state \"\(name.shortened(to: 60))\" of \"\(application.shortened(to: 60))\" \(found), and \(wanted) was expected; read it "
        + "again")
  }
}

/// A state that has been checked.
struct NewState: Sendable {
  let application: String
  let name: String
  let value: String
}
