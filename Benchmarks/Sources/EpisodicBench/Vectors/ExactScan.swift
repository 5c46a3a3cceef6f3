import CExactScan

/// The nearest rows by cosine, by one pass over float32 rows in C: the oracle, and what no index costs.
struct ExactScan {
  struct Neighbour {
    let row: Int
    let similarity: Float
  }

  let base: FloatRows

  /// - Parameter query: Of length 1.
  /// - Parameter rows: Which to look at; `nil` for all.
  /// - Returns: At most `k`, best first; of equal ones the earlier row.
  func nearest(to query: [Float], k: Int, among rows: [UInt32]? = nil) -> [Neighbour] {
    let found = [cexact_neighbour](unsafeUninitializedCapacity: k) { buffer, count in
      count = cexact_nearest(
        base.numbers, base.scales, base.dimensions, rows, rows?.count ?? base.count, query, k, buffer.baseAddress)
    }
    return found.map { Neighbour(row: Int($0.row), similarity: $0.score) }
  }

  /// The cosine of one row with a query of length 1.
  func similarity(of row: Int, to query: [Float]) -> Float {
    cexact_dot(base.numbers + row * base.dimensions, query, base.dimensions) * base.scales[row]
  }
}
