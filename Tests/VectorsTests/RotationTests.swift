import Testing

@testable import Vectors

@Suite struct `A rotation` {
  static let dimensions = [1, 2, 3, 15, 16, 17, 63, 64, 65, 100, 384, 511, 1000, 1536, 4096]

  @Test(arguments: InstructionSet.supported, dimensions + [65_536])
  func `keeps norms and dot products`(set: InstructionSet, dimensions: Int) {
    var random = SeededGenerator(seed: UInt64(dimensions))
    let rotation = Rotation(dimensions: dimensions)
    let a = random.components(dimensions)
    let b = random.components(dimensions)
    let rotatedA = rotation.rotated(a, instructionSet: set)
    let rotatedB = rotation.rotated(b, instructionSet: set)
    let norm = Oracle.dot(a, a).squareRoot()
    let otherNorm = Oracle.dot(b, b).squareRoot()
    #expect(abs(Oracle.dot(rotatedA, rotatedA).squareRoot() / norm - 1) < 1e-5)
    #expect(abs(Oracle.dot(rotatedA, rotatedB) - Oracle.dot(a, b)) < 1e-5 * norm * otherNorm)
  }

  @Test(arguments: InstructionSet.supported, dimensions + [65_535])
  func `has the bits of scalar on every instruction set`(set: InstructionSet, dimensions: Int) {
    var random = SeededGenerator(seed: UInt64(dimensions) + 1)
    let rotation = Rotation(dimensions: dimensions)
    let values = random.components(dimensions)
    let rotated = rotation.rotated(values, instructionSet: set).map(\.bitPattern)
    #expect(rotated == rotation.rotated(values, instructionSet: .scalar).map(\.bitPattern))
  }

  /// Codes are stored: what is pinned here must never change.
  @Test func `has the same bits in every version`() {
    let few = Rotation(dimensions: 3).rotated([1, 2, 4]).map(\.bitPattern)
    #expect(few == [1_072_916_808, 1_049_295_620, 1_082_467_095])
    let many = Rotation(dimensions: 384).rotated((0..<384).map { Float($0) }).map(\.bitPattern)
    #expect(Array(many.prefix(4)) == [1_100_322_816, 1_113_546_752, 3_224_272_896, 1_111_735_296])
    #expect(many.reduce(0) { $0 &* 31 &+ UInt64($1) } == 11_226_376_484_980_698_240)
  }

  @Test(arguments: [64, 100, 384, 511, 1000])
  func `spreads a single component over all`(dimensions: Int) {
    let rotation = Rotation(dimensions: dimensions)
    let even = 1 / Float(dimensions).squareRoot()
    for axis in stride(from: 0, to: dimensions, by: 7) {
      var values = [Float](repeating: 0, count: dimensions)
      values[axis] = 1
      let rotated = rotation.rotated(values)
      #expect(rotated.allSatisfy { $0.magnitude < 8 * even })
      let quarter = Oracle.dot(Array(rotated.prefix(dimensions / 4)), Array(rotated.prefix(dimensions / 4)))
      #expect((0.05...0.5).contains(quarter), "the first quarter holds \(quarter) of the square")
    }
  }
}
