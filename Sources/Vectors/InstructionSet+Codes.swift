import CVectors

/// Comparing a query with many codes. Every set returns the same numbers; the caller vouches for `isSupported`.
extension InstructionSet {
  /// How far each code is from a query: the sum of the query's magnitudes where the signs differ.
  ///
  /// - Parameter codes: `distances.count` codes of `words` little-endian words each, at any alignment.
  /// - Parameter words: 1...128, so that a distance fits 16 bits.
  /// - Parameter query: `4 * words` words, as in `CodeQuery`.
  public func codeDistances(
    _ codes: UnsafeRawBufferPointer, words: Int, to query: [UInt64], into distances: UnsafeMutableBufferPointer<UInt16>
  ) {
    precondition((1...128).contains(words) && query.count == 4 * words)
    precondition(codes.count == 8 * words * distances.count)
    cvectors_code_distances(kernels, codes.baseAddress, distances.count, words, query, distances.baseAddress)
  }

  /// The same distances for listed codes, in the order of the list; they may lie far apart.
  ///
  /// - Parameter codes: Codes of `words` little-endian words each, at any alignment.
  /// - Parameter rows: Indexes of codes; the caller vouches that there are such codes, a debug build checks.
  public func codeDistances(
    _ codes: UnsafeRawBufferPointer, words: Int, at rows: UnsafeBufferPointer<UInt32>, to query: [UInt64],
    into distances: UnsafeMutableBufferPointer<UInt32>
  ) {
    precondition(words > 0 && query.count == 4 * words && distances.count >= rows.count)
    assert(rows.allSatisfy { 8 * words * (Int($0) + 1) <= codes.count })
    cvectors_code_distances_at(
      kernels, codes.baseAddress, words, rows.baseAddress, rows.count, query, distances.baseAddress)
  }

  /// Dot products of a query with int8 rows.
  ///
  /// - Parameter rows: `dots.count` rows of `query.count` signed bytes, `stride` bytes apart.
  /// - Parameter query: `CodeQuery.components`; the magnitudes times 128 add up to less than 2^31.
  public func int8Dots(
    _ rows: UnsafeRawBufferPointer, stride: Int, with query: [Int16], into dots: UnsafeMutableBufferPointer<Int32>
  ) {
    precondition(!query.isEmpty && stride >= query.count)
    precondition(dots.isEmpty || rows.count >= stride * (dots.count - 1) + query.count)
    cvectors_int8_dots(kernels, rows.baseAddress, stride, dots.count, query.count, query, dots.baseAddress)
  }

  /// The same dot products for listed rows, in the order of the list; they may lie far apart.
  ///
  /// - Parameter indexes: Indexes of rows; the caller vouches that there are such rows, a debug build checks.
  public func int8Dots(
    _ rows: UnsafeRawBufferPointer, stride: Int, at indexes: UnsafeBufferPointer<UInt32>, with query: [Int16],
    into dots: UnsafeMutableBufferPointer<Int32>
  ) {
    precondition(!query.isEmpty && stride >= query.count && dots.count >= indexes.count)
    assert(indexes.allSatisfy { stride * Int($0) + query.count <= rows.count })
    cvectors_int8_dots_at(
      kernels, rows.baseAddress, stride, indexes.baseAddress, indexes.count, query.count, query, dots.baseAddress)
  }
}
