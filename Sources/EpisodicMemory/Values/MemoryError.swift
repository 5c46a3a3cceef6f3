/// What went wrong, in a form a program can act on and a person can read.
///
/// The message is one line, names the thing and its value, and says what to do about it.
public struct MemoryError: Error, Sendable, CustomStringConvertible {
  /// What the caller can do; an open set, so switch with a `default`.
  public struct Code: RawRepresentable, Hashable, Sendable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    /// The input is wrong; correct it. Nothing was changed.
    public static let invalid = Code(rawValue: "invalid")
    /// The thing named does not exist.
    public static let notFound = Code(rawValue: "not_found")
    /// The state of the store forbids it: an id taken, an episode that is not active. Nothing was changed.
    public static let conflict = Code(rawValue: "conflict")
    /// A vector's length is not that of its embedding space.
    public static let dimensionMismatch = Code(rawValue: "dimension_mismatch")
    /// Another process or program has held a lock for longer than the caller allowed. Nothing was changed; try again.
    public static let busy = Code(rawValue: "busy")
    /// The task that waited was cancelled. Nothing was changed.
    public static let cancelled = Code(rawValue: "cancelled")
    /// The store cannot be reached or written now: full, no permission, replaced. Trying again may help.
    public static let unavailable = Code(rawValue: "unavailable")
    /// The file is no store, or comes from a newer version of this engine.
    public static let notAStore = Code(rawValue: "not_a_store")
    /// The primary is damaged: restore a backup.
    public static let corrupted = Code(rawValue: "corrupted")
  }

  public let code: Code
  public let message: String
  public let cause: (any Error)?

  public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.cause = cause
  }

  public var description: String { message }
}
