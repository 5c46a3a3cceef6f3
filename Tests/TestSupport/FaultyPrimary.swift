package import FileLocks
package import EpisodicMemory
import Synchronization

/// Forwards to another primary, and fails or waits where a test injects it.
package final class FaultyPrimary: PrimaryStore {
  package enum Moment: Sendable { case before, after }
  /// Called before and after every operation with its name; an error it throws is thrown by the operation.
  package typealias Fault = @Sendable (_ operation: String, Moment) async throws(MemoryError) -> Void

  private let primary: any PrimaryStore
  private let fault: Mutex<Fault?>

  package init(_ primary: any PrimaryStore, fault: Fault? = nil) {
    self.primary = primary
    self.fault = Mutex(fault)
  }

  package func set(_ fault: Fault?) { self.fault.withLock { $0 = fault } }

  private func through<Value: Sendable>(
    _ operation: String = #function, _ body: () async throws(MemoryError) -> Value
  ) async throws(MemoryError) -> Value {
    let fault = fault.withLock { $0 }
    try await fault?(operation, .before)
    let value = try await body()
    try await fault?(operation, .after)
    return value
  }

  package var identity: StoreIdentity { primary.identity }
  package func commitStamp() throws(MemoryError) -> CommitStamp { try primary.commitStamp() }

  package func domainKeys() async throws(MemoryError) -> [DomainKey] {
    try await through { () async throws(MemoryError) in try await primary.domainKeys() }
  }
  package func change(_ keys: KeyChange, at now: Timestamp) async throws(MemoryError) -> DomainKey? {
    try await through { () async throws(MemoryError) in try await primary.change(keys, at: now) }
  }
  package func sealRows(
    in domain: String, after position: SealingPosition
  ) async throws(MemoryError) -> SealingSlice {
    try await through { () async throws(MemoryError) in try await primary.sealRows(in: domain, after: position) }
  }

  package var isAudited: Bool { primary.isAudited }
  package func auditRecords(
    after number: Int64, in scope: Query.Scope, limit: Int
  ) async throws(MemoryError) -> [AuditRecord] {
    try await through { () async throws(MemoryError) in
      try await primary.auditRecords(after: number, in: scope, limit: limit)
    }
  }
  package func auditHead(at now: Timestamp) async throws(MemoryError) -> AuditHead {
    try await through { () async throws(MemoryError) in try await primary.auditHead(at: now) }
  }
  package func verifyAudit(against heads: [AuditHead], rows: Bool) async throws(MemoryError) -> AuditVerification {
    try await through { () async throws(MemoryError) in try await primary.verifyAudit(against: heads, rows: rows) }
  }
  package func note(_ verb: String, _ counts: [String: Int]) async throws(MemoryError) {
    try await through { () async throws(MemoryError) in try await primary.note(verb, counts) }
  }

  package func changes(after watermark: Watermark?, limit: Int) async throws(MemoryError) -> ChangeBatch {
    try await through { () async throws(MemoryError) in try await primary.changes(after: watermark, limit: limit) }
  }
  package func watchedChanges(
    after position: Watermark?, in scope: Query.Scope, limit: Int
  ) async throws(MemoryError) -> WatchedChanges {
    try await through { () async throws(MemoryError) in
      try await primary.watchedChanges(after: position, in: scope, limit: limit)
    }
  }
  package func waitForCommit(after stamp: CommitStamp) async throws(MemoryError) {
    try await through { () async throws(MemoryError) in try await primary.waitForCommit(after: stamp) }
  }
  package func write<Value: Sendable>(
    in scope: Query.Scope, _ body: @escaping @Sendable (any PrimaryTransaction) throws(MemoryError) -> Value
  ) async throws(MemoryError) -> Value {
    try await through { () async throws(MemoryError) in try await primary.write(in: scope, body) }
  }
  package func episodesAsRecorded(after cursor: Episode.Page.Cursor?, limit: Int) async throws(MemoryError)
    -> Episode.Page
  {
    try await through { () async throws(MemoryError) in
      try await primary.episodesAsRecorded(after: cursor, limit: limit)
    }
  }
  package func append(
    _ steps: [Step.Draft], to id: Episode.ID, at now: Timestamp, in scope: Query.Scope
  ) async throws(MemoryError) -> [Step] {
    try await through { () async throws(MemoryError) in try await primary.append(steps, to: id, at: now, in: scope) }
  }
  package func episode(_ id: Episode.ID, steps: StepSelection) async throws(MemoryError) -> Versioned<Episode?> {
    try await through { () async throws(MemoryError) in try await primary.episode(id, steps: steps) }
  }
  package func episodes(
    _ ids: [Episode.ID], steps: StepSelection
  ) async throws(MemoryError) -> Versioned<[Episode]> {
    try await through { () async throws(MemoryError) in try await primary.episodes(ids, steps: steps) }
  }
  package func episodes(
    _ filter: Episode.Filter, in scope: Query.Scope, after cursor: Episode.Page.Cursor?, limit: Int,
    steps: StepSelection
  ) async throws(MemoryError) -> Episode.Page {
    try await through { () async throws(MemoryError) in
      try await primary.episodes(filter, in: scope, after: cursor, limit: limit, steps: steps)
    }
  }
  package func episodeIDs(
    beginningWith prefix: String, in scope: Query.Scope, limit: Int
  ) async throws(MemoryError) -> [Episode.ID] {
    try await through { () async throws(MemoryError) in
      try await primary.episodeIDs(beginningWith: prefix, in: scope, limit: limit)
    }
  }
  package func uniqueBeginnings(of ids: [Episode.ID]) async throws(MemoryError) -> [Int] {
    try await through { () async throws(MemoryError) in try await primary.uniqueBeginnings(of: ids) }
  }
  package func newestEpisodeIDs(in scope: Query.Scope, limit: Int) async throws(MemoryError) -> [Episode.ID] {
    try await through { () async throws(MemoryError) in try await primary.newestEpisodeIDs(in: scope, limit: limit) }
  }
  package func trustDecisions(
    on id: Episode.ID, in scope: Query.Scope
  ) async throws(MemoryError) -> [TrustDecision] {
    try await through { () async throws(MemoryError) in try await primary.trustDecisions(on: id, in: scope) }
  }
  package func pattern(_ id: Pattern.ID) async throws(MemoryError) -> Pattern? {
    try await through { () async throws(MemoryError) in try await primary.pattern(id) }
  }
  package func setting(_ name: String) async throws(MemoryError) -> JSON? {
    try await through { () async throws(MemoryError) in try await primary.setting(name) }
  }
  package func backUp(
    to destination: String?, _ options: BackupOptions, at now: Timestamp,
    progress: @escaping @Sendable (BackupProgress) -> Void
  ) async throws(MemoryError) -> Backup {
    try await through { () async throws(MemoryError) in
      try await primary.backUp(to: destination, options, at: now, progress: progress)
    }
  }
  package func obstacle(toBackup options: BackupOptions) async throws(MemoryError) -> String? {
    try await through { () async throws(MemoryError) in try await primary.obstacle(toBackup: options) }
  }
  package func backups(in directory: String?) async throws(MemoryError) -> [Backup] {
    try await through { () async throws(MemoryError) in try await primary.backups(in: directory) }
  }
  package func pruneBackups(
    in directory: String?, _ options: BackupOptions, at now: Timestamp
  ) async throws(MemoryError) -> [Backup] {
    try await through { () async throws(MemoryError) in
      try await primary.pruneBackups(in: directory, options, at: now)
    }
  }
  package func set(_ name: String, to value: JSON?, at now: Timestamp) async throws(MemoryError) {
    try await through { () async throws(MemoryError) in try await primary.set(name, to: value, at: now) }
  }
  package func changeSetting(
    _ name: String, at now: Timestamp, _ change: @escaping @Sendable (JSON?) throws(MemoryError) -> JSON?
  ) async throws(MemoryError) {
    try await through { () async throws(MemoryError) in try await primary.changeSetting(name, at: now, change) }
  }
  package func retentionRecords(
    in scope: Query.Scope, after row: Int64, limit: Int, measuresBytes: Bool
  ) async throws(MemoryError) -> [RetentionRecord] {
    try await through { () async throws(MemoryError) in
      try await primary.retentionRecords(in: scope, after: row, limit: limit, measuresBytes: measuresBytes)
    }
  }
  package func lookAtClock(
    at now: Timestamp, isAccepted: Bool, isDryRun: Bool
  ) async throws(MemoryError) -> RetentionClock {
    try await through { () async throws(MemoryError) in
      try await primary.lookAtClock(at: now, isAccepted: isAccepted, isDryRun: isDryRun)
    }
  }
  package func hasDeletedRows() async throws(MemoryError) -> Bool {
    try await through { () async throws(MemoryError) in try await primary.hasDeletedRows() }
  }
  package func settle() async { await primary.settle() }
  package func hasLongLog() throws(MemoryError) -> Bool { try primary.hasLongLog() }
  package func leaseMaintenance() async throws(MemoryError) -> MaintenanceLease {
    try await through { () async throws(MemoryError) in try await primary.leaseMaintenance() }
  }
  package func maintain(
    _ work: MaintenanceWork, amount: Int, at now: Timestamp
  ) async throws(MemoryError) -> MaintenanceSlice {
    try await through { () async throws(MemoryError) in try await primary.maintain(work, amount: amount, at: now) }
  }
  package func maintenanceRecords() async throws(MemoryError) -> [MaintenanceRecord] {
    try await through { () async throws(MemoryError) in try await primary.maintenanceRecords() }
  }
  package func record(_ records: [MaintenanceRecord]) async throws(MemoryError) {
    try await through { () async throws(MemoryError) in try await primary.record(records) }
  }
  package func erase(
    _ request: ErasureRequest, dryRun: Bool, _ progress: @escaping @Sendable (Erasure.Progress) -> Void
  ) async throws(MemoryError) -> ErasureReceipt {
    try await through { () async throws(MemoryError) in
      try await primary.erase(request, dryRun: dryRun, progress)
    }
  }
  package func cleanErased(
    leftBy selection: Erasure.Selection?, _ progress: @escaping @Sendable (Erasure.Progress) -> Void
  ) async throws(MemoryError) {
    try await through { () async throws(MemoryError) in try await primary.cleanErased(leftBy: selection, progress) }
  }
  package func repeatErasures(_ receipts: [StoredReceipt], at now: Timestamp) async throws(MemoryError) {
    try await through { () async throws(MemoryError) in try await primary.repeatErasures(receipts, at: now) }
  }
  package func finishErasure(
    _ id: ErasureReceipt.ID, backups: [String], at now: Timestamp
  ) async throws(MemoryError) {
    try await through { () async throws(MemoryError) in
      try await primary.finishErasure(id, backups: backups, at: now)
    }
  }
  package func receipts(unfinished: Bool) async throws(MemoryError) -> [ErasureReceipt] {
    try await through { () async throws(MemoryError) in try await primary.receipts(unfinished: unfinished) }
  }
  package func storedReceipt(_ id: ErasureReceipt.ID) async throws(MemoryError) -> StoredReceipt? {
    try await through { () async throws(MemoryError) in try await primary.storedReceipt(id) }
  }
  package func existing(_ receipt: StoredReceipt) async throws(MemoryError) -> [Erasure.Trace] {
    try await through { () async throws(MemoryError) in try await primary.existing(receipt) }
  }
  package func erasureDigest(_ subject: Erasure.Subject, of id: String) async throws(MemoryError) -> Erasure.Digest {
    try await through { () async throws(MemoryError) in try await primary.erasureDigest(subject, of: id) }
  }
  package func truncateLog(waitingAtMost wait: Duration) async throws(MemoryError) -> Bool {
    try await through { () async throws(MemoryError) in try await primary.truncateLog(waitingAtMost: wait) }
  }
  package func followRuns(
    limit: Int, _ trace: @escaping @Sendable (FinishedRun) -> [UInt8]
  ) async throws(MemoryError) -> TraceProgress {
    try await through { () async throws(MemoryError) in try await primary.followRuns(limit: limit, trace) }
  }
  package func traces(maximumSteps: Int) async throws(MemoryError) -> [KeptTrace] {
    try await through { () async throws(MemoryError) in try await primary.traces(maximumSteps: maximumSteps) }
  }
  package func learnedPlaces() async throws(MemoryError) -> [LearnedPlace] {
    try await through { () async throws(MemoryError) in try await primary.learnedPlaces() }
  }
  package func learnedPatterns(in domain: String, situations: [String]) async throws(MemoryError) -> [Pattern] {
    try await through { () async throws(MemoryError) in
      try await primary.learnedPatterns(in: domain, situations: situations)
    }
  }
  package func adviceRecords() async throws(MemoryError) -> [AdviceRecord] {
    try await through { () async throws(MemoryError) in try await primary.adviceRecords() }
  }
  package func adviceExperiment() async throws(MemoryError) -> AdviceExperiment? {
    try await through { () async throws(MemoryError) in try await primary.adviceExperiment() }
  }
  package func analytics(_ request: AnalyticsRequest) async throws(MemoryError) -> Analytics {
    try await through { () async throws(MemoryError) in try await primary.analytics(request) }
  }
  package func addCacheReads(_ reads: CacheReads, at now: Timestamp) async throws(MemoryError) {
    try await through { () async throws(MemoryError) in try await primary.addCacheReads(reads, at: now) }
  }
  package func domains() async throws(MemoryError) -> [DomainSummary] {
    try await through { () async throws(MemoryError) in try await primary.domains() }
  }
  package func neighbors(
    of ids: [Episode.ID], _ statuses: Set<Episode.Status>, _ trust: ClosedRange<Trust>, in scope: Query.Scope,
    count: Int,
    steps: StepSelection
  ) async throws(MemoryError) -> [Hit.Neighbors] {
    try await through { () async throws(MemoryError) in
      try await primary.neighbors(of: ids, statuses, trust, in: scope, count: count, steps: steps)
    }
  }
  package func sessions(
    in scope: Query.Scope, after cursor: Episode.Page.Cursor?, limit: Int
  ) async throws(MemoryError) -> SessionSummary.Page {
    try await through { () async throws(MemoryError) in
      try await primary.sessions(in: scope, after: cursor, limit: limit)
    }
  }
  package func steps(
    of id: Episode.ID, in scope: Query.Scope, after number: Int?, limit: Int
  ) async throws(MemoryError) -> Step.Page {
    try await through { () async throws(MemoryError) in
      try await primary.steps(of: id, in: scope, after: number, limit: limit)
    }
  }
  package func pattern(
    _ type: PatternType, hash: String, domain: String?
  ) async throws(MemoryError) -> Versioned<Pattern?> {
    try await through { () async throws(MemoryError) in try await primary.pattern(type, hash: hash, domain: domain) }
  }
  package func patterns(_ filter: Pattern.Filter, in scope: Query.Scope) async throws(MemoryError) -> [Pattern] {
    try await through { () async throws(MemoryError) in try await primary.patterns(filter, in: scope) }
  }
  package func patterns(of episode: Episode.ID, in scope: Query.Scope) async throws(MemoryError) -> [Pattern] {
    try await through { () async throws(MemoryError) in try await primary.patterns(of: episode, in: scope) }
  }
  package func embeddings(of episode: Episode.ID, in scope: Query.Scope) async throws(MemoryError) -> [Embedding] {
    try await through { () async throws(MemoryError) in try await primary.embeddings(of: episode, in: scope) }
  }
  package func embeddings(
    in space: EmbeddingSpace, scope: Query.Scope, after id: Embedding.ID?, limit: Int
  ) async throws(MemoryError) -> [Embedding] {
    try await through { () async throws(MemoryError) in
      try await primary.embeddings(in: space, scope: scope, after: id, limit: limit)
    }
  }
  package func read<Value: Sendable>(
    _ body: @escaping @Sendable (any PrimarySnapshot) throws(MemoryError) -> Value
  ) async throws(MemoryError) -> Value {
    try await through { () async throws(MemoryError) in try await primary.read(body) }
  }
  /// Always `nil`, so that every search passes through `read` and its faults.
  package func readWithoutWaiting<Value>(
    _ body: (any PrimarySnapshot) throws(MemoryError) -> Value
  ) throws(MemoryError) -> Value? { nil }
  package func statistics() async throws(MemoryError) -> PrimaryStatistics {
    try await through { () async throws(MemoryError) in try await primary.statistics() }
  }
  package func check(_ depth: MemoryCheck.Depth) async throws(MemoryError) -> [MemoryCheck] {
    try await through { () async throws(MemoryError) in try await primary.check(depth) }
  }
  package func rebuildTextIndexes(acceptingTexts: Bool) async throws(MemoryError) {
    try await through { () async throws(MemoryError) in
      try await primary.rebuildTextIndexes(acceptingTexts: acceptingTexts)
    }
  }
  package func optimizeTextIndexes() async throws(MemoryError) {
    try await through { () async throws(MemoryError) in try await primary.optimizeTextIndexes() }
  }
  package func close() async throws(MemoryError) {
    try await through { () async throws(MemoryError) in try await primary.close() }
  }
}
