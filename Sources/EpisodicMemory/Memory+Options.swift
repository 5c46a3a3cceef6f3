extension Memory {
  /// The largest input that the engine accepts.
  public struct Limits: Hashable, Sendable {
    /// Bytes of UTF-8 in one text field, and of metadata or pattern data as JSON.
    public var fieldBytes: Int
    /// Numbers in one vector.
    public var dimensions: Int
    /// Hits of one query, and elements of one page.
    public var results: Int

    /// The defaults hold for every caller that sets none.
    public init(fieldBytes: Int = 1 << 20, dimensions: Int = 65_536, results: Int = 1000) {
      self.fieldBytes = fieldBytes
      self.dimensions = dimensions
      self.results = results
    }
  }

  /// What an acknowledged write survives (I2).
  public enum Durability: String, CaseIterable, Sendable {
    /// Loss of power. Each commit waits for the disk; calls that arrive together share the wait.
    case full
    /// Death of the process. A loss of power may undo the last commits, but never part of one.
    case normal
  }
}
