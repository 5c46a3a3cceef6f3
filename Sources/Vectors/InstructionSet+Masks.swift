import CVectors

/// Filtering columns and selecting rows. A mask is one byte a row: 0xFF for a row that is in, 0 for one that is out.
/// Columns are little-endian, at any alignment. Every set does the same; the caller vouches for `isSupported`.
extension InstructionSet {
  /// Writes the mask of the rows whose value is less than 32 and a member of `admitted`, a set of bits.
  public func maskBits(
    of values: UnsafeRawBufferPointer, admitted: UInt32, into mask: UnsafeMutableBufferPointer<UInt8>
  ) {
    precondition(values.count == mask.count)
    let bytes = values.baseAddress?.assumingMemoryBound(to: UInt8.self)
    cvectors_mask_bits(kernels, bytes, mask.count, admitted, mask.baseAddress)
  }

  /// Takes rows whose byte is not `value` out of the mask.
  public func mask(
    _ mask: UnsafeMutableBufferPointer<UInt8>, where column: UnsafeRawBufferPointer, equals value: UInt8
  ) {
    precondition(column.count == mask.count)
    cvectors_mask_equal8(kernels, column.baseAddress, mask.count, value, mask.baseAddress)
  }

  /// Takes rows whose 4 bytes are not `value` out of the mask.
  public func mask(
    _ mask: UnsafeMutableBufferPointer<UInt8>, where column: UnsafeRawBufferPointer, equals value: UInt32
  ) {
    precondition(column.count == 4 * mask.count)
    cvectors_mask_equal32(kernels, column.baseAddress, mask.count, value, mask.baseAddress)
  }

  /// Takes rows whose 8 bytes, an Int64, are not within `range` out of the mask.
  public func mask(
    _ mask: UnsafeMutableBufferPointer<UInt8>, where column: UnsafeRawBufferPointer, isIn range: ClosedRange<Int64>
  ) {
    precondition(column.count == 8 * mask.count)
    cvectors_mask_range64(
      kernels, column.baseAddress, mask.count, range.lowerBound, range.upperBound, mask.baseAddress)
  }

  /// How many rows are in.
  public func countMasked(_ mask: UnsafeBufferPointer<UInt8>) -> Int {
    cvectors_count_masked(kernels, mask.baseAddress, mask.count)
  }

  /// Writes `base` plus the index of every row that is in, ascending.
  ///
  /// - Parameter rows: Has room for `mask.count`; what lies behind the rows returned is overwritten with anything.
  /// - Returns: How many were written.
  public func selectMasked(
    _ mask: UnsafeBufferPointer<UInt8>, base: UInt32 = 0, into rows: UnsafeMutableBufferPointer<UInt32>
  ) -> Int {
    precondition(rows.count >= mask.count)
    return cvectors_select_masked(kernels, mask.baseAddress, mask.count, base, rows.baseAddress)
  }

  /// Writes `base` plus the index, and the value, of every row that is in and whose value is at most `limit`, ascending.
  ///
  /// - Parameter mask: As many as `values`; nil means that every row is in.
  /// - Parameter rows: Has room for `values.count`, as has `selected`; what lies behind the rows returned is overwritten
  ///   with anything.
  /// - Returns: How many were written.
  public func selectAtMost(
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
