import CVectors

/// Comparing a query with many codes. Every set returns the same numbers; the caller vouches for `isSupported`.
extension InstructionSet {
  /// How far each code is from a query: the sum of the query's magnitudes where the signs differ.
  ///
  /// - Parameter groups: As many groups of `words` times 8 words as `distances` needs; see `CodeLayout`.
  /// - Parameter words: 1...128, so that a distance fits 16 bits.
  /// - Parameter query: `4 * words` words, as in `CodeQuery`.
  public func groupDistances(
    _ groups: UnsafeRawBufferPointer, words: Int, to query: [UInt64],
    into distances: UnsafeMutableBufferPointer<UInt16>
  ) {
    precondition((1...128).contains(words) && query.count == 4 * words)
    precondition(groups.count >= 64 * words * ((distances.count + 7) / 8))
    cvectors_group_distances(kernels, groups.baseAddress, distances.count, words, query, distances.baseAddress)
  }

  /// The same distances for codes that may lie far apart.
  ///
  /// - Parameter codes: Where codes of `words` little-endian words each are, at any alignment; the caller vouches for it.
  public func codeDistances(
    _ codes: UnsafeBufferPointer<UnsafeRawPointer?>, words: Int, to query: [UInt64],
    into distances: UnsafeMutableBufferPointer<UInt32>
  ) {
    precondition(words > 0 && query.count == 4 * words && distances.count >= codes.count)
    cvectors_code_distances(kernels, codes.baseAddress, words, codes.count, query, distances.baseAddress)
  }

  /// Dot products of a query with int8 rows that may lie far apart.
  ///
  /// - Parameter rows: Where rows of `query.count` signed bytes are; the caller vouches for it.
  /// - Parameter query: `CodeQuery.components`; the magnitudes times 128 add up to less than 2^31.
  public func int8Dots(
    _ rows: UnsafeBufferPointer<UnsafeRawPointer?>, with query: [Int16], into dots: UnsafeMutableBufferPointer<Int32>
  ) {
    precondition(!query.isEmpty && dots.count >= rows.count)
    cvectors_int8_dots(kernels, rows.baseAddress, rows.count, query.count, query, dots.baseAddress)
  }
}
