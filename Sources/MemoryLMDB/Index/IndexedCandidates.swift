import EpisodicMemory
import Heaps
import LMDB
import VectorIndex
import WordIndex

/// The candidates of one request, found in one snapshot of the index and, for exact similarities, of the primary.
///
/// A class because it keeps what it found for the next call. Lent inside one transaction, on one thread.
final class IndexedCandidates: CandidateSource {
  private let request: RecallRequest
  private let index: LMDBSearchIndex
  private let source: any IndexSource
  private let primary: any CandidateSource
  // A pointer because a transaction cannot be stored; this object does not outlive the call that lends it.
  private let transaction: UnsafePointer<ReadTransaction>
  private let steps: StepGate
  /// `nil` if nothing can pass.
  private let filter: AttributeFilter?
  /// `nil` if the request has no words, or words that only the primary can rank.
  private let query: WordQuery?
  private var prepared: PreparedQuery?
  /// The number of the request's domain, `UInt32.max` for one that the index does not have; `nil` for all.
  private let domain: UInt32?
  /// Records that were read: most rows are asked for several times.
  private var records: [Int64: EpisodeTable.Record] = [:]
  /// Numbers of sessions in answers, by domain and series.
  private var sessions: [UInt64: UInt32] = [:]
  /// Why the last call threw, if the index failed.
  private(set) var failure: LMDBError?

  init(
    _ request: RecallRequest, _ query: WordQuery?, _ index: LMDBSearchIndex, _ source: any IndexSource,
    _ transaction: UnsafePointer<ReadTransaction>
  ) throws(IndexFailure) {
    self.request = request
    self.index = index
    self.source = source
    self.transaction = transaction
    primary = source.candidates(for: request)
    do throws(MemoryError) {
      steps = StepGate(try source.admission(request.scope, request.filter), request.filter.step, source)
    } catch {
      throw .primary(error)
    }
    do throws(LMDBError) {
      filter = try AttributeFilter(request.scope, request.filter, index.names, in: transaction.pointee)
      var query = query
      switch request.scope {
      case .everything: domain = nil
      case .domain(let name):
        domain = try index.names.number(of: name.canonicallyComposed, .domain, in: transaction.pointee) ?? .max
      }
      query?.corpus = [WordCorpus](of: domain, includingActive: request.corpusIncludesActive)
      self.query = query
    } catch {
      throw .index(error)
    }
  }

  /// Maps a failure of the index to an error that ends the search.
  private func reading<Value>(_ body: () throws(IndexFailure) -> Value) throws(MemoryError) -> Value {
    do throws(IndexFailure) {
      return try body()
    } catch {
      switch error {
      case .primary(let error): throw error
      case .index(let error):
        failure = error
        throw MemoryError(.unavailable, "the search index failed: \(error)")
      }
    }
  }

  // MARK: Words

  func wordStatistics() throws(MemoryError) -> WordStatistics {
    guard let prepared = try prepare(), let terms = request.terms else { return try primary.wordStatistics() }
    func field(_ field: PreparedQuery.Field) -> WordStatistics.Field {
      WordStatistics.Field(documents: field.documents, tokens: field.tokens, having: field.having)
    }
    return WordStatistics(
      words: prepared.counting.map { terms.words[$0] }, unknown: terms.unknown(having: prepared.asked),
      contexts: field(prepared.parents), steps: field(prepared.children))
  }

  func wordCandidates(in window: Range<Timestamp>?) throws(MemoryError) -> [Candidates.Words] {
    guard let prepared = try prepare() else { return try primary.wordCandidates(in: window) }
    guard let filter = try attributes(in: window) else { return [] }
    if let few = steps.few {
      let times = try window.map { _ throws(MemoryError) in try attributes(of: few) }
      return try best(
        of: words(of: few).filter { words in
          guard let window, let times else { return true }
          return times[words.row].map { window.contains($0.createdAt) } ?? false
        })
    }
    return try reading { () throws(IndexFailure) in
      var failure: IndexFailure?
      var reader = EpisodeTable.Reader(index.episodes)
      let found: [GroupScore]
      do throws(LMDBError) {
        found = try index.words.search(
          prepared, limit: request.depth,
          admits: { group in
            do throws(IndexFailure) {
              return try admits(EpisodeGroup.row(of: group), filter, &reader)
            } catch {
              failure = error
              return false
            }
          }, in: transaction.pointee)
      } catch {
        throw .index(error)
      }
      if let failure { throw failure }
      return found.map(Candidates.Words.init)
    }
  }

  func words(of rows: [Int64]) throws(MemoryError) -> [Candidates.Words] {
    guard let prepared = try prepare() else { return try primary.words(of: rows) }
    return try reading { () throws(IndexFailure) in
      do throws(LMDBError) {
        var groups: [UInt64] = []
        try load(rows)
        for row in rows {
          if let record = records[row], isInCorpus(record.attributes) { groups.append(try record.group(of: row)) }
        }
        let scores = try index.words.scores(of: groups, prepared, in: transaction.pointee)
        var totals: [UInt64: ChildTotals] = [:]
        if request.countsStepsTogether {
          let matching = scores.map(\.group)
          for total in try index.words.childTotals(of: matching, prepared, in: transaction.pointee) {
            totals[total.group] = total
          }
        }
        return scores.map { score in
          var words = Candidates.Words(score)
          if let total = totals[score.group] {
            (words.stepOccurrences, words.stepTokens) = (total.occurrences, total.tokens)
          }
          return words
        }
      } catch {
        throw .index(error)
      }
    }
  }

  private func admits(
    _ row: Int64, _ filter: AttributeFilter, _ reader: inout EpisodeTable.Reader
  ) throws(IndexFailure) -> Bool {
    do throws(LMDBError) {
      guard let record = try reader.record(of: row, in: transaction.pointee), filter.admits(record.attributes) else {
        return false
      }
    } catch {
      throw .index(error)
    }
    do throws(MemoryError) {
      return try steps.admits(row)
    } catch {
      throw .primary(error)
    }
  }

  /// The best `request.depth` of some, best first.
  private func best(of found: [Candidates.Words]) -> [Candidates.Words] {
    let scored = found.map { (words: $0, score: $0.score(stepWeight: request.stepWeight)) }
    return scored.sorted { ($1.score, $1.words.row) < ($0.score, $0.words.row) }.prefix(request.depth).map(\.words)
  }

  private func prepare() throws(MemoryError) -> PreparedQuery? {
    guard let query else { return nil }
    if let prepared { return prepared }
    let found = try reading { () throws(IndexFailure) in
      do throws(LMDBError) {
        return try index.words.prepare(query, in: transaction.pointee, choose: WordStatistics.counting)
      } catch {
        throw .index(error)
      }
    }
    prepared = found
    return found
  }

  // MARK: Vectors

  func nearest(to query: SpaceQuery, in window: Range<Timestamp>?) throws(MemoryError) -> [Neighbor] {
    // Few episodes are compared one by one.
    if steps.few != nil { return try primary.nearest(to: query, in: window) }
    guard let filter = try attributes(in: window) else { return [] }
    return try reading { () throws(IndexFailure) in
      let matches = try index.vectors.nearest(
        to: query.vector, space: query.space.model, filter, wanted: request.depth, in: transaction.pointee
      ) { row, episode throws(IndexFailure) in
        do throws(MemoryError) {
          guard try steps.admits(episode) else { return nil }
          return try source.similarity(of: row, ofEpisode: episode, to: query.vector)
        } catch {
          throw .primary(error)
        }
      }
      var best: [Int64: Neighbor] = [:]
      for match in matches where best[match.group].map({ $0.similarity < match.similarity }) ?? true {
        best[match.group] = Neighbor(vector: match.id, episode: match.group, similarity: match.similarity)
      }
      return Neighbor.nearest(request.depth, of: best.values)
    }
  }

  func spaces(among spaces: [EmbeddingSpace]) throws(MemoryError) -> [EmbeddingSpace] {
    var statuses = Set(Episode.Status.allCases)
    if !request.corpusIncludesActive { statuses.remove(.active) }
    return try reading { () throws(IndexFailure) in
      do throws(LMDBError) {
        let found = try index.vectors.spaces(
          ofPartition: domain, states: StateCode.bits(statuses), in: transaction.pointee)
        return spaces.filter { space in
          found.contains { $0.name == space.model && $0.dimensions == space.dimensions }
        }
      } catch {
        throw .index(error)
      }
    }
  }

  func similarities(of rows: [Int64], to query: SpaceQuery) throws(MemoryError) -> [Int64: Double] {
    let ids = try reading { () throws(IndexFailure) in
      do throws(LMDBError) {
        try load(rows)
        let own = rows.filter { row in records[row].map { isInCorpus($0.attributes) } ?? false }
        return try index.vectors.ids(
          ofGroups: own, space: query.space.model, dimensions: query.space.dimensions, in: transaction.pointee)
      } catch {
        throw .index(error)
      }
    }
    // In the order of the vectors, which lie side by side in the primary.
    var found: [Int64: Double] = [:]
    for (episode, ids) in ids.sorted(by: { $0.value[0] < $1.value[0] }) {
      for id in ids {
        guard let similarity = try source.similarity(of: id, ofEpisode: episode, to: query.vector) else { continue }
        found[episode] = max(found[episode] ?? -.infinity, similarity)
      }
    }
    return found
  }

  /// `nil` if nothing can pass.
  private func attributes(in window: Range<Timestamp>?) throws(MemoryError) -> AttributeFilter? {
    guard let window else { return filter }
    return try reading { () throws(IndexFailure) in
      do throws(LMDBError) {
        return try AttributeFilter(
          request.scope, request.filter.restricted(to: window), index.names, in: transaction.pointee)
      } catch {
        throw .index(error)
      }
    }
  }

  // MARK: Episodes

  func newest(in window: Range<Timestamp>) throws(MemoryError) -> [Int64] { try primary.newest(in: window) }

  func sessionPlaces(of rows: [Int64]) throws(MemoryError) -> [Int64: SessionPlace] {
    try reading { () throws(IndexFailure) in
      do throws(LMDBError) {
        try load(rows)
        var episodes: [(row: Int64, attributes: RowAttributes)] = []
        for row in rows {
          if let attributes = records[row]?.attributes, isInCorpus(attributes) { episodes.append((row, attributes)) }
        }
        let found = try index.sessions.neighbors(
          of: episodes, includingActive: request.corpusIncludesActive, in: transaction.pointee)
        var places: [Int64: SessionPlace] = [:]
        for (row, attributes) in episodes {
          guard let around = found[row] else { continue }
          let key = UInt64(attributes.partition) << 32 | UInt64(attributes.series)
          let number = sessions[key] ?? UInt32(truncatingIfNeeded: sessions.count + 1)
          sessions[key] = number
          places[row] = SessionPlace(session: number, previous: around.previous, next: around.next)
        }
        return places
      } catch {
        throw .index(error)
      }
    }
  }

  /// Reads the records of some episodes that are not known yet, in the order of rows.
  private func load(_ rows: [Int64]) throws(LMDBError) {
    var reader = EpisodeTable.Reader(index.episodes)
    for row in rows.sorted() where records[row] == nil {
      records[row] = try reader.record(of: row, in: transaction.pointee)
    }
  }

  private func isInCorpus(_ attributes: RowAttributes) -> Bool {
    (domain ?? attributes.partition) == attributes.partition
      && (request.corpusIncludesActive || !StateCode.isActive(attributes.state))
  }

  func attributes(of rows: [Int64]) throws(MemoryError) -> [Int64: CandidateAttributes] {
    try reading { () throws(IndexFailure) in
      var found: [Int64: CandidateAttributes] = [:]
      do throws(LMDBError) {
        try load(rows)
        for row in rows {
          guard let record = records[row], isInCorpus(record.attributes) else { continue }
          found[row] = CandidateAttributes(
            status: StateCode.status(record.attributes.state), trust: StateCode.trust(record.attributes.state),
            createdAt: Timestamp(milliseconds: record.attributes.time), successRate: record.successRate,
            passes: filter?.admits(record.attributes) ?? false)
        }
      } catch {
        throw .index(error)
      }
      do throws(MemoryError) {
        for (row, attributes) in found where attributes.passes {
          found[row]?.passes = try steps.admits(row)
        }
      } catch {
        throw .primary(error)
      }
      return found
    }
  }
}

extension Candidates.Words {
  fileprivate init(_ score: GroupScore) {
    self.init(
      row: EpisodeGroup.row(of: score.group), context: score.parent,
      steps: score.children.map { (Int64(bitPattern: $0.member), $0.score) })
  }
}
