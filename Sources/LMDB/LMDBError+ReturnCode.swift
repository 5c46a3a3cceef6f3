import CLMDB

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

extension LMDBError {
  /// - Parameter operation: What was tried, as a verb phrase: "begin a read transaction".
  /// - Parameter path: The environment's directory, or the file the call was about.
  init(returnCode: Int32, operation: String, path: String) {
    let reason = String(cString: mdb_strerror(returnCode))
    self.init(
      Code(returnCode: returnCode), returnCode: returnCode,
      message: "cannot \(operation) in \(path): \(reason) (\(returnCode))")
  }

  /// Reads `errno`, so it must be made before anything else can set it.
  init(errnoOf operation: String, path: String) {
    self.init(returnCode: errno, operation: operation, path: path)
  }

  /// - Parameter number: `errno`, read before anything else could set it.
  /// - Parameter operation: What was tried on `path`: "open".
  package init(errno number: Int32, _ operation: String, _ path: String) {
    let code: Code =
      switch number {
      case ENOTDIR, EISDIR: .invalid
      case ELOOP: .foreign
      default: Code(returnCode: number)
      }
    self.init(code, returnCode: number, message: "cannot \(operation) \(path): \(String(cString: strerror(number)))")
  }

  @inline(__always)
  static func check(
    _ returnCode: Int32, _ operation: @autoclosure () -> String, _ path: @autoclosure () -> String
  ) throws(LMDBError) {
    if returnCode != MDB_SUCCESS {
      throw LMDBError(returnCode: returnCode, operation: operation(), path: path())
    }
  }
}

extension LMDBError.Code {
  init(returnCode: Int32) {
    self =
      switch returnCode {
      case MDB_MAP_FULL: .mapFull
      case MDB_TXN_FULL: .transactionFull
      case MDB_READERS_FULL: .readersFull
      case MDB_DBS_FULL: .databasesFull
      case MDB_CORRUPTED, MDB_PAGE_NOTFOUND, MDB_INVALID, MDB_CURSOR_FULL, MDB_PAGE_FULL: .damaged
      case MDB_VERSION_MISMATCH: .versionMismatch
      case MDB_INCOMPATIBLE: .incompatible
      case MDB_MAP_RESIZED: .mapResized
      case MDB_BAD_VALSIZE: .valueSize
      case MDB_KEYEXIST: .keyOrder
      case MDB_BAD_TXN, MDB_BAD_DBI, MDB_BAD_RSLOT, EINVAL: .invalid
      case EACCES, EPERM, EROFS: .accessDenied
      case ENOSPC, EDQUOT: .diskFull
      case EAGAIN, EBUSY: .busy
      default: .unavailable
      }
  }
}
