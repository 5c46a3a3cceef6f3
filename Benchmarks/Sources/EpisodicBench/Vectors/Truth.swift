import Foundation

/// The true neighbours of the queries.
///
/// A row is correct if it is as near as the last true neighbour, so that any of several equal rows counts.
struct Truth {
  /// Sums of the same float32 numbers in another order differ by less.
  private static let tolerance: Float = 1e-6
  /// Queries whose truth is recomputed, to verify that the file belongs to the base.
  private static let verified = 10

  let k: Int
  /// The number of recomputed queries whose truth differs from the file.
  let disputed: Int
  private let scan: ExactScan
  private let queries: [[Float]]
  /// Of each query: the number of true neighbours, and the similarity of the last.
  private let wanted: [(count: Int, similarity: Float)]

  /// Reads the neighbours from the file, and recomputes some.
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

  /// The number of true neighbours.
  func wanted(_ query: Int) -> Int { wanted[query].count }

  /// The number of distinct rows that are correct.
  func found(_ rows: [Int], query: Int) -> Int {
    let bound = wanted[query].similarity - Self.tolerance
    let right = Set(rows.prefix(k)).count { scan.similarity(of: $0, to: queries[query]) >= bound }
    return min(right, wanted[query].count)
  }
}

/// The numbers of the true neighbours of each query, nearest first, as little-endian int32.
struct TruthFile {
  /// Neighbours of each query.
  let width: Int
  private let rows: [Int]

  /// - Throws: If it does not have the same number, at least `k`, for each query, or names rows outside the base.
  init(path: String, k: Int, queries: Int, base: Int) throws {
    let data = try Data(contentsOf: URL(filePath: path))
    let width = data.count / 4 / queries
    guard width >= k, data.count == width * 4 * queries else {
      throw BenchError("\(path) has \(data.count) bytes, no \(k) int32 or more for each of \(queries) queries")
    }
    rows = data.withUnsafeBytes { bytes in
      stride(from: 0, to: bytes.count, by: 4).map {
        Int(Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: Int32.self)))
      }
    }
    self.width = width
    guard rows.allSatisfy({ (0..<base).contains($0) }) else {
      throw BenchError("\(path) names rows that the base does not have")
    }
  }

  /// - Parameter place: 0 for the nearest.
  func neighbour(_ place: Int, of query: Int) -> Int { rows[query * width + place] }
}
