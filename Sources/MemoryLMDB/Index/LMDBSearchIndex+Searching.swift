package import EpisodicMemory
import LMDB
import VectorIndex
import WordIndex

extension LMDBSearchIndex {
  /// Changes that a query applies before it searches; with more to apply, the primary searches.
  private static let maximumQueryChanges = 1024
  /// Tries of a query that meets other writers.
  private static let maximumTries = 4

  package func candidates(
    for request: RecallRequest, near query: SpaceQuery?, in source: any IndexSource, catchesUp: Bool
  ) throws(MemoryError) -> IndexAnswer<IndexCandidates> {
    let words = try WordQuery(request, tokenizedBy: source)
    guard words != nil || query != nil else { return .silent }
    let steps = StepGate(try source.admission(request.scope, request.filter), request.filter.step, source)
    return try answer(in: source, catchesUp: catchesUp) { transaction throws(IndexFailure) in
      let filter: AttributeFilter?
      do throws(LMDBError) {
        filter = try AttributeFilter(request.scope, request.filter, names, in: transaction)
      } catch {
        throw .index(error)
      }
      guard let filter else {
        return IndexCandidates(words: words.map { _ in [] }, neighbors: query.map { _ in [] })
      }
      let neighbors = try query.map { query throws(IndexFailure) in
        try vectors.nearest(
          to: query.vector, space: query.space.model, filter, wanted: request.depth, in: transaction
        ) { row, episode throws(IndexFailure) in
          do throws(MemoryError) {
            guard try steps.admits(episode) else { return nil }
            return try source.similarity(of: row, ofEpisode: episode, to: query.vector)
          } catch {
            throw .primary(error)
          }
        }
        .map { Neighbor(vector: $0.id, episode: $0.group, similarity: $0.similarity) }
      }
      let ranked = try words.map { words throws(IndexFailure) in
        try rank(words, limit: request.depth, also: neighbors ?? [], filter, steps, in: transaction)
      }
      return IndexCandidates(words: ranked, neighbors: neighbors)
    }
  }

  /// Runs `body` in a snapshot of the index that stands at the watermark of `source`.
  ///
  /// - Parameter catchesUp: Whether to wait for the lock and apply missing changes first.
  func answer<Value: Sendable>(
    in source: any IndexSource, catchesUp: Bool, _ body: (borrowing ReadTransaction) throws(IndexFailure) -> Value
  ) throws(MemoryError) -> IndexAnswer<Value> {
    let watermark = try source.watermark()
    for _ in 0..<Self.maximumTries {
      guard isAvailable else { return .silent }
      let answer: IndexAnswer<Value>
      do throws(IndexFailure) {
        answer = try tier.read { transaction throws(IndexFailure) -> IndexAnswer<Value> in
          guard case .following(let place, let built) = try position(in: transaction) else { return .silent }
          // A build reads rows of later commits than its base, so the place alone does not tell that the primary is older.
          if built > watermark.revision || place.revision > watermark.revision { return .ahead }
          return place == watermark ? .found(try body(transaction)) : .behind
        }
      } catch {
        switch error {
        case .primary(let error): throw error
        case .index(let error):
          failed(error)
          return .silent
        }
      }
      guard case .behind = answer, catchesUp else { return answer }
      guard case .arrived = try advance(in: source, at: watermark, atMost: Self.maximumQueryChanges) else {
        return .silent
      }
    }
    return .silent
  }

  /// The best `limit` episodes by their words, and those of `neighbors` that match; all that match of few.
  private func rank(
    _ query: WordQuery, limit: Int, also neighbors: [Neighbor], _ filter: AttributeFilter, _ steps: StepGate,
    in transaction: borrowing ReadTransaction
  ) throws(IndexFailure) -> [Candidates.Words] {
    var failure: IndexFailure?
    var found: [GroupScore]
    do throws(LMDBError) {
      if let few = steps.few {
        found = try words.scores(of: few.map(EpisodeGroup.of(row:)), query, in: transaction)
      } else {
        var reader = EpisodeTable.Reader(episodes)
        found = try words.search(
          query, limit: limit,
          admits: { group in
            let row = EpisodeGroup.row(of: group)
            do throws(LMDBError) {
              guard let record = try reader.record(of: row, in: transaction), filter.admits(record.attributes) else {
                return false
              }
            } catch {
              failure = .index(error)
              return false
            }
            do throws(MemoryError) {
              return try steps.admits(row)
            } catch {
              failure = .primary(error)
              return false
            }
          }, in: transaction)
        if failure == nil {
          var others = Set(neighbors.map { EpisodeGroup.of(row: $0.episode) })
          for score in found { others.remove(score.group) }
          if !others.isEmpty { found += try words.scores(of: Array(others), query, in: transaction) }
        }
      }
    } catch {
      throw .index(error)
    }
    if let failure { throw failure }
    return found.map { score in
      Candidates.Words(
        row: EpisodeGroup.row(of: score.group), context: score.parent,
        steps: score.children.map { (Int64(bitPattern: $0.member), $0.score) })
    }
  }
}

/// Which episodes pass the step filter of a request; the index does not know it and asks the primary.
private struct StepGate {
  private let source: any IndexSource
  private let listed: Set<Int64>?
  /// To ask for each episode.
  private let filter: Step.Filter?
  /// The rows that pass, with scope and filter, if they are few.
  let few: [Int64]?

  init(_ admission: StepAdmission, _ filter: Step.Filter?, _ source: any IndexSource) {
    self.source = source
    few = admission.few
    switch admission {
    case .all: (listed, self.filter) = (nil, nil)
    case .listed(let rows): (listed, self.filter) = (Set(rows), nil)
    case .each: (listed, self.filter) = (nil, filter)
    }
  }

  func admits(_ episode: Int64) throws(MemoryError) -> Bool {
    if let listed { return listed.contains(episode) }
    guard let filter else { return true }
    return try source.admits(episode, filter)
  }
}

extension WordQuery {
  /// The tokens of a request's terms; `nil` if it has none, or FTS5 would do more with them than the index can.
  fileprivate init?(_ request: RecallRequest, tokenizedBy source: any IndexSource) throws(MemoryError) {
    guard let terms = request.terms else { return nil }
    func tokens(of text: String) throws(MemoryError) -> [[UInt8]] {
      var tokens: [[UInt8]] = []
      let bytes = Array(text.utf8)
      try bytes.span.bytes.withUnsafeBytes { bytes throws(MemoryError) in
        try source.words(of: bytes) { word, _ in tokens.append(Array(word)) }
      }
      return tokens
    }
    self.init()
    childWeight = request.stepWeight
    childrenPerGroup = request.stepsPerEpisode
    for word in terms.words {
      for form in SearchTerms.spellings(of: word) {
        let tokens = try tokens(of: form)
        // FTS5 looks for the tokens of one word side by side, as an alternative.
        guard tokens.count < 2 else { return nil }
        words += tokens
      }
    }
    for phrase in terms.phrases {
      let forms = SearchTerms.spellings(of: phrase.joined(separator: " "))
      guard forms.count == 1, let form = forms.first else { return nil }
      let tokens = try tokens(of: form)
      guard !tokens.isEmpty else { return nil }
      phrases.append(tokens)
    }
    for prefix in terms.prefixes {
      let forms = SearchTerms.spellings(of: prefix)
      guard forms.count == 1, let form = forms.first else { return nil }
      let tokens = try tokens(of: form)
      guard tokens.count == 1, tokens[0].count <= InvertedIndex.longestPrefix else { return nil }
      prefixes += tokens
    }
  }
}
