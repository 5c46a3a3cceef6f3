import CVectors

/// The float32 kernels. Rows are `count` little-endian floats that may start at any byte; the caller vouches for their
/// length and for `isSupported`.
extension InstructionSet {
  func dot(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, count: Int) -> Float {
    cvectors_dot(kernels, a, b, count)
  }

  /// The dot product, and the squared norm of `b`.
  func dotAndSquaredNorm(
    _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, count: Int
  ) -> (dot: Float, squaredNorm: Float) {
    let sums = cvectors_dot_and_squared_norm(kernels, a, b, count)
    return (sums.dot, sums.squared_norm)
  }

  func squaredNorm(_ a: UnsafeRawPointer, count: Int) -> Float {
    cvectors_squared_norm(kernels, a, count)
  }

  func squaredDistance(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, count: Int) -> Float {
    cvectors_squared_distance(kernels, a, b, count)
  }
}
