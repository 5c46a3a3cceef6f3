import Foundation
import GRDB

/// Brings a database to the newest schema: forward only, one transaction a migration.
struct Migrator {
  let migrations: [Migration]
  let path: String

  private var newest: Int { migrations.last?.version ?? 0 }

  /// - Throws: `StorageError.newer`, `.changedMigration`, or what SQLite says of a migration that fails; the ones
  ///   before it stay applied.
  func migrate(_ db: Database) throws {
    if try !db.tableExists("schema_version") {
      try db.execute(
        sql: """
          CREATE TABLE schema_version (
              version     INTEGER PRIMARY KEY,
              applied_at  INTEGER NOT NULL,
              description TEXT    NOT NULL,
              checksum    TEXT    NOT NULL
          ) STRICT
          """)
    }
    for migration in try pending(db) { try apply(migration, to: db) }
  }

  /// The migrations that are still to be applied, in order. Changes nothing.
  ///
  /// - Throws: `StorageError.newer` or `.changedMigration`.
  func pending(_ db: Database) throws -> [Migration] {
    guard try db.tableExists("schema_version") else { return migrations }
    try refuseNewer(db)
    let applied = try Row.fetchAll(db, sql: "SELECT version, checksum FROM schema_version ORDER BY version")
    let checksums = Dictionary(uniqueKeysWithValues: applied.map { ($0[0] as Int, $0[1] as String) })
    return try migrations.filter { migration in
      guard let checksum = checksums[migration.version] else { return true }
      guard checksum == migration.checksum else {
        throw StorageError.changedMigration(path: path, version: migration.version)
      }
      return false
    }
  }

  /// Changes nothing, so that a file of a newer build is left as it is.
  func refuseNewer(_ db: Database) throws {
    guard try db.tableExists("schema_version"),
      let last = try Int.fetchOne(db, sql: "SELECT max(version) FROM schema_version"), last > newest
    else { return }
    throw StorageError.newer(path: path, version: last, known: newest)
  }

  private func apply(_ migration: Migration, to db: Database) throws {
    try db.inTransaction(.immediate) {
      try db.execute(sql: migration.sql)
      try db.execute(
        sql: "INSERT INTO schema_version (version, applied_at, description, checksum) VALUES (?, ?, ?, ?)",
        arguments: [
          migration.version, Int64(Date().timeIntervalSince1970 * 1000), migration.description, migration.checksum,
        ])
      return .commit
    }
  }
}
