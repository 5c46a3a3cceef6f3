import FileLocks
import Foundation
import GRDB

/// An open database before its first use.
struct OpenedDatabase {
  let connector: Connector
  let watch: CommitWatch
  let lock: CommitLock
  /// Of the file that was opened.
  let status: FileStatus
  /// Why nothing can be written; `nil` if it can.
  let readOnlyReason: String?
  let migrator: Migrator
  /// What another program changed in the schema, and what to do.
  let schemaProblems: [String]
}

/// Opens a database file, creates it if configured, and migrates it to the newest schema.
///
/// An existing database with the newest schema is opened without the commit lock, and nothing is written: a reader waits
/// for no writer. One process at a time creates and migrates.
struct DatabaseOpening {
  let files: DatabaseFiles
  let configuration: WALDatabase.Configuration
  let lock: CommitLock
  let migrator: Migrator

  init(_ files: DatabaseFiles, _ configuration: WALDatabase.Configuration) {
    self.files = files
    self.configuration = configuration
    lock = CommitLock(files)
    migrator = Migrator(
      migrations: configuration.migrations, path: files.path, timeout: configuration.busyTimeout,
      digest: configuration.schemaDigest, now: configuration.now)
  }

  func open() throws -> OpenedDatabase {
    let content = try files.inspect()
    switch (content, configuration.access) {
    case (.present(let status), .readOnly): return try openForReading(status, because: "it was opened so")
    case (.present(let status), .readWrite):
      if let reason = try unwritable ?? LogIndexBlocks(files: files).shortage() {
        return try openForReading(status, because: reason)
      }
      return try openForWriting(status)
    case (.missing, .readWrite) where configuration.create, (.empty, .readWrite) where configuration.create:
      try PrivateDirectory<FileError>.createWithParents(files.directory)
      try requireRoom()
      try lock.withLock(timeout: configuration.busyTimeout) {
        try DatabaseCreation(files: files, applicationID: configuration.applicationID, migrator: migrator).make()
      }
      guard case .present(let status) = try files.inspect() else { throw StorageError.missing(path: files.path) }
      return try openForWriting(status)
    case (.missing, _): throw StorageError.missing(path: files.path)
    case (.empty, _):
      throw StorageError.foreign(
        path: files.path, reason: "it is empty; restore a backup, or open it with the option create")
    }
  }

  // MARK: For writing

  private func openForWriting(_ status: FileStatus) throws -> OpenedDatabase {
    let connector = Connector(
      files: files, access: .readWrite, timeout: configuration.busyTimeout,
      pageCacheBytes: configuration.pageCacheBytes)
    var connection = try connector.writing()
    var problems = try problemsIfReady(connection)
    if problems == nil {
      try connection.close()
      try lock.withLock(timeout: configuration.busyTimeout) { try prepare(connector) }
      connection = try connector.writing()
      problems = try problemsIfReady(connection)
    }
    // The connection has read, so SQLite has the index open.
    try LogIndexBlocks(files: files).allocate()
    return OpenedDatabase(
      connector: connector, watch: try CommitWatch(connection), lock: lock, status: status, readOnlyReason: nil,
      migrator: migrator, schemaProblems: problems ?? [])
  }

  /// Examines an existing file before anything is changed in it.
  ///
  /// - Returns: What another program changed in the schema, which keeps it from being written; `nil` if there is something
  ///   to set, to migrate or to make again.
  /// - Throws: If the file is not one of ours, or of a newer build.
  private func problemsIfReady(_ connection: DatabaseQueue) throws -> [String]? {
    try connection.read { db in
      let applicationID = try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0
      let isEmpty = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema") == 0
      guard applicationID == configuration.applicationID || (applicationID == 0 && isEmpty) else {
        throw StorageError.foreign(
          path: files.path, reason: "its application id is \(applicationID); name another directory")
      }
      guard case .newest(let problems, let lostIndexes) = try migrator.inspect(db),
        applicationID == configuration.applicationID, lostIndexes.isEmpty || !problems.isEmpty,
        try String.fetchOne(db, sql: "PRAGMA journal_mode") == "wal"
      else { return nil }
      return problems
    }
  }

  /// Another process may have done it meanwhile: then there is nothing to do.
  private func prepare(_ connector: Connector) throws {
    let writer = try connector.writing()
    guard try problemsIfReady(writer) == nil else { return try writer.close() }
    try writer.writeWithoutTransaction { db in
      try db.useWriteAheadLog(files.path)
      if let maximum = configuration.maximumPageCount { try db.execute(sql: "PRAGMA max_page_count = \(maximum)") }
      if try Int32.fetchOne(db, sql: "PRAGMA application_id") != configuration.applicationID {
        try db.execute(sql: "PRAGMA application_id = \(configuration.applicationID)")
      }
      try migrator.migrate(db, safeguard: configuration.safeguard)
    }
    try writer.closeLast()
  }

  // MARK: For reading only

  private func openForReading(_ status: FileStatus, because reason: String) throws -> OpenedDatabase {
    // To read it in the usual way SQLite would create a log, even an empty one.
    let isAlone = try files.isAlone()
    if !isAlone { try requireRoom() }
    let connector = Connector(
      files: files, access: isAlone ? .immutable : .readOnly, timeout: configuration.busyTimeout,
      pageCacheBytes: configuration.pageCacheBytes)
    let connection = try connector.reading()
    guard let problems = try problemsIfCurrent(connection) else {
      throw StorageError.foreign(path: files.path, reason: "it has no tables yet; open it with the right to write")
    }
    return OpenedDatabase(
      connector: connector, watch: try CommitWatch(connection, trustsHeader: !isAlone), lock: lock, status: status,
      readOnlyReason: reason, migrator: migrator, schemaProblems: problems)
  }

  /// - Returns: What another program changed in the schema; `nil` if there are no tables yet.
  private func problemsIfCurrent(_ connection: DatabaseQueue) throws -> [String]? {
    try connection.read { db in
      let applicationID = try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0
      guard applicationID == configuration.applicationID else {
        if try applicationID == 0 && Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema") == 0 { return nil }
        throw StorageError.foreign(
          path: files.path, reason: "its application id is \(applicationID); name another directory")
      }
      switch try migrator.inspect(db) {
      case .empty, .older(version: 0): return nil
      case .older(let version):
        throw StorageError.older(
          path: files.path, version: version, known: migrator.migrations.last?.version ?? 0)
      case .newest(let problems, _): return problems
      }
    }
  }

  private func requireRoom() throws {
    guard let shortage = try LogIndexBlocks(files: files).shortage() else { return }
    throw FileError(errno: ENOSPC, "open", files.path, reason: shortage)
  }

  /// Why the database cannot be written; `nil` if it can. Its directory must be writable too, for the log.
  private var unwritable: String? {
    for path in [files.path, files.directory] where faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0 {
      return errno == EROFS ? "\(path) is on a read-only file system" : "no permission to write \(path)"
    }
    return nil
  }
}
