/// A refusal by LMDB, by the operating system below it, or by the checks around it.
///
/// A missing key is never an error: reads answer `nil`, deletes answer `false`.
public struct LMDBError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What went wrong, as far as a caller can act on it.
  public let code: Code

  /// The C return code: negative for LMDB's own, positive for an `errno`, 0 where a check in Swift refused.
  public let returnCode: Int32

  /// One line that names the operation, the path or value, and the reason.
  public let message: String

  public var description: String { message }

  /// - Parameter returnCode: 0 for an error that no C call reported, such as one a caller throws to abort.
  public init(_ code: Code, returnCode: Int32 = 0, message: String) {
    self.code = code
    self.returnCode = returnCode
    self.message = message
  }
}

/// An error that a refusal by LMDB converts to: what the body of a transaction may throw.
public protocol LMDBFailure: Error {
  init(_ error: LMDBError)
}

extension LMDBError: LMDBFailure {
  @inlinable
  public init(_ error: LMDBError) { self = error }
}

extension LMDBError {
  /// An open set: an owner adds constants of its own to abort a transaction for its own reasons.
  public struct Code: RawRepresentable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    /// No room in the map: abort, free pages or evict, try again.
    public static let mapFull = Code(rawValue: "mapFull")
    /// One transaction touched too many pages: split it.
    public static let transactionFull = Code(rawValue: "transactionFull")
    /// No room on the disk.
    public static let diskFull = Code(rawValue: "diskFull")
    /// LMDB tells readers apart by process numbers, and one of this process's number, in another PID namespace, reads
    /// the same files.
    public static let processNumberTaken = Code(rawValue: "processNumberTaken")
    /// All reader slots are taken: `checkReaders()` frees those of dead processes.
    public static let readersFull = Code(rawValue: "readersFull")
    /// More databases than `Options.maxDatabases`.
    public static let databasesFull = Code(rawValue: "databasesFull")
    /// The files contradict themselves: remove them and rebuild.
    public static let damaged = Code(rawValue: "damaged")
    /// The files were written in a format this library does not read.
    public static let versionMismatch = Code(rawValue: "versionMismatch")
    /// The files were removed, replaced or cut short while this process had them open: close and open again.
    public static let filesChanged = Code(rawValue: "filesChanged")
    /// A database exists with other flags than the ones asked for.
    public static let incompatible = Code(rawValue: "incompatible")
    /// Another process uses a larger map than this one's.
    public static let mapResized = Code(rawValue: "mapResized")
    /// Somebody is using it now: try again later, or never from inside the transaction that holds it.
    public static let busy = Code(rawValue: "busy")
    /// Closed, or refused by the system; opening again may help.
    public static let unavailable = Code(rawValue: "unavailable")
    /// The file mode or the file system forbids it.
    public static let accessDenied = Code(rawValue: "accessDenied")
    /// A symbolic link, or what belongs to another user or program: nothing here is touched before it is removed.
    public static let foreign = Code(rawValue: "foreign")
    /// A key outside 1...511 bytes.
    public static let keySize = Code(rawValue: "keySize")
    /// A value LMDB cannot hold (4 GiB or more), or a reserved value that was not filled.
    public static let valueSize = Code(rawValue: "valueSize")
    /// An appended key that is not greater than the last one.
    public static let keyOrder = Code(rawValue: "keyOrder")
    /// An argument that no state of the files could make right.
    public static let invalid = Code(rawValue: "invalid")
  }
}
