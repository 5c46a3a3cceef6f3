import CVectors

/// A rotation that spreads a vector's information evenly over its components, so that a few bits of each, or all bits of a
/// few, approximate the whole.
///
/// It depends on the number of dimensions alone: every machine, instruction set and later version must compute the same bits,
/// since stored codes are made with it. Three rounds of pseudo-random signs and
/// Walsh-Hadamard transforms stand in for a random orthogonal matrix; they need O(*d* log *d*) steps, not *d* squared.
package struct Rotation: Sendable {
  package let dimensions: Int

  /// For each of three rounds a sign bit, 0 or 1 << 31, for every component.
  private let flips: [UInt32]

  /// - Parameter dimensions: One of `Vector.supportedDimensions`.
  /// - Complexity: O(*d*) time and 12 *d* bytes.
  package init(dimensions: Int) {
    precondition(Vector.supportedDimensions.contains(dimensions), "no vector has \(dimensions) dimensions")
    self.dimensions = dimensions
    var random = SplitMix64(state: UInt64(dimensions))
    var flips: [UInt32] = []
    flips.reserveCapacity(3 * dimensions)
    while flips.count < 3 * dimensions {
      let bits = random.next()
      for bit in 0..<min(64, 3 * dimensions - flips.count) {
        flips.append(UInt32(truncatingIfNeeded: bits >> UInt64(bit)) << 31)
      }
    }
    self.flips = flips
  }

  /// Rotates components. Norms, and dot products of vectors rotated alike, stay the same within the rounding of float32.
  ///
  /// - Parameter values: `dimensions` of them, of magnitudes whose sum of squares float32 can hold.
  package func rotated(_ values: [Float], instructionSet: InstructionSet = .best) -> [Float] {
    precondition(values.count == dimensions, "\(values.count) values in \(dimensions) dimensions")
    var values = values
    return [Float](unsafeUninitializedCapacity: dimensions) { rotated, initialised in
      values.withUnsafeMutableBufferPointer { rotate($0, into: rotated, instructionSet: instructionSet) }
      initialised = dimensions
    }
  }

  /// Rotates `values`, which it overwrites, into `rotated`; both hold `dimensions` floats and do not overlap.
  func rotate(
    _ values: UnsafeMutableBufferPointer<Float>, into rotated: UnsafeMutableBufferPointer<Float>,
    instructionSet: InstructionSet
  ) {
    precondition(values.count >= dimensions && rotated.count >= dimensions)
    cvectors_rotate(instructionSet.kernels, values.baseAddress, dimensions, flips, rotated.baseAddress)
  }
}

/// The generator of Steele, Lea and Flood, implemented here because stored codes depend on its numbers.
private struct SplitMix64 {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
