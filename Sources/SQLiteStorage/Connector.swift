import CSQLite
import FileLocks
import Foundation
import GRDB
import GRDBSQLite

/// Opens the connections to one database, all with the same settings.
struct Connector: Sendable {
  /// What the database is opened for.
  enum Access: Sendable {
    case readWrite
    /// Its log may be in use by others.
    case readOnly
    /// There is no log, and none can or must be made: SQLite reads the database file and takes no locks.
    case immutable
  }

  let files: DatabaseFiles
  let access: Access
  let timeout: Duration
  /// Bytes of pages that a connection keeps; others are read from the system's file cache.
  var pageCacheBytes = WALDatabase.Configuration.pageCacheBytes

  /// Opens a connection that may write, to a file that exists.
  func writing(_ busy: BusyHandler? = nil) throws -> DatabaseQueue {
    try open(readonly: access != .readWrite, busy)
  }

  func reading(_ busy: BusyHandler? = nil) throws -> DatabaseQueue {
    try open(readonly: true, busy)
  }

  private func open(readonly: Bool, _ busy: BusyHandler?) throws -> DatabaseQueue {
    var configuration = Self.configuration(pageCacheBytes: pageCacheBytes)
    configuration.readonly = readonly
    configuration.busyMode = (busy ?? BusyHandler(timeout: timeout)).mode
    return try DatabaseQueue(path: name(readonly: readonly), configuration: configuration)
  }

  /// The settings of every connection.
  static func configuration(
    pageCacheBytes: Int = WALDatabase.Configuration.pageCacheBytes
  ) -> GRDB.Configuration {
    var configuration = GRDB.Configuration()
    configuration.label = "episodic"
    configuration.prepareDatabase { db in
      var code = episodic_sqlite_harden(db.sqliteConnection)
      if code == SQLITE_OK { code = episodic_word_matches_register(db.sqliteConnection) }
      guard code == SQLITE_OK else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
      // What is deleted is overwritten with zeros: in the page of the row, and whole pages that become free.
      try db.execute(
        sql: "PRAGMA cache_size = -\(pageCacheBytes >> 10); PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON")
    }
    return configuration
  }

  // MARK: Names for SQLite

  private static let takesURIs = episodic_sqlite_allow_uris()

  /// A URI has options that a path lacks: to create no file in place of a removed one, and that no process writes.
  private func name(readonly: Bool) -> String {
    guard Self.takesURIs, let path = files.path.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) else {
      return files.path
    }
    return switch access {
    case .immutable: "file:\(path)?immutable=1"
    case .readOnly: "file:\(path)?mode=ro"
    case .readWrite: "file:\(path)?mode=\(readonly ? "ro" : "rw")"
    }
  }
}

/// The threads that open and close connections, which may wait for a lock, a disk or another process.
let connectionWork = BlockingWork(width: 64)
