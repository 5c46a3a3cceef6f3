/// Why something is not a vector.
public enum VectorError: Error, Equatable, Sendable {
  /// The space has `expected` dimensions, the vector `actual`.
  case wrongDimensions(expected: Int, actual: Int)

  /// The number of dimensions is outside `Vector.supportedDimensions`.
  case unsupportedDimensions(Int)

  /// The component at `index`, counted from 0, is NaN or infinite. Two of these with a NaN are never equal.
  case notFinite(index: Int, value: Float)

  /// Every one of the `dimensions` components is zero: it points nowhere, so nothing is like it.
  case allZero(dimensions: Int)

  /// `byteCount` bytes do not make whole float32 components.
  case partialComponent(byteCount: Int)
}

extension VectorError: CustomStringConvertible {
  public var description: String {
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
