import Testing
import Vectors

@Suite struct `A vector` {
  @Test func `keeps its components and their stored form`() throws {
    let vector = try Vector([1, -2.5, 0], dimensions: 3)
    #expect(vector.components == [1, -2.5, 0])
    #expect(vector.dimensions == 3)
    #expect(vector.littleEndianFloat32 == [0, 0, 0x80, 0x3F, 0, 0, 0x20, 0xC0, 0, 0, 0, 0])
    let stored = vector.littleEndianFloat32
    let read = try Vector(littleEndianFloat32: stored.span.bytes, dimensions: 3)
    #expect(read == vector)
  }

  @Test(arguments: [Float.nan, .signalingNaN, .infinity, -.infinity], [0, 1, 383])
  func `names the first component that is not finite`(value: Float, index: Int) throws {
    var components = [Float](repeating: 1, count: 384)
    components[index] = value
    components[383] = value
    let bytes = [UInt8](littleEndianFloat32: components)
    for error in [
      #expect(throws: VectorError.self) { try Vector(components) },
      #expect(throws: VectorError.self) { try Vector(littleEndianFloat32: bytes.span.bytes) },
    ] {
      guard case .notFinite(index, let named) = error else {
        Issue.record("expected notFinite, got \(String(describing: error))")
        continue
      }
      #expect(named.isNaN == value.isNaN)
      #expect(named == value || value.isNaN)
    }
  }

  @Test(arguments: [[0], [0, 0, 0], [-0.0, 0]] as [[Float]])
  func `refuses a vector of zeros`(components: [Float]) {
    #expect(throws: VectorError.allZero(dimensions: components.count)) { try Vector(components) }
  }

  @Test(arguments: [Float.leastNonzeroMagnitude, -.leastNonzeroMagnitude, .greatestFiniteMagnitude])
  func `accepts one component that is not zero, however small or large`(component: Float) throws {
    #expect(try Vector([0, component, 0]).components == [0, component, 0])
  }

  @Test(arguments: [0, 1, 2, 4, 65_536])
  func `refuses another number of dimensions than its space has`(count: Int) {
    let components = [Float](repeating: 1, count: count)
    #expect(throws: VectorError.wrongDimensions(expected: 3, actual: count)) { try Vector(components, dimensions: 3) }
  }

  @Test(arguments: [0, 65_537])
  func `refuses a number of dimensions no space has`(count: Int) {
    let components = [Float](repeating: 1, count: count)
    #expect(throws: VectorError.unsupportedDimensions(count)) { try Vector(components) }
    #expect(throws: VectorError.unsupportedDimensions(count)) { try Vector(components, dimensions: count) }
  }

  @Test(arguments: [1, 65_536])
  func `accepts the fewest and the most dimensions`(count: Int) throws {
    #expect(try Vector([Float](repeating: 1, count: count)).dimensions == count)
  }

  @Test(arguments: [1, 2, 3, 5, 1_535])
  func `refuses bytes that are not whole components`(byteCount: Int) {
    let bytes = [UInt8](repeating: 1, count: byteCount)
    #expect(throws: VectorError.partialComponent(byteCount: byteCount)) {
      _ = try Vector(littleEndianFloat32: bytes.span.bytes)
    }
  }

  @Test(arguments: [
    (VectorError.wrongDimensions(expected: 384, actual: 3), "vector has 3 dimensions, its space has 384"),
    (.unsupportedDimensions(0), "vector has 0 dimensions, not 1...65536"),
    (.notFinite(index: 7, value: -.infinity), "vector component 7 is -inf, not a finite number"),
    (.allZero(dimensions: 3), "all 3 components of the vector are zero"),
    (.partialComponent(byteCount: 5), "5 bytes are not a whole number of 4-byte float32 components"),
  ])
  func `an error names the thing and its value`(error: VectorError, description: String) {
    #expect(error.description == description)
  }
}
