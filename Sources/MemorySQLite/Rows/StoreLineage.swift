import EpisodicMemory
import Foundation
import GRDB
import StoreRows

/// Who a store is, and who it was: a restore gives it a new identity, so that caches and indexes notice.
struct StoreLineage: Sendable {
  /// Earlier identities that are kept.
  private static let maximumAncestors = 100
  private static let setting = "ancestors"

  let uuid: String
  /// Keys the digests in receipts; `nil` before migration 011. A copy has that of its original.
  let key: Data?
  /// Earlier identities, the last one first.
  let ancestors: [String]

  init(_ db: Database) throws {
    guard let uuid = try String.fetchOne(db, sql: "SELECT uuid FROM store") else {
      throw MemoryError(.corrupted, "it has lost its identity")
    }
    self.uuid = uuid
    let hasKey = try Bool.fetchOne(
      db, sql: "SELECT count(*) FROM pragma_table_info('store') WHERE name = 'digest_key'")
    key = hasKey == true ? try Data.fetchOne(db, sql: "SELECT digest_key FROM store") : nil
    let text =
      try db.tableExists("settings")
      ? String.fetchOne(db, sql: Setting.byName, arguments: [Self.setting]) : nil
    // A setting that another program changed costs a question whether the backup is of another store.
    if let text, case .array(let names)? = try? JSON(text: text) {
      ancestors = names.compactMap { if case .string(let name) = $0 { name } else { nil } }
    } else {
      ancestors = []
    }
  }

  /// Whether they are copies of one store.
  func isRelated(to other: StoreLineage) -> Bool {
    if let key, key == other.key { return true }
    return !Set([uuid] + ancestors).isDisjoint(with: [other.uuid] + other.ancestors)
  }

  /// Counts another store among those that this one was.
  static func remember(_ uuid: String, at now: Timestamp, _ db: Database) throws {
    let lineage = try StoreLineage(db)
    let names = ([uuid] + lineage.ancestors.filter { $0 != uuid }).prefix(maximumAncestors)
    try Setting.set(setting, to: .array(names.map { .string($0) }), at: now, db)
  }

  /// Gives the database an identity of its own.
  ///
  /// - Parameter current: Of the store that it takes the place of: a backup from before receipts gets its key, so that they can be
  ///   verified.
  func renew(_ db: Database, replacing current: StoreLineage?, at now: Timestamp) throws {
    try db.execute(sql: "UPDATE store SET uuid = lower(hex(randomblob(16)))")
    if key == nil, let current, isRelated(to: current), let key = current.key {
      try db.execute(sql: "UPDATE store SET digest_key = ?", arguments: [key])
    }
    let names = ([uuid] + ancestors).prefix(Self.maximumAncestors)
    try Setting.set(Self.setting, to: .array(names.map { .string($0) }), at: now, db)
    // A mark that a check found damage is of the life before.
    try db.execute(sql: "PRAGMA user_version = 0")
  }
}
