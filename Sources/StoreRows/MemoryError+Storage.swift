package import StoreValues
import FileLocks
import GRDB
import SQLiteStorage

extension MemoryError {
  /// Maps an error of the storage to a code that tells the caller what to do, with the remedy in the message.
  package init(storage error: any Error, path: String) {
    switch error {
    case let error as MemoryError: self = error
    case let error as StorageError: self.init(error)
    case let error as DiskShortage:
      self.init(
        .unavailable,
        """
        the disk of \(error.directory) has \(error.free) bytes left, less than the floor of \(error.floor): nothing was written, \
        what was acknowledged is kept; free some space, delete episodes or lower limits.minimumFreeBytes
        """, cause: error)
    case let error as FileError: self.init(.unavailable, error.message, cause: error)
    case let error as DatabaseError: self.init(error, path: path)
    case is CancellationError:
      self.init(.cancelled, "the task that asked \(path) was cancelled; nothing was changed", cause: error)
    case is RowDecodingError:
      self.init(
        .corrupted, "\(path) holds a value of the wrong type; call check(), then restore a backup", cause: error)
    default: self.init(.unavailable, "\(path): \(error)", cause: error)
    }
  }

  private init(_ error: StorageError) {
    switch error {
    case .missing(let path):
      self.init(.notAStore, "no store at \(path); create one, or name another", cause: error)
    case .foreign, .newer, .changedMigration: self.init(.notAStore, error.description, cause: error)
    case .damaged: self.init(.corrupted, error.description, cause: error)
    case .locked, .inUse: self.init(.busy, error.description, cause: error)
    case .readOnly, .older: self.init(.readOnly, error.description, cause: error)
    case .closed: self.init(.closed, error.description, cause: error)
    case .refused, .severalNames, .replaced:
      self.init(.unavailable, error.description, cause: error)
    }
  }

  private init(_ error: DatabaseError, path: String) {
    let said = error.reason
    switch error.resultCode {
    case .SQLITE_NOTADB:
      self.init(.notAStore, "\(path) is no SQLite database; name another store or restore a backup", cause: error)
    case .SQLITE_CORRUPT:
      self.init(
        .corrupted,
        "\(path) is damaged (\(said)); restore a backup, or bring what is left into a new store: call Memory.salvage(from:to:)",
        cause: error)
    case .SQLITE_ERROR where said.hasPrefix("no such "):
      self.init(
        .corrupted, "\(path) is damaged: \(said), another program changed the schema; restore a backup", cause: error)
    case .SQLITE_IOERR where error.extendedResultCode == .SQLITE_IOERR_SHMSIZE:
      self.init(
        .unavailable, "no room left to open \(path); what was acknowledged is kept: free some space", cause: error)
    case .SQLITE_FULL:
      self.init(
        .unavailable, "no room left to write \(path); what was acknowledged is kept: free some space", cause: error)
    case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_PROTOCOL:
      self.init(.busy, "\(path) is locked by another process; end it or try again", cause: error)
    case .SQLITE_INTERRUPT:
      self.init(.cancelled, "the task that asked \(path) was cancelled; nothing was changed", cause: error)
    case .SQLITE_READONLY where error.extendedResultCode != .SQLITE_READONLY_DBMOVED:
      self.init(.readOnly, "\(path) cannot be written (\(said)); change its owner or mode", cause: error)
    case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_CANTOPEN, .SQLITE_AUTH:
      self.init(
        .unavailable, "no permission to open or write \(path) (\(said)); change its owner or mode", cause: error)
    case .SQLITE_CONSTRAINT:
      self.init(.conflict, "the store refuses it: \(said)", cause: error)
    case .SQLITE_TOOBIG:
      self.init(.limitExceeded, "a value is larger than SQLite can keep; shorten it", cause: error)
    default:
      self.init(.unavailable, "\(path): \(said)", cause: error)
    }
  }
}
