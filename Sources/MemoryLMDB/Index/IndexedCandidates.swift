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
  /// Why the last call threw, if the index failed.
  private(set) var failure: LMDBError?

  init(
    _ request: RecallRequest, _ index: LMDBSearchIndex, _ source: any IndexSource,
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

  func wordStatistics() throws(MemoryError) -> WordStatistics { try primary.wordStatistics() }

  func wordCandidates() throws(MemoryError) -> [Candidates.Words] { try primary.wordCandidates() }

  func words(of rows: [Int64]) throws(MemoryError) -> [Candidates.Words] { try primary.words(of: rows) }

  // MARK: Vectors

  func nearest(to query: SpaceQuery) throws(MemoryError) -> [Neighbor] {
    // Few episodes are compared one by one.
    if steps.few != nil { return try primary.nearest(to: query) }
    guard let filter else { return [] }
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

  func similarities(of rows: [Int64], to query: SpaceQuery) throws(MemoryError) -> [Int64: Double] {
    try source.similarities(ofEpisodes: rows, to: query)
  }

  // MARK: Episodes

  func sessionPlaces(of rows: [Int64]) throws(MemoryError) -> [Int64: SessionPlace] {
    try primary.sessionPlaces(of: rows)
  }

  func attributes(of rows: [Int64]) throws(MemoryError) -> [Int64: CandidateAttributes] {
    try primary.attributes(of: rows)
  }
}
