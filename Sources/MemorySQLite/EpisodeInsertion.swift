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
  /// What is carried over into those that replace one.
  private var replaced: [Episode.ID: ReplacedEpisode] = [:]
  private var report = InsertionReport()

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
      case .replace:
        try requireDomain(of: episode)
        replaced[episode.id] = try ReplacedEpisode(episode.id, db)
        _ = try SQLitePrimaryStore.delete("episodes", id: episode.id.rawValue, db)
      }
      replacements.append((episode, row))
    } else {
      newcomers.append((episode, nil))
    }
    waiting.insert(episode.id)
  }

  /// An episode never changes hands between domains: who may write to one must not take what is in another (I8).
  ///
  /// - Throws: `.conflict`, which does not say what the other domain is.
  private func requireDomain(of episode: Episode) throws {
    let statement = try db.cachedStatement(sql: "SELECT domain = ? FROM episodes WHERE id = ?")
    guard try Bool.fetchOne(statement, arguments: [episode.domain, episode.id.rawValue]) != true else { return }
    throw MemoryError(
      .conflict, "the episode id \"\(episode.id)\" is taken in another domain; choose another, or delete that episode")
  }

  consuming func finish() throws -> InsertionReport {
    try insertWaiting()
    return report
  }

  private mutating func insertWaiting() throws {
    let episodes = replacements + newcomers
    try EpisodeRow.insert(episodes, db)
    for (id, old) in replaced { try old.insertLinks(of: id, db) }
    var kept: [Embedding] = []
    for (episode, _) in replacements {
      guard let old = replaced[episode.id] else { continue }
      let vectors = old.vectors(keptBy: episode, beside: embeddings[episode.id] ?? [])
      kept += vectors.kept
      report.droppedVectors += vectors.dropped
    }
    // First, so that new ones are held against their lengths (I6).
    try EmbeddingRow.insert(kept, db)
    let vectors = episodes.flatMap { embeddings[$0.episode.id] ?? [] }
    for vector in vectors { try lengths.require(vector) }
    try EmbeddingRow.insert(vectors, db)
    report.episodes += episodes.count
    report.steps += episodes.reduce(0) { $0 + $1.episode.steps.count }
    report.vectors += vectors.count
    report.keptVectors += kept.count
    replacements = []
    newcomers = []
    replaced = [:]
    waiting = []
  }
}
