import EpisodicMemory
import GRDB

/// Episodes on their way into the tables, together as far as they can be.
struct EpisodeInsertion: ~Copyable {
  private let existing: Episode.ExistingPolicy
  private let embeddings: [Episode.ID: [Embedding]]
  private let db: Database
  private var lookup: EpisodeRow.Lookup
  private var lengths: VectorLengths
  /// Not inserted yet: those that replace one, with the row to take over, and new ones.
  private var replacements: [(episode: Episode, row: Int64?)] = []
  private var newcomers: [(episode: Episode, row: Int64?)] = []
  private var waiting: Set<Episode.ID> = []
  private var inserted = 0

  /// - Parameter embeddings: What is to be inserted along with each episode.
  init(existing: Episode.ExistingPolicy, embeddings: [Episode.ID: [Embedding]], _ db: Database) throws {
    self.existing = existing
    self.embeddings = embeddings
    self.db = db
    lookup = try EpisodeRow.Lookup(db)
    lengths = VectorLengths(db)
  }

  /// - Throws: `.conflict` where the id is taken and the policy is to fail.
  mutating func add(_ episode: Episode) throws {
    if waiting.contains(episode.id) { try insertWaiting() }
    let row = try lookup.row(of: episode.id)
    if row != nil {
      switch existing {
      case .fail:
        throw MemoryError(.conflict, "the episode id \"\(episode.id)\" is taken; choose another, skip or replace")
      case .skip: return
      case .replace: _ = try SQLitePrimaryStore.delete("episodes", id: episode.id.rawValue, db)
      }
      replacements.append((episode, row))
    } else {
      newcomers.append((episode, nil))
    }
    waiting.insert(episode.id)
  }

  /// Returns how many were inserted.
  consuming func finish() throws -> Int {
    try insertWaiting()
    return inserted
  }

  private mutating func insertWaiting() throws {
    let episodes = replacements + newcomers
    try EpisodeRow.insert(episodes, db)
    let vectors = episodes.flatMap { embeddings[$0.episode.id] ?? [] }
    for vector in vectors { try lengths.require(vector) }
    try EmbeddingRow.insert(vectors, db)
    inserted += episodes.count
    replacements = []
    newcomers = []
    waiting = []
  }
}
