public import Vectors

/// One moment of the primary, lent for as long as a closure runs: what searches it, and what an index is made from.
///
/// Everything is read as of `watermark`. Nothing of it may be kept: what is lent as bytes is gone when the closure that
/// received it returns.
public protocol PrimarySnapshot {
  /// The last change in it.
  func watermark() throws(MemoryError) -> Watermark
  /// As `PrimaryStore.changes(after:limit:)`.
  func changes(after watermark: Watermark?, limit: Int) throws(MemoryError) -> ChangeBatch

  // MARK: What indexes are made from, in the order of rows, until `body` returns false

  /// Lends episodes with what filters look at and their context.
  func episodes(_ rows: RowSelection, _ body: (IndexedEpisode) throws(MemoryError) -> Bool) throws(MemoryError)
  /// Lends steps with their texts.
  func steps(_ rows: RowSelection, _ body: (IndexedStep) throws(MemoryError) -> Bool) throws(MemoryError)
  /// Lends vectors.
  func vectors(_ rows: RowSelection, _ body: (IndexedVector) throws(MemoryError) -> Bool) throws(MemoryError)
  /// The last row of a table, 0 where it is empty: about how many there are.
  func lastRow(of table: IndexedTable) throws(MemoryError) -> Int64
  /// Cuts a text into words as the full-text index does.
  ///
  /// - Parameter body: Receives each word, folded and stemmed, and its place, counted from 0.
  func words(
    of text: UnsafeRawBufferPointer, _ body: (_ word: UnsafeRawBufferPointer, _ place: UInt32) -> Void
  ) throws(MemoryError)

  // MARK: Searching without an index, and what an index does not have

  /// Every episode of which a word matches: visits each matching row.
  func words(_ request: RecallRequest) throws(MemoryError) -> [Candidates.Words]
  /// The spaces there are, by model and length.
  func spaces() throws(MemoryError) -> [EmbeddingSpace]
  /// The spaces of the vectors that pass scope and filter: visits each of them.
  func spaces(_ scope: Query.Scope, _ filter: Episode.Filter) throws(MemoryError) -> [EmbeddingSpace]
  /// How like the query every vector of the space is that passes scope and filter: visits each of them.
  func neighbors(
    _ query: VectorQuery, in space: EmbeddingSpace, _ scope: Query.Scope, _ filter: Episode.Filter,
    _ body: (_ vector: Int64, _ episode: Int64, _ similarity: Double) -> Void
  ) throws(MemoryError)
  /// How like the query one vector is; `nil` where there is none in that row.
  ///
  /// - Parameter episode: The row of its episode, whose id is remembered for `searchHits`: the two lie side by side.
  func similarity(
    of vector: Int64, ofEpisode episode: Int64, to query: VectorQuery
  ) throws(MemoryError) -> Double?
  /// How like the query an episode is, by the best of its vectors in the space; `nil` where it has none.
  func similarity(
    ofEpisode row: Int64, to query: VectorQuery, in space: EmbeddingSpace
  ) throws(MemoryError) -> Double?
  /// The number of a step by its row.
  func stepNumber(_ row: Int64) throws(MemoryError) -> Int?
  /// What was chosen, by name.
  func searchHits(_ ranked: [RankedEpisode]) throws(MemoryError) -> [SearchHit]
  /// Loads what was chosen, with excerpts where the request wants them.
  func hits(_ ranked: [RankedEpisode], _ request: RecallRequest) throws(MemoryError) -> [Hit]
}

/// A table that indexes are made from.
public enum IndexedTable: UInt8, CaseIterable, Sendable {
  case episodes, steps, vectors
}

/// Which rows of a table.
public enum RowSelection: Sendable {
  /// Those of them that are there.
  case listed([Int64])
  /// The first `limit` behind a row.
  case after(Int64, limit: Int)
  /// Those that belong to these episodes, by the episodes' rows.
  case ofEpisodes([Int64])
}

/// An episode as indexes see it.
public struct IndexedEpisode {
  public let row: Int64
  public let attributes: EpisodeAttributes
  /// UTF-8; lent.
  public let context: UnsafeRawBufferPointer

  public init(row: Int64, attributes: EpisodeAttributes, context: UnsafeRawBufferPointer) {
    self.row = row
    self.attributes = attributes
    self.context = context
  }
}

/// What scopes and filters look at.
public struct EpisodeAttributes: Hashable, Sendable {
  public let domain: String
  public let session: String?
  public let taskType: TaskType
  public let status: Episode.Status
  public let createdAt: Timestamp

  public init(domain: String, session: String?, taskType: TaskType, status: Episode.Status, createdAt: Timestamp) {
    self.domain = domain
    self.session = session
    self.taskType = taskType
    self.status = status
    self.createdAt = createdAt
  }
}

/// A step as indexes see it.
public struct IndexedStep {
  public let row: Int64
  public let episode: Int64
  /// UTF-8 of action, result and tool, those that there are; lent. A phrase never goes from one to the next.
  public let texts: [UnsafeRawBufferPointer]

  public init(row: Int64, episode: Int64, texts: [UnsafeRawBufferPointer]) {
    self.row = row
    self.episode = episode
    self.texts = texts
  }
}

/// A vector as indexes see it.
public struct IndexedVector {
  public let row: Int64
  public let episode: Int64
  public let attributes: EpisodeAttributes
  public let model: String
  public let dimensions: Int
  /// Little-endian float32; lent, and not verified.
  public let components: UnsafeRawBufferPointer

  public init(
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
