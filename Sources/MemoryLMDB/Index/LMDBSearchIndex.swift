import ByteCoding
package import CoreMetrics
package import EpisodicMemory
import FileLocks
import LMDB
package import Logging
import Synchronization
import VectorIndex
import WordIndex

/// The search index in LMDB: words and vectors of a store, shared by the processes that use it.
///
/// Derived, and disposable at any byte (I1): a failure is logged once and answered with `.silent`; damaged content is
/// removed and built again.
///
/// Opening, failing, statistics — this file; building and following — `LMDBSearchIndex+Following`; searching —
/// `LMDBSearchIndex+Searching`; merging — `LMDBSearchIndex+Maintaining`; comparing with the primary — `LMDBSearchIndex+Check`.
package final class LMDBSearchIndex: SearchIndex {
  static let layout = TierLayout(
    format: 9,
    databases: [
      ("words", .bytes), ("vectors", .integers), ("groups", .bytes), ("episodes", .integers), ("sessions", .bytes),
      ("names", .bytes),
    ])

  let tier: LMDBTier
  let words: InvertedIndex
  let vectors: VectorTable
  let episodes: EpisodeTable
  let sessions: SessionTable
  let names: NameTable
  let maintenance: FileLock<LMDBError>
  let budget: StepBudget
  let mappedPages: MappedPages
  let batchSize = AdaptiveBatchSize(maximum: maximumChanges)
  /// Bytes of the largest step since the index was opened.
  let largestStep = Atomic(0)
  let staleSnapshots = StaleSnapshotCounter()
  let state = TierState()
  let clock: any WallClock
  let metrics: IndexMetrics
  private let logger: Logger

  // MARK: Opening

  /// Address space, not memory: enough for more than ten million episodes with vectors, and never resized.
  private static let mapSize = 1 << 37
  /// Bytes of input of one step of building or following, unless less is wanted; see `StepBudget`.
  package static let stepBytes = 8 << 20

  /// Opens the index of a store, empty if its files cannot be trusted.
  ///
  /// The store works without an index: a failure is logged, and the result is silent until the index can be opened.
  ///
  /// - Parameter directory: Created if missing, as is its parent; the parent's parent must exist.
  /// - Parameter store: The index of another store is removed.
  /// - Parameter stepBytes: Bytes of input of one step, which holds them about five times.
  package static func open(
    at directory: String, store: StoreIdentity, stepBytes: Int = stepBytes, clock: any WallClock = SystemClock(),
    metrics: any MetricsFactory = MetricsSystem.factory, logger: Logger
  ) -> RecoveringIndex {
    open(
      at: directory, store: store, mapSize: mapSize, boot: .current(), budget: StepBudget(bytes: stepBytes),
      clock: clock,
      metrics: metrics, logger: logger)
  }

  static func open(
    at directory: String, store: StoreIdentity, mapSize: Int, boot: BootID, budget: StepBudget = StepBudget(),
    clock: any WallClock = SystemClock(),
    metrics: any MetricsFactory = MetricsSystem.factory, logger: Logger
  ) -> RecoveringIndex {
    RecoveringIndex(at: directory, clock: clock, logger: logger) { () throws(LMDBError) in
      // The cache, which would create the parent, may be off. Neither may be reached through a link.
      if let end = directory.lastIndex(of: "/") {
        _ = try PrivateDirectory<LMDBError>(creatingAt: String(directory[..<end]))
      }
      let tier = try LMDBTier.openAnywhere(
        at: directory, store: store, layout: layout, mapSize: mapSize, boot: boot, logger: logger)
      do throws(LMDBError) {
        return try LMDBSearchIndex(tier, clock: clock, budget: budget, metrics: metrics, logger: logger)
      } catch {
        tier.release()
        throw error
      }
    }
  }

  init(
    _ tier: LMDBTier, clock: any WallClock = SystemClock(), budget: StepBudget = StepBudget(),
    metrics: any MetricsFactory = MetricsSystem.factory, logger: Logger
  ) throws(LMDBError) {
    self.metrics = IndexMetrics(factory: metrics)
    let verified = VerifiedValues()
    self.tier = tier
    self.clock = clock
    self.budget = budget
    mappedPages = MappedPages(of: tier.environment)
    self.logger = logger
    words = InvertedIndex(database: try tier.database("words"), generation: tier.generation, verified: verified)
    vectors = VectorTable(
      database: try tier.database("vectors"), groups: try tier.database("groups"), generation: tier.generation,
      verified: verified, isTrusted: tier.isTrusted
    )
    episodes = EpisodeTable(
      database: try tier.database("episodes"), generation: tier.generation, verified: verified)
    sessions = SessionTable(database: try tier.database("sessions"), generation: tier.generation)
    names = NameTable(database: try tier.database("names"), generation: tier.generation)
    maintenance = try FileLock(in: tier.place, TierFile.maintenance)
  }

  deinit {
    close()
  }

  package var isAvailable: Bool { state.isUsable }

  /// Closes the files unless others in this process use them. The index is unavailable afterwards.
  package func close() {
    guard state.close() != .closed else { return }
    tier.release()
  }

  // MARK: Removing

  package func removeAll() -> Bool {
    guard isAvailable else { return true }
    do throws(LMDBError) {
      try tier.write { transaction throws(LMDBError) in try removeAll(in: &transaction) }
      return true
    } catch let error where error.code == .busy {
      return false
    } catch {
      failed(error)
      return !isAvailable
    }
  }

  func removeAll(in transaction: inout WriteTransaction) throws(LMDBError) {
    for (name, _) in Self.layout.databases {
      let database = try tier.database(name)
      // Not `mdb_drop`: it reads the first page of every large value, and the whole file would count as this process's memory.
      var cursor = try transaction.writeCursor(in: database)
      while try cursor.next() != nil {
        try cursor.delete()
        mappedPages.count(MappedPages.bytesPerFault)
      }
    }
    try tier.meta.removeIndexPosition(in: &transaction)
  }

  // MARK: Failing

  /// Logs the first failure. Damaged tables are emptied, to be built again; damaged files are condemned.
  func failed(_ error: LMDBError) {
    if state.isClosed, error.code == .unavailable { return }
    // `RecoveringTier` logs this and opens the new files.
    if error.code == .filesChanged { return state.giveUp(because: "\(error)") }
    if state.isFirstFailure() {
      logger.warning(
        "the search index in \(tier.directory) failed, the primary searches alone: \(error); further failures are not logged",
        metadata: ["event": "index.failed", "path": "\(tier.directory)", "error": "\(error)"])
    }
    guard error.code == .damaged, state.isUsable else { return }
    do throws(LMDBError) {
      // Damage that LMDB itself reports is in its pages, which no table can repair: the next to open them creates new files.
      if error.returnCode != 0 {
        state.giveUp(because: "\(error)")
        return try tier.condemn()
      }
      try tier.write { transaction throws(LMDBError) in try removeAll(in: &transaction) }
      logger.notice(
        "the damaged search index in \(tier.directory) was emptied and is built again",
        metadata: ["event": "index.emptied", "path": "\(tier.directory)", "error": "\(error)"])
      state.resetFailures()
    } catch {
      state.giveUp(because: "it is damaged and could not be emptied: \(error)")
    }
  }

  /// Pauses writing. A full disk or map may pass; until then the index answers from what it has, and the primary searches if
  /// that is too old.
  func couldNotWrite(_ error: LMDBError) {
    if error.code == .filesChanged { return failed(error) }
    let isBusy = error.code == .busy
    if state.writeOutage == nil, !isBusy {
      logger.warning(
        "the search index in \(tier.directory) cannot be written to; it is tried again: \(error)",
        metadata: ["event": "index.not_writable", "path": "\(tier.directory)", "error": "\(error)"])
    }
    // A wait for the lock that failed makes later attempts not wait, so they need no pause.
    state.writeFailed(because: "\(error)", at: clock.now(), pauses: !isBusy)
  }

  func wrote() {
    if state.writeSucceeded() {
      logger.notice(
        "the search index in \(tier.directory) is written again",
        metadata: ["event": "index.writable", "path": "\(tier.directory)"])
    }
  }

  // MARK: Statistics

  package func statistics() -> IndexStatistics {
    guard isAvailable else { return IndexStatistics(unavailable: "it is closed or damaged") }
    do throws(LMDBError) {
      let file = try tier.environment.statistics()
      return try tier.read { transaction throws(LMDBError) in
        var statistics = IndexStatistics()
        let outage = state.writeOutage
        statistics.notWritable = outage?.reason
        statistics.notWritableSince = outage?.since
        if case .following(let watermark, _) = try tier.meta.indexPosition(in: transaction) {
          statistics.isBuilt = true
          statistics.watermark = watermark
        }
        let vectors = try vectors.statistics(in: transaction)
        statistics.vectors = vectors.rows
        statistics.vectorBytes = vectors.bytes
        let words = try words.statistics(in: transaction)
        statistics.documents = words.parents + words.children
        statistics.wordBytes = Int(clamping: words.bytes)
        statistics.fileBytes = Int64(clamping: file.usedBytes)
        return statistics
      }
    } catch {
      failed(error)
      return IndexStatistics(unavailable: "\(error)")
    }
  }
}
