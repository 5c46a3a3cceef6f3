import CSQLite
import FileLocks
import GRDB
import GRDBSQLite
import Synchronization

/// A database file that nobody has open, as bytes: read through SQLite's file layer, which keeps its locks in order (I5).
///
/// While it exists no connection, of any process, can read or write the database.
final class RawDatabaseFile: Sendable {
  let size: Int64
  private let file: Mutex<OpaquePointer>

  /// - Throws: `StorageError.missing`; `.inUse` if a connection has it open; GRDB's `DatabaseError`.
  init(_ files: DatabaseFiles) throws {
    guard let status = try FileStatus(of: files.path) else { throw StorageError.missing(path: files.path) }
    guard status.kind == .regular else {
      throw StorageError.foreign(path: files.path, reason: "it is not a regular file; name another directory")
    }
    var opened: OpaquePointer?
    var isWritable = false
    let code = episodic_raw_file_open(files.path, &opened, &isWritable)
    guard code == SQLITE_OK, let opened else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
    var bytes: Int64 = 0
    let locked = episodic_raw_file_lock(opened, isWritable)
    let sized = locked == SQLITE_OK ? episodic_raw_file_size(opened, &bytes) : SQLITE_OK
    guard locked == SQLITE_OK, sized == SQLITE_OK else {
      episodic_raw_file_close(opened)
      if locked == SQLITE_BUSY { throw StorageError.inUse(path: files.path) }
      throw DatabaseError(resultCode: ResultCode(rawValue: locked == SQLITE_OK ? sized : locked))
    }
    size = bytes
    file = Mutex(opened)
  }

  deinit { file.withLock { episodic_raw_file_close($0) } }

  /// - Returns: `nil` if they are not all in the file, or cannot be read.
  func read(_ count: Int, at offset: Int64) -> [UInt8]? {
    guard offset >= 0, count > 0, offset <= size, Int64(count) <= size - offset, let length = Int32(exactly: count)
    else {
      return nil
    }
    return file.withLock { file in
      var code = SQLITE_OK
      let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
        code = episodic_raw_file_read(file, buffer.baseAddress, length, offset)
        filled = code == SQLITE_OK ? count : 0
      }
      return code == SQLITE_OK ? bytes : nil
    }
  }
}
