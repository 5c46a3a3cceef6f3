import GRDB

/// The migrations that were applied to a database, from its table `schema_version`.
struct AppliedMigrations {
  /// By version, from 1 on without a gap.
  let checksums: [String]

  var version: Int { checksums.count }

  /// Reads the table, which another program may have changed.
  ///
  /// - Throws: `BrokenSchemaVersion`.
  init(_ db: Database) throws {
    var checksums: [String] = []
    do {
      var rows = try RawStatement(
        """
        SELECT version, typeof(version), checksum, typeof(checksum) FROM schema_version ORDER BY version
        """, db)
      while try rows.step() {
        guard rows.text(1) == "integer" else { throw BrokenSchemaVersion("has a version that is no number") }
        let version = rows.integer(0)
        guard rows.text(3) == "text" else { throw BrokenSchemaVersion("has no checksum for version \(version)") }
        guard version != checksums.count else { throw BrokenSchemaVersion("has version \(version) twice") }
        guard version == checksums.count + 1 else {
          throw BrokenSchemaVersion("goes from version \(checksums.count) to \(version)")
        }
        checksums.append(rows.text(2))
      }
    } catch let error as DatabaseError where error.resultCode == .SQLITE_ERROR {
      // No such table, no such column.
      throw BrokenSchemaVersion("cannot be read (\(error.message ?? "unknown"))")
    }
    self.checksums = checksums
  }
}

/// Why the table `schema_version` cannot be used.
struct BrokenSchemaVersion: Error {
  let reason: String
  init(_ reason: String) { self.reason = reason }
  var problem: String {
    "the table schema_version \(reason): another program changed it; export what is left into another store, or restore a "
      + "backup"
  }
}
