import CHNSW
import CRawSQLite
import Foundation

/// hnswlib's index over rows of length 1.
final class NeighbourGraph {
  /// The parameters of the comparison.
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
  /// - Returns: The number found; `rows(_:)` returns them.
  func search(_ query: [Float], k: Int, effort: Int) throws -> Int {
    if labels.count < k { labels = [UInt64](repeating: 0, count: k) }
    var found = 0
    try check(chnsw_search(index, query, k, effort, &labels, &found), "searching")
    return found
  }

  /// The rows of the last search, best first.
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

/// The graph over the rows, loaded from its file, with the times of building and loading.
struct PreparedGraph {
  /// Stored beside a kept graph.
  private struct Making: Codable {
    let buildSeconds: Double

    enum CodingKeys: String, CodingKey { case buildSeconds = "build_seconds" }
  }

  let graph: NeighbourGraph
  /// On one thread; `nil` if unknown for a kept graph.
  let buildSeconds: Double?
  let loadSeconds: Double
  let bytes: Int
  /// Whether it was built in this run.
  let isNew: Bool

  /// Builds the graph and saves it, unless the file exists.
  ///
  /// - Parameter path: The file; `PATH.json` beside it holds the time of building.
  init(_ base: FloatRows, path: String, progress: Progress) throws {
    let making = URL(filePath: path + ".json")
    isNew = !FileManager.default.fileExists(atPath: path)
    if isNew {
      let seconds = try Self.build(base, path: path, progress: progress)
      try JSONEncoder().encode(Making(buildSeconds: seconds)).write(to: making)
    }
    let hasMaking = FileManager.default.fileExists(atPath: making.path(percentEncoded: false))
    buildSeconds =
      hasMaking ? try JSONDecoder().decode(Making.self, from: Data(contentsOf: making)).buildSeconds : nil
    let start = raw_now()
    graph = try NeighbourGraph(path: path, dimensions: base.dimensions)
    loadSeconds = Double(raw_now() - start) / 1e9
    // A kept file may be a link to another disk.
    let file = URL(filePath: path).resolvingSymlinksInPath().path(percentEncoded: false)
    bytes = try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int ?? 0
    guard graph.count == base.count else {
      throw BenchError("\(path) holds \(graph.count) rows, the base \(base.count); name another --neighbors")
    }
  }

  /// - Returns: Seconds without saving.
  private static func build(_ base: FloatRows, path: String, progress: Progress) throws -> Double {
    let graph = try NeighbourGraph(dimensions: base.dimensions, capacity: base.count)
    let start = raw_now()
    for row in 0..<base.count {
      if row.isMultiple(of: 1000) { progress.show("hnswlib's index", row, of: base.count) }
      try graph.add(row, base.unit(row))
    }
    let seconds = Double(raw_now() - start) / 1e9
    try graph.save(to: path)
    return seconds
  }
}

/// The cost of the graph by recall: measured at some values of ef, interpolated linearly between.
struct GraphCurve {
  struct Point: Encodable {
    let effort: Double
    let recall: Double
    let p50: Double
    let p99: Double

    static let titles = ["hnswlib, ef", "p50 us", "p99 us", "recall"]
    var cells: [String] {
      [
        String(format: "%.0f", effort), UInt64(p50).microseconds, UInt64(p99).microseconds,
        String(format: "%.4f", recall),
      ]
    }

    enum CodingKeys: String, CodingKey {
      case effort = "ef"
      case recall
      case p50 = "p50_ns"
      case p99 = "p99_ns"
    }
  }

  /// The Pareto front of median and recall, in increasing order of both.
  private let front: [Point]

  init(_ points: [Point]) {
    var front: [Point] = []
    for point in points.sorted(by: { ($0.p50, $1.recall) < ($1.p50, $0.recall) })
    where point.recall > front.last?.recall ?? -1 {
      front.append(point)
    }
    self.front = front
  }

  /// The greatest recall measured.
  var best: Double { front.last?.recall ?? 0 }

  /// The cost at a recall, at least that of the lowest measured; `nil` above the greatest.
  func point(at recall: Double) -> Point? {
    guard let above = front.firstIndex(where: { $0.recall >= recall }) else { return nil }
    guard above > 0 else { return front[0] }
    let (low, high) = (front[above - 1], front[above])
    let share = (recall - low.recall) / (high.recall - low.recall)
    func between(_ a: Double, _ b: Double) -> Double { a + share * (b - a) }
    return Point(
      effort: between(low.effort, high.effort), recall: recall, p50: between(low.p50, high.p50),
      p99: between(low.p99, high.p99))
  }
}
