import CVectors

/// What a kernel runs on. Every set gives the same bits; they differ in speed alone.
public enum InstructionSet: String, CaseIterable, Sendable {
  case scalar, neon, avx2, avx512

  /// Whether this processor and its operating system can run the set.
  public var isSupported: Bool { cvectors_is_supported(kernels) }

  /// The sets this machine can run, slowest first; `scalar` is always one of them.
  public static let supported: [InstructionSet] = allCases.filter(\.isSupported)

  /// The fastest set this machine can run.
  public static let best: InstructionSet = supported.last ?? .scalar

  var kernels: cvectors_instruction_set {
    switch self {
    case .scalar: .scalar
    case .neon: .neon
    case .avx2: .avx2
    case .avx512: .avx512
    }
  }
}
