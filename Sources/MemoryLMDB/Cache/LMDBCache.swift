public import EpisodicMemory
import LMDB
import Logging
import Synchronization

/// Entries with a lifetime in LMDB, shared by the processes that use a store; never older than the last commit it was
/// told of (I3), and gone without loss at any moment (I1).
///
/// Reading — `LMDBCache+Reading`: one LMDB snapshot and one copy; of thousands of hits one writes down the counts.
/// Filling — `LMDBCache+Filling`: after a miss, into the place of what is least likely to be asked for again.
/// Changes — `LMDBCache+Changes`: what keeps it from being older than the primary.
/// Check — `LMDBCache+Check`: everything verified, the values against the primary.
///
/// Everything that matters is in LMDB, so that any number of processes may come and go; a process keeps only counters.
/// Nothing throws: what fails is a miss, is counted, and is logged the first time.
public final class LMDBCache: Cache {
  let tier: LMDBTier
  let tables: CacheTables
  let options: Options
  let clock: any WallClock
  let limit: CacheLimit
  let counters = Counters()
  private let metrics: CacheMetrics
  /// When readers of dead processes were last looked for, milliseconds since 1970.
  let readersChecked = Atomic<Int64>(.min)

  private let logger: Logger
  private let condition = TierCondition()

  init(
    _ tier: LMDBTier, _ tables: CacheTables, clock: any WallClock, options: Options, metrics: CacheMetrics,
    logger: Logger
  ) {
    self.tier = tier
    self.tables = tables
    self.clock = clock
    self.metrics = metrics
    self.options = options
    // Whoever opened the files first chose the map, and LMDB needs a part of it for itself.
    self.limit = CacheLimit(
      bytes: min(options.effectiveCapacity, tier.environment.options.mapSize / 4 * 3),
      entries: options.maximumEntries.map { max($0, 1) })
    self.logger = logger
  }

  deinit {
    close()
  }

  public var isAvailable: Bool { condition.isUsable }

  public func removeAll() {
    guard isAvailable else { return }
    change { (transaction, tallies) throws(LMDBError) in
      try tables.removeEntries(tallies: &tallies, in: &transaction)
    }
  }

  /// Keeps what was counted, and closes the files unless others in this process use them. From then on every read is
  /// a miss.
  public func close() {
    let before = condition.close()
    guard before != .closed else { return }
    if before == .usable { writeDownCounts() }
    tier.release()
  }

  /// Adds what was counted in this process to what all of them counted.
  func writeDownCounts() { change { (_, _) throws(LMDBError) in } }

  // MARK: Failing

  /// Runs a change in a write transaction, together with what was counted since the last one. Where the map is full it
  /// makes room and tries once more; where the tables contradict each other it starts anew.
  ///
  /// - Returns: `nil` where it failed, which has been dealt with.
  @discardableResult
  func change<Result>(
    _ body: (inout WriteTransaction, inout Tallies) throws(LMDBError) -> Result
  ) -> Result? {
    let counted = counters.take()
    do throws(LMDBError) {
      do throws(LMDBError) {
        return try write(adding: counted, body)
      } catch let error where error.code == .mapFull || error.code == .transactionFull {
        try makeRoom()
        return try write(adding: counted, body)
      }
    } catch {
      counters.putBack(counted)
      failed(error)
      return nil
    }
  }

  /// Counts a failure, says so the first time, and deals with damage.
  func failed(_ error: LMDBError) {
    // Whoever closed it does not mean the reads that were on their way.
    if condition.isClosed, error.code == .unavailable { return }
    counters.failures.wrappingAdd(1, ordering: .relaxed)
    if condition.isFirstComplaint() {
      logger.warning(
        "the cache in \(tier.directory) failed, reads go to the primary: \(error); further failures are only counted")
    }
    guard error.code == .damaged, condition.isUsable else { return }
    do throws(LMDBError) {
      // LMDB's own damage lies below the tables, where nothing here can mend it: the next process makes new files.
      if error.returnCode != 0 { return try giveUp() }
      try tier.write { transaction throws(LMDBError) in try startAnew(in: &transaction) }
    } catch {
      condition.giveUp()
      logger.warning("the damaged cache in \(tier.directory) is not used any more: \(error)")
    }
  }

  private func write<Result>(
    adding counted: Tallies, _ body: (inout WriteTransaction, inout Tallies) throws(LMDBError) -> Result
  ) throws(LMDBError) -> Result {
    var (before, after) = (Tallies(), Tallies())
    let result = try tier.write { transaction throws(LMDBError) in
      before = try tables.meta.tallies(epoch: tables.epoch, in: transaction)
      after = before
      after.add(counted)
      let result = try body(&transaction, &after)
      try tables.meta.put(after, epoch: tables.epoch, in: &transaction)
      return result
    }
    metrics.report(after, since: before)
    return result
  }

  /// Pages can be reused once the readers that see them are gone, so those of dead processes go first. Two steps, for
  /// LMDB reuses what one transaction frees in the one after the next.
  private func makeRoom() throws(LMDBError) {
    try tier.environment.checkReaders()
    for _ in 0..<2 {
      try write(adding: Tallies()) { (transaction, tallies) throws(LMDBError) in
        let all = CacheLimit(bytes: tallies.bytes, entries: nil)
        _ = try tables.makeRoom(for: tallies.bytes / 16, within: all, tallies: &tallies, in: &transaction)
      }
    }
  }

  private func giveUp() throws(LMDBError) {
    condition.giveUp()
    try tier.condemn()
  }

  /// Forgets everything but the place in the primary's history and what was counted; where the place is damaged too,
  /// it has to be told of the primary again before anything is filled.
  private func startAnew(in transaction: inout WriteTransaction) throws(LMDBError) {
    let meta = tables.meta
    let epoch = tables.epoch
    let watermark = try unlessDamaged { () throws(LMDBError) in try meta.watermark(epoch: epoch, in: transaction) }
    var tallies =
      try unlessDamaged { () throws(LMDBError) in try meta.tallies(epoch: epoch, in: transaction) } ?? Tallies()
    try tables.removeEntries(tallies: &tallies, in: &transaction)
    try meta.put(tallies, epoch: epoch, in: &transaction)
    if let watermark {
      try tables.tags.begin(at: watermark.revision, in: &transaction)
    } else {
      try transaction.removeAll(in: tables.tags.database)
      try meta.removePosition(in: &transaction)
    }
  }

  /// What `read` finds; `nil` where the record it reads is damaged.
  private func unlessDamaged<Value>(_ read: () throws(LMDBError) -> Value?) throws(LMDBError) -> Value? {
    do throws(LMDBError) {
      return try read()
    } catch let error where error.code == .damaged && error.returnCode == 0 {
      return nil
    }
  }
}
