import Testing

@testable import Vectors

@Suite struct `Int8 kernels` {
  static let dimensions = Array(1...70) + [127, 384, 1536]

  @Test(arguments: InstructionSet.supported, dimensions)
  func `every set finds the dot products of plain integers, at any alignment`(set: InstructionSet, dimensions: Int) {
    var random = SeededGenerator(seed: UInt64(dimensions))
    let (count, offset, stride) = (9, dimensions % 5, dimensions + dimensions % 3)
    let bytes = (0..<offset + stride * count).map { _ in UInt8.random(in: 0...255, using: &random) }
    let query = (0..<dimensions).map { _ in Int16.random(in: -9_000...9_000, using: &random) }
    let indexes = (0..<40).map { _ in UInt32.random(in: 0..<UInt32(count), using: &random) }
    let expected = (0..<count).map { row in
      (0..<dimensions).reduce(0) { $0 + Int(Int8(bitPattern: bytes[offset + stride * row + $1])) * Int(query[$1]) }
    }
    bytes.withUnsafeBytes { bytes in
      let rows = indexes.map { index in bytes.baseAddress.map { $0 + offset + stride * Int(index) } }
      var dots = [Int32](repeating: 0, count: indexes.count)
      dots.withUnsafeMutableBufferPointer { out in
        rows.withUnsafeBufferPointer { set.int8Dots($0, with: query, into: out) }
      }
      #expect(dots.map(Int.init) == indexes.map { expected[Int($0)] })
    }
  }

  @Test(arguments: InstructionSet.supported, [1, 2, 384, 65_536])
  func `no row overflows the sum of a quantised query`(set: InstructionSet, dimensions: Int) throws {
    let query = CodeQuery(try Vector([Float](repeating: -1, count: dimensions)), instructionSet: set)
    let row = query.components.map { $0 < 0 ? Int8.max : Int8.min }
    let expected = zip(row, query.components).reduce(0) { $0 + Int($1.0) * Int($1.1) }
    var dots: [Int32] = [0]
    row.withUnsafeBytes { row in
      dots.withUnsafeMutableBufferPointer { out in
        [row.baseAddress].withUnsafeBufferPointer { set.int8Dots($0, with: query.components, into: out) }
      }
    }
    #expect(Int(dots[0]) == expected)
    #expect(query.components.reduce(0) { $0 + 128 * Int($1.magnitude) } <= Int(Int32.max))
  }
}
