import EpisodicMemory
import GRDB
import Heaps
import SQLiteStorage
import Vectors
import WordScoring

/// The candidates of one request, found in the primary alone: visits every row that has one of its words and every vector
/// within scope and filter.
///
/// A class because it keeps what it found for the next call. Used on one thread, inside one snapshot.
final class PrimaryCandidates: CandidateSource {
  private let snapshot: SQLiteSnapshot
  private let request: RecallRequest
  private var found: (statistics: WordStatistics, contexts: WordMatches, steps: WordMatches)?
  private var sessions: [[UInt8]: UInt32] = [:]

  init(_ request: RecallRequest, in snapshot: SQLiteSnapshot) {
    self.snapshot = snapshot
    self.request = request
  }

  // MARK: Words

  func wordStatistics() throws(MemoryError) -> WordStatistics { try matches()?.statistics ?? WordStatistics() }

  func wordCandidates() throws(MemoryError) -> [Candidates.Words] {
    var best = TopK<RankedWords>(request.depth)
    let admission = try snapshot.admission(request.scope, request.filter)
    var listed: Set<Int64>?
    if case .listed(let rows) = admission { listed = Set(rows) }
    for words in try episodes(where: { $0.passes && listed?.contains($0.episode) ?? true }) {
      let words = RankedWords(words: words, score: words.score(stepWeight: request.stepWeight))
      guard best.wouldKeep(words) else { continue }
      if case .each = admission, let filter = request.filter.step, try !snapshot.admits(words.words.row, filter) {
        continue
      }
      best.insert(words)
    }
    return best.ranked().map(\.words)
  }

  func words(of rows: [Int64]) throws(MemoryError) -> [Candidates.Words] {
    let rows = Set(rows)
    return try episodes { rows.contains($0.episode) }
  }

  /// The scores of episodes by those of their documents that a condition lets pass.
  private func episodes(where isWanted: (WordMatches.Document) -> Bool) throws(MemoryError) -> [Candidates.Words] {
    guard let matches = try matches() else { return [] }
    var found: [Int64: Candidates.Words] = [:]
    for document in matches.contexts.documents where isWanted(document) {
      guard let score = document.score else { continue }
      found[document.episode] = Candidates.Words(row: document.episode, context: score)
    }
    for document in matches.steps.documents where isWanted(document) {
      guard let score = document.score else { continue }
      found[document.episode, default: Candidates.Words(row: document.episode)]
        .keep(step: document.row, score: score, atMost: request.stepsPerEpisode)
    }
    return Array(found.values)
  }

  private func matches() throws(MemoryError) -> (
    statistics: WordStatistics, contexts: WordMatches, steps: WordMatches
  )? {
    guard let terms = request.terms else { return nil }
    if let found { return found }
    let watermark = try snapshot.watermark()
    let (db, request) = (snapshot.db, request)
    let matched = try snapshot.reading {
      let expression = WordExpression(terms)
      let (corpus, filter) = (Conditions(corpusOf: request), Conditions(request.filter, request.scope))
      let arguments = filter.arguments + [expression.text] + corpus.arguments
      var contexts = try WordMatches(expression, WordMatches.contextSearch(corpus, filter), arguments, db)
      var steps = try WordMatches(expression, WordMatches.stepSearch(corpus, filter), arguments, db)
      let totals = try snapshot.totals.totals(of: request, asOf: watermark, db)

      let counting = WordStatistics.counting(
        (0..<expression.words).map { place in contexts.having[place] + steps.having[place] })
      let places = counting + (expression.words..<expression.words + expression.required)
      func field(_ totals: CorpusTotals.Field, _ having: [Int]) -> WordStatistics.Field {
        WordStatistics.Field(documents: totals.documents, tokens: totals.tokens, having: places.map { having[$0] })
      }
      let statistics = WordStatistics(
        words: counting.map { terms.words[$0] },
        unknown: (0..<expression.words).count { contexts.having[$0] + steps.having[$0] == 0 },
        contexts: field(totals.contexts, contexts.having), steps: field(totals.steps, steps.having))
      contexts.score(statistics.contexts, at: places)
      steps.score(statistics.steps, at: places)
      return (statistics, contexts, steps)
    }
    found = matched
    return matched
  }

  // MARK: Vectors

  func nearest(to query: SpaceQuery) throws(MemoryError) -> [Neighbor] {
    var best: [Int64: Neighbor] = [:]
    func keep(_ neighbor: Neighbor) {
      if let known = best[neighbor.episode], known.similarity >= neighbor.similarity { return }
      best[neighbor.episode] = neighbor
    }
    if let few = try snapshot.admission(request.scope, request.filter).few {
      for (episode, similarity) in try similarities(of: few, to: query) {
        keep(Neighbor(vector: 0, episode: episode, similarity: similarity))
      }
    } else {
      try snapshot.neighbors(query.vector, in: query.space, request.scope, request.filter) {
        keep(Neighbor(vector: $0, episode: $1, similarity: $2))
      }
    }
    return Neighbor.nearest(request.depth, of: best.values)
  }

  func spaces(among spaces: [EmbeddingSpace]) throws(MemoryError) -> [EmbeddingSpace] {
    try snapshot.spaces(among: spaces, request)
  }

  func similarities(of rows: [Int64], to query: SpaceQuery) throws(MemoryError) -> [Int64: Double] {
    try snapshot.similarities(ofEpisodes: rows, to: query)
  }

  // MARK: Episodes

  func attributes(of rows: [Int64]) throws(MemoryError) -> [Int64: CandidateAttributes] {
    try snapshot.reading {
      var found: [Int64: CandidateAttributes] = [:]
      let corpus = Conditions(corpusOf: request)
      var episodes = try RawStatement(
        "SELECT e.status, e.created_at, e.success_rate FROM episodes e WHERE e.seq = ?\(corpus.andClause)", snapshot.db)
      for row in rows {
        try episodes.bind(row)
        if let domain = request.scope.onlyDomain { try episodes.bind(domain) }
        if try episodes.step() {
          found[row] = CandidateAttributes(
            status: Episode.Status(stored: episodes.text(0)),
            createdAt: Timestamp(milliseconds: episodes.integer(1)),
            successRate: episodes.isNull(2) ? nil : episodes.double(2))
        }
        episodes.reset()
      }
      return found
    }
  }

  func sessionPlaces(of rows: [Int64]) throws(MemoryError) -> [Int64: SessionPlace] {
    try snapshot.reading {
      var places: [Int64: SessionPlace] = [:]
      let corpus = Conditions(corpusOf: request)
      var episodes = try RawStatement(
        """
        SELECT e.domain, e.session, e.created_at FROM episodes e WHERE e.session IS NOT NULL AND e.seq = ?\(corpus.andClause)
        """, snapshot.db)
      var previous = try RawStatement(
        SessionNeighbors.previous(includingActive: request.corpusIncludesActive), snapshot.db)
      var next = try RawStatement(SessionNeighbors.next(includingActive: request.corpusIncludesActive), snapshot.db)
      for row in rows {
        try episodes.bind(row)
        if let domain = request.scope.onlyDomain { try episodes.bind(domain) }
        defer { episodes.reset() }
        guard try episodes.step() else { continue }
        let (domain, session) = (Array(episodes.bytes(0)), Array(episodes.bytes(1)))
        let key = domain + [0] + session
        let number = sessions[key] ?? UInt32(truncatingIfNeeded: sessions.count + 1)
        sessions[key] = number
        let time = episodes.integer(2)
        places[row] = SessionPlace(
          session: number, previous: try SessionNeighbors.first(of: &previous, row, time, domain, session),
          next: try SessionNeighbors.first(of: &next, row, time, domain, session))
      }
      return places
    }
  }
}

/// Finds the episodes before and after one of a session: two looks into `episodes_by_domain_and_session` each.
enum SessionNeighbors {
  static func first(
    of rows: inout RawStatement, _ row: Int64, _ time: Int64, _ domain: [UInt8], _ session: [UInt8]
  ) throws -> Int64? {
    try domain.withUnsafeBytes { bytes in try rows.bind(text: bytes) }
    try session.withUnsafeBytes { bytes in try rows.bind(text: bytes) }
    try rows.bind(time)
    try rows.bind(row)
    let found = try rows.step() ? rows.integer(0) : nil
    rows.reset()
    return found
  }

  static func previous(includingActive: Bool) -> String {
    select(includingActive, earlier: "<", order: "DESC")
  }

  static func next(includingActive: Bool) -> String { select(includingActive, earlier: ">", order: "ASC") }

  /// Two selects: one that compared both time and row would read every episode of the same time.
  private static func select(_ includingActive: Bool, earlier: String, order: String) -> String {
    let session = "e.domain = ?1 AND e.session = ?2" + (includingActive ? "" : " AND \(Conditions.isInactive)")
    return """
      SELECT seq FROM (
          SELECT e.seq FROM episodes e INDEXED BY episodes_by_domain_and_session
          WHERE \(session) AND e.created_at = ?3 AND e.seq \(earlier) ?4 ORDER BY e.seq \(order) LIMIT 1)
      UNION ALL
      SELECT seq FROM (
          SELECT e.seq FROM episodes e INDEXED BY episodes_by_domain_and_session
          WHERE \(session) AND e.created_at \(earlier) ?3 ORDER BY e.created_at \(order), e.seq \(order) LIMIT 1)
      LIMIT 1
      """
  }
}

private struct RankedWords: Ranked {
  let words: Candidates.Words
  let score: Double

  func precedes(_ other: RankedWords) -> Bool {
    score != other.score ? score > other.score : words.row > other.words.row
  }
}

extension WordMatches {
  /// - Parameter places: Of the terms that count, in the order of `statistics.having`.
  fileprivate mutating func score(_ statistics: WordStatistics.Field, at places: [Int]) {
    var scorers = having.map { _ in nil as TermScorer? }
    for (index, place) in places.enumerated() { scorers[place] = statistics.scorer(index) }
    score(scorers)
  }
}

extension Candidates.Words {
  /// Keeps the best `count` steps, best first; of equal scores the lower row.
  fileprivate mutating func keep(step row: Int64, score: Double, atMost count: Int) {
    let place = steps.firstIndex { ($0.score, row) < (score, $0.row) } ?? steps.count
    guard place < count else { return }
    steps.insert((row, score), at: place)
    if steps.count > count { steps.removeLast() }
  }
}
