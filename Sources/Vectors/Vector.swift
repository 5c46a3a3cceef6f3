/// A point of an embedding space: 1...65,536 finite float32 components, at least one of them not zero.
///
/// The initialisers check this, so a function that takes a `Vector` need not.
package struct Vector: Hashable, Sendable {
  package static let supportedDimensions = 1...65_536

  package let components: [Float]

  package var dimensions: Int { components.count }

  /// Checks components from outside.
  ///
  /// - Parameter dimensions: Of the embedding space; `nil` accepts any supported number.
  /// - Throws: `VectorError`; of several faults the length is named first, then the component of lowest index.
  /// - Complexity: O(*n*).
  package init(_ components: [Float], dimensions: Int? = nil) throws(VectorError) {
    try Self.check(dimensions: components.count, expected: dimensions)
    try Self.check(components)
    self.components = components
  }

  /// Reads and checks little-endian float32 components.
  ///
  /// - Parameter bytes: 4 bytes a component, at any alignment; copied.
  /// - Parameter dimensions: Of the embedding space; `nil` accepts any supported number.
  /// - Throws: `VectorError`; a wrong length is found before anything is copied.
  /// - Complexity: O(*n*).
  package init(littleEndianFloat32 bytes: RawSpan, dimensions: Int? = nil) throws(VectorError) {
    guard bytes.byteCount.isMultiple(of: 4) else {
      throw .partialComponent(byteCount: bytes.byteCount)
    }
    try Self.check(dimensions: bytes.byteCount / 4, expected: dimensions)
    guard let components = [Float](littleEndianFloat32: bytes) else {
      throw .partialComponent(byteCount: bytes.byteCount)
    }
    try Self.check(components)
    self.components = components
  }

  /// The components as they are stored: little-endian float32, 4 bytes each.
  package var littleEndianFloat32: [UInt8] { [UInt8](littleEndianFloat32: components) }

  private static func check(dimensions: Int, expected: Int?) throws(VectorError) {
    if let expected, expected != dimensions {
      throw .wrongDimensions(expected: expected, actual: dimensions)
    }
    guard supportedDimensions.contains(dimensions) else {
      throw .unsupportedDimensions(dimensions)
    }
  }

  private static func check(_ components: [Float]) throws(VectorError) {
    if let index = components.firstIndex(where: { !$0.isFinite }) {
      throw .notFinite(index: index, value: components[index])
    }
    if components.allSatisfy(\.isZero) {
      throw .allZero(dimensions: components.count)
    }
  }
}

/// Why components are not a `Vector`.
package enum VectorError: Error, Equatable, Sendable {
  /// The space has `expected` dimensions, the vector `actual`.
  case wrongDimensions(expected: Int, actual: Int)

  /// The number of dimensions is outside `Vector.supportedDimensions`.
  case unsupportedDimensions(Int)

  /// The component at `index`, counted from 0, is NaN or infinite. Two of these with a NaN are never equal.
  case notFinite(index: Int, value: Float)

  /// Every one of the `dimensions` components is zero: it has no direction.
  case allZero(dimensions: Int)

  /// `byteCount` bytes do not make whole float32 components.
  case partialComponent(byteCount: Int)
}

extension VectorError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .wrongDimensions(let expected, let actual):
      "vector has \(actual) dimensions, its space has \(expected)"
    case .unsupportedDimensions(let dimensions):
      "vector has \(dimensions) dimensions, not "
        + "\(Vector.supportedDimensions.lowerBound)...\(Vector.supportedDimensions.upperBound)"
    case .notFinite(let index, let value):
      "vector component \(index) is \(value), not a finite number"
    case .allZero(let dimensions):
      "all \(dimensions) components of the vector are zero"
    case .partialComponent(let byteCount):
      "\(byteCount) bytes are not a whole number of 4-byte float32 components"
    }
  }
}

extension [Float] {
  /// Reads little-endian float32 at any alignment; `nil` if the number of bytes is not a multiple of 4.
  ///
  /// Keeps every bit pattern, NaN included; `Vector` refuses those.
  package init?(littleEndianFloat32 bytes: RawSpan) {
    guard bytes.byteCount.isMultiple(of: 4) else { return nil }
    let count = bytes.byteCount / 4
    self = bytes.withUnsafeBytes { source in
      // At least 1: with 0 the initialiser writes to the buffer that all empty arrays share.
      [Float](unsafeUninitializedCapacity: Swift.max(count, 1)) { target, initialised in
        for index in 0..<count {
          let bits = source.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
          target.initializeElement(at: index, to: Float(bitPattern: UInt32(littleEndian: bits)))
        }
        initialised = count
      }
    }
  }
}

extension [UInt8] {
  /// Encodes every component as 4 little-endian bytes.
  package init(littleEndianFloat32 components: [Float]) {
    // At least 1: with 0 the initialiser writes to the buffer that all empty arrays share.
    self.init(unsafeUninitializedCapacity: Swift.max(4 * components.count, 1)) { target, initialised in
      let bytes = UnsafeMutableRawBufferPointer(target)
      for (index, component) in components.enumerated() {
        bytes.storeBytes(of: component.bitPattern.littleEndian, toByteOffset: 4 * index, as: UInt32.self)
      }
      initialised = 4 * components.count
    }
  }
}
