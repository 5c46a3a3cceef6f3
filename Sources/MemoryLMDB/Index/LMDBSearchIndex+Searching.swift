public import EpisodicMemory
import LMDB
public import Vectors
import WordIndex

extension LMDBSearchIndex {
  /// Changes that a query takes in before it answers; those further behind leave it to the primary.
  private static let queryPatience = 1024
  /// How often a query that meets other writers tries again.
  private static let maximumTries = 4

  public func words(
    _ request: RecallRequest, also episodes: [Int64], in snapshot: any PrimarySnapshot, catchesUp: Bool
  ) throws(MemoryError) -> IndexAnswer<[Candidates.Words]> {
    guard let terms = request.terms, let query = try wordQuery(terms, request, in: snapshot) else { return .silent }
    return try answer(in: snapshot, catchesUp: catchesUp) { transaction throws(IndexFailure) in
      try lmdb { () throws(LMDBError) in
        guard let filter = try AttributeFilter(request.scope, request.filter, names, in: transaction) else { return [] }
        return try rank(query, request, also: episodes, filter, in: transaction)
      }
    }
  }

  public func neighbors(
    _ query: VectorQuery, in space: EmbeddingSpace, _ request: RecallRequest, in snapshot: any PrimarySnapshot,
    catchesUp: Bool
  ) throws(MemoryError) -> IndexAnswer<[Neighbor]> {
    try answer(in: snapshot, catchesUp: catchesUp) { transaction throws(IndexFailure) in
      let found = try lmdb { () throws(LMDBError) -> (SpaceRecord, AttributeFilter)? in
        guard let filter = try AttributeFilter(request.scope, request.filter, names, in: transaction),
          let space = try vectors.space(space, in: transaction)
        else { return nil }
        return (space, filter)
      }
      guard let (space, filter) = found else { return [] }
      return try nearest(query, space, filter, wanted: request.depth, in: transaction, snapshot)
    }
  }

  // MARK: One snapshot of both tiers

  /// Runs `body` in a snapshot of the index that stands where the primary's does.
  ///
  /// - Parameter catchesUp: Whether it may wait for the lock and take in what is missing first.
  func answer<Value: Sendable>(
    in snapshot: any PrimarySnapshot, catchesUp: Bool, _ body: (borrowing ReadTransaction) throws(IndexFailure) -> Value
  ) throws(MemoryError) -> IndexAnswer<Value> {
    let watermark = try snapshot.watermark()
    for _ in 0..<Self.maximumTries {
      guard isAvailable else { return .silent }
      let attempt: Attempt<Value>
      do throws(LMDBError) {
        attempt = try tier.read { transaction throws(LMDBError) in
          try self.attempt(at: watermark, in: transaction, body)
        }
      } catch {
        failed(error)
        return .silent
      }
      switch attempt {
      case .found(let value): return .found(value)
      case .refused(let error): throw error
      case .ahead: return .ahead
      case .unbuilt: return .silent
      case .behind:
        guard catchesUp else { return .behind }
        guard case .arrived = try advance(in: snapshot, atMost: Self.queryPatience) else { return .silent }
      }
    }
    return .silent
  }

  private enum Attempt<Value> {
    case found(Value)
    case refused(MemoryError)
    case behind, ahead, unbuilt
  }

  private func attempt<Value>(
    at watermark: Watermark, in transaction: borrowing ReadTransaction,
    _ body: (borrowing ReadTransaction) throws(IndexFailure) -> Value
  ) throws(LMDBError) -> Attempt<Value> {
    guard case .following(let place, let built) = try tier.meta.indexPosition(epoch: tier.epoch, in: transaction) else {
      return .unbuilt
    }
    // A build reads rows as they are by then; where the primary went back since, its place alone says nothing.
    guard built <= watermark.revision else { return .ahead }
    guard place == watermark else { return place.revision > watermark.revision ? .ahead : .behind }
    do throws(IndexFailure) {
      return .found(try body(transaction))
    } catch {
      switch error {
      case .index(let error): throw error
      case .primary(let error): return .refused(error)
      }
    }
  }

  // MARK: Words

  /// The request's terms as the index has them; `nil` where FTS5 would do more with them than the index can.
  private func wordQuery(
    _ terms: SearchTerms, _ request: RecallRequest, in snapshot: any PrimarySnapshot
  ) throws(MemoryError) -> WordQuery? {
    var query = WordQuery()
    query.childWeight = request.stepWeight
    query.childrenPerGroup = request.stepsPerEpisode
    for word in terms.words {
      for form in SearchTerms.spellings(of: word) {
        let tokens = try tokens(of: form, in: snapshot)
        // Where FTS5 cuts a word in pieces it looks for them side by side, as an alternative.
        guard tokens.count < 2 else { return nil }
        query.words += tokens
      }
    }
    for phrase in terms.phrases {
      let forms = SearchTerms.spellings(of: phrase.joined(separator: " "))
      guard forms.count == 1, let form = forms.first else { return nil }
      let tokens = try tokens(of: form, in: snapshot)
      guard !tokens.isEmpty else { return nil }
      query.phrases.append(tokens)
    }
    for prefix in terms.prefixes {
      let forms = SearchTerms.spellings(of: prefix)
      guard forms.count == 1, let form = forms.first else { return nil }
      let tokens = try tokens(of: form, in: snapshot)
      guard tokens.count == 1, tokens[0].count <= InvertedIndex.longestPrefix else { return nil }
      query.prefixes += tokens
    }
    return query
  }

  private func tokens(of text: String, in snapshot: any PrimarySnapshot) throws(MemoryError) -> [[UInt8]] {
    var tokens: [[UInt8]] = []
    let bytes = Array(text.utf8)
    try bytes.span.bytes.withUnsafeBytes { bytes throws(MemoryError) in
      try snapshot.words(of: bytes) { word, _ in tokens.append(Array(word)) }
    }
    return tokens
  }

  private func rank(
    _ query: WordQuery, _ request: RecallRequest, also rows: [Int64], _ filter: AttributeFilter,
    in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> [Candidates.Words] {
    var reader = EpisodeTable.Reader(episodes)
    var failure: LMDBError?
    let found = try words.search(
      query, limit: request.depth,
      admits: { group in
        do throws(LMDBError) {
          guard let record = try reader.record(of: EpisodeGroup.row(of: group), in: transaction) else { return false }
          return filter.admits(record.attributes)
        } catch {
          failure = error
          return false
        }
      }, in: transaction)
    if let failure { throw failure }
    let known = Set(found.map(\.group))
    let others = rows.map(EpisodeGroup.of(row:)).filter { !known.contains($0) }
    let more = others.isEmpty ? [] : try words.scores(of: others, query, in: transaction)
    return (found + more).map { score in
      Candidates.Words(
        row: EpisodeGroup.row(of: score.group), context: score.parent,
        steps: score.children.map { (Int64(bitPattern: $0.member), $0.score) })
    }
  }

  // MARK: Vectors

  private func nearest(
    _ query: VectorQuery, _ space: SpaceRecord, _ filter: AttributeFilter, wanted: Int,
    in transaction: borrowing ReadTransaction, _ snapshot: any PrimarySnapshot
  ) throws(IndexFailure) -> [Neighbor] {
    let views = try lmdb { () throws(LMDBError) in try slabs(of: space, filter, in: transaction) }
    let search = VectorSearch(
      query: CodeQuery(query.vector, instructionSet: query.instructionSet), metric: query.metric,
      queryNorm: query.norm, filter: filter, epoch: tier.epoch)
    var effort = wanted
    while true {
      let candidates = scratch.withScratch { scratch in
        search.candidates(views, lengthsDiffer: space.lengthsDiffer, wanted: effort, scratch)
      }
      // Many vectors of few episodes may have crowded the others out.
      if let neighbors = try compare(candidates, with: query, wanted: wanted, in: snapshot) { return neighbors }
      guard !candidates.areAll else {
        return try compare(candidates, with: query, wanted: nil, in: snapshot) ?? []
      }
      effort = effort.multipliedReportingOverflow(by: 4).partialValue
    }
  }

  /// Those that may hold something that passes, and the tail.
  private func slabs(
    of space: SpaceRecord, _ filter: AttributeFilter, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> [SlabView] {
    let layout = SlabLayout(dimensions: space.dimensions)
    var slabs: [SlabView] = []
    for slab in space.slabs
    where slab.alive > 0 && (filter.domain ?? slab.domain) == slab.domain && slab.created.overlaps(filter.created) {
      slabs.append(try vectors.view(of: slab, layout, in: transaction))
    }
    if let tail = try vectors.tail(of: space, in: transaction) { slabs.append(tail) }
    return slabs
  }

  /// Compares candidates exactly, best estimate first, until no other can be among the best of `wanted` episodes.
  ///
  /// - Parameter wanted: `nil` for all of them.
  /// - Returns: Best first; `nil` where they are of fewer episodes.
  private func compare(
    _ candidates: VectorCandidates, with query: VectorQuery, wanted: Int?, in snapshot: any PrimarySnapshot
  ) throws(IndexFailure) -> [Neighbor]? {
    var neighbors: [Neighbor] = []
    var best: [Int64: Double] = [:]
    var leading = LeadingScores(capacity: wanted ?? 0)
    var candidates = candidates
    while let candidate = try lmdb({ () throws(LMDBError) in try candidates.next() }) {
      if wanted != nil, let worst = leading.worst, candidate.estimate + candidate.margin < worst { break }
      let similarity = try primary { () throws(MemoryError) in
        try snapshot.similarity(of: candidate.vector, ofEpisode: candidate.episode, to: query)
      }
      guard let similarity else { continue }
      neighbors.append(Neighbor(vector: candidate.vector, episode: candidate.episode, similarity: similarity))
      let before = best[candidate.episode]
      if let before, before >= similarity { continue }
      best[candidate.episode] = similarity
      leading.replace(before, with: similarity)
    }
    if let wanted, best.count < wanted { return nil }
    return neighbors.sorted { ($1.similarity, $0.vector) < ($0.similarity, $1.vector) }
  }
}

/// The best scores of different episodes, of which each may improve.
struct LeadingScores {
  private let capacity: Int
  /// Ascending.
  private var scores: [Double] = []

  init(capacity: Int) { self.capacity = capacity }

  /// The worst of the best, once there are `capacity`.
  var worst: Double? { scores.count == capacity ? scores.first : nil }

  mutating func replace(_ before: Double?, with score: Double) {
    if let before, let place = scores.firstIndex(of: before) { scores.remove(at: place) }
    guard scores.count < capacity || score > scores.first ?? .infinity else { return }
    scores.insert(score, at: scores.firstIndex { $0 > score } ?? scores.count)
    if scores.count > capacity { scores.removeFirst() }
  }
}
