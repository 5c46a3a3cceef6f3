import FileLocks
import EpisodicMemory
import Synchronization

/// A primary of a few episodes and patterns in memory, for what the cache asks of one; the rest is unavailable.
final class SamplePrimary: PrimaryStore {
  struct State {
    var episodes: [Episode.ID: Episode] = [:]
    var patterns: [String: Pattern] = [:]
    var changes: [Change] = []
    var revision: Int64 = 10
    /// Runs before an episode is read, to let something happen meanwhile.
    var beforeReading: (@Sendable (SamplePrimary) -> Void)?
  }

  let state = Mutex(State())
  let identity = StoreIdentity(rawValue: "00112233445566778899aabbccddeeff")

  /// Commits an episode, and what it is to become.
  func put(_ episode: Episode, changed: Bool = true) {
    state.withLock { state in
      state.episodes[episode.id] = episode
      guard changed else { return }
      state.revision += 1
      state.changes.append(
        Change(
          revision: state.revision, subject: .episode, key: episode.id.rawValue, domain: episode.domain,
          finished: true))
    }
  }

  func episode(_ id: Episode.ID, steps: StepSelection) async throws(MemoryError) -> Versioned<Episode?> {
    let hook = state.withLock { state in
      defer { state.beforeReading = nil }
      return state.beforeReading
    }
    hook?(self)
    return state.withLock { Versioned($0.episodes[id], asOf: mark($0.revision)) }
  }

  func pattern(
    _ type: PatternType, hash: String, domain: String?
  ) async throws(MemoryError) -> Versioned<Pattern?> {
    let key = CacheKey.pattern(type, hash: hash, domain: domain).name
    return state.withLock { Versioned($0.patterns[key], asOf: mark($0.revision)) }
  }

  func changes(after watermark: Watermark?, limit: Int) async throws(MemoryError) -> ChangeBatch {
    state.withLock { state in
      ChangeBatch(
        asked: watermark, continues: watermark != nil,
        changes: state.changes.filter { $0.revision > watermark?.revision ?? .max }, end: mark(state.revision),
        isComplete: true)
    }
  }

  private static let unavailable = MemoryError(.unavailable, "not in this double")

  func commitStamp() throws(MemoryError) -> CommitStamp { now }
  func trustDecisions(on id: Episode.ID, in scope: Query.Scope) async throws(MemoryError) -> [TrustDecision] {
    throw Self.unavailable
  }
  func watchedChanges(
    after position: Watermark?, in scope: Query.Scope, limit: Int
  ) async throws(MemoryError) -> WatchedChanges { throw Self.unavailable }
  func waitForCommit(after stamp: CommitStamp) async throws(MemoryError) { throw Self.unavailable }
  func write<Value: Sendable>(
    in scope: Query.Scope, _ body: @escaping @Sendable (any PrimaryTransaction) throws(MemoryError) -> Value
  ) async throws(MemoryError) -> Value { throw Self.unavailable }
  func append(
    _ steps: [Step.Draft], to id: Episode.ID, at now: Timestamp, in scope: Query.Scope
  ) async throws(MemoryError) -> [Step] { throw Self.unavailable }
  func episodes(
    _ ids: [Episode.ID], steps: StepSelection
  ) async throws(MemoryError) -> Versioned<[Episode]> { throw Self.unavailable }
  func episodes(
    _ filter: Episode.Filter, in scope: Query.Scope, after cursor: Episode.Page.Cursor?, limit: Int,
    steps: StepSelection
  ) async throws(MemoryError) -> Episode.Page { throw Self.unavailable }
  func domains() async throws(MemoryError) -> [DomainSummary] { throw Self.unavailable }
  func sessions(
    in scope: Query.Scope, after cursor: Episode.Page.Cursor?, limit: Int
  ) async throws(MemoryError) -> SessionSummary.Page { throw Self.unavailable }
  func neighbors(
    of ids: [Episode.ID], _ statuses: Set<Episode.Status>, _ trust: ClosedRange<Trust>, in scope: Query.Scope,
    count: Int,
    steps: StepSelection
  ) async throws(MemoryError) -> [Hit.Neighbors] { throw Self.unavailable }
  func steps(
    of id: Episode.ID, in scope: Query.Scope, after number: Int?, limit: Int
  ) async throws(MemoryError) -> Step.Page { throw Self.unavailable }
  func episodesAsRecorded(after cursor: Episode.Page.Cursor?, limit: Int) async throws(MemoryError) -> Episode.Page {
    throw Self.unavailable
  }
  func patterns(_ filter: Pattern.Filter, in scope: Query.Scope) async throws(MemoryError) -> [Pattern] {
    throw Self.unavailable
  }
  func pattern(_ id: Pattern.ID) async throws(MemoryError) -> Pattern? { throw Self.unavailable }
  func episodeIDs(
    beginningWith prefix: String, in scope: Query.Scope, limit: Int
  ) async throws(MemoryError) -> [Episode.ID] { throw Self.unavailable }
  func uniqueBeginnings(of ids: [Episode.ID]) async throws(MemoryError) -> [Int] { throw Self.unavailable }
  func newestEpisodeIDs(in scope: Query.Scope, limit: Int) async throws(MemoryError) -> [Episode.ID] {
    throw Self.unavailable
  }
  func patterns(of episode: Episode.ID, in scope: Query.Scope) async throws(MemoryError) -> [Pattern] {
    throw Self.unavailable
  }
  func embeddings(of episode: Episode.ID, in scope: Query.Scope) async throws(MemoryError) -> [Embedding] {
    throw Self.unavailable
  }
  func embeddings(
    in space: EmbeddingSpace, scope: Query.Scope, after id: Embedding.ID?, limit: Int
  ) async throws(MemoryError) -> [Embedding] { throw Self.unavailable }
  func read<Value: Sendable>(
    _ body: @escaping @Sendable (any PrimarySnapshot) throws(MemoryError) -> Value
  ) async throws(MemoryError) -> Value { throw Self.unavailable }
  func readWithoutWaiting<Value>(
    _ body: (any PrimarySnapshot) throws(MemoryError) -> Value
  ) throws(MemoryError) -> Value? { nil }
  func backUp(
    to destination: String?, _ options: BackupOptions, at now: Timestamp,
    progress: @escaping @Sendable (BackupProgress) -> Void
  ) async throws(MemoryError) -> Backup { throw Self.unavailable }
  func obstacle(toBackup options: BackupOptions) async throws(MemoryError) -> String? { throw Self.unavailable }
  func backups(in directory: String?) async throws(MemoryError) -> [Backup] { throw Self.unavailable }
  func pruneBackups(
    in directory: String?, _ options: BackupOptions, at now: Timestamp
  ) async throws(MemoryError) -> [Backup] { throw Self.unavailable }
  func setting(_ name: String) async throws(MemoryError) -> JSON? { throw Self.unavailable }
  func set(_ name: String, to value: JSON?, at now: Timestamp) async throws(MemoryError) { throw Self.unavailable }
  func changeSetting(
    _ name: String, at now: Timestamp, _ change: @escaping @Sendable (JSON?) throws(MemoryError) -> JSON?
  ) async throws(MemoryError) { throw Self.unavailable }
  func retentionRecords(
    in scope: Query.Scope, after row: Int64, limit: Int, measuresBytes: Bool
  ) async throws(MemoryError) -> [RetentionRecord] { throw Self.unavailable }
  func lookAtClock(at now: Timestamp, isAccepted: Bool, isDryRun: Bool) async throws(MemoryError) -> RetentionClock {
    throw Self.unavailable
  }
  func hasDeletedRows() async throws(MemoryError) -> Bool { throw Self.unavailable }
  func settle() async {}
  func hasLongLog() throws(MemoryError) -> Bool { throw Self.unavailable }
  func leaseMaintenance() async throws(MemoryError) -> MaintenanceLease { throw Self.unavailable }
  func maintain(
    _ work: MaintenanceWork, amount: Int, at now: Timestamp
  ) async throws(MemoryError) -> MaintenanceSlice { throw Self.unavailable }
  func maintenanceRecords() async throws(MemoryError) -> [MaintenanceRecord] { throw Self.unavailable }
  func record(_ records: [MaintenanceRecord]) async throws(MemoryError) { throw Self.unavailable }
  func erase(
    _ request: ErasureRequest, dryRun: Bool, _ progress: @escaping @Sendable (Erasure.Progress) -> Void
  ) async throws(MemoryError) -> ErasureReceipt { throw Self.unavailable }
  func cleanErased(
    leftBy selection: Erasure.Selection?, _ progress: @escaping @Sendable (Erasure.Progress) -> Void
  ) async throws(MemoryError) {
    throw Self.unavailable
  }
  func repeatErasures(_ receipts: [StoredReceipt], at now: Timestamp) async throws(MemoryError) {
    throw Self.unavailable
  }
  func finishErasure(_ id: ErasureReceipt.ID, backups: [String], at now: Timestamp) async throws(MemoryError) {
    throw Self.unavailable
  }
  func domainKeys() async throws(MemoryError) -> [DomainKey] { throw Self.unavailable }
  func change(_ keys: KeyChange, at now: Timestamp) async throws(MemoryError) -> DomainKey? { throw Self.unavailable }
  func sealRows(in domain: String, after position: SealingPosition) async throws(MemoryError) -> SealingSlice {
    throw Self.unavailable
  }
  var isAudited: Bool { false }
  func auditRecords(
    after number: Int64, in scope: Query.Scope, limit: Int
  ) async throws(MemoryError) -> [AuditRecord] {
    throw Self.unavailable
  }
  func auditHead(at now: Timestamp) async throws(MemoryError) -> AuditHead { throw Self.unavailable }
  func verifyAudit(against heads: [AuditHead], rows: Bool) async throws(MemoryError) -> AuditVerification {
    throw Self.unavailable
  }
  func note(_ verb: String, _ counts: [String: Int]) async throws(MemoryError) { throw Self.unavailable }
  func receipts(unfinished: Bool) async throws(MemoryError) -> [ErasureReceipt] { throw Self.unavailable }
  func storedReceipt(_ id: ErasureReceipt.ID) async throws(MemoryError) -> StoredReceipt? { throw Self.unavailable }
  func existing(_ receipt: StoredReceipt) async throws(MemoryError) -> [Erasure.Trace] { throw Self.unavailable }
  func erasureDigest(_ subject: Erasure.Subject, of id: String) async throws(MemoryError) -> Erasure.Digest {
    throw Self.unavailable
  }
  func truncateLog(waitingAtMost wait: Duration) async throws(MemoryError) -> Bool { throw Self.unavailable }
  func followRuns(
    limit: Int, _ trace: @escaping @Sendable (FinishedRun) -> [UInt8]
  ) async throws(MemoryError) -> TraceProgress { throw Self.unavailable }
  func traces(maximumSteps: Int) async throws(MemoryError) -> [KeptTrace] { throw Self.unavailable }
  func learnedPlaces() async throws(MemoryError) -> [LearnedPlace] { throw Self.unavailable }
  func learnedPatterns(in domain: String, situations: [String]) async throws(MemoryError) -> [Pattern] {
    throw Self.unavailable
  }
  func adviceRecords() async throws(MemoryError) -> [AdviceRecord] { throw Self.unavailable }
  func adviceExperiment() async throws(MemoryError) -> AdviceExperiment? { throw Self.unavailable }
  func analytics(_ request: AnalyticsRequest) async throws(MemoryError) -> Analytics { throw Self.unavailable }
  func addCacheReads(_ reads: CacheReads, at now: Timestamp) async throws(MemoryError) { throw Self.unavailable }
  func statistics() async throws(MemoryError) -> PrimaryStatistics { throw Self.unavailable }
  func check(_ depth: MemoryCheck.Depth) async throws(MemoryError) -> [MemoryCheck] { throw Self.unavailable }
  func rebuildTextIndexes(acceptingTexts: Bool) async throws(MemoryError) { throw Self.unavailable }
  func optimizeTextIndexes() async throws(MemoryError) { throw Self.unavailable }
  func close() async throws(MemoryError) { throw Self.unavailable }
}
