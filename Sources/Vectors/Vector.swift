/// A point of an embedding space: 1...65,536 finite float32 components, at least one of them not zero.
///
/// Only a vector that holds this can exist, so what takes a `Vector` does not check again.
public struct Vector: Hashable, Sendable {
  public static let supportedDimensions = 1...65_536

  public let components: [Float]

  public var dimensions: Int { components.count }

  /// Checks components that come from outside.
  ///
  /// - Parameter dimensions: What the embedding space has; nil accepts any supported number.
  /// - Throws: `VectorError`; of several faults the length is named first, then the component of lowest index.
  /// - Complexity: O(*n*).
  public init(_ components: [Float], dimensions: Int? = nil) throws(VectorError) {
    try Self.check(dimensions: components.count, expected: dimensions)
    try Self.check(components)
    self.components = components
  }

  /// Reads and checks little-endian float32 components.
  ///
  /// - Parameter bytes: 4 bytes a component, at any alignment; copied.
  /// - Parameter dimensions: What the embedding space has; nil accepts any supported number.
  /// - Throws: `VectorError`; a wrong length is found before anything is copied.
  /// - Complexity: O(*n*).
  public init(littleEndianFloat32 bytes: RawSpan, dimensions: Int? = nil) throws(VectorError) {
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
  public var littleEndianFloat32: [UInt8] { [UInt8](littleEndianFloat32: components) }

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
