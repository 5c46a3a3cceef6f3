import CRawSQLite
import Episodic
import Foundation

/// A store that holds every document as an episode: made in this run, or kept from one before.
struct TextStore {
  /// What it took to make; written beside the store that is kept.
  struct Making: Codable {
    let documents: Int
    let seed: UInt64
    var librarySeconds = 0.0
    /// The same without the index of words.
    var unindexedSeconds = 0.0
    /// FTS5 by itself.
    var plainSeconds = 0.0
    /// Episodes that have a vector.
    var vectors = 0

    enum CodingKeys: String, CodingKey {
      case documents, seed, vectors
      case librarySeconds = "library_seconds"
      case unindexedSeconds = "unindexed_seconds"
      case plainSeconds = "plain_seconds"
    }
  }

  static let batch = 1000

  let folder: String
  let isNew: Bool
  private(set) var making: Making
  private let file: URL

  /// Makes the store unless it is there, and in turns one without the index and a file with nothing but FTS5's.
  ///
  /// - Parameter others: Where those two are made.
  /// - Throws: Where there is another one, or one that was not finished.
  init(in folder: String, _ population: TextPopulation, others: ScratchDirectory, progress: Progress) async throws {
    self.folder = folder
    file = URL(filePath: folder).appending(path: "bench-text.json")
    isNew = !FileManager.default.fileExists(atPath: folder + "/memory.sqlite")
    if isNew {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      making = try await Self.fill(folder, population, others, progress)
      try JSONEncoder().encode(making).write(to: file)
    } else {
      guard FileManager.default.fileExists(atPath: file.path(percentEncoded: false)) else {
        throw BenchError(
          "\(folder) holds a store that this benchmark did not finish; remove it or name another --store")
      }
      making = try JSONDecoder().decode(Making.self, from: Data(contentsOf: file))
      guard making.documents == population.count, making.seed == population.seed else {
        throw BenchError("\(folder) holds \(making.documents) documents of seed \(making.seed); name another --store")
      }
    }
  }

  func open() async throws -> Memory { try await Memory.open(at: folder, options: VectorStore.options) }

  private static func fill(
    _ folder: String, _ population: TextPopulation, _ others: ScratchDirectory, _ progress: Progress
  ) async throws -> Making {
    var making = Making(documents: population.count, seed: population.seed)
    let memory = try await Memory.open(at: folder, options: VectorStore.options)
    var options = VectorStore.options
    options.index.isEnabled = false
    let unindexed = try await Memory.open(at: others.path(of: "unindexed"), options: options)
    let plain = try PlainTextWriter(path: others.path(of: "plain.sqlite"))
    let sides = [\Making.librarySeconds, \.unindexedSeconds, \.plainSeconds]
    for (round, first) in stride(from: 0, to: population.count, by: batch).enumerated() {
      progress.show("documents", first, of: population.count)
      let episodes = (first..<min(first + batch, population.count)).map { population.episode($0) }
      let texts = episodes.map(\.context)
      for offset in sides.indices {
        let side = sides[(round + offset) % sides.count]
        let start = raw_now()
        switch side {
        case \.librarySeconds: _ = try await memory.insert(episodes)
        case \.unindexedSeconds: _ = try await unindexed.insert(episodes)
        default: try plain.insert(texts)
        }
        making[keyPath: side] += Double(raw_now() - start) / 1e9
      }
    }
    try await unindexed.close()
    try await memory.close()
    return making
  }

  /// Gives each episode its row as its vector, unless it has one.
  mutating func embed(_ rows: FloatRows, _ memory: Memory, progress: Progress) async throws {
    let population = VectorPopulation(rows: making.documents, dimensions: rows.dimensions)
    while making.vectors < making.documents {
      progress.show("vectors", making.vectors, of: making.documents)
      let next = min(making.vectors + Self.batch, making.documents)
      _ = try await memory.embed((making.vectors..<next).map { population.draft($0, rows[$0]) })
      making.vectors = next
      try JSONEncoder().encode(making).write(to: file)
    }
  }
}
