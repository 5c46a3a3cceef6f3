import CRawSQLite
import Foundation

/// The graph over the rows, loaded from its file, and what it took to get there.
struct PreparedGraph {
  /// Written beside a kept graph.
  private struct Making: Codable {
    let buildSeconds: Double

    enum CodingKeys: String, CodingKey { case buildSeconds = "build_seconds" }
  }

  let graph: NeighbourGraph
  /// On one thread; `nil` where a kept graph does not say.
  let buildSeconds: Double?
  let loadSeconds: Double
  let bytes: Int
  /// Whether it was built in this run.
  let isNew: Bool

  /// Builds the graph and saves it, unless it is there.
  ///
  /// - Parameter path: Where it lies or is put; `PATH.json` beside it says how long the building took.
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
    // A kept file may be a link to where there is room.
    let file = URL(filePath: path).resolvingSymlinksInPath().path(percentEncoded: false)
    bytes = try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int ?? 0
    guard graph.count == base.count else {
      throw BenchError("\(path) holds \(graph.count) rows, the base \(base.count); name another --neighbors")
    }
  }

  /// - Returns: Seconds without those of saving.
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
