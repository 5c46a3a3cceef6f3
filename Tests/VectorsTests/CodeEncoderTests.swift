import Testing

@testable import Vectors

@Suite struct `A code encoder` {
  struct Codes: Equatable {
    var code: [UInt8]
    var row: [UInt8]
    var scale: Float = 0
    var norm: Float = 0
  }

  func encode(_ components: [Float], set: InstructionSet = .best, offset: Int = 0) -> Codes? {
    let encoder = CodeEncoder(dimensions: components.count, instructionSet: set)
    let layout = encoder.layout
    var codes = Codes(
      code: [UInt8](repeating: 7, count: layout.codeBytes + offset),
      row: [UInt8](repeating: 7, count: layout.rowBytes + offset))
    let bytes = [UInt8](repeating: 0xFF, count: offset) + [UInt8](littleEndianFloat32: components)
    let numbers = bytes.withUnsafeBytes { bytes in
      codes.code.withUnsafeMutableBytes { code in
        codes.row.withUnsafeMutableBytes { row in
          encoder.encode(
            UnsafeRawBufferPointer(rebasing: bytes[offset...]),
            code: UnsafeMutableRawBufferPointer(rebasing: code[offset...]),
            int8Row: UnsafeMutableRawBufferPointer(rebasing: row[offset...]))
        }
      }
    }
    guard let numbers else { return nil }
    (codes.scale, codes.norm) = numbers
    codes.code.removeFirst(offset)
    codes.row.removeFirst(offset)
    return codes
  }

  /// The rotated unit vector in double, but for the rotation.
  func rotatedUnit(_ components: [Float]) -> [Float] {
    let norm = Oracle.dot(components, components).squareRoot()
    return Rotation(dimensions: components.count).rotated(components.map { Float(Double($0) / norm) })
  }

  @Test(arguments: `A rotation`.dimensions)
  func `codes are the signs and the nearest multiples of the rotated unit vector`(dimensions: Int) throws {
    var random = SeededGenerator(seed: UInt64(dimensions))
    let components = random.components(dimensions, scale: 3)
    let codes = try #require(encode(components))
    let unit = rotatedUnit(components)
    let largest = unit.reduce(0) { max($0, $1.magnitude) }
    #expect(abs(codes.scale * 127 / largest - 1) < 1e-5)
    #expect(abs(Double(codes.norm) / Oracle.dot(components, components).squareRoot() - 1) < 1e-5)
    let bits = codes.code
    for (index, component) in unit.enumerated() {
      let value = Float(Int8(bitPattern: codes.row[index]))
      #expect(value >= -127)
      #expect(abs(value * codes.scale - component) <= codes.scale * 0.501)
      guard component.magnitude > 1e-6 else { continue }
      #expect((bits[index / 8] >> UInt8(index % 8) & 1 == 1) == (component > 0))
    }
    let padding = (dimensions..<8 * bits.count).filter { bits[$0 / 8] >> UInt8($0 % 8) & 1 == 1 }
    #expect(padding.isEmpty)
  }

  @Test(arguments: InstructionSet.supported, `A rotation`.dimensions)
  func `equal vectors have equal codes on every set, at any alignment`(set: InstructionSet, dimensions: Int) throws {
    var random = SeededGenerator(seed: UInt64(dimensions) + 1)
    let components = random.components(dimensions)
    let expected = try #require(encode(components, set: .scalar))
    #expect(encode(components, set: set, offset: dimensions % 7) == expected)
  }

  @Test(arguments: [0x1p-120, 0x1p-100, 0x1p100, 0x1p120] as [Float])
  func `a huge or tiny vector has the codes of its direction`(factor: Float) throws {
    var random = SeededGenerator(seed: 9)
    let components = random.components(384)
    let expected = try #require(encode(components))
    let scaled = try #require(encode(components.map { $0 * factor }))
    #expect(scaled.code == expected.code && scaled.row == expected.row)
    #expect(abs(scaled.norm / factor / expected.norm - 1) < 1e-5)
    #expect(abs(scaled.scale / expected.scale - 1) < 1e-5)
  }

  @Test func `the ends of float32 have finite codes`() throws {
    for component in [Float.greatestFiniteMagnitude, .leastNonzeroMagnitude, -.leastNormalMagnitude] {
      for dimensions in [1, 2, 65, 384] {
        let codes = try #require(encode([Float](repeating: component, count: dimensions)))
        #expect(codes.norm.isFinite && codes.norm > 0)
        #expect(codes.scale.isFinite && codes.scale > 0)
      }
    }
  }

  @Test(arguments: [[.nan, 1], [.infinity, 1], [0, -0.0]] as [[Float]])
  func `components that are not a vector have no codes`(components: [Float]) {
    #expect(encode(components) == nil)
  }

  @Test(
    arguments: [
      (1, 1, 1), (64, 1, 1), (65, 2, 2), (192, 3, 3), (193, 4, 3), (384, 6, 3), (512, 8, 3), (768, 12, 4),
      (1536, 24, 8), (65_536, 1024, 128),
    ])
  func `the prefix is about a third of the words, and three or all`(dimensions: Int, words: Int, prefix: Int) {
    let layout = CodeLayout(dimensions: dimensions)
    #expect(layout.words == words && layout.prefixWords == prefix && layout.rowBytes == dimensions)
  }

  @Test(arguments: [0, 1, 7, 8, 9, 64]) func `groups hold each word of each row once`(rows: Int) {
    let layout = CodeLayout(dimensions: 384)
    let offsets = (0..<rows).flatMap { row in
      (0..<layout.prefixWords).map { layout.groupOffset(ofWord: $0, row: row) }
    }
    #expect(Set(offsets).count == offsets.count)
    #expect(offsets.allSatisfy { $0 % 8 == 0 && $0 + 8 <= layout.groupBytes(rows) })
    #expect(layout.groupBytes(rows) == (rows + 7) / 8 * 8 * 8 * layout.prefixWords)
  }
}
