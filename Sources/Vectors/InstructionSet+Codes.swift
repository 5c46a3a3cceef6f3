import CVectors

/// Comparing a query with many codes. The caller guarantees `isSupported`.
extension InstructionSet {
  /// The distance of each code from a query: the sum of the query's magnitudes at components of the other sign.
  ///
  /// - Parameter groups: As many groups of `words` times 8 words as `distances` needs; see `CodeLayout`.
  /// - Parameter words: 1...128, so that a distance fits 16 bits.
  /// - Parameter query: `4 * words` words, as in `CodeQuery`.
  package func groupDistances(
    _ groups: UnsafeRawBufferPointer, words: Int, to query: [UInt64],
    into distances: UnsafeMutableBufferPointer<UInt16>
  ) {
    precondition((1...128).contains(words) && query.count == 4 * words)
    precondition(groups.count >= 64 * words * ((distances.count + 7) / 8))
    cvectors_group_distances(kernels, groups.baseAddress, distances.count, words, query, distances.baseAddress)
  }

  /// The same distances for codes that may lie far apart.
  ///
  /// - Parameter codes: Where codes of `words` little-endian words each are, at any alignment, guaranteed by the caller.
  package func codeDistances(
    _ codes: UnsafeBufferPointer<UnsafeRawPointer?>, words: Int, to query: [UInt64],
    into distances: UnsafeMutableBufferPointer<UInt32>
  ) {
    precondition(words > 0 && query.count == 4 * words && distances.count >= codes.count)
    cvectors_code_distances(kernels, codes.baseAddress, words, codes.count, query, distances.baseAddress)
  }

  /// Dot products of a query with int8 rows that may lie far apart.
  ///
  /// - Parameter rows: Where rows of `query.count` signed bytes are, guaranteed by the caller.
  /// - Parameter query: `CodeQuery.components`; the magnitudes times 128 add up to less than 2^31.
  package func int8Dots(
    _ rows: UnsafeBufferPointer<UnsafeRawPointer?>, with query: [Int16], into dots: UnsafeMutableBufferPointer<Int32>
  ) {
    precondition(!query.isEmpty && dots.count >= rows.count)
    cvectors_int8_dots(kernels, rows.baseAddress, rows.count, query.count, query, dots.baseAddress)
  }
}

/// Filtering columns and selecting rows. A mask has a byte a row: 0xFF for a selected row, else 0. Columns are little-endian,
/// at any alignment. The caller guarantees `isSupported`.
extension InstructionSet {
  /// Writes the mask of the rows whose value is less than 32 and a member of `admitted`, a set of bits.
  package func maskBits(
    of values: UnsafeRawBufferPointer, admitted: UInt32, into mask: UnsafeMutableBufferPointer<UInt8>
  ) {
    precondition(values.count == mask.count)
    let bytes = values.baseAddress?.assumingMemoryBound(to: UInt8.self)
    cvectors_mask_bits(kernels, bytes, mask.count, admitted, mask.baseAddress)
  }

  /// Deselects rows whose byte is not `value`.
  package func mask(
    _ mask: UnsafeMutableBufferPointer<UInt8>, where column: UnsafeRawBufferPointer, equals value: UInt8
  ) {
    precondition(column.count == mask.count)
    cvectors_mask_equal8(kernels, column.baseAddress, mask.count, value, mask.baseAddress)
  }

  /// Deselects rows whose 4 bytes are not `value`.
  package func mask(
    _ mask: UnsafeMutableBufferPointer<UInt8>, where column: UnsafeRawBufferPointer, equals value: UInt32
  ) {
    precondition(column.count == 4 * mask.count)
    cvectors_mask_equal32(kernels, column.baseAddress, mask.count, value, mask.baseAddress)
  }

  /// Deselects rows whose 8 bytes, an Int64, are not within `range`.
  package func mask(
    _ mask: UnsafeMutableBufferPointer<UInt8>, where column: UnsafeRawBufferPointer, isIn range: ClosedRange<Int64>
  ) {
    precondition(column.count == 8 * mask.count)
    cvectors_mask_range64(
      kernels, column.baseAddress, mask.count, range.lowerBound, range.upperBound, mask.baseAddress)
  }

  /// The number of selected rows.
  package func countMasked(_ mask: UnsafeBufferPointer<UInt8>) -> Int {
    cvectors_count_masked(kernels, mask.baseAddress, mask.count)
  }

  /// Writes `base` plus the index of every selected row, ascending.
  ///
  /// - Parameter rows: Has room for `mask.count`; the rest of it is left undefined.
  /// - Returns: How many were written.
  package func selectMasked(
    _ mask: UnsafeBufferPointer<UInt8>, base: UInt32 = 0, into rows: UnsafeMutableBufferPointer<UInt32>
  ) -> Int {
    precondition(rows.count >= mask.count)
    return cvectors_select_masked(kernels, mask.baseAddress, mask.count, base, rows.baseAddress)
  }

  /// Writes `base` plus the index, and the value, of every selected row whose value is at most `limit`, ascending.
  ///
  /// - Parameter mask: As many as `values`; `nil` selects every row.
  /// - Parameter rows: Has room for `values.count`, as has `selected`; the rest of them is left
  ///   undefined.
  /// - Returns: How many were written.
  package func selectAtMost(
    _ limit: UInt16, of values: UnsafeBufferPointer<UInt16>, mask: UnsafeBufferPointer<UInt8>? = nil, base: UInt32 = 0,
    into rows: UnsafeMutableBufferPointer<UInt32>, values selected: UnsafeMutableBufferPointer<UInt16>
  ) -> Int {
    precondition(rows.count >= values.count && selected.count >= values.count)
    precondition(mask == nil || mask?.count == values.count)
    return cvectors_select_at_most(
      kernels, values.baseAddress, mask?.baseAddress, values.count, limit, base, rows.baseAddress,
      selected.baseAddress)
  }
}
