import Foundation
import GRDB

/// Migrates a database to the newest schema, forward only and in one transaction, and compares its schema with the one that
/// the migrations make.
struct Migrator {
  let migrations: [Migration]
  let path: String
  /// Bounds the wait for locks of a connection that a backup is made through.
  var timeout = Duration.seconds(30)
  /// `SchemaObjects.digest` of what the migrations make, so that an unchanged schema is recognised by its digest alone;
  /// `nil` if it is not known.
  var digest: String?
  /// Milliseconds since 1970.
  var now: @Sendable () -> Int64 = systemTime

  static let systemTime: @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970 * 1000) }

  private var newest: Int { migrations.last?.version ?? 0 }

  /// The state of a database's schema.
  enum State {
    /// There is nothing in it yet.
    case empty
    /// It lacks migrations; what it has is whole.
    case older(version: Int)
    /// It is the newest.
    ///
    /// - Parameter problems: What another program changed in it, and what to do; its rows can still be read.
    /// - Parameter lostIndexes: Only make queries fast, and can be made again.
    case newest(problems: [String], lostIndexes: [SchemaObjects.Object])
  }

  /// Inspects a database and changes nothing.
  ///
  /// Cost: 0.2 ms for the newest schema and nothing else in it; 8 ms more for any other, to make the one it is compared
  /// with.
  /// - Throws: `StorageError.newer`, `.changedMigration`; `.damaged` if an older schema is not whole.
  func inspect(_ db: Database) throws -> State {
    let objects = try SchemaObjects(db)
    if objects.isEmpty { return .empty }
    do {
      let applied = try AppliedMigrations(db)
      guard applied.version <= newest else {
        throw StorageError.newer(path: path, version: applied.version, known: newest)
      }
      for (migration, checksum) in zip(migrations, applied.checksums) where migration.checksum != checksum {
        throw StorageError.changedMigration(path: path, version: migration.version)
      }
      if applied.version == newest, objects.digest == digest { return .newest(problems: [], lostIndexes: []) }
      let differences = try differences(of: objects, from: applied.version)
      let problems = differences.filter { $0.plainIndex == nil }.map(\.problem)
      if applied.version == newest {
        return .newest(problems: problems, lostIndexes: differences.compactMap(\.plainIndex))
      }
      if let problem = problems.first { throw StorageError.damaged(path: path, reason: problem) }
      return .older(version: applied.version)
    } catch let error as BrokenSchemaVersion {
      try refuseNewer(db)
      // Its tables show how far it has been migrated.
      let differences = try objects.differences(from: SchemaObjects(madeBy: migrations))
      guard differences.allSatisfy({ $0.plainIndex != nil || $0.isOfSchemaVersion }) else {
        throw StorageError.damaged(path: path, reason: error.problem)
      }
      return .newest(problems: [error.problem], lostIndexes: [])
    }
  }

  /// - Throws: `BrokenSchemaVersion` if it has an object that only a later migration makes.
  private func differences(of objects: SchemaObjects, from version: Int) throws -> [SchemaDifference] {
    let expected = try SchemaObjects(madeBy: migrations.prefix(version))
    if version < newest {
      let later = try Set(SchemaObjects(madeBy: migrations).objects.map(\.name))
        .subtracting(expected.objects.map(\.name))
      if let object = objects.objects.first(where: { later.contains($0.name) }) {
        throw BrokenSchemaVersion("ends at version \(version), although there is the \(object.description)")
      }
    }
    return objects.differences(from: expected)
  }

  /// Applies what is missing, and makes indexes again that were dropped: all of it in one transaction, so that whatever
  /// happens the database has the old schema or the new one.
  ///
  /// - Parameter safeguard: Called in the transaction, before anything is changed in a database that has a schema.
  /// - Returns: What another program changed in the schema, so that nothing should be written.
  /// - Throws: `StorageError.newer`, `.changedMigration`, `.damaged`, what `safeguard` throws, or SQLite's error for a
  ///   migration that fails; nothing is changed then.
  @discardableResult
  func migrate(
    _ db: Database, safeguard: (MigrationPlan) throws -> MigrationSafeguard = { _ in .none }
  ) throws -> [String] {
    if case .newest(let problems, let lostIndexes) = try inspect(db), !problems.isEmpty || lostIndexes.isEmpty {
      return problems
    }
    return try withoutCheckConstraints(db) {
      var problems: [String] = []
      try db.inTransaction(.immediate) {
        problems = try migrateInTransaction(db, safeguard)
        return .commit
      }
      return problems
    }
  }

  private func migrateInTransaction(
    _ db: Database, _ safeguard: (MigrationPlan) throws -> MigrationSafeguard
  ) throws -> [String] {
    switch try inspect(db) {
    case .newest(let problems, let lostIndexes):
      if problems.isEmpty { try Self.make(lostIndexes, in: db) }
      return problems
    case .empty:
      try Self.makeTable(db)
      for migration in migrations { try apply(migration, to: db) }
      return []
    case .older(let version):
      let plan = MigrationPlan(path: path, version: version, target: newest, timeout: timeout)
      let safeguard = try safeguard(plan)
      do {
        for migration in migrations where migration.version > version { try apply(migration, to: db) }
        // Indexes that were lost before.
        guard case .newest(let problems, let lostIndexes) = try inspect(db) else { return [] }
        if problems.isEmpty { try Self.make(lostIndexes, in: db) }
        try safeguard.keep()
        return problems
      } catch {
        safeguard.discard()
        throw error
      }
    }
  }

  /// Makes indexes again that were dropped, in the transaction of the caller.
  func restoreIndexes(_ db: Database) throws {
    guard case .newest(_, let lostIndexes) = try inspect(db) else { return }
    try Self.make(lostIndexes, in: db)
  }

  /// What another program changed in the newest schema: what endangers what is written, with what to do; and the names of
  /// indexes that are not there, which only make queries fast.
  func problems(_ db: Database) throws -> (problems: [String], lostIndexes: [String]) {
    guard case .newest(let problems, let lostIndexes) = try inspect(db) else {
      return (["migrations are missing in it that were there: restore a backup"], [])
    }
    return (problems, lostIndexes.map(\.name))
  }

  /// Changes nothing, so that a file of a newer build is left as it is.
  func refuseNewer(_ db: Database) throws {
    var rows = try RawStatement("SELECT count(*) FROM pragma_table_info('schema_version') WHERE name = 'version'", db)
    guard try rows.step(), rows.integer(0) == 1 else { return }
    var last = try RawStatement("SELECT max(version) FROM schema_version WHERE typeof(version) = 'integer'", db)
    guard try last.step(), last.integer(0) > newest else { return }
    throw StorageError.newer(path: path, version: Int(last.integer(0)), known: newest)
  }

  static func makeTable(_ db: Database) throws {
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

  /// Cost: that of sorting their tables.
  private static func make(_ indexes: [SchemaObjects.Object], in db: Database) throws {
    for index in indexes {
      try db.execute(sql: "DROP INDEX IF EXISTS \(index.name)")
      if let sql = index.sql { try db.execute(sql: sql) }
    }
  }

  /// Rows that break a rule of their table, by damage or by another program, are carried over as they are: a check reports
  /// them, and a migration that refused them would leave no way to open the store.
  private func withoutCheckConstraints<Value>(_ db: Database, _ body: () throws -> Value) throws -> Value {
    try db.execute(sql: "PRAGMA ignore_check_constraints = ON")
    let result = Result { try body() }
    try db.execute(sql: "PRAGMA ignore_check_constraints = OFF")
    return try result.get()
  }

  private func apply(_ migration: Migration, to db: Database) throws {
    try migration.run(db)
    try db.execute(
      sql: "INSERT INTO schema_version (version, applied_at, description, checksum) VALUES (?, ?, ?, ?)",
      arguments: [
        migration.version, now(), migration.description, migration.checksum,
      ])
  }
}
