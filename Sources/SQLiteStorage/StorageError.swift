import Foundation

/// Why a database file cannot be used; errors of SQLite itself come as GRDB's `DatabaseError`.
public enum StorageError: Error, Sendable, CustomStringConvertible {
  /// There is no file, and none was to be made.
  case missing(path: String)
  /// The file belongs to another application, or is no SQLite database.
  case foreign(path: String, reason: String)
  /// A newer build has migrated the file further than this one knows.
  case newer(path: String, version: Int, known: Int)
  /// A migration that was applied is not the one this build has under that number.
  case changedMigration(path: String, version: Int)
  /// A system call on the file, its folder or its lock failed.
  case system(path: String, operation: String, errno: Int32, reason: String)
  /// Another process holds the commit lock for longer than the timeout.
  case locked(path: String, milliseconds: Int)
  /// The connection does not run as it was told to.
  case refused(pragma: String, expected: String, actual: String)

  public var description: String {
    switch self {
    case .missing(let path): "no database at \(path)"
    case .foreign(let path, let reason): "\(path) is not one of ours: \(reason)"
    case .newer(let path, let version, let known):
      "\(path) is at schema version \(version), this build knows \(known); use a newer build"
    case .changedMigration(let path, let version):
      "migration \(version) of \(path) is not the one this build has; use the build that made it"
    case .system(let path, let operation, let errno, let reason):
      "\(operation) \(path): \(reason)\(errno == EACCES || errno == EPERM ? "; change its owner or mode" : "")"
    case .locked(let path, let milliseconds):
      "another process has held \(path) for \(milliseconds) ms; end it or try again"
    case .refused(let pragma, let expected, let actual): "\(pragma) is \(actual) although \(expected) was set"
    }
  }
}
