import CRawSQLite
import Episodic

/// The cost of filling the store of `bench vectors`.
struct VectorMaking: Codable {
  let rows: Int
  let dimensions: Int
  let batch: Int
  var episodeSeconds = 0.0
  var vectorSeconds = 0.0

  enum CodingKeys: String, CodingKey {
    case rows, dimensions, batch
    case episodeSeconds = "episode_seconds"
    case vectorSeconds = "vector_seconds"
  }
}

/// A store that holds every row as the vector of an episode.
typealias VectorStore = KeptStore<VectorMaking>

extension VectorStore {
  init(
    in folder: String, _ population: VectorPopulation, base: FloatRows, batch: Int, progress: Progress
  ) async throws {
    try await self.init(in: folder, "bench-vectors.json") {
      try await Self.fill(folder, population, base, batch, progress)
    } fits: { making in
      guard making.rows == base.count, making.dimensions == base.dimensions else {
        throw BenchError(
          "\(folder) holds \(making.rows) rows of \(making.dimensions), the base \(base.count) of \(base.dimensions)")
      }
    }
  }

  private static func fill(
    _ folder: String, _ population: VectorPopulation, _ base: FloatRows, _ batch: Int, _ progress: Progress
  ) async throws -> VectorMaking {
    var making = VectorMaking(rows: base.count, dimensions: base.dimensions, batch: batch)
    let memory = try await Memory.open(at: folder, options: options)
    making.episodeSeconds = try await batches(of: base.count, batch, "episodes", progress) { rows in
      let episodes = rows.map { population.episode($0) }
      return { _ = try await memory.insert(episodes) }
    }
    making.vectorSeconds = try await batches(of: base.count, batch, "vectors", progress) { rows in
      let drafts = rows.map { population.draft($0, base[$0]) }
      return { _ = try await memory.embed(drafts) }
    }
    try await memory.close()
    return making
  }

  /// - Parameter prepare: Prepares the rows of a batch; only the write is timed.
  /// - Returns: Seconds.
  private static func batches(
    of count: Int, _ size: Int, _ stage: String, _ progress: Progress,
    prepare: (Range<Int>) -> (() async throws -> Void)
  ) async throws -> Double {
    var elapsed: UInt64 = 0
    for first in stride(from: 0, to: count, by: size) {
      progress.show(stage, first, of: count)
      let write = prepare(first..<min(first + size, count))
      let start = raw_now()
      try await write()
      elapsed += raw_now() - start
    }
    return Double(elapsed) / 1e9
  }
}
