import StoreValues

extension Ledger {
  /// The largest input that a ledger accepts, and how much it keeps of what it may drop.
  ///
  /// An input beyond a limit is refused as `.limitExceeded` before anything is written. A limit is of a process, not of the
  /// ledger: nothing that is stored becomes unreadable when a limit is lowered.
  public struct Limits: Hashable, Sendable, Codable {
    /// Bytes of UTF-8 in one text field, and of a JSON value as text.
    public var fieldBytes = 1 << 20
    /// Bytes of the text of a prompt, and of a response with all its parts.
    public var promptBytes = 16 << 20
    /// Levels of objects and arrays in a JSON value.
    public var jsonDepth = 256
    /// Rows in one call; other writers wait for all of a call.
    public var batchElements = 100_000
    /// Elements of one page of a list.
    public var results = 1000
    /// Prompts and tool calls of one run.
    public var entriesPerRun = 1_000_000
    /// Bytes of all cached pages together; the least recently used leave first.
    public var pageBytes = 256 << 20
    /// Versions of one state that are kept.
    public var stateVersions = 100
    /// Bytes left on the disk below which nothing is written that makes the ledger grow; `nil` for 64 MiB, or for 5 % of the
    /// disk if that is less. 0 for no such floor.
    public var minimumFreeBytes: Int?

    /// The defaults.
    public init() {}
  }
}

extension Ledger.Limits {
  /// - Throws: `.invalid` for a limit that is not positive.
  func validate() throws(MemoryError) {
    let fields: [(String, Int, Int)] = [
      ("fieldBytes", fieldBytes, 1_000_000_000), ("promptBytes", promptBytes, 1_000_000_000),
      ("jsonDepth", jsonDepth, 256),
      ("batchElements", batchElements, 100_000_000), ("results", results, 10_000_000),
      ("entriesPerRun", entriesPerRun, Int(Int32.max)), ("pageBytes", pageBytes, 1 << 50),
      ("stateVersions", stateVersions, 1_000_000),
      ("minimumFreeBytes", (minimumFreeBytes ?? 0) + 1, (1 << 60) + 1),
    ]
    for (name, value, most) in fields where !(1...most).contains(value) {
      throw MemoryError(.invalid, "limits.\(name) is \(value); choose a value from 1 to \(most)")
    }
  }
}
