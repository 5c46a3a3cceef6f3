import Foundation

/// The numbers of the true neighbours of each query, nearest first, as little-endian int32.
struct TruthFile {
  /// Neighbours of each query.
  let width: Int
  private let rows: [Int]

  /// - Throws: Where it does not have as many for each query, `k` at least, all of them rows of the base.
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
