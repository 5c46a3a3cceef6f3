import CRawSQLite
import Episodic

/// The cost of filling the store of `bench text`.
struct TextMaking: Codable {
  let documents: Int
  let seed: UInt64
  var librarySeconds = 0.0
  /// The same without the index of words.
  var unindexedSeconds = 0.0
  /// FTS5 alone.
  var plainSeconds = 0.0
  /// Episodes that have a vector.
  var vectors = 0
  /// Episodes that were asked for a vector of a second model.
  var seconds: Int?

  enum CodingKeys: String, CodingKey {
    case documents, seed, vectors
    case seconds = "second_vectors"
    case librarySeconds = "library_seconds"
    case unindexedSeconds = "unindexed_seconds"
    case plainSeconds = "plain_seconds"
  }
}

/// A store that holds every document as an episode.
typealias TextStore = KeptStore<TextMaking>

extension TextStore {
  private static var batch: Int { 1000 }

  /// Also fills, in turns with it, a store without the index of words and a file with only an FTS5 table.
  ///
  /// - Parameter others: The folder for those two.
  init(in folder: String, _ population: TextPopulation, others: ScratchDirectory, progress: Progress) async throws {
    try await self.init(in: folder, "bench-text.json") {
      try await Self.fill(folder, population, others, progress)
    } fits: { making in
      guard making.documents == population.count, making.seed == population.seed else {
        throw BenchError("\(folder) holds \(making.documents) documents of seed \(making.seed); name another --store")
      }
    }
  }

  private static func fill(
    _ folder: String, _ population: TextPopulation, _ others: ScratchDirectory, _ progress: Progress
  ) async throws -> TextMaking {
    var making = TextMaking(documents: population.count, seed: population.seed)
    let memory = try await Memory.open(at: folder, options: Self.options)
    var options = Self.options
    options.index.isEnabled = false
    let unindexed = try await Memory.open(at: others.path(of: "unindexed"), options: options)
    let plain = try PlainTextWriter(path: others.path(of: "plain.sqlite"))
    let sides = [\TextMaking.librarySeconds, \.unindexedSeconds, \.plainSeconds]
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

  /// Gives each episode without a vector its row as one.
  mutating func embed(_ rows: FloatRows, _ memory: Memory, progress: Progress) async throws {
    let population = VectorPopulation(rows: making.documents, dimensions: rows.dimensions)
    while making.vectors < making.documents {
      progress.show("vectors", making.vectors, of: making.documents)
      let next = min(making.vectors + Self.batch, making.documents)
      _ = try await memory.embed((making.vectors..<next).map { population.draft($0, rows[$0]) })
      var making = making
      making.vectors = next
      try update(making)
    }
  }
}
