/// An error: `code` tells a program what to do, `message` a person.
///
/// The message is one line and names the thing, its value and the remedy.
public struct MemoryError: Error, Sendable, CustomStringConvertible {
  /// Classifies errors by what the caller can do. An open set: switch over it with a `default`.
  public struct Code: RawRepresentable, Hashable, Sendable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Whether the input alone is the reason, whatever is in the store.
    package var isOfInput: Bool { self == .invalid || self == .limitExceeded }

    /// The input is wrong; correct it. Nothing was changed.
    public static let invalid = Code(rawValue: "invalid")
    /// The input is larger than a limit of the store allows; the message names both. Nothing was changed.
    public static let limitExceeded = Code(rawValue: "limit_exceeded")
    /// The thing named does not exist.
    public static let notFound = Code(rawValue: "not_found")
    /// The state of the store does not allow it: the id exists, the episode is not active. Nothing was changed.
    public static let conflict = Code(rawValue: "conflict")
    /// A vector's length is not that of its embedding space.
    public static let dimensionMismatch = Code(rawValue: "dimension_mismatch")
    /// Another process holds a lock for longer than `busyTimeout`. Nothing was changed; try again.
    public static let busy = Code(rawValue: "busy")
    /// The task was cancelled while it waited. Nothing was changed.
    public static let cancelled = Code(rawValue: "cancelled")
    /// The body of `write` threw an error that is no `MemoryError`; it is the `cause`. Nothing was changed.
    public static let abandoned = Code(rawValue: "abandoned")
    /// The memory was closed; open the store again. Nothing was changed.
    public static let closed = Code(rawValue: "closed")
    /// The store was opened for reading only, or its files cannot be written. Nothing was changed.
    public static let readOnly = Code(rawValue: "read_only")
    /// The store cannot be read or written now: disk full, no permission to read, files replaced. Trying again may help.
    public static let unavailable = Code(rawValue: "unavailable")
    /// The file is not a store, or was written by a newer version of this engine.
    public static let notAStore = Code(rawValue: "not_a_store")
    /// The primary is damaged: restore a backup.
    public static let corrupted = Code(rawValue: "corrupted")
    /// A domain is encrypted, and the store was opened without its key: open it with the key.
    public static let keyMissing = Code(rawValue: "key_missing")
    /// The key is not the one that the store has now.
    public static let keyWrong = Code(rawValue: "key_wrong")
    /// The key of a domain was destroyed or replaced: what was encrypted with it cannot be read any more.
    public static let keyDestroyed = Code(rawValue: "key_destroyed")
  }

  /// What the caller can do.
  public let code: Code
  /// One line that names the thing, its value and the remedy.
  public let message: String
  /// The error of a lower layer, if there is one; its type is not part of the interface.
  public let cause: (any Error)?

  /// For implementations of the library's protocols.
  public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.cause = cause
  }

  public var description: String { message }
}

extension MemoryError {
  /// The error with a place such as `steps[2]` before its message.
  package func naming(place: String) -> MemoryError { MemoryError(code, "\(place): \(message)", cause: cause) }
}
