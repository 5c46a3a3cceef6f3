#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// How many vectors pass the stages of a search.
///
/// Measured on sentence embeddings: of the nearest among *n*, all but one in five hundred are among two thirds of this
/// many, whether ten are wanted or a hundred.
struct Effort {
  /// Of those compared by their first sign bits, how many are compared by all.
  let refined: Int
  /// Of those, how many are compared by their bytes.
  let rows: Int

  init(total: Int, wanted: Int) {
    let total = Double(total) / 100_000
    let wanted = max(1, Double(wanted) / 10)
    refined = Int(max(2500, 3000 * pow(total, 0.78)) * pow(wanted, 0.5))
    rows = Int(max(256, 300 * pow(total, 0.7)) * pow(wanted, 0.65))
  }
}
