import GRDB
import Synchronization

/// Detects that a newer build has migrated the database while it was open here: rows that this one writes would lack what the
/// newer schema keeps beside them.
final class SchemaGuard: Sendable {
  private let migrator: Migrator
  /// SQLite's count of changes of the schema when the schema was last known to be one of this build.
  private let verified = Atomic<Int64>(-1)

  init(_ migrator: Migrator) { self.migrator = migrator }

  /// To be called in a transaction that writes.
  ///
  /// Cost: one statement that reads a number, about 1 µs, unless the schema changed.
  ///
  /// - Throws: `StorageError.newer`.
  func verify(_ db: Database) throws {
    var row = try RawStatement("PRAGMA schema_version", db)
    guard try row.step() else { return }
    let count = row.integer(0)
    row.reset()
    guard count != verified.load(ordering: .relaxed) else { return }
    try migrator.refuseNewer(db)
    verified.store(count, ordering: .relaxed)
  }
}
