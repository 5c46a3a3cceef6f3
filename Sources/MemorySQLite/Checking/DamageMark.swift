import GRDB

/// A mark in the database's header that a check found damage, so that later processes do not write either. A backup that
/// is restored does not carry it.
enum DamageMark {
  /// `PRAGMA user_version`: "DAMG".
  static let value: Int64 = 0x4441_4D47

  static func isSet(_ db: Database) throws -> Bool {
    try Int64.fetchOne(db, sql: "PRAGMA user_version") == value
  }
}
