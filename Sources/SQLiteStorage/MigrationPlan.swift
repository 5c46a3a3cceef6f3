package import GRDB

/// What a migration is about to do.
package struct MigrationPlan: Sendable {
  /// Of the database, which other connections may read meanwhile, as it was before.
  package let path: String
  /// Of the schema that the database has.
  package let version: Int
  /// Of the schema that it will have.
  package let target: Int
  /// Bounds the wait for a lock.
  let timeout: Duration

  /// Copies the database as it is now, verified, to a file that does not exist.
  ///
  /// - Parameter describe: Reads from the snapshot that is copied.
  /// - Throws: As `DatabaseCopy.make`; what `describe` throws.
  package func copy<Value>(
    to target: String, describing describe: (Database) throws -> Value
  ) throws -> (copy: DatabaseCopy, value: Value) {
    // The transaction of the migration keeps other writers away; a connection of its own reads what was before it.
    let connection = try Connector(files: DatabaseFiles(path: path), access: .readWrite, timeout: timeout).reading()
    defer { try? connection.close() }  // It has read only.
    return try DatabaseCopy.make(of: connection, to: target, describing: describe)
  }
}

/// What was made before a migration to be able to go back: a backup.
package struct MigrationSafeguard: Sendable {
  /// Called before the migration is committed; an error rolls the migration back.
  package var keep: @Sendable () throws -> Void
  /// Called when the migration has failed, and the database is as it was.
  package var discard: @Sendable () -> Void

  package init(keep: @escaping @Sendable () throws -> Void, discard: @escaping @Sendable () -> Void) {
    self.keep = keep
    self.discard = discard
  }

  package static let none = MigrationSafeguard(keep: {}, discard: {})
}
