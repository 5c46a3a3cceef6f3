import CachePolicy
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
  let condition = TierCondition()

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

  @discardableResult
  public func removeAll() -> Bool {
    guard isAvailable else { return true }
    let outcome = change { (transaction, tallies) throws(LMDBError) in
      try tables.removeEntries(tallies: &tallies, in: &transaction)
    }
    if case .busy = outcome { return false }
    return true
  }

  /// Keeps what was counted, and closes the files unless others in this process use them. From then on every read is
  /// a miss.
  public func close() {
    let before = condition.close()
    guard before != .closed else { return }
    if before == .usable { writeDownCounts() }
    tier.release()
    tables.policy.detach()
  }

  /// Adds what was counted in this process to what all of them counted.
  ///
  /// - Parameter waits: Whether to wait for others that write; without, they are written down another time.
  func writeDownCounts(waits: Bool = true) { change(waits: waits) { (_, _) throws(LMDBError) in } }

  // MARK: Failing

  /// What became of a change.
  enum Outcome<Result> {
    case done(Result)
    /// It was not wanted any more: nothing was written.
    case moot
    /// Others write.
    case busy
    /// Which has been dealt with.
    case failed
  }

  /// Runs a change in a write transaction, together with what was counted since the last one. Where the map is full it
  /// makes room and tries once more; where the tables contradict each other it starts anew.
  ///
  /// - Parameter waits: Whether to wait for others that write. Where it does, and in vain, that counts as a failure.
  /// - Parameter isWanted: Asked under the lock, before a write transaction is begun.
  @discardableResult
  func change<Result>(
    waits: Bool = true, if isWanted: (borrowing ReadTransaction) throws(LMDBError) -> Bool = { _ in true },
    _ body: (inout WriteTransaction, inout Tallies) throws(LMDBError) -> Result
  ) -> Outcome<Result> {
    guard condition.mayWrite(at: clock.now()) else { return .failed }
    let counted = counters.take()
    do throws(LMDBError) {
      let result: Result?
      do throws(LMDBError) {
        result = try write(adding: counted, waits: waits, if: isWanted, body)
      } catch let error where error.code == .mapFull || error.code == .transactionFull {
        try makeRoom()
        result = try write(adding: counted, waits: waits, if: isWanted, body)
      }
      if condition.wrote() {
        condition.forgetComplaints()
        logger.notice("the cache in \(tier.directory) is written again")
      }
      if let result { return .done(result) }
      counters.putBack(counted)
      return .moot
    } catch {
      counters.putBack(counted)
      if error.code == .busy {
        guard waits else { return .busy }
        // The lock is only tried, once it has been waited for in vain.
        condition.couldNotWrite(because: "\(error)", at: clock.now(), pauses: false)
        failed(error)
        return .busy
      }
      if error.code != .damaged, error.code != .filesChanged {
        condition.couldNotWrite(because: "\(error)", at: clock.now(), pauses: true)
      }
      failed(error)
      return .failed
    }
  }

  /// Counts a failure, says so the first time, and deals with damage.
  func failed(_ error: LMDBError) {
    // Whoever closed it does not mean the reads that were on their way.
    if condition.isClosed, error.code == .unavailable { return }
    counters.failures.wrappingAdd(1, ordering: .relaxed)
    // `TierRecovery` says so, and opens what is there now.
    if error.code == .filesChanged { return condition.giveUp(because: "\(error)") }
    if condition.isFirstComplaint() {
      logger.warning(
        "the cache in \(tier.directory) failed, reads go to the primary: \(error); further failures are only counted")
    }
    guard error.code == .damaged, condition.isUsable else { return }
    do throws(LMDBError) {
      // LMDB's own damage lies below the tables, where nothing here can mend it: whoever opens it next makes new files.
      if error.returnCode != 0 {
        condition.giveUp(because: "\(error)")
        return try tier.condemn()
      }
      try tier.write { transaction throws(LMDBError) in try startAnew(in: &transaction) }
    } catch {
      condition.giveUp(because: "it is damaged and could not be emptied: \(error)")
    }
  }

  private func write<Result>(
    adding counted: Tallies, waits: Bool = true,
    if isWanted: (borrowing ReadTransaction) throws(LMDBError) -> Bool = { _ in true },
    _ body: (inout WriteTransaction, inout Tallies) throws(LMDBError) -> Result
  ) throws(LMDBError) -> Result? {
    var (before, after) = (Tallies(), Tallies())
    let result = try tier.write(waits: waits, if: isWanted) { transaction throws(LMDBError) in
      before = try tables.meta.tallies(epoch: tables.epoch, in: transaction)
      after = before
      after.add(counted)
      let result = try body(&transaction, &after)
      try tables.meta.put(after, epoch: tables.epoch, in: &transaction)
      return result
    }
    if result != nil { metrics.report(after, since: before) }
    return result
  }

  /// Pages can be reused once the readers that see them are gone, so those of dead processes go first. Two steps, for
  /// LMDB reuses what one transaction frees in the one after the next.
  private func makeRoom() throws(LMDBError) {
    try tier.environment.checkReaders()
    for _ in 0..<2 {
      _ = try write(adding: Tallies()) { (transaction, tallies) throws(LMDBError) in
        let all = CacheLimit(bytes: tallies.bytes, entries: nil)
        _ = try tables.makeRoom(for: tallies.bytes / 16, within: all, tallies: &tallies, in: &transaction)
      }
    }
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
