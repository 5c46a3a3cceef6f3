/// Why a database file cannot be used; errors of SQLite itself come as GRDB's `DatabaseError`, refusals by
/// the file system as `FileError`.
package enum StorageError: Error, Sendable, CustomStringConvertible {
  /// There is no file, and none was to be made.
  case missing(path: String)
  /// The file belongs to another application, or is no SQLite database.
  case foreign(path: String, reason: String)
  /// A newer build has migrated the file to a version that this one lacks.
  case newer(path: String, version: Int, known: Int)
  /// The file is opened without the right to write, and must be migrated first.
  case older(path: String, version: Int, known: Int)
  /// A migration that was applied is not the one this build has under that number.
  case changedMigration(path: String, version: Int)
  /// Something of the database is lost or destroyed.
  case damaged(path: String, reason: String)
  /// The file has further names, under each of which SQLite would keep another log.
  case severalNames(path: String, count: UInt64)
  /// A file of the open database was removed, replaced, renamed or overwritten by another program.
  case replaced(path: String, what: String)
  /// The database was opened for reading only.
  case readOnly(path: String, reason: String)
  /// Another process holds the commit lock for longer than the timeout.
  case locked(path: String, milliseconds: Int)
  /// SQLite did not accept a setting.
  case refused(pragma: String, expected: String, actual: String)
  /// A connection, of this process or another, has the database open.
  case inUse(path: String)
  /// Used after it was closed.
  case closed(path: String)

  package var description: String {
    switch self {
    case .missing(let path): "no database at \(path)"
    case .foreign(let path, let reason): "\(path) is not one of ours: \(reason)"
    case .newer(let path, let version, let known):
      "\(path) is at schema version \(version), this build knows \(known); use a newer build"
    case .older(let path, let version, let known):
      "\(path) is at schema version \(version) and cannot be brought to \(known) without the right to write; open it once with it"
    case .changedMigration(let path, let version):
      "migration \(version) of \(path) is not the one this build has; use the build that made it"
    case .damaged(let path, let reason): "\(path) is damaged: \(reason)"
    case .severalNames(let path, let count):
      "\(path) is one file under \(count) names (hard links), each of which would get a log of its own; copy it instead"
    case .replaced(let path, let what): "\(path) \(what) while it was open; nothing was written: open it again"
    case .readOnly(let path, let reason): "\(path) is open for reading only: \(reason)"
    case .locked(let path, let milliseconds):
      "another process has held \(path) for \(milliseconds) ms; end it or try again"
    case .refused(let pragma, let expected, let actual): "\(pragma) is \(actual) although \(expected) was set"
    case .inUse(let path): "\(path) is in use; end every process that has it open, and close it in this one"
    case .closed(let path): "\(path) was closed; open it again"
    }
  }
}

extension StorageError {
  var isDamage: Bool {
    if case .damaged = self { true } else { false }
  }
}
