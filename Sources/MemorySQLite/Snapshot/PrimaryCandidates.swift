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
  private var found: Found?
  private var sessions: [[UInt8]: UInt32] = [:]

  private struct Found {
    let statistics: WordStatistics
    /// Of the terms that count, in the order of `statistics.contexts.having`.
    let places: [Int]
    let contexts: WordMatches
    let steps: WordMatches
  }

  init(_ request: RecallRequest, in snapshot: SQLiteSnapshot) {
    self.snapshot = snapshot
    self.request = request
  }

  // MARK: Words

  func wordStatistics() throws(MemoryError) -> WordStatistics { try matches()?.statistics ?? WordStatistics() }

  func wordCandidates(in window: Range<Timestamp>?) throws(MemoryError) -> [Candidates.Words] {
    var best = TopK<RankedWords>(request.depth)
    let steps = try StepGate(snapshot, request)
    let found = try episodes { document in
      document.passes && steps.mayAdmit(document.episode) && window?.contains(document.createdAt) ?? true
    }
    for words in found.values {
      let words = RankedWords(words: words, score: words.score(stepWeight: request.stepWeight))
      guard best.wouldKeep(words) else { continue }
      if try steps.admits(words.words.row) { best.insert(words) }
    }
    return best.ranked().map(\.words)
  }

  func words(of rows: [Int64]) throws(MemoryError) -> [Candidates.Words] {
    guard let matches = try matches() else { return [] }
    let rows = Set(rows)
    var found = try episodes { rows.contains($0.episode) }
    guard request.countsStepsTogether else { return Array(found.values) }
    for document in matches.steps.documents {
      guard var words = found.removeValue(forKey: document.episode) else { continue }
      matches.steps.count(document, at: matches.places, in: &words.stepOccurrences)
      found[document.episode] = words
    }
    var counted: [Int64] = []
    for (row, words) in found where !words.stepOccurrences.isEmpty {
      if words.stepOccurrences.allSatisfy({ $0 == 0 }) { found[row]?.stepOccurrences = [] } else { counted.append(row) }
    }
    for (row, tokens) in try stepTokens(of: counted) { found[row]?.stepTokens = tokens }
    return Array(found.values)
  }

  /// Tokens of all steps of some episodes.
  private func stepTokens(of rows: [Int64]) throws(MemoryError) -> [Int64: UInt64] {
    if rows.isEmpty { return [:] }
    return try snapshot.reading {
      var tokens: [Int64: UInt64] = [:]
      var lengths = try RawStatement(CorpusTotals.stepsOfRows, [rows.jsonText], snapshot.db)
      while try lengths.step() {
        tokens[lengths.integer(0), default: 0] &+= FullTextNumbers(lengths.bytes(1)).reduce(0, &+)
      }
      return tokens
    }
  }

  /// The scores of episodes by those of their documents that a condition lets pass.
  private func episodes(
    where isWanted: (WordMatches.Document) -> Bool
  ) throws(MemoryError) -> [Int64: Candidates.Words] {
    guard let matches = try matches() else { return [:] }
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
    return found
  }

  private func matches() throws(MemoryError) -> Found? {
    guard let terms = request.terms else { return nil }
    if let found { return found }
    let watermark = try snapshot.watermark()
    let (db, request) = (snapshot.db, request)
    let matched = try snapshot.reading {
      let expression = try WordExpression(terms, KeyedTerms(request.scope, db))
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
        unknown: terms.unknown(having: (0..<expression.words).map { contexts.having[$0] + steps.having[$0] }),
        contexts: field(totals.contexts, contexts.having), steps: field(totals.steps, steps.having))
      contexts.score(statistics.contexts, at: places)
      steps.score(statistics.steps, at: places)
      return Found(statistics: statistics, places: places, contexts: contexts, steps: steps)
    }
    found = matched
    return matched
  }

  // MARK: Vectors

  func nearest(to query: SpaceQuery, in window: Range<Timestamp>?) throws(MemoryError) -> [Neighbor] {
    var best: [Int64: Neighbor] = [:]
    func keep(_ neighbor: Neighbor) {
      if let known = best[neighbor.episode], known.similarity >= neighbor.similarity { return }
      best[neighbor.episode] = neighbor
    }
    if var few = try snapshot.admission(request.scope, request.filter).few {
      if let window {
        let times = try attributes(of: few).mapValues(\.createdAt)
        few = few.filter { row in times[row].map(window.contains) ?? false }
      }
      for (episode, similarity) in try similarities(of: few, to: query) {
        keep(Neighbor(vector: 0, episode: episode, similarity: similarity))
      }
    } else {
      let filter = window.map(request.filter.restricted) ?? request.filter
      try snapshot.neighbors(query.vector, in: query.space, request.scope, filter) {
        keep(Neighbor(vector: $0, episode: $1, similarity: $2))
      }
    }
    return Neighbor.nearest(request.depth, of: best.values)
  }

  func spaces(among spaces: [EmbeddingSpace]) throws(MemoryError) -> [EmbeddingSpace] {
    try snapshot.spaces(among: spaces, request)
  }

  func similarities(of rows: [Int64], to query: SpaceQuery) throws(MemoryError) -> [Int64: Double] {
    let own = try attributes(of: rows)
    return try snapshot.similarities(ofEpisodes: rows.filter { own[$0] != nil }, to: query)
  }

  // MARK: Episodes

  func attributes(of rows: [Int64]) throws(MemoryError) -> [Int64: CandidateAttributes] {
    if rows.isEmpty { return [:] }
    let steps = try StepGate(snapshot, request)
    return try snapshot.reading {
      var found: [Int64: CandidateAttributes] = [:]
      let (filter, corpus) = (Conditions(request.filter, request.scope), Conditions(corpusOf: request))
      var episodes = try RawStatement(
        Self.attributes(filter, corpus), filter.arguments + [rows.jsonText] + corpus.arguments, snapshot.db)
      while try episodes.step() {
        let row = episodes.integer(0)
        found[row] = CandidateAttributes(
          status: Episode.Status(stored: episodes.text(1)), trust: Trust(stored: episodes.integer(5)),
          createdAt: Timestamp(milliseconds: episodes.integer(2)),
          successRate: episodes.isNull(3) ? nil : episodes.double(3),
          passes: try episodes.integer(4) != 0 && steps.admits(row))
      }
      return found
    }
  }

  /// Arguments: those of `filter`, the rows as JSON, those of `corpus`.
  static func attributes(_ filter: Conditions, _ corpus: Conditions) -> String {
    """
    SELECT e.seq, e.status, e.created_at, e.success_rate, \(filter.expression), e.least_trust
    FROM json_each(?) r CROSS JOIN episodes e ON e.seq = r.value \(corpus.whereClause)
    """
  }

  func newest(in window: Range<Timestamp>) throws(MemoryError) -> [Int64] {
    let steps = try StepGate(snapshot, request)
    return try snapshot.reading {
      let filter = Conditions(request.filter.restricted(to: window), request.scope)
      var found: [Int64] = []
      var rows = try RawStatement(Self.newest(filter), filter.arguments, snapshot.db)
      while found.count < request.depth, try rows.step() {
        let row = rows.integer(0)
        if try steps.admits(row) { found.append(row) }
      }
      return found
    }
  }

  static func newest(_ filter: Conditions) -> String {
    "SELECT e.seq FROM episodes e \(filter.whereClause) ORDER BY e.created_at DESC, e.seq DESC"
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

/// Whether the steps of an episode pass the filter of a request.
private struct StepGate {
  private let snapshot: SQLiteSnapshot
  private let listed: Set<Int64>?
  /// To ask for each episode.
  private let filter: Step.Filter?

  init(_ snapshot: SQLiteSnapshot, _ request: RecallRequest) throws(MemoryError) {
    self.snapshot = snapshot
    switch try snapshot.admission(request.scope, request.filter) {
    case .all: (listed, filter) = (nil, nil)
    case .listed(let rows): (listed, filter) = (Set(rows), nil)
    case .each: (listed, filter) = (nil, request.filter.step)
    }
  }

  /// False only if it does not pass; costs nothing.
  func mayAdmit(_ episode: Int64) -> Bool { listed?.contains(episode) ?? true }

  func admits(_ episode: Int64) throws(MemoryError) -> Bool {
    guard let filter else { return mayAdmit(episode) }
    return try snapshot.admits(episode, filter)
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
