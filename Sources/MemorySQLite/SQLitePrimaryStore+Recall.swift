public import EpisodicMemory
import Foundation
import GRDB
import Vectors

extension SQLitePrimaryStore {
  public func recall(
    _ request: RecallRequest, rank: @escaping @Sendable (Candidates) -> [RankedEpisode]
  ) async throws(MemoryError) -> Versioned<[Hit]> {
    try await readVersioned { db in
      let conditions = Conditions(request.filter, request.scope)
      let words = try Self.matches(request, conditions, db)
      let similarities = try Self.similarities(request, conditions, db)
      var nearest = TopK<Int64>(request.depth)
      for (row, similarity) in similarities { nearest.insert(row, score: similarity) }
      let candidates = Candidates(words: words, nearest: nearest.ranked().map(\.id)) { similarities[$0] }
      return try rank(candidates).compactMap { ranked in try Self.hit(ranked, request, db) }
    }
  }

  // MARK: Words

  /// The episodes of which a word matched.
  ///
  /// Every matching row is visited, because bm25 is known only then; no row is sorted.
  private static func matches(
    _ request: RecallRequest, _ conditions: Conditions, _ db: Database
  ) throws -> [Candidates.Words] {
    guard let terms = request.terms else { return [] }
    var found: [Int64: Candidates.Words] = [:]
    let expression = StatementArguments([terms.fullTextExpression])

    let contexts = try Row.fetchCursor(
      db.cachedStatement(sql: contextSearch(conditions)), arguments: expression + conditions.arguments)
    while let row = try contexts.next() {
      let episode: Int64 = try row.value(0)
      found[episode] = Candidates.Words(row: episode, context: try row.value(1))
    }
    let steps = try Row.fetchCursor(
      db.cachedStatement(sql: stepSearch(conditions)), arguments: expression + conditions.arguments)
    while let row = try steps.next() {
      let episode: Int64 = try row.value(0)
      found[episode, default: Candidates.Words(row: episode)]
        .keep(step: try row.value(1), score: try row.value(2), atMost: request.stepsPerEpisode)
    }
    return Array(found.values)
  }

  /// SQLite's bm25 is lower where a match is better. CROSS JOIN keeps the full-text index the outer loop.
  static func contextSearch(_ conditions: Conditions) -> String {
    """
    SELECT e.seq, -bm25(episodes_text) FROM episodes_text CROSS JOIN episodes e ON e.seq = episodes_text.rowid
    WHERE episodes_text MATCH ?\(conditions.andClause)
    """
  }

  static func stepSearch(_ conditions: Conditions) -> String {
    """
    SELECT e.seq, s.step_number, -bm25(steps_text) FROM steps_text CROSS JOIN steps s ON s.seq = steps_text.rowid
        CROSS JOIN episodes e ON e.id = s.episode_id
    WHERE steps_text MATCH ?\(conditions.andClause)
    """
  }

  // MARK: Vectors

  /// How like the query's vector each episode is, by the best of its vectors: one pass over the space, exact.
  private static func similarities(
    _ request: RecallRequest, _ conditions: Conditions, _ db: Database
  ) throws -> [Int64: Double] {
    guard let components = request.vector else { return [:] }
    // Only what the question may see decides where its vector belongs (I8).
    let visible = try request.space == nil ? spaces(conditions, db) : spaces(db)
    guard let space = try EmbeddingSpace.resolve(request.space, dimensions: components.count, among: visible) else {
      return [:]
    }
    let vector: Vector
    do { vector = try Vector(components) } catch { throw MemoryError(.invalid, "vector: \(error)", cause: error) }
    let query = VectorQuery(vector, metric: space.metric)
    let rows = try Row.fetchCursor(
      db.cachedStatement(
        sql: """
          SELECT e.seq, m.embedding FROM embeddings m JOIN episodes e ON e.id = m.episode_id
          WHERE m.model_name = ? AND m.dimensions = ?\(conditions.andClause)
          """), arguments: [space.model, space.dimensions] + conditions.arguments)
    var best: [Int64: Double] = [:]
    while let row = try rows.next() {
      let episode: Int64 = try row.value(0)
      let similarity = try row.withUnsafeData(atIndex: 1) { bytes in
        bytes?.withUnsafeBytes { query.similarity(to: $0) }
      }
      guard let similarity else {
        throw MemoryError(.corrupted, "a vector of \(space.model) is no vector; run check, then restore a backup")
      }
      // A distance has no best value to be divided by, so fusion gets what grows with nearness and stays positive.
      let likeness = space.metric == .euclidean ? 1 / (1 - similarity) : similarity
      best[episode] = max(best[episode] ?? -.infinity, likeness)
    }
    return best
  }

  // MARK: Hits

  private static func hit(_ ranked: RankedEpisode, _ request: RecallRequest, _ db: Database) throws -> Hit? {
    guard let episode = try EpisodeRow.fetch(db, row: ranked.row) else { return nil }
    var matches = ranked.steps.map { Hit.Match(step: $0) }
    if ranked.contextMatches { matches.insert(Hit.Match(step: nil), at: 0) }
    if request.excerpts, let expression = request.terms?.fullTextExpression {
      matches = try matches.map { match in
        Hit.Match(step: match.step, excerpt: try excerpt(match, of: ranked.row, episode.id, expression, db))
      }
    }
    return Hit(episode: episode, score: ranked.shares.total, shares: ranked.shares, matches: matches)
  }

  private static func excerpt(
    _ match: Hit.Match, of row: Int64, _ id: Episode.ID, _ expression: String, _ db: Database
  ) throws -> String? {
    guard let number = match.step else { return try excerpt(of: row, in: "episodes_text", expression, db) }
    let step = try Int64.fetchOne(
      db.cachedStatement(sql: "SELECT seq FROM steps WHERE episode_id = ? AND step_number = ?"),
      arguments: [id.rawValue, number])
    return try step.flatMap { try excerpt(of: $0, in: "steps_text", expression, db) }
  }

  private static func excerpt(of row: Int64, in index: String, _ expression: String, _ db: Database) throws -> String? {
    let statement = try db.cachedStatement(
      sql: "SELECT snippet(\(index), -1, '‹', '›', '…', 16) FROM \(index) WHERE \(index) MATCH ? AND rowid = ?")
    return try String.fetchOne(statement, arguments: [expression, row])
  }
}

extension Candidates.Words {
  /// Keeps the best steps, best first; of equal ones the earlier step.
  fileprivate mutating func keep(step number: Int, score: Double, atMost count: Int) {
    let place = steps.firstIndex { ($0.score, number) < (score, $0.number) } ?? steps.count
    guard place < count else { return }
    steps.insert((number, score), at: place)
    if steps.count > count { steps.removeLast() }
  }
}
