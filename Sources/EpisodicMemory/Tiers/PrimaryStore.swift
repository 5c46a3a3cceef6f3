/// The truth: where episodes, steps, patterns and embeddings are kept.
///
/// Input has been validated. A write returns after its commit and is durable as promised (I2); it throws `.notFound` or
/// `.conflict` where the store's state forbids it, and then has changed nothing. A read sees one snapshot.
public protocol PrimaryStore: Sendable {
  // MARK: History

  var identity: StoreIdentity { get }
  /// Costs microseconds and takes no part in any queue: asked before every read.
  func commitStamp() throws(MemoryError) -> CommitStamp
  /// At most `limit` changes after `watermark`; all that are left, none of them, where it is `nil` or not in the history.
  func changes(after watermark: Watermark?, limit: Int) async throws(MemoryError) -> ChangeBatch

  // MARK: Episodes

  func insert(_ episode: Episode) async throws(MemoryError)
  /// Inserts all or none, and tells what came of it. Embeddings belong to the episodes. An episode that replaces another
  /// takes over its place, its links to patterns, and those of its vectors whose text it still has.
  func insert(
    _ episodes: [Episode], embeddings: [Embedding], existing: Episode.ExistingPolicy
  ) async throws(MemoryError) -> InsertionReport
  /// Numbers the steps that have no number, in order, after the highest.
  func append(_ steps: [Step.Draft], to id: Episode.ID, at now: Timestamp) async throws(MemoryError) -> [Step]
  func apply(
    _ transition: Episode.Transition, to id: Episode.ID, at now: Timestamp
  ) async throws(MemoryError) -> Versioned<Episode>
  func update(_ id: Episode.ID, with change: Episode.Change) async throws(MemoryError) -> Episode
  /// Whether there was one to delete.
  func delete(_ id: Episode.ID) async throws(MemoryError) -> Bool
  func episode(_ id: Episode.ID) async throws(MemoryError) -> Versioned<Episode?>
  /// Newest first; of one millisecond, last inserted first.
  func episodes(
    _ filter: Episode.Filter, in scope: Query.Scope, after cursor: Episode.Page.Cursor?, limit: Int
  ) async throws(MemoryError) -> Episode.Page

  /// In the order of recording, a few megabytes or `limit` at a time.
  func episodesAsRecorded(after cursor: Episode.Page.Cursor?, limit: Int) async throws(MemoryError) -> Episode.Page

  // MARK: Patterns

  /// Of a pattern that is there already, takes over the success rate and the metadata that are given.
  func record(_ pattern: Pattern) async throws(MemoryError) -> Pattern
  /// Returns whether this changed anything.
  func link(_ pattern: Pattern.ID, to episode: Episode.ID) async throws(MemoryError) -> Bool
  func unlink(_ pattern: Pattern.ID, from episode: Episode.ID) async throws(MemoryError) -> Bool
  /// Counts a use; `succeeded` moves the success rate towards 1 or 0 as one more use among those counted.
  func markUsed(_ id: Pattern.ID, succeeded: Bool?, at now: Timestamp) async throws(MemoryError) -> Pattern
  func delete(_ id: Pattern.ID) async throws(MemoryError) -> Bool
  func pattern(_ type: PatternType, hash: String) async throws(MemoryError) -> Versioned<Pattern?>
  /// In a domain: those linked to one of its episodes (I8).
  func patterns(_ filter: Pattern.Filter, in scope: Query.Scope) async throws(MemoryError) -> [Pattern]
  func patterns(of episode: Episode.ID) async throws(MemoryError) -> [Pattern]

  // MARK: Embeddings

  /// In one transaction. With `replacing`, those of the same episode, step and model go first.
  func insert(_ embeddings: [Embedding], replacing: Bool) async throws(MemoryError)
  func delete(_ id: Embedding.ID) async throws(MemoryError) -> Bool
  /// In the order they were added.
  func embeddings(of episode: Episode.ID) async throws(MemoryError) -> [Embedding]
  /// In the order they were added, after a given one.
  func embeddings(
    in space: EmbeddingSpace, scope: Query.Scope, after id: Embedding.ID?, limit: Int
  ) async throws(MemoryError) -> [Embedding]

  // MARK: Search

  /// Lends one snapshot.
  func read<Value: Sendable>(
    _ body: @escaping @Sendable (any PrimarySnapshot) throws(MemoryError) -> Value
  ) async throws(MemoryError) -> Value

  /// Lends one snapshot on the calling thread, for what takes milliseconds at most.
  ///
  /// - Returns: `nil` where that is not possible now: use `read`.
  func readBriefly<Value>(
    _ body: (any PrimarySnapshot) throws(MemoryError) -> Value
  ) throws(MemoryError) -> Value?

  // MARK: Care

  func statistics() async throws(MemoryError) -> PrimaryStatistics
  /// Runs every check, worst news included; throws only where checking itself is impossible.
  func check() async throws(MemoryError) -> [MemoryCheck]
  /// Makes the full-text indexes anew from the tables.
  ///
  /// - Parameter acceptingTexts: Also where a text and its index disagree, so that one of them was damaged.
  /// - Throws: `.corrupted` where they do, and that is not accepted: the index is the only evidence of what the text was.
  func rebuildTextIndexes(acceptingTexts: Bool) async throws(MemoryError)
  /// Merges the full-text indexes into one piece each, so that a word is looked up in one place.
  func optimizeTextIndexes() async throws(MemoryError)
  /// Brings everything into the database file and lets go of it; the store is of no use afterwards.
  func close() async throws(MemoryError)
}

/// What the primary holds.
public struct PrimaryStatistics: Hashable, Sendable {
  public struct Space: Hashable, Sendable {
    public let model: String
    public let dimensions: Int
    public let vectors: Int

    public init(model: String, dimensions: Int, vectors: Int) {
      self.model = model
      self.dimensions = dimensions
      self.vectors = vectors
    }
  }

  public let episodes: [Episode.Status: Int]
  public let steps: Int
  public let patterns: Int
  public let domains: Int
  public let spaces: [Space]
  /// Of the database file and its write-ahead log.
  public let bytes: Int64
  public let watermark: Watermark
  public let schemaVersion: Int

  public init(
    episodes: [Episode.Status: Int], steps: Int, patterns: Int, domains: Int, spaces: [Space], bytes: Int64,
    watermark: Watermark, schemaVersion: Int
  ) {
    self.episodes = episodes
    self.steps = steps
    self.patterns = patterns
    self.domains = domains
    self.spaces = spaces
    self.bytes = bytes
    self.watermark = watermark
    self.schemaVersion = schemaVersion
  }
}

/// The result of one check of the store.
public struct MemoryCheck: Hashable, Sendable {
  public enum Outcome: Hashable, Sendable {
    case passed
    /// Derived data is wrong, and `rebuild` repairs it; or another program wrote the rows that the reason names.
    case failed(String)
    /// The primary is damaged: restore a backup.
    case damaged(String)
  }

  public let name: String
  public let outcome: Outcome

  public init(_ name: String, _ outcome: Outcome) {
    self.name = name
    self.outcome = outcome
  }
}

public typealias Check = MemoryCheck
