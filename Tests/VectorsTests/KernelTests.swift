import Testing

@testable import Vectors

@Suite struct `Kernels` {
  static let dimensions = Array(1...130) + [384, 768, 1536, 4096, 65_536]

  /// Two rows that start `offset` and `offset + 1` bytes past an allocation, and the memory around them is not theirs.
  func withRows<Result>(
    _ a: [Float], _ b: [Float], offset: Int = 0, _ body: (UnsafeRawPointer, UnsafeRawPointer) throws -> Result
  ) throws -> Result {
    let around = [UInt8](repeating: 0xFF, count: 64)  // NaN if read as a float
    let first = Array(around.prefix(offset)) + [UInt8](littleEndianFloat32: a) + around
    let second = Array(around.prefix(offset + 1)) + [UInt8](littleEndianFloat32: b) + around
    return try first.withUnsafeBytes { first in
      try second.withUnsafeBytes { second in
        let a = try #require(first.baseAddress)
        let b = try #require(second.baseAddress)
        return try body(a + offset, b + offset + 1)
      }
    }
  }

  @Test(arguments: InstructionSet.supported, dimensions)
  func `every kernel is within its stated error of double`(set: InstructionSet, dimensions: Int) throws {
    var random = SeededGenerator(seed: UInt64(dimensions))
    let a = random.components(dimensions)
    let b = random.components(dimensions)
    try withRows(a, b) { first, second in
      let dot = Double(set.dot(first, second, count: dimensions))
      let dotTolerance = Oracle.tolerance(dimensions: dimensions, absoluteTerms: Oracle.absoluteTerms(a, b))
      #expect(abs(dot - Oracle.dot(a, b)) <= dotTolerance)

      let norm = Double(set.squaredNorm(first, count: dimensions))
      #expect(abs(norm - Oracle.dot(a, a)) <= Oracle.tolerance(dimensions: dimensions, absoluteTerms: norm))

      let distance = Double(set.squaredDistance(first, second, count: dimensions))
      let distanceTolerance = Oracle.tolerance(dimensions: dimensions, absoluteTerms: distance)
      #expect(abs(distance - Oracle.squaredDistance(a, b)) <= distanceTolerance)
    }
  }

  @Test(arguments: InstructionSet.supported, dimensions)
  func `every instruction set gives the bits of scalar`(set: InstructionSet, dimensions: Int) throws {
    var random = SeededGenerator(seed: UInt64(dimensions) + 1_000)
    let a = random.components(dimensions)
    let b = random.components(dimensions)
    try withRows(a, b, offset: 1) { a, b in
      let scalar = InstructionSet.scalar
      #expect(
        set.dot(a, b, count: dimensions).bitPattern == scalar.dot(a, b, count: dimensions).bitPattern)
      #expect(
        set.squaredNorm(a, count: dimensions).bitPattern == scalar.squaredNorm(a, count: dimensions).bitPattern)
      #expect(
        set.squaredDistance(a, b, count: dimensions).bitPattern
          == scalar.squaredDistance(a, b, count: dimensions).bitPattern)
      let sums = set.dotAndSquaredNorm(a, b, count: dimensions)
      let expected = scalar.dotAndSquaredNorm(a, b, count: dimensions)
      #expect(sums.dot.bitPattern == expected.dot.bitPattern)
      #expect(sums.squaredNorm.bitPattern == expected.squaredNorm.bitPattern)
    }
  }

  @Test(arguments: InstructionSet.supported, dimensions)
  func `the kernel of two sums gives the bits of the kernels of one`(set: InstructionSet, dimensions: Int) throws {
    var random = SeededGenerator(seed: UInt64(dimensions) + 2_000)
    let a = random.components(dimensions)
    let b = random.components(dimensions)
    try withRows(a, b) { a, b in
      let sums = set.dotAndSquaredNorm(a, b, count: dimensions)
      #expect(sums.dot.bitPattern == set.dot(a, b, count: dimensions).bitPattern)
      #expect(sums.squaredNorm.bitPattern == set.squaredNorm(b, count: dimensions).bitPattern)
    }
  }

  @Test(arguments: InstructionSet.supported, Array(0..<64))
  func `a row gives the same bits wherever it starts`(set: InstructionSet, offset: Int) throws {
    var random = SeededGenerator(seed: 3_000)
    for dimensions in [1, 15, 16, 63, 64, 127, 384] {
      let a = random.components(dimensions)
      let b = random.components(dimensions)
      let dot = try withRows(a, b) { set.dot($0, $1, count: dimensions) }
      let norm = try withRows(a, b) { first, _ in set.squaredNorm(first, count: dimensions) }
      let distance = try withRows(a, b) { set.squaredDistance($0, $1, count: dimensions) }
      try withRows(a, b, offset: offset) { a, b in
        #expect(set.dot(a, b, count: dimensions).bitPattern == dot.bitPattern)
        #expect(set.squaredNorm(a, count: dimensions).bitPattern == norm.bitPattern)
        #expect(set.squaredDistance(a, b, count: dimensions).bitPattern == distance.bitPattern)
      }
    }
  }

  @Test(arguments: InstructionSet.supported)
  func `an empty row sums to zero`(set: InstructionSet) throws {
    try withRows([], []) { a, b in
      #expect(set.dot(a, b, count: 0) == 0)
      #expect(set.squaredNorm(a, count: 0) == 0)
      #expect(set.squaredDistance(a, b, count: 0) == 0)
    }
  }

  @Test func `scalar runs everywhere and the best set is a supported one`() {
    #expect(InstructionSet.supported.first == .scalar)
    #expect(InstructionSet.supported.contains(.best))
  }
}
