import ByteCoding
public import EpisodicMemory
import FileLocks
import LMDB
import Logging
import Synchronization
import WordIndex

/// The search index in LMDB: words and vectors of a store, shared by the processes that use it.
///
/// Following — `LMDBSearchIndex+Following`: from nothing, and from change to change.
/// Searching — `LMDBSearchIndex+Words`, `LMDBSearchIndex+Neighbors`: in one snapshot of both tiers.
/// Merging — `LMDBSearchIndex+Maintaining`. Check — `LMDBSearchIndex+Check`: entry by entry against the primary.
///
/// Derived, and disposable at any byte (I1): what fails is logged once and answered with silence, what is damaged is
/// removed and built anew.
public final class LMDBSearchIndex: SearchIndex {
  static let layout = TierLayout(
    format: 5,
    databases: [("words", .bytes), ("vectors", .integers), ("episodes", .integers), ("names", .bytes)])

  let tier: LMDBTier
  let words: InvertedIndex
  let vectors: VectorTable
  let episodes: EpisodeTable
  let names: NameTable
  let scratch = VectorScratch.Pool()
  let maintenance: FileLock<LMDBError>
  let budget: StepBudget
  let mappedPages: MappedPages
  let followSize = AdaptiveBatchSize(most: followBatch)
  /// Bytes that the largest step took since the index was opened.
  let largestStep = Atomic(0)
  let refusals = Refusals()

  private let logger: Logger
  let condition = TierCondition()
  let clock: any WallClock

  init(
    _ tier: LMDBTier, clock: any WallClock = SystemClock(), budget: StepBudget = StepBudget(), logger: Logger
  ) throws(LMDBError) {
    let verified = VerifiedValues()
    self.tier = tier
    self.clock = clock
    self.budget = budget
    mappedPages = MappedPages(of: tier.environment)
    self.logger = logger
    words = InvertedIndex(database: try tier.database("words"), generation: tier.epoch, verified: verified)
    vectors = VectorTable(
      database: try tier.database("vectors"), epoch: tier.epoch, verified: verified, isTrusted: tier.isTrusted)
    episodes = EpisodeTable(database: try tier.database("episodes"), epoch: tier.epoch)
    names = NameTable(database: try tier.database("names"), epoch: tier.epoch)
    maintenance = try FileLock(in: tier.place, TierFile.maintenance)
  }

  deinit {
    close()
  }

  public var isAvailable: Bool { condition.isUsable }

  public func removeAll() -> Bool {
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
    for database in [words.database, vectors.database, episodes.database, names.database] {
      try removeInPortions(database, &transaction)
    }
    try tier.meta.removeIndexPosition(in: &transaction)
  }

  /// Entries that are removed before the pages of the map are released: the kernel maps 16 pages, 64 KiB, for each.
  private static let portion = 512

  /// `mdb_drop` reads the first page of every large value: the whole file would count as this process's memory.
  private func removeInPortions(_ database: Database, _ transaction: inout WriteTransaction) throws(LMDBError) {
    var count = 0
    var cursor = try transaction.writeCursor(in: database)
    while try cursor.next() != nil {
      try cursor.delete()
      count += 1
      if count.isMultiple(of: Self.portion) { mappedPages.release() }
    }
  }

  /// Closes the files unless others in this process use them; from then on every question is met with silence.
  public func close() {
    guard condition.close() != .closed else { return }
    tier.release()
  }

  // MARK: Failing

  /// Says so the first time, and deals with damage: what contradicts itself is removed, to be built anew.
  func failed(_ error: LMDBError) {
    if condition.isClosed, error.code == .unavailable { return }
    // `TierRecovery` says so, and opens what is there now.
    if error.code == .filesChanged { return condition.giveUp(because: "\(error)") }
    if condition.isFirstComplaint() {
      logger.warning(
        "the search index in \(tier.directory) failed, the primary searches alone: \(error); further failures are not told"
      )
    }
    guard error.code == .damaged, condition.isUsable else { return }
    do throws(LMDBError) {
      // LMDB's own damage lies below the tables, where nothing here can mend it: whoever opens it next makes new files.
      if error.returnCode != 0 {
        condition.giveUp(because: "\(error)")
        return try tier.condemn()
      }
      try tier.write { transaction throws(LMDBError) in try removeAll(in: &transaction) }
      logger.notice("the damaged search index in \(tier.directory) was emptied and is built anew")
      condition.forgetComplaints()
    } catch {
      condition.giveUp(because: "it is damaged and could not be emptied: \(error)")
    }
  }

  /// A full disk or map may pass: until then it answers from what it has, and the primary searches where that is too old.
  func couldNotWrite(_ error: LMDBError) {
    if error.code == .filesChanged { return failed(error) }
    let isBusy = error.code == .busy
    if condition.writeOutage == nil, !isBusy {
      logger.warning("the search index in \(tier.directory) cannot be written to; it is tried again: \(error)")
    }
    // The lock is only tried, once it has been waited for in vain.
    condition.couldNotWrite(because: "\(error)", at: clock.now(), pauses: !isBusy)
  }

  func wrote() {
    if condition.wrote() { logger.notice("the search index in \(tier.directory) is written again") }
  }
}
