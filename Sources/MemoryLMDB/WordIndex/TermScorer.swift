#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// bm25 as FTS5 computes it, operation by operation, so that both give the same doubles.
struct TermScorer {
  private static let k1 = 1.2
  private static let b = 0.75

  let idf: Double
  private let average: Double

  /// - Parameter documents: Of the field, alive.
  /// - Parameter having: Those among them that contain the term.
  /// - Parameter tokens: Of all of them.
  init(documents: Int, having: Int, tokens: UInt64) {
    let rarity = log((Double(documents - having) + 0.5) / (Double(having) + 0.5))
    idf = rarity <= 0 ? 1e-6 : rarity
    average = documents == 0 ? 1 : Double(tokens) / Double(documents)
  }

  @inline(__always)
  func score(_ frequency: UInt32, _ length: UInt32) -> Double {
    let (frequency, length) = (Double(frequency), Double(length))
    return idf
      * ((frequency * (Self.k1 + 1.0))
        / (frequency + Self.k1 * (1 - Self.b + Self.b * length / average)))
  }
}
