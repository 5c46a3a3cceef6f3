import CLMDB
package import FileLocks

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

extension LMDBError: FileFailure {
  package init(_ error: FileError) {
    let code: Code =
      switch error.code {
      case .system where error.number == ENOTDIR || error.number == EISDIR: .invalid
      case .system where error.number == ELOOP: .foreign
      case .system: Code(returnCode: error.number)
      case .link, .owner: .foreign
      case .kind: .invalid
      case .busy: .busy
      }
    self.init(code, returnCode: error.number, message: error.message)
  }
}
