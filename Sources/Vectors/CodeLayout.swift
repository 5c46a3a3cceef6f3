/// How large the codes of a vector are: a sign bit a component in words of 64, and a byte a component.
///
/// The first few words of every row are scanned. For that they lie in groups of eight rows: the first word of all eight,
/// then the second, and so on.
public struct CodeLayout: Hashable, Sendable {
  /// Rows of a group.
  public static let groupRows = 8

  public let dimensions: Int

  /// Words of sign bits; the bits of the last word behind `dimensions` are 0.
  public let words: Int

  /// Words at the front that every row is ranked by first: about a third, at least three, which leave one row in a
  /// hundred to look at where two leave one in thirty. No more than 128, so that a distance over them fits 16 bits.
  public let prefixWords: Int

  /// Bytes of a code.
  public var codeBytes: Int { 8 * words }

  /// Bytes of an int8 row.
  public var rowBytes: Int { dimensions }

  /// - Parameter dimensions: One of `Vector.supportedDimensions`.
  public init(dimensions: Int) {
    precondition(Vector.supportedDimensions.contains(dimensions), "no vector has \(dimensions) dimensions")
    self.dimensions = dimensions
    words = (dimensions + 63) / 64
    prefixWords = min(words, 128, max(3, (words + 2) / 3))
  }

  /// Bytes of the groups of that many rows; the last group is whole.
  public func groupBytes(_ rows: Int) -> Int {
    8 * prefixWords * ((rows + Self.groupRows - 1) / Self.groupRows * Self.groupRows)
  }

  /// Where a word of a row's prefix is among the groups, in bytes.
  public func groupOffset(ofWord word: Int, row: Int) -> Int {
    8 * ((row / Self.groupRows * prefixWords + word) * Self.groupRows + row % Self.groupRows)
  }
}
