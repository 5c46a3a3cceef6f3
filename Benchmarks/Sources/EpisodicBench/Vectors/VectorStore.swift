import CRawSQLite
import Episodic
import Foundation

/// A store that holds every row as the vector of an episode: made in this run, or kept from one before.
struct VectorStore {
  /// What it took to make; written beside the store that is kept.
  struct Making: Codable, Equatable {
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

  let folder: String
  let making: Making
  let isNew: Bool

  /// Durable, and past the cache, so that what is measured is the indexes.
  static var options: Memory.OpenOptions {
    var options = Memory.OpenOptions()
    options.durability = .full
    options.cache.isEnabled = false
    return options
  }

  /// Makes the store unless it is there.
  ///
  /// - Throws: Where there is another one, or one that was not finished.
  init(
    in folder: String, _ population: VectorPopulation, base: FloatRows, batch: Int, progress: Progress
  ) async throws {
    self.folder = folder
    let file = URL(filePath: folder).appending(path: "bench-vectors.json")
    isNew = !FileManager.default.fileExists(atPath: folder + "/memory.sqlite")
    if isNew {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      making = try await Self.fill(folder, population, base, batch, progress)
      try JSONEncoder().encode(making).write(to: file)
    } else {
      guard FileManager.default.fileExists(atPath: file.path(percentEncoded: false)) else {
        throw BenchError(
          "\(folder) holds a store that this benchmark did not finish; remove it or name another --store")
      }
      making = try JSONDecoder().decode(Making.self, from: Data(contentsOf: file))
      guard making.rows == base.count, making.dimensions == base.dimensions else {
        throw BenchError(
          "\(folder) holds \(making.rows) rows of \(making.dimensions), the base \(base.count) of \(base.dimensions)")
      }
    }
  }

  func open() async throws -> Memory { try await Memory.open(at: folder, options: Self.options) }

  private static func fill(
    _ folder: String, _ population: VectorPopulation, _ base: FloatRows, _ batch: Int, _ progress: Progress
  ) async throws -> Making {
    var making = Making(rows: base.count, dimensions: base.dimensions, batch: batch)
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

  /// - Parameter prepare: Makes ready what a batch writes; only the writing counts.
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
