package import FileLocks

/// The source of truth: stores episodes, steps, patterns and embeddings.
///
/// Input is validated by the caller. A write returns after its commit and is durable (I2); if the state of the store does not
/// allow it, it throws `.notFound` or `.conflict` and changes nothing. A read sees one snapshot.
package protocol PrimaryStore: Sendable {
  // MARK: History

  var identity: StoreIdentity { get }
  /// Costs nanoseconds to microseconds and waits in no queue: called before every read.
  func commitStamp() throws(MemoryError) -> CommitStamp
  /// At most `limit` changes after `watermark`; no changes if it is `nil` or not part of this history.
  func changes(after watermark: Watermark?, limit: Int) async throws(MemoryError) -> ChangeBatch

  /// At most `limit` rows of the feed after a position, as watchers see them; a gap if they do not follow it.
  ///
  /// - Parameter position: `nil` for the last commit: no changes.
  func watchedChanges(
    after position: Watermark?, in scope: Query.Scope, limit: Int
  ) async throws(MemoryError) -> WatchedChanges
  /// Returns when the stamp is another: at once after a commit through this value, within 50 ms after one of others.
  ///
  /// - Throws: `.cancelled` as soon as the task is cancelled; `.closed` after `close`.
  func waitForCommit(after stamp: CommitStamp) async throws(MemoryError)

  // MARK: Writing

  /// Lends a transaction on the writer's thread, and returns after its commit, which it shares with other callers.
  ///
  /// An error of the body undoes what it wrote and nothing else. The body may run twice, so it depends on nothing but the
  /// transaction and what it captured.
  func write<Value: Sendable>(
    in scope: Query.Scope, _ body: @escaping @Sendable (any PrimaryTransaction) throws(MemoryError) -> Value
  ) async throws(MemoryError) -> Value
  /// Appends steps in a transaction that inserts the rows of all appends that share the commit together, which is three times
  /// as fast as `write`. Steps without a number are numbered in order, after the highest.
  ///
  /// - Throws: `.notFound` if the scope has no such episode; `.conflict` if it is not active, or a number is taken.
  func append(
    _ steps: [Step.Draft], to id: Episode.ID, at now: Timestamp, in scope: Query.Scope
  ) async throws(MemoryError) -> [Step]

  // MARK: Episodes

  func episode(_ id: Episode.ID, steps: StepSelection) async throws(MemoryError) -> Versioned<Episode?>
  /// In the order of the ids, without those that do not exist.
  func episodes(_ ids: [Episode.ID], steps: StepSelection) async throws(MemoryError) -> Versioned<[Episode]>
  /// Newest first; of equal times, last inserted first.
  func episodes(
    _ filter: Episode.Filter, in scope: Query.Scope, after cursor: Episode.Page.Cursor?, limit: Int,
    steps: StepSelection
  ) async throws(MemoryError) -> Episode.Page
  /// Throws `.notFound` if the scope has no such episode.
  func steps(
    of id: Episode.ID, in scope: Query.Scope, after number: Int?, limit: Int
  ) async throws(MemoryError) -> Step.Page

  /// By name.
  func domains() async throws(MemoryError) -> [DomainSummary]
  /// By the newest episode of each, newest first.
  func sessions(
    in scope: Query.Scope, after cursor: Episode.Page.Cursor?, limit: Int
  ) async throws(MemoryError) -> SessionSummary.Page

  /// In the order of recording, a few megabytes or `limit` at a time.
  func episodesAsRecorded(after cursor: Episode.Page.Cursor?, limit: Int) async throws(MemoryError) -> Episode.Page

  /// Ids that begin with a text, in the order of their bytes.
  func episodeIDs(
    beginningWith prefix: String, in scope: Query.Scope, limit: Int
  ) async throws(MemoryError) -> [Episode.ID]
  /// For each id the characters of its shortest beginning that no other episode's id has.
  func uniqueBeginnings(of ids: [Episode.ID]) async throws(MemoryError) -> [Int]
  /// Newest first; reads no steps.
  func newestEpisodeIDs(in scope: Query.Scope, limit: Int) async throws(MemoryError) -> [Episode.ID]

  /// The episodes before and after each in its session by time; of equal times, in the order of recording. In the order of the
  /// ids; without neighbours for an episode that the scope does not have, or that has no session.
  ///
  /// - Parameter statuses: Those of the neighbours.
  /// - Parameter trust: Of the neighbours, which are also trusted no less than the episode, unless that is verified.
  /// - Parameter count: On each side, at most.
  func neighbors(
    of ids: [Episode.ID], _ statuses: Set<Episode.Status>, _ trust: ClosedRange<Trust>, in scope: Query.Scope,
    count: Int,
    steps: StepSelection
  ) async throws(MemoryError) -> [Hit.Neighbors]

  /// On the episode and its steps, in order.
  func trustDecisions(on id: Episode.ID, in scope: Query.Scope) async throws(MemoryError) -> [TrustDecision]

  // MARK: Patterns

  func pattern(_ id: Pattern.ID) async throws(MemoryError) -> Pattern?
  /// Of a domain; `nil`: the one that all share.
  func pattern(_ type: PatternType, hash: String, domain: String?) async throws(MemoryError) -> Versioned<Pattern?>
  /// In a domain: its own, and shared ones linked to one of its episodes (I8).
  func patterns(_ filter: Pattern.Filter, in scope: Query.Scope) async throws(MemoryError) -> [Pattern]
  func patterns(of episode: Episode.ID, in scope: Query.Scope) async throws(MemoryError) -> [Pattern]

  // MARK: Learning

  /// Brings the traces of a number of episodes up to date, in one transaction.
  ///
  /// - Parameter trace: Of an episode that was completed or failed; its bytes are kept.
  func followRuns(
    limit: Int, _ trace: @escaping @Sendable (FinishedRun) -> [UInt8]
  ) async throws(MemoryError) -> TraceProgress
  /// Of episodes that are not quarantined, the latest first, as many as have so many steps together.
  func traces(maximumSteps: Int) async throws(MemoryError) -> [KeptTrace]
  /// What an earlier learning found.
  func learnedPlaces() async throws(MemoryError) -> [LearnedPlace]
  /// Patterns of a domain that learning found and that may apply after one of some situations.
  func learnedPatterns(in domain: String, situations: [String]) async throws(MemoryError) -> [Pattern]
  func adviceRecords() async throws(MemoryError) -> [AdviceRecord]
  /// `nil` as long as chance decided about no finished episode.
  func adviceExperiment() async throws(MemoryError) -> AdviceExperiment?

  // MARK: Embeddings

  /// In the order of insertion.
  func embeddings(of episode: Episode.ID, in scope: Query.Scope) async throws(MemoryError) -> [Embedding]
  /// In the order of insertion, after a given one.
  func embeddings(
    in space: EmbeddingSpace, scope: Query.Scope, after id: Embedding.ID?, limit: Int
  ) async throws(MemoryError) -> [Embedding]

  // MARK: Search

  /// Lends one snapshot, on a thread of the primary.
  func read<Value: Sendable>(
    _ body: @escaping @Sendable (any PrimarySnapshot) throws(MemoryError) -> Value
  ) async throws(MemoryError) -> Value

  /// Lends one snapshot on the calling thread, for work of at most a few milliseconds.
  ///
  /// - Returns: `nil` if that is not possible without waiting: use `read`.
  func readWithoutWaiting<Value>(
    _ body: (any PrimarySnapshot) throws(MemoryError) -> Value
  ) throws(MemoryError) -> Value?

  // MARK: Settings

  /// What is configured in the store under a name; `nil` if nothing is.
  func setting(_ name: String) async throws(MemoryError) -> JSON?
  /// - Parameter value: `nil` removes the setting.
  func set(_ name: String, to value: JSON?, at now: Timestamp) async throws(MemoryError)
  /// Sets what `change` makes of the present value, in one transaction; `change` may run twice.
  func changeSetting(
    _ name: String, at now: Timestamp, _ change: @escaping @Sendable (JSON?) throws(MemoryError) -> JSON?
  ) async throws(MemoryError)

  // MARK: Erasure

  /// Erases rows in one transaction, which also takes their ids out of the feed, has every cache empty itself, and writes a
  /// receipt that is not cleaned.
  ///
  /// The rows are searched before the transaction; it examines again only what was changed meanwhile.
  ///
  /// - Parameter dryRun: Whether to count only.
  /// - Throws: `.notFound` if nothing matches; then nothing is written.
  func erase(
    _ request: ErasureRequest, dryRun: Bool, _ progress: @escaping @Sendable (Erasure.Progress) -> Void
  ) async throws(MemoryError) -> ErasureReceipt
  /// Removes from the files of the primary what erased and deleted rows left: in full text, free pages, page gaps and the log.
  ///
  /// - Parameter selection: Of rows that are not there any more, whose traces go as well; `nil` for those of erasures alone.
  /// - Throws: `.busy` if a reader keeps the log for longer than the store's `busyTimeout`.
  func cleanErased(
    leftBy selection: Erasure.Selection?, _ progress: @escaping @Sendable (Erasure.Progress) -> Void
  ) async throws(MemoryError)
  /// Erases again what receipts name that this store does not have: it was replaced by an older copy.
  ///
  /// - Parameter now: What was created after an erasure, and not after this, stays unless its id was erased.
  func repeatErasures(_ receipts: [StoredReceipt], at now: Timestamp) async throws(MemoryError)
  /// Records that nothing is left of an erasure, and which copies may hold it.
  func finishErasure(_ id: ErasureReceipt.ID, backups: [String], at now: Timestamp) async throws(MemoryError)
  /// In the order of the commits.
  ///
  /// - Parameter unfinished: Whether to return only those that are not cleaned.
  func receipts(unfinished: Bool) async throws(MemoryError) -> [ErasureReceipt]
  /// A receipt with its digests and their key; `nil` if there is none of that id.
  func storedReceipt(_ id: ErasureReceipt.ID) async throws(MemoryError) -> StoredReceipt?
  /// What a receipt names by its id and the store has. Computes the digest of every id.
  func existing(_ receipt: StoredReceipt) async throws(MemoryError) -> [Erasure.Trace]
  /// The digest under which the erasure of an id is recorded.
  func erasureDigest(_ subject: Erasure.Subject, of id: String) async throws(MemoryError) -> Erasure.Digest

  // MARK: Encryption

  /// By domain, the newest version first.
  func domainKeys() async throws(MemoryError) -> [DomainKey]
  /// Changes keys, in one transaction.
  ///
  /// - Returns: The current key of the domain, or the last one; `nil` if there is none.
  func change(_ keys: KeyChange, at now: Timestamp) async throws(MemoryError) -> DomainKey?
  /// Encrypts rows of a domain that are not encrypted with its current key, in one short transaction.
  func sealRows(in domain: String, after position: SealingPosition) async throws(MemoryError) -> SealingSlice

  // MARK: Audit

  /// Whether writes through this value leave records.
  var isAudited: Bool { get }
  /// In the order of their numbers; in a domain those of that alone (I8).
  func auditRecords(
    after number: Int64, in scope: Query.Scope, limit: Int
  ) async throws(MemoryError) -> [AuditRecord]
  /// The last record.
  func auditHead(at now: Timestamp) async throws(MemoryError) -> AuditHead
  /// Verifies the chain of records, and the rows that records have digests of, in one snapshot.
  func verifyAudit(against heads: [AuditHead], rows: Bool) async throws(MemoryError) -> AuditVerification
  /// Writes a record of something that has transactions of its own, or none; nothing if nothing is recorded.
  func note(_ verb: String, _ counts: [String: Int]) async throws(MemoryError)

  // MARK: Backups

  /// Makes a verified copy of one snapshot.
  ///
  /// - Parameter destination: A directory or a file; `nil` for the store's own folder.
  func backUp(
    to destination: String?, _ options: BackupOptions, at now: Timestamp,
    progress: @escaping @Sendable (BackupProgress) -> Void
  ) async throws(MemoryError) -> Backup
  /// Why the disk of the store has no room for another backup above the floor that writes need; `nil` if it has.
  func obstacle(toBackup options: BackupOptions) async throws(MemoryError) -> String?
  /// Newest first; those of the store's own folder for `nil`.
  func backups(in directory: String?) async throws(MemoryError) -> [Backup]
  /// Removes what the options do not keep, and what killed processes left; nothing if `directory` is a file.
  func pruneBackups(
    in directory: String?, _ options: BackupOptions, at now: Timestamp
  ) async throws(MemoryError) -> [Backup]

  // MARK: Analytics

  /// Counts in one snapshot. A domain's figures tell nothing of others (I8).
  func analytics(_ request: AnalyticsRequest) async throws(MemoryError) -> Analytics
  /// Adds what a cache has counted since the last call to the figures of the hour, and removes those of 400 days ago.
  func addCacheReads(_ reads: CacheReads, at now: Timestamp) async throws(MemoryError)

  // MARK: Maintenance

  func statistics() async throws(MemoryError) -> PrimaryStatistics
  /// Runs the checks and returns failures as results; throws only if a check cannot run.
  func check(_ depth: MemoryCheck.Depth) async throws(MemoryError) -> [MemoryCheck]
  /// Rebuilds the full-text indexes from the tables.
  ///
  /// - Parameter acceptingTexts: Whether to rebuild also if a text and its index disagree, so that one of them is damaged.
  /// - Throws: `.corrupted` if they disagree and that is not accepted: the index is the only evidence of the original text.
  func rebuildTextIndexes(acceptingTexts: Bool) async throws(MemoryError)
  /// Merges each full-text index into one segment, so that a word has one posting list.
  func optimizeTextIndexes() async throws(MemoryError)
  /// What policies of retention look at, in the order of recording.
  ///
  /// - Parameter measuresBytes: Whether to read all texts for it.
  func retentionRecords(
    in scope: Query.Scope, after row: Int64, limit: Int, measuresBytes: Bool
  ) async throws(MemoryError) -> [RetentionRecord]
  /// Looks at the clock before something is deleted by its age, and keeps what was seen of it unless the run is dry.
  func lookAtClock(at now: Timestamp, isAccepted: Bool, isDryRun: Bool) async throws(MemoryError) -> RetentionClock
  /// Whether `sweepDeleted` has something to do; costs a look into an index.
  func hasDeletedRows() async throws(MemoryError) -> Bool
  /// Whether the log is so long that `.log` truncates it.
  func hasLongLog() throws(MemoryError) -> Bool
  /// Returns when what follows the last commit of this process is done, such as a checkpoint, which other writers wait for.
  func settle() async
  /// The right to maintain the store, without waiting for it.
  func leaseMaintenance() async throws(MemoryError) -> MaintenanceLease
  /// Does one slice of a work.
  ///
  /// - Parameter amount: In units of the work, at most.
  func maintain(_ work: MaintenanceWork, amount: Int, at now: Timestamp) async throws(MemoryError) -> MaintenanceSlice
  /// When each task ran last.
  func maintenanceRecords() async throws(MemoryError) -> [MaintenanceRecord]
  func record(_ records: [MaintenanceRecord]) async throws(MemoryError)
  /// Moves the log into the database and leaves no byte in it.
  ///
  /// - Parameter wait: For readers that still use it; commits wait meanwhile.
  /// - Returns: False if there was a reader all the time.
  @discardableResult
  func truncateLog(waitingAtMost wait: Duration) async throws(MemoryError) -> Bool
  /// Checkpoints and closes the database; the store cannot be used afterwards.
  func close() async throws(MemoryError)
}

extension PrimaryStore {
  /// Runs every check.
  package func check() async throws(MemoryError) -> [MemoryCheck] { try await check(.full) }
}

/// What the primary contains.
public struct PrimaryStatistics: Hashable, Sendable {
  /// The vectors of one model.
  public struct Space: Hashable, Sendable {
    /// Name of the embedding model.
    public let model: String
    /// How many numbers a vector has.
    public let dimensions: Int
    /// How many vectors there are.
    public let vectors: Int

    /// A space and the number of its vectors; for doubles in tests.
    public init(model: String, dimensions: Int, vectors: Int) {
      self.model = model
      self.dimensions = dimensions
      self.vectors = vectors
    }
  }

  /// How many there are of each status; none: the status is missing.
  public let episodes: [Episode.Status: Int]
  /// How many steps there are.
  public let steps: Int
  /// How many patterns there are.
  public let patterns: Int
  /// How many domains have episodes.
  public let domains: Int
  /// The models that there are vectors of.
  public let spaces: [Space]
  /// Size of the database file and its write-ahead log.
  public let bytes: Int64
  /// The last change of the feed.
  public let watermark: Watermark
  /// Number of the last migration.
  public let schemaVersion: Int

  /// A value as a store returns it; for doubles in tests.
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
  /// How much a check reads.
  public enum Depth: String, CaseIterable, Sendable, Codable {
    /// The structure of the primary, its schema, feed and settings, and the numbers of rows: about a second for a gigabyte, and
    /// no more than ten. Damage within rows, and what differs between a text and its index, is left to a full check.
    case quick
    /// Everything, once: also every row, full-text index, cache entry, and column and code of the search index.
    case full
  }

  /// What a check found.
  public enum Outcome: Hashable, Sendable {
    /// Nothing wrong.
    case passed
    /// Derived data is wrong, and `rebuild` repairs it; or another program wrote the rows that the reason names.
    case failed(String)
    /// The primary is damaged: restore a backup.
    case damaged(String)
  }

  /// What was checked, such as `full text of steps`.
  public let name: String
  /// What was found.
  public let outcome: Outcome

  /// A result by the name of its check.
  public init(_ name: String, _ outcome: Outcome) {
    self.name = name
    self.outcome = outcome
  }
}
