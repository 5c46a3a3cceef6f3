package import FileLocks
package import GRDB

/// A database in a draft, which nobody else has open: verified, and brought to what a store needs, before it takes a place.
package struct DatabaseDraft {
  package let draft: DraftFile
  private let configuration: WALDatabase.Configuration
  private let migrator: Migrator

  /// - Parameter source: Names it in messages.
  package init(_ draft: DraftFile, from source: String, _ configuration: WALDatabase.Configuration) {
    self.draft = draft
    self.configuration = configuration
    migrator = Migrator(
      migrations: configuration.migrations, path: source, digest: configuration.schemaDigest, now: configuration.now)
  }

  package struct Findings {
    package let content: DatabaseContent
    /// What a check would find beside.
    package let faults: [String]
  }

  /// Verifies its marks, its structure, the owners of its rows and its full text.
  ///
  /// - Parameter goOn: Called meanwhile; an error that it throws ends it.
  /// - Throws: `StorageError.foreign`, `.newer`, `.changedMigration`, `.damaged`; GRDB's `DatabaseError`.
  package func verify(_ goOn: @escaping () throws -> Void = {}) throws -> Findings {
    let (content, strays) = try Self.inspect(draft.path, migrator, configuration.applicationID, goOn)
    return Findings(content: content, faults: try DatabaseIntegrity.faults(of: draft.path, strays, goOn))
  }

  /// Reads a database file that nobody writes, without making a file beside it, and verifies all but the full text, which takes a
  /// connection that writes.
  ///
  /// - Parameter goOn: Called meanwhile; an error that it throws ends it.
  /// - Parameter read: Reads besides.
  package static func inspect<Value>(
    _ path: String, _ configuration: WALDatabase.Configuration, while goOn: @escaping () throws -> Void = {},
    _ read: (Database) throws -> Value
  ) throws -> (findings: Findings, value: Value) {
    let migrator = Migrator(
      migrations: configuration.migrations, path: path, digest: configuration.schemaDigest)
    var value: Value?
    let (content, strays) = try inspect(path, migrator, configuration.applicationID, goOn) { db in
      value = try read(db)
    }
    guard let value else { throw StorageError.damaged(path: path, reason: "it cannot be read") }
    return (Findings(content: content, faults: strays.map { [$0] } ?? []), value)
  }

  private static func inspect(
    _ path: String, _ migrator: Migrator, _ applicationID: Int32, _ goOn: @escaping () throws -> Void,
    _ read: (Database) throws -> Void = { _ in }
  ) throws -> (DatabaseContent, strays: String?) {
    let connection = try Connector(files: DatabaseFiles(path: path), access: .immutable, timeout: .zero).reading()
    let result = try connection.read { db in
      try db.interruptible(by: goOn) { try inspect(db, migrator, applicationID, read) }
    }
    try connection.close()
    return result
  }

  private static func inspect(
    _ db: Database, _ migrator: Migrator, _ applicationID: Int32, _ read: (Database) throws -> Void
  ) throws -> (DatabaseContent, strays: String?) {
    let found = try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0
    guard found == applicationID else {
      throw StorageError.foreign(
        path: migrator.path, reason: "its application id is \(found), not \(applicationID); name a backup of a store")
    }
    // Refuses a newer one first: its schema cannot be judged.
    let state = try migrator.inspect(db)
    if let problem = try DatabaseIntegrity.problems(db).first {
      throw StorageError.damaged(path: migrator.path, reason: problem)
    }
    switch state {
    case .empty: throw StorageError.foreign(path: migrator.path, reason: "it has no tables; name another file")
    case .newest(let problems, _):
      if let problem = problems.first { throw StorageError.damaged(path: migrator.path, reason: problem) }
    case .older: break
    }
    try read(db)
    return (try DatabaseContent(db), strays: try DatabaseIntegrity.strays(db))
  }

  /// Reads a database that others may have open; an immutable one if it has no log.
  ///
  /// - Throws: `StorageError.missing`; what `DatabaseFiles.inspect` refuses.
  package static func read<Value>(_ path: String, timeout: Duration, _ body: (Database) throws -> Value) throws -> Value
  {
    let files = DatabaseFiles(path: path)
    guard case .present = try files.inspect() else { throw StorageError.missing(path: files.path) }
    let connection = try Connector(files: files, access: try files.isAlone() ? .immutable : .readOnly, timeout: timeout)
      .reading()
    let value = try connection.read(body)
    try connection.close()
    return value
  }

  /// Migrates it to the newest schema, runs `body` in a transaction, and leaves a single, synced file that several processes may
  /// open.
  ///
  /// What `body` deletes leaves no trace in the pages (`secure_delete`).
  ///
  /// - Throws: As `verify`, and what `body` throws.
  package func prepare<Value>(_ body: (Database) throws -> Value) throws -> Value {
    let connection = try DatabaseQueue(path: draft.path, configuration: Connector.configuration())
    var value: Value?
    try connection.writeWithoutTransaction { db in
      // Nothing needs to survive before the whole is synced.
      try db.execute(sql: "PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY; PRAGMA secure_delete = ON")
      if let problem = try migrator.migrate(db).first {
        throw StorageError.damaged(path: migrator.path, reason: problem)
      }
      try db.inTransaction(.immediate) {
        value = try body(db)
        return .commit
      }
      try db.useWriteAheadLog(draft.path)
    }
    // Alone on it: nothing is left in a log.
    try connection.closeLast()
    try draft.file().sync()
    guard let value else { throw StorageError.damaged(path: migrator.path, reason: "it cannot be written") }
    return value
  }
}
