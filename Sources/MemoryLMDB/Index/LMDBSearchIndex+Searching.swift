package import EpisodicMemory
import LMDB
import VectorIndex
import WordIndex

extension LMDBSearchIndex {
  /// Changes that a query applies before it searches; with more to apply, the primary searches.
  private static let maximumQueryChanges = 1024
  /// Tries of a query that meets other writers.
  private static let maximumTries = 4

  package func search<Value: Sendable>(
    _ request: RecallRequest, in source: any IndexSource, catchesUp: Bool,
    _ body: (any CandidateSource) throws(MemoryError) -> Value
  ) throws(MemoryError) -> IndexAnswer<Value> {
    let query = try WordQuery(request, tokenizedBy: source)
    // Words that only the primary can rank take long.
    guard catchesUp || request.terms == nil || query != nil else { return .behind }
    return try answer(in: source, catchesUp: catchesUp) { transaction throws(IndexFailure) in
      try withUnsafePointer(to: transaction) { transaction throws(IndexFailure) in
        let candidates = try IndexedCandidates(request, query, self, source, transaction)
        do throws(MemoryError) {
          return try body(candidates)
        } catch {
          // The failure of the index ends the search, not the request: the primary answers.
          throw candidates.failure.map(IndexFailure.index) ?? .primary(error)
        }
      }
    }
  }

  /// Runs `body` in a snapshot of the index that stands at the watermark of `source`.
  ///
  /// - Parameter catchesUp: Whether to wait for the lock and apply missing changes first.
  func answer<Value: Sendable>(
    in source: any IndexSource, catchesUp: Bool, _ body: (borrowing ReadTransaction) throws(IndexFailure) -> Value
  ) throws(MemoryError) -> IndexAnswer<Value> {
    let answer = try tryToAnswer(in: source, catchesUp: catchesUp, body)
    if case .silent = answer { metrics.wasSilent() }
    return answer
  }

  private func tryToAnswer<Value: Sendable>(
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
          guard place == watermark else { return .behind }
          return .found(try metrics.timing { () throws(IndexFailure) in try body(transaction) })
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
}

/// Which episodes pass the step filter of a request; the index does not know it and asks the primary.
struct StepGate {
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
  init?(_ request: RecallRequest, tokenizedBy source: any IndexSource) throws(MemoryError) {
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
      let tokens = try tokens(of: word)
      // FTS5 looks for several tokens of one word side by side.
      guard tokens.count < 2 else { return nil }
      words.append(tokens.first ?? [])
    }
    for phrase in terms.phrases {
      let tokens = try tokens(of: phrase.joined(separator: " "))
      guard !tokens.isEmpty else { return nil }
      phrases.append(tokens)
    }
    for prefix in terms.prefixes {
      let tokens = try tokens(of: prefix)
      guard tokens.count == 1, tokens[0].count <= InvertedIndex.longestPrefix else { return nil }
      prefixes += tokens
    }
  }
}
