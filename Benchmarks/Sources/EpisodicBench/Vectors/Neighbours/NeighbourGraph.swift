import CHNSW

/// hnswlib's index over rows of length 1.
final class NeighbourGraph {
  /// What the comparison is asked with.
  static let links = 16
  static let effort = 200

  static var isAvailable: Bool { chnsw_is_available() }

  private let index: OpaquePointer
  private let dimensions: Int
  private var labels: [UInt64] = []

  private init(_ index: OpaquePointer, dimensions: Int) {
    self.index = index
    self.dimensions = dimensions
  }

  deinit { chnsw_free(index) }

  convenience init(dimensions: Int, capacity: Int) throws {
    var made: OpaquePointer?
    let code = chnsw_new(dimensions, capacity, Self.links, Self.effort, &made)
    guard code == CHNSW_OK, let made else { throw Self.failure("making an index of \(capacity) rows", code) }
    self.init(made, dimensions: dimensions)
  }

  convenience init(path: String, dimensions: Int) throws {
    var made: OpaquePointer?
    let code = chnsw_load(path, dimensions, &made)
    guard code == CHNSW_OK, let made else { throw Self.failure("loading \(path)", code) }
    self.init(made, dimensions: dimensions)
  }

  var count: Int { chnsw_count(index) }

  func add(_ row: Int, _ vector: [Float]) throws { try check(chnsw_add(index, vector, UInt64(row)), "adding a row") }

  func save(to path: String) throws { try check(chnsw_save(index, path), "writing \(path)") }

  /// - Parameter query: Of length 1.
  /// - Returns: How many there are; `rows(_:)` says which.
  func search(_ query: [Float], k: Int, effort: Int) throws -> Int {
    if labels.count < k { labels = [UInt64](repeating: 0, count: k) }
    var found = 0
    try check(chnsw_search(index, query, k, effort, &labels, &found), "searching")
    return found
  }

  /// Those that the last search found, best first.
  func rows(_ found: Int) -> [Int] { labels.prefix(found).map { Int($0) } }

  private func check(_ code: chnsw_code, _ what: String) throws {
    guard code == CHNSW_OK else { throw Self.failure(what, code) }
  }

  private static func failure(_ what: String, _ code: chnsw_code) -> BenchError {
    let reason =
      switch code {
      case CHNSW_UNAVAILABLE: "it was not there when this was built"
      case CHNSW_NO_MEMORY: "no memory"
      default: "it threw"
      }
    return BenchError("hnswlib, \(what): \(reason)")
  }
}
