/// What was erased, without its content: kept in the store and beside its backups.
public struct ErasureReceipt: Identifiable, Hashable, Sendable, Codable {
  public typealias ID = Identifier<ErasureReceipt>

  /// How many rows were erased.
  public struct Counts: Hashable, Sendable, Codable {
    /// Episodes.
    public var episodes = 0
    /// Steps of those.
    public var steps = 0
    /// Embeddings of those.
    public var embeddings = 0
    /// Patterns.
    public var patterns = 0
    /// Links between an episode and a pattern, of which one was erased.
    public var links = 0
    /// Idempotency keys.
    public var idempotencyKeys = 0
    /// Rows without an owner that `rebuild` had set aside.
    public var orphans = 0
    /// Changes in the feed that named what was erased, from before the erasure.
    public var changes = 0

    /// Nothing.
    public init() {}

    /// Whether nothing was found.
    public var isEmpty: Bool { self == Counts() }

    enum CodingKeys: String, CodingKey {
      case episodes, steps, embeddings, patterns, links
      case idempotencyKeys = "idempotency_keys"
      case orphans, changes
    }
  }

  /// By what the rows were chosen. Names and texts are digests; times are themselves.
  public struct Selection: Hashable, Sendable, Codable {
    /// `episodes`, `session`, `domain`, `created`, `metadata`, `source`, `text` or `everything`.
    public let kind: String
    /// The keyed digests of what was given.
    public let values: [Erasure.Digest]
    /// Of a selection by time: its beginning.
    public let from: Timestamp?
    /// Of a selection by time: its end.
    public let to: Timestamp?
    /// The keyed digest of the domain that it was restricted to; `nil` for the whole store.
    public let domain: Erasure.Digest?
    /// What became of patterns whose last episode was erased; `nil` in receipts of earlier builds, as if they had been kept.
    public let patterns: Erasure.PatternPolicy?

    package init(
      kind: String, values: [Erasure.Digest], from: Timestamp? = nil, to: Timestamp? = nil, domain: Erasure.Digest?,
      patterns: Erasure.PatternPolicy?
    ) {
      self.kind = kind
      self.values = values
      self.from = from
      self.to = to
      self.domain = domain
      self.patterns = patterns
    }
  }

  /// Of the receipt.
  public let id: ID
  /// By what the rows were chosen.
  public let selection: Selection
  /// How many rows were erased; of a dry run, how many would be.
  public let counts: Counts
  /// When they were deleted, by the clock.
  public let erasedAt: Timestamp
  /// When the last trace was removed from the store's files; `nil` if that is not done yet, and for a dry run.
  public var cleanedAt: Timestamp?
  /// The copies of the store beside it that hold, or may hold, what was erased, by name. Copies elsewhere are not known.
  public var backups: [String]
  /// What is left to do, and why: traces are in the store's files unless `cleanedAt` is set, or the receipt could not be kept beside
  /// the backups. `nil` if nothing is.
  public var pending: String?

  package init(
    id: ID, selection: Selection, counts: Counts, erasedAt: Timestamp, cleanedAt: Timestamp? = nil,
    backups: [String] = []
  ) {
    self.id = id
    self.selection = selection
    self.counts = counts
    self.erasedAt = erasedAt
    self.cleanedAt = cleanedAt
    self.backups = backups
  }

  enum CodingKeys: String, CodingKey {
    case id, selection, counts
    case erasedAt = "erased_at"
    case cleanedAt = "cleaned_at"
    case backups, pending
  }
}

/// Whether what a receipt names is gone.
public struct ErasureVerification: Hashable, Sendable, Codable {
  /// Of the receipt.
  public let receipt: ErasureReceipt.ID
  /// What the store has under an id that was erased: somebody used the id again, or put a copy back.
  public let found: [Erasure.Trace]
  /// Whether the last trace was removed from the store's files.
  public let isCleaned: Bool
  /// The copies beside the store that hold it, or may hold it.
  public let backups: [String]

  /// Whether the store itself has nothing of it.
  public var holds: Bool { found.isEmpty && isCleaned }

  package init(receipt: ErasureReceipt.ID, found: [Erasure.Trace], isCleaned: Bool, backups: [String]) {
    self.receipt = receipt
    self.found = found
    self.isCleaned = isCleaned
    self.backups = backups
  }

  enum CodingKeys: String, CodingKey {
    case receipt, found
    case isCleaned = "is_cleaned"
    case backups
  }
}

/// What the repetition of erasures did to a restored copy.
public struct ErasureReplayReport: Hashable, Sendable, Codable {
  /// The receipts that the copy did not have.
  public var receipts: [ErasureReceipt.ID] = []
  /// What was erased again.
  public var counts = ErasureReceipt.Counts()

  package init() {}
}
