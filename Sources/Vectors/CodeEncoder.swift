import CVectors

/// The sizes of a vector's codes: a sign bit a component in words of 64, and a byte a component.
///
/// A search scans the first few words of every row. They are stored in groups of eight rows: the first word of all eight,
/// then the second, and so on.
@usableFromInline
package struct CodeLayout: Hashable, Sendable {
  /// Rows of a group.
  @usableFromInline package static let groupRows = 8

  @usableFromInline package let dimensions: Int

  /// Words of sign bits; the bits of the last word after `dimensions` are 0.
  @usableFromInline package let words: Int

  /// The first words, by which every row is ranked first: about a third, at least three. Three leave 1 row of 100 to compare
  /// further, two would leave 1 of 30. No more than 128, so that a distance over them fits 16 bits.
  @usableFromInline package let prefixWords: Int

  /// Bytes of a code.
  @inlinable package var codeBytes: Int { 8 * words }

  /// Bytes of an int8 row.
  @inlinable package var rowBytes: Int { dimensions }

  /// - Parameter dimensions: One of `Vector.supportedDimensions`.
  package init(dimensions: Int) {
    precondition(Vector.supportedDimensions.contains(dimensions), "no vector has \(dimensions) dimensions")
    self.dimensions = dimensions
    words = (dimensions + 63) / 64
    prefixWords = min(words, 128, max(3, (words + 2) / 3))
  }

  /// Bytes of the groups of `rows` rows; the last group is padded.
  @inlinable
  package func groupBytes(_ rows: Int) -> Int {
    8 * prefixWords * ((rows + Self.groupRows - 1) / Self.groupRows * Self.groupRows)
  }

  /// The byte offset of a word of a row's prefix among the groups.
  @inlinable
  package func groupOffset(ofWord word: Int, row: Int) -> Int {
    8 * ((row / Self.groupRows * prefixWords + word) * Self.groupRows + row % Self.groupRows)
  }
}

/// Encodes vectors of one number of dimensions: sign bits and bytes of the rotated unit vector.
///
/// Codes depend on the bits of a vector alone, not on the instruction set or the machine. Its length affects them by rounding
/// only.
package struct CodeEncoder: Sendable {
  package let layout: CodeLayout
  package let instructionSet: InstructionSet
  private let rotation: Rotation

  /// - Parameter dimensions: One of `Vector.supportedDimensions`.
  /// - Parameter instructionSet: For tests and benchmarks; must be one of `InstructionSet.supported`.
  package init(dimensions: Int, instructionSet: InstructionSet = .best) {
    precondition(instructionSet.isSupported, "this machine cannot run \(instructionSet)")
    layout = CodeLayout(dimensions: dimensions)
    rotation = Rotation(dimensions: dimensions)
    self.instructionSet = instructionSet
  }

  /// Writes the codes of a stored vector.
  ///
  /// Bit `i` of a code, counted from the lowest bit of the first little-endian word, is whether component `i` of the
  /// rotated unit vector is zero or more. Byte `i` of the int8 row times `scale` is that component within `scale` / 2.
  ///
  /// - Parameter row: `layout.dimensions` little-endian float32 at any alignment.
  /// - Parameter code: Receives `layout.words` words, at any alignment.
  /// - Parameter int8Row: Receives `layout.rowBytes` signed bytes, each within -127...127.
  /// - Returns: The scale of the int8 row, and the Euclidean norm of the vector, at most the largest finite float. `nil`,
  ///   with nothing written, if the row has another length, holds NaN or an infinity, or is all zeros.
  /// - Complexity: O(*d* log *d*); 0.6 us for 384 with AVX2 or AVX-512, 3.5 us scalar.
  package func encode(
    _ row: UnsafeRawBufferPointer, code: UnsafeMutableRawBufferPointer, int8Row: UnsafeMutableRawBufferPointer
  ) -> (scale: Float, norm: Float)? {
    precondition(code.count >= layout.codeBytes && int8Row.count >= layout.rowBytes)
    return withRotatedUnit(row) { unit, norm in
      let set = instructionSet.kernels
      cvectors_signs(set, unit, layout.dimensions, code.baseAddress)
      let largest = cvectors_largest(set, unit, layout.dimensions)
      cvectors_round_int8(
        set, unit, layout.dimensions, 127 / largest, int8Row.baseAddress?.assumingMemoryBound(to: Int8.self))
      return (largest / 127, Float(min(norm, Double(Float.greatestFiniteMagnitude))))
    }
  }

  /// Writes the codes of a vector; `nil` if it has other dimensions.
  package func encode(
    _ vector: Vector, code: UnsafeMutableRawBufferPointer, int8Row: UnsafeMutableRawBufferPointer
  ) -> (scale: Float, norm: Float)? {
    vector.components.withUnsafeBytes { encode($0, code: code, int8Row: int8Row) }
  }

  /// Lends the rotated unit vector of a row, `layout.dimensions` floats, and the norm of the row; `nil` if it has none.
  func withRotatedUnit<Result>(
    _ row: UnsafeRawBufferPointer, _ body: (UnsafePointer<Float>, _ norm: Double) -> Result
  ) -> Result? {
    let dimensions = layout.dimensions
    guard row.count == 4 * dimensions, let row = row.baseAddress,
      let norm = instructionSet.norm(row, count: dimensions)
    else { return nil }
    return withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * dimensions) { scratch in
      let unit = UnsafeMutableBufferPointer(rebasing: scratch[..<dimensions])
      let rotated = UnsafeMutableBufferPointer(rebasing: scratch[dimensions...])
      cvectors_scale(instructionSet.kernels, row, dimensions, 1 / norm, unit.baseAddress)
      rotation.rotate(unit, into: rotated, instructionSet: instructionSet)
      return rotated.baseAddress.map { body($0, norm) }
    }
  }
}

extension InstructionSet {
  /// The Euclidean norm of a row; `nil` if that is zero or the row is not finite.
  ///
  /// Summed in float32, and again in double if the squares may have overflowed or underflowed.
  fileprivate func norm(_ row: UnsafeRawPointer, count: Int) -> Double? {
    let narrow = squaredNorm(row, count: count)
    let squaredNorm =
      narrow >= 0x1p-100 && narrow <= 0x1p100
      ? Double(narrow) : cvectors_wide_dot_and_squared_norm(row, row, count).squared_norm
    return squaredNorm > 0 && squaredNorm.isFinite ? cvectors_square_root(squaredNorm) : nil
  }
}
