/// What the right answers to the queries are.
///
/// An answer is right where it is as near as the last of the true ones, so that of rows that are alike any will do.
struct Truth {
  /// Float32 sums of the same numbers in another order differ by less.
  private static let tolerance: Float = 1e-6
  /// Queries whose truth in the file is computed again, to see that it belongs to the base.
  private static let verified = 10

  let k: Int
  /// How many of the queries whose truth was computed again turned out to have another one.
  let disputed: Int
  private let scan: ExactScan
  private let queries: [[Float]]
  /// Of each query: how many answers there are to be, and how near the last of them is.
  private let wanted: [(count: Int, similarity: Float)]

  /// Takes the neighbours from their file, and computes some of them again.
  ///
  /// - Parameter queries: Of length 1.
  init(_ file: TruthFile, k: Int, queries: [[Float]], scan: ExactScan) {
    let last = queries.indices.map { file.neighbour(k - 1, of: $0) }
    let wanted = zip(last, queries).map { row, query in
      (count: min(k, scan.base.count), similarity: scan.similarity(of: row, to: query))
    }
    let disputed = zip(queries, wanted).prefix(Self.verified).count { query, wanted in
      let similarity = scan.nearest(to: query, k: k).last?.similarity ?? 0
      return abs(similarity - wanted.similarity) > Self.tolerance
    }
    self.init(k: k, queries: queries, scan: scan, wanted: wanted, disputed: disputed)
  }

  /// Computes the true neighbours among some of the rows.
  init(among rows: [UInt32], k: Int, queries: [[Float]], scan: ExactScan) {
    self.init(
      k: k, queries: queries, scan: scan,
      wanted: queries.map { query in
        let nearest = scan.nearest(to: query, k: k, among: rows)
        return (nearest.count, nearest.last?.similarity ?? 0)
      })
  }

  private init(
    k: Int, queries: [[Float]], scan: ExactScan, wanted: [(count: Int, similarity: Float)], disputed: Int = 0
  ) {
    self.k = k
    self.disputed = disputed
    self.queries = queries
    self.scan = scan
    self.wanted = wanted
  }

  /// How many answers there are to be.
  func wanted(_ query: Int) -> Int { wanted[query].count }

  /// How many of these rows are right, each counted once.
  func found(_ rows: [Int], query: Int) -> Int {
    let bound = wanted[query].similarity - Self.tolerance
    let right = Set(rows.prefix(k)).count { scan.similarity(of: $0, to: queries[query]) >= bound }
    return min(right, wanted[query].count)
  }
}
