/// How much the engine takes in one piece.
public struct Limits: Hashable, Sendable {
  /// Bytes of UTF-8 in one text field, and of metadata or pattern data as JSON.
  public var fieldBytes: Int
  /// Numbers in one vector.
  public var dimensions: Int
  /// Answers to one query.
  public var results: Int

  public init(fieldBytes: Int = 1 << 20, dimensions: Int = 65_536, results: Int = 1000) {
    self.fieldBytes = fieldBytes
    self.dimensions = dimensions
    self.results = results
  }
}
