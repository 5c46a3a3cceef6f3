import Testing
import Vectors

@Suite struct `Little-endian float32` {
  @Test func `every bit pattern survives a round trip`() {
    var random = SeededGenerator(seed: 1)
    let special: [Float] = [0, -0.0, .nan, .infinity, -.infinity, .leastNonzeroMagnitude, .greatestFiniteMagnitude]
    let components = special + (0..<1_000).map { _ in Float(bitPattern: UInt32(truncatingIfNeeded: random.next())) }
    let bytes = [UInt8](littleEndianFloat32: components)
    let read = [Float](littleEndianFloat32: bytes.span.bytes)
    #expect(read?.map(\.bitPattern) == components.map(\.bitPattern))
  }

  @Test func `the lowest byte comes first`() {
    #expect([UInt8](littleEndianFloat32: [Float(bitPattern: 0x0403_0201)]) == [1, 2, 3, 4])
  }

  @Test(arguments: 0..<8)
  func `components are read at any alignment`(offset: Int) {
    let bytes = [UInt8](repeating: 0xFF, count: offset) + [UInt8](littleEndianFloat32: [1, 2, 3])
    let read = [Float](littleEndianFloat32: bytes.span.bytes.extracting(offset..<bytes.count))
    #expect(read == [1, 2, 3])
  }

  @Test(arguments: [1, 2, 3, 5, 6, 7, 4_097])
  func `bytes that are not whole components are not read`(byteCount: Int) {
    let bytes = [UInt8](repeating: 0, count: byteCount)
    let read = [Float](littleEndianFloat32: bytes.span.bytes)
    #expect(read == nil)
  }

  @Test func `nothing converts to nothing`() {
    let bytes: [UInt8] = []
    let read = [Float](littleEndianFloat32: bytes.span.bytes)
    #expect(read == [])
    #expect([UInt8](littleEndianFloat32: []) == [])
  }
}
