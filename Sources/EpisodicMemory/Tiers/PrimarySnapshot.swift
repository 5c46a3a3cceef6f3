package import Vectors

/// One moment of the primary, lent for as long as a closure runs.
///
/// Everything is read as of `watermark`. Bytes are lent to the closure that receives them and must be copied to outlive it.
package protocol PrimarySnapshot: IndexSource {
  /// Whether the scope is a domain that is encrypted: indexes have neither its words nor its vectors.
  func isEncrypted(_ scope: Query.Scope) throws(MemoryError) -> Bool
  /// Whether it has read something of an encrypted domain.
  var hasOpenedSealedRows: Bool { get }
  /// The embedding spaces of the store, by model and length.
  func spaces() throws(MemoryError) -> [EmbeddingSpace]
  /// The similarity of every vector of the space that passes scope and filter. Visits each of them.
  func neighbors(
    _ query: VectorQuery, in space: EmbeddingSpace, _ scope: Query.Scope, _ filter: Episode.Filter,
    _ body: (_ vector: Int64, _ episode: Int64, _ similarity: Double) -> Void
  ) throws(MemoryError)
  /// Those of some episodes that exist within scope and filter, steps included.
  func passing(
    _ ids: [Episode.ID], _ scope: Query.Scope, _ filter: Episode.Filter
  ) throws(MemoryError) -> Set<Episode.ID>
  /// The rows of those of some episodes that exist within scope.
  func rows(of ids: [Episode.ID], in scope: Query.Scope) throws(MemoryError) -> [Episode.ID: Int64]
  /// Whether the store has an episode that is trusted so far, and less than trusted. Looks into an index.
  func hasEpisodes(trusted: ClosedRange<Trust>) throws(MemoryError) -> Bool
  /// Whether an episode of the store names its source. Looks into an index.
  func hasNamedSources() throws(MemoryError) -> Bool
  /// Where an episode came from; `nil` if it names no source.
  func origin(of row: Int64) throws(MemoryError) -> EpisodeOrigin?
  /// The ranked episodes by id, without loading them.
  func searchHits(_ ranked: [RankedEpisode]) throws(MemoryError) -> [SearchHit]
  /// Loads the ranked episodes, with excerpts if the request says so.
  func hits(_ ranked: [RankedEpisode], _ request: RecallRequest) throws(MemoryError) -> [Hit]
}

/// What tells whether an episode is one of many of its source.
package struct EpisodeOrigin: Sendable {
  /// Equal for the episodes of one source and domain.
  package let source: String
  package let context: String

  package init(source: String, context: String) {
    self.source = source
    self.context = context
  }
}

/// What a search index reads of the primary: its position, its changes, rows to index, words, and exact similarities.
package protocol IndexSource {
  /// The last change in the snapshot.
  func watermark() throws(MemoryError) -> Watermark
  /// As `PrimaryStore.changes(after:limit:)`.
  func changes(after watermark: Watermark?, limit: Int) throws(MemoryError) -> ChangeBatch

  /// Lends episodes in the order of their rows, until `body` returns false.
  func episodes<Failure: PrimaryFailure>(
    _ rows: RowSelection, _ body: (IndexedEpisode) throws(Failure) -> Bool
  ) throws(Failure)
  /// Lends steps in the order of their rows, until `body` returns false.
  func steps<Failure: PrimaryFailure>(
    _ rows: RowSelection, _ body: (IndexedStep) throws(Failure) -> Bool
  ) throws(Failure)
  /// Lends vectors in the order of their rows, until `body` returns false.
  func vectors<Failure: PrimaryFailure>(
    _ rows: RowSelection, _ body: (IndexedVector) throws(Failure) -> Bool
  ) throws(Failure)
  /// The last row of a table, 0 if it is empty: an upper bound of its count, near it if few rows were deleted.
  func lastRow(of table: IndexedTable) throws(MemoryError) -> Int64

  /// The candidates of a request, found without an index: visits each matching row and each vector within scope and filter.
  func candidates(for request: RecallRequest) -> any CandidateSource
  /// How the episodes whose steps pass a filter are told apart. Found once per snapshot.
  func admission(_ scope: Query.Scope, _ filter: Episode.Filter) throws(MemoryError) -> StepAdmission
  /// Whether an episode has a step that passes. Found once per episode and snapshot.
  func admits(_ episode: Int64, _ filter: Step.Filter) throws(MemoryError) -> Bool

  /// Tokenizes a text as the full-text index does.
  ///
  /// - Parameter body: Receives each token, folded and stemmed, and its position, counted from 0.
  func words(
    of text: UnsafeRawBufferPointer, _ body: (_ word: UnsafeRawBufferPointer, _ position: UInt32) -> Void
  ) throws(MemoryError)
  /// The similarity of the best vector of some episodes in the space, by the episodes' rows; none for one without.
  func similarities(ofEpisodes rows: [Int64], to query: SpaceQuery) throws(MemoryError) -> [Int64: Double]
  /// The similarity of one stored vector; `nil` if the row has none.
  ///
  /// - Parameter episode: The row of its episode. Its id lies beside the vector and is kept for `searchHits`.
  func similarity(
    of vector: Int64, ofEpisode episode: Int64, to query: VectorQuery
  ) throws(MemoryError) -> Double?
}

/// Which episodes pass the step filter of a request.
package enum StepAdmission: Sendable {
  /// There is no such filter.
  case all
  /// The rows that pass, ascending; of those that also pass scope and filter.
  case listed([Int64])
  /// Too many to list: each is asked by `IndexSource.admits`.
  case each

  /// Rows that are ranked one by one instead of being searched for.
  static let fewRows = 1000

  /// The rows if they are few.
  package var few: [Int64]? {
    if case .listed(let rows) = self, rows.count <= Self.fewRows { rows } else { nil }
  }
}

/// An error that a failure of the primary converts to: what a closure that is lent rows may throw.
package protocol PrimaryFailure: Error {
  init(_ error: MemoryError)
}

extension MemoryError: PrimaryFailure {
  package init(_ error: MemoryError) { self = error }
}

/// A table that indexes are built from, in the order in which they are.
package enum IndexedTable: UInt8, CaseIterable, Sendable {
  case episodes, steps, vectors
}

/// Which rows of a table to read.
package enum RowSelection: Sendable {
  /// The rows of the list that exist.
  case listed([Int64])
  /// The first `limit` rows after a row.
  case after(Int64, limit: Int)
  /// The rows that belong to these episodes, by the episodes' rows.
  case ofEpisodes([Int64])
}

/// An episode as indexes read it.
package struct IndexedEpisode {
  package let row: Int64
  package let attributes: EpisodeAttributes
  package let successRate: Double?
  /// UTF-8 of the context and of the words added to it, unless it is not analysed; lent. No phrase spans both.
  package let texts: [UnsafeRawBufferPointer]
  /// UTF-8 of the words of its labels, which do not count in the length of its document; lent.
  package let labels: UnsafeRawBufferPointer?

  package init(
    row: Int64, attributes: EpisodeAttributes, successRate: Double?, texts: [UnsafeRawBufferPointer],
    labels: UnsafeRawBufferPointer?
  ) {
    self.row = row
    self.attributes = attributes
    self.successRate = successRate
    self.texts = texts
    self.labels = labels
  }
}

/// The fields of an episode that scopes and filters compare.
package struct EpisodeAttributes: Hashable, Sendable {
  package let domain: String
  package let session: String?
  package let taskType: TaskType
  package let status: Episode.Status
  package let trust: Trust
  package let createdAt: Timestamp

  package init(
    domain: String, session: String?, taskType: TaskType, status: Episode.Status, trust: Trust = .trusted,
    createdAt: Timestamp
  ) {
    self.trust = trust
    self.domain = domain
    self.session = session
    self.taskType = taskType
    self.status = status
    self.createdAt = createdAt
  }
}

/// A step as indexes read it.
package struct IndexedStep {
  package let row: Int64
  package let episode: Int64
  /// UTF-8 of action, result, tool and the words added to them, those that are not null; lent. No phrase spans two of them.
  package let texts: [UnsafeRawBufferPointer]

  package init(row: Int64, episode: Int64, texts: [UnsafeRawBufferPointer]) {
    self.row = row
    self.episode = episode
    self.texts = texts
  }
}

/// A vector as indexes read it.
package struct IndexedVector {
  package let row: Int64
  package let episode: Int64
  package let attributes: EpisodeAttributes
  package let model: String
  package let dimensions: Int
  /// Little-endian float32; lent, and not verified.
  package let components: UnsafeRawBufferPointer

  package init(
    row: Int64, episode: Int64, attributes: EpisodeAttributes, model: String, dimensions: Int,
    components: UnsafeRawBufferPointer
  ) {
    self.row = row
    self.episode = episode
    self.attributes = attributes
    self.model = model
    self.dimensions = dimensions
    self.components = components
  }
}
