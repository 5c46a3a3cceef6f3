import CVectors

/// The instructions that a kernel uses. Every set computes the same bits; they differ in speed alone.
package enum InstructionSet: String, CaseIterable, Sendable {
  case scalar, neon, avx2, avx512

  /// Whether this processor and its operating system can run the set.
  package var isSupported: Bool { cvectors_is_supported(kernels) }

  /// The sets this machine can run, slowest first; `scalar` is always one of them.
  package static let supported: [InstructionSet] = allCases.filter(\.isSupported)

  /// The fastest set this machine can run.
  package static let best: InstructionSet = supported.last ?? .scalar

  var kernels: cvectors_instruction_set {
    switch self {
    case .scalar: .scalar
    case .neon: .neon
    case .avx2: .avx2
    case .avx512: .avx512
    }
  }
}

/// The float32 kernels. Rows are `count` little-endian floats at any alignment; the caller guarantees their length and
/// `isSupported`.
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
