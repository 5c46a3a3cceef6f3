import CVectors

/// A vector prepared for comparison with codes: its rotated unit vector in three resolutions.
package struct CodeQuery: Sendable {
  package let layout: CodeLayout

  /// Compared with the prefixes of codes: `layout.prefixWords` words of signs, then as many for each bit of
  /// the magnitudes, the lowest bit first. A magnitude is 0...7.
  package let prefix: [UInt64]

  /// Compared with whole codes, in the same form and unit.
  package let code: [UInt64]

  /// Multiplied with int8 rows; no such sum of products overflows int32.
  package let components: [Int16]

  /// The value of one unit of a component: a dot product times this and the scale of the row approximates a cosine.
  package let scale: Float

  /// - Complexity: O(*d* log *d*).
  package init(_ vector: Vector, instructionSet: InstructionSet = .best) {
    self.init(vector, encoder: CodeEncoder(dimensions: vector.dimensions, instructionSet: instructionSet))
  }

  /// - Parameter encoder: For the vector's dimensions.
  package init(_ vector: Vector, encoder: CodeEncoder) {
    precondition(vector.dimensions == encoder.layout.dimensions, "an encoder of other dimensions")
    let layout = encoder.layout
    let unit = vector.components.withUnsafeBytes { row in
      encoder.withRotatedUnit(row) { unit, _ in [Float](UnsafeBufferPointer(start: unit, count: vector.dimensions)) }
    }
    // A `Vector` has a norm, so its unit vector exists.
    guard let unit else { preconditionFailure("a vector without a direction") }
    self.layout = layout
    prefix = Self.planes(of: unit, words: layout.prefixWords)
    code = Self.planes(of: unit, words: layout.words)
    (components, scale) = Self.quantised(unit, instructionSet: encoder.instructionSet)
  }

  /// The first words of signs, then of each bit of the magnitudes.
  ///
  /// Magnitude 7 begins near 2.5 times the root mean square, not at the largest component, so that one outlier does not
  /// flatten the rest. The root mean square of a unit vector is 1 / sqrt(*d*).
  private static func planes(of unit: [Float], words: Int) -> [UInt64] {
    let factor = 7 / 2.5 * Float(cvectors_square_root(Double(unit.count)))
    var planes = [UInt64](repeating: 0, count: 4 * words)
    for word in 0..<words {
      var signs: UInt64 = 0, ones: UInt64 = 0, twos: UInt64 = 0, fours: UInt64 = 0
      for (bit, component) in unit[(64 * word)..<min(64 * word + 64, unit.count)].enumerated() {
        let magnitude = min(7, UInt64(truncatingIfNeeded: Int32(component.magnitude * factor + 0.5)))
        signs |= (component >= 0 ? 1 : 0) << UInt64(bit)
        ones |= (magnitude & 1) << UInt64(bit)
        twos |= (magnitude >> 1 & 1) << UInt64(bit)
        fours |= (magnitude >> 2) << UInt64(bit)
      }
      planes[word] = signs
      planes[words + word] = ones
      planes[2 * words + word] = twos
      planes[3 * words + word] = fours
    }
    return planes
  }

  /// With the largest factor that int16 and the sum allow: 128 times the sum of the magnitudes stays below 2^31, though rounding may add
  /// half to each.
  private static func quantised(_ unit: [Float], instructionSet: InstructionSet) -> ([Int16], scale: Float) {
    let set = instructionSet.kernels
    let sum = unit.reduce(0) { $0 + Double($1.magnitude) }
    let largest = Double(cvectors_largest(set, unit, unit.count))
    let factor = Float(min(32_766 / largest, (0x1p24 - 2 - Double(unit.count)) / sum))
    let components = [Int16](unsafeUninitializedCapacity: unit.count) { components, initialised in
      cvectors_round_int16(set, unit, unit.count, factor, components.baseAddress)
      initialised = unit.count
    }
    return (components, 1 / factor)
  }
}
