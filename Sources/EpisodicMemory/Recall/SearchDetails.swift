/// What a search knows beyond its hits, for an explanation.
struct SearchDetails: Sendable {
  /// An episode, and where it stands.
  struct Explained: Sendable {
    let entry: RankingPool.Entry
    /// As it is ranked, or would be if it was compared and passed the filter; `nil` if nothing matches.
    let ranked: RankingPool.Ranked?
    /// From 1; `nil` if it was not compared, does not pass or matches in nothing.
    let rank: Int?
    let isCompared: Bool
  }

  /// A term that is looked up on its own.
  struct Lookup: Sendable {
    let text: String
    let terms: SearchTerms
    /// Whether it counts; if not, it is of interest whether any text has it.
    let counts: Bool

    init(
      _ text: String, words: [String] = [], phrases: [[String]] = [], prefixes: [String] = [], counts: Bool = true
    ) {
      self.text = SearchTerms.readable(text).word
      terms = SearchTerms(words: words, phrases: phrases, prefixes: prefixes)
      self.counts = counts
    }
  }

  let space: EmbeddingSpace?
  let cues: [TimeCue]
  let terms: [RecallExplanation.Term]
  /// In the order of their ranks.
  let hits: [Explained]
  /// By row.
  let asked: [Int64: Explained]
  let askedRows: [Episode.ID: Int64]
  let lookups: [Lookup]
  /// Of hits and of those asked for.
  let rows: [Int64]
  private(set) var unknown: [String] = []
  /// Terms that each row has, in the order of the query.
  private(set) var matched: [Int64: [String]] = [:]

  /// - Parameters:
  ///   - hits: How many of `order` are hits.
  ///   - asked: Rows of the episodes to explain besides the hits.
  ///   - others: Entries of those that are not in the pool; none for one that is not in the corpus.
  init(
    _ request: RecallRequest, _ ranking: Query.Ranking, _ statistics: WordStatistics, _ space: EmbeddingSpace?,
    _ cues: [TimeCue], _ pool: RankingPool, _ order: [RankingPool.Ranked], hits: Int, asked: [Episode.ID: Int64],
    others: [RankingPool.Entry]
  ) {
    self.space = space
    self.cues = cues
    askedRows = asked
    let explained = order.enumerated().map { index, ranked in
      Explained(entry: pool.entries[ranked.place], ranked: ranked, rank: index + 1, isCompared: true)
    }
    self.hits = Array(explained.prefix(hits))

    let wanted = Set(asked.values)
    var found: [Int64: Explained] = [:]
    for explained in explained where wanted.contains(explained.entry.row) { found[explained.entry.row] = explained }
    for entry in pool.entries where wanted.contains(entry.row) && found[entry.row] == nil {
      found[entry.row] = Explained(
        entry: entry, ranked: entry.passes ? nil : pool.ranked(entry, by: ranking), rank: nil, isCompared: true)
    }
    for entry in others {
      found[entry.row] = Explained(entry: entry, ranked: pool.ranked(entry, by: ranking), rank: nil, isCompared: false)
    }
    self.asked = found
    rows = Array(Set(self.hits.map(\.entry.row)).union(wanted)).sorted()

    let queried = request.terms ?? SearchTerms(words: [], phrases: [], prefixes: [])
    let forms = Set(queried.words.suffix(queried.alternatives))
    // Another form of a word is listed, as the word, if the word itself is in no text.
    var named: Set<String> = []
    let own = statistics.words.indices.filter { !forms.contains(statistics.words[$0]) }
    for place in own { named.insert(SearchTerms.readable(statistics.words[place]).word) }
    let others = statistics.words.indices.filter { place in
      forms.contains(statistics.words[place])
        && named.insert(SearchTerms.readable(statistics.words[place]).word).inserted
    }
    let required = queried.phrases.map { $0.joined(separator: " ") } + queried.prefixes
    func term(_ place: Int, _ text: String) -> RecallExplanation.Term {
      RecallExplanation.Term(
        text: text, contexts: statistics.contexts.having[place], steps: statistics.steps.having[place],
        share: pool.information > 0
          ? statistics.information(ofTerm: place, stepWeight: ranking.searchedStepWeight) / pool.information : 0)
    }
    terms =
      (own + others).sorted().map { term($0, SearchTerms.readable(statistics.words[$0]).word) }
      + required.indices.map { term(statistics.words.count + $0, SearchTerms.readable(required[$0]).word) }

    var lookups = statistics.words.map { Lookup($0, words: [$0]) }
    lookups += queried.phrases.map { Lookup($0.joined(separator: " "), phrases: [$0]) }
    lookups += queried.prefixes.map { Lookup($0, prefixes: [$0]) }
    let counting = Set(statistics.words)
    let rest = queried.words.dropLast(queried.alternatives).filter { word in
      !counting.contains(word) && !named.contains(SearchTerms.readable(word).word)
    }
    if rest.count == statistics.unknown {
      unknown = rest.map { SearchTerms.readable($0).word }
    } else {
      // Some are known, but more frequent than the words that count.
      lookups += rest.map { Lookup($0, words: [$0], counts: false) }
    }
    self.lookups = lookups
  }

  mutating func add(_ lookup: Lookup, having rows: Set<Int64>, isKnown: Bool) {
    guard lookup.counts else {
      if !isKnown { unknown.append(lookup.text) }
      return
    }
    for row in rows where !(matched[row] ?? []).contains(lookup.text) { matched[row, default: []].append(lookup.text) }
  }
}

extension RankingPool {
  /// How an episode would be ranked if it was compared and passed the filter; `nil` if nothing of it matches.
  fileprivate func ranked(_ entry: Entry, by ranking: Query.Ranking) -> Ranked? {
    var pool = self
    pool.entries.removeAll { $0.row == entry.row }
    var entry = entry
    entry.passes = true
    pool.entries.append(entry)
    return pool.ranked(by: ranking).first { pool.entries[$0.place].row == entry.row }
  }
}
