import CLMDB
package import FileLocks
import LMDBVerifier

/// A refusal by LMDB, by the operating system below it, or by the checks around it.
///
/// A missing key is never an error: reads return `nil`, deletes return `false`.
@usableFromInline
package struct LMDBError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What went wrong, as far as a caller can act on it.
  package let code: Code

  /// The C return code: negative for LMDB's own, positive for an `errno`, 0 if a check in Swift refused.
  package let returnCode: Int32

  /// One line that names the operation, the path or value, and the reason.
  package let message: String

  @usableFromInline
  package var description: String { message }

  /// - Parameter returnCode: 0 for an error that no C call reported, such as one a caller throws to abort.
  package init(_ code: Code, returnCode: Int32 = 0, message: String) {
    self.code = code
    self.returnCode = returnCode
    self.message = message
  }
}

/// An error that a refusal by LMDB converts to: what the body of a transaction may throw.
@usableFromInline
package protocol LMDBFailure: Error {
  init(_ error: LMDBError)
}

extension LMDBError: LMDBFailure {
  @inlinable
  package init(_ error: LMDBError) { self = error }
}

extension LMDBError {
  /// An open set: an owner adds constants of its own to abort a transaction for its own reasons.
  package struct Code: RawRepresentable, Hashable, Sendable {
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }

    /// No room in the map: abort, free pages or evict, try again.
    package static let mapFull = Code(rawValue: "mapFull")
    /// One transaction touched too many pages: split it.
    package static let transactionFull = Code(rawValue: "transactionFull")
    /// No room on the disk.
    package static let diskFull = Code(rawValue: "diskFull")
    /// LMDB tells readers apart by process numbers, and one of this process's number, in another PID namespace, reads
    /// the same files.
    package static let processNumberTaken = Code(rawValue: "processNumberTaken")
    /// All reader slots are taken: `checkReaders()` frees those of dead processes.
    package static let readersFull = Code(rawValue: "readersFull")
    /// More databases than `Options.maxDatabases`.
    package static let databasesFull = Code(rawValue: "databasesFull")
    /// The files contradict themselves: remove them and rebuild.
    package static let damaged = Code(rawValue: "damaged")
    /// The files were written in a format this library does not read.
    package static let versionMismatch = Code(rawValue: "versionMismatch")
    /// The files were removed, replaced or cut short while this process had them open: close and open again.
    package static let filesChanged = Code(rawValue: "filesChanged")
    /// A database exists with other flags than the requested ones.
    package static let incompatible = Code(rawValue: "incompatible")
    /// Another process uses a larger map than this one's.
    package static let mapResized = Code(rawValue: "mapResized")
    /// In use: try again later, but not inside the transaction that holds it.
    package static let busy = Code(rawValue: "busy")
    /// Closed, or refused by the system; opening again may help.
    package static let unavailable = Code(rawValue: "unavailable")
    /// The file mode or the file system forbids it.
    package static let accessDenied = Code(rawValue: "accessDenied")
    /// A symbolic link, or a file of another user or program: remove it first.
    package static let foreign = Code(rawValue: "foreign")
    /// A key outside 1...511 bytes.
    package static let keySize = Code(rawValue: "keySize")
    /// A value LMDB cannot hold (4 GiB or more), or a reserved value that was not filled.
    package static let valueSize = Code(rawValue: "valueSize")
    /// An appended key that is not greater than the last one.
    package static let keyOrder = Code(rawValue: "keyOrder")
    /// An argument that no state of the files could make right.
    package static let invalid = Code(rawValue: "invalid")
  }
}

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

extension LMDBError {
  init(_ error: DataFileError) {
    switch error {
    case .damaged(let message): self.init(.damaged, message: message)
    case .unknownFormat(let message): self.init(.versionMismatch, message: message)
    case .changing(let message): self.init(.busy, message: message)
    case .file(let error): self.init(error)
    }
  }
}
