/// How large the codes of a vector are: a sign bit a component in words of 64, of which the first few are kept apart to
/// be scanned for all rows, and a byte a component.
public struct CodeLayout: Hashable, Sendable {
  public let dimensions: Int

  /// Words of sign bits; the bits of the last word behind `dimensions` are 0.
  public let words: Int

  /// Words at the front that every row is ranked by first: about a third, at least two, and all of fewer than four. No
  /// more than 128, so that a distance over them fits 16 bits.
  public let prefixWords: Int

  /// The words behind the prefix.
  public var restWords: Int { words - prefixWords }

  /// Bytes of an int8 row.
  public var rowBytes: Int { dimensions }

  /// - Parameter dimensions: One of `Vector.supportedDimensions`.
  public init(dimensions: Int) {
    precondition(Vector.supportedDimensions.contains(dimensions), "no vector has \(dimensions) dimensions")
    self.dimensions = dimensions
    words = (dimensions + 63) / 64
    prefixWords = words < 4 ? words : min(128, max(2, (words + 2) / 3))
  }
}
