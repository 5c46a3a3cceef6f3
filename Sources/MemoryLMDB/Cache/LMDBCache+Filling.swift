public import EpisodicMemory
import LMDB
import Synchronization

extension LMDBCache {
  /// Expired entries that leave at most, a fill: more than come.
  private static let expiredPerFill = 4
  /// A value that would take more than one part in so many would throw out too many others.
  private static let maximumShare = 8
  private static let millisecondsBetweenReaderChecks: Int64 = 60_000

  /// A value that is there already and can be served stays as it is, with its deadline.
  ///
  /// A value that would take more than an eighth of the capacity is not kept, and counts as refused.
  public func fill(
    _ key: CacheKey, with value: (any Cacheable)?, tags: [CacheTag], asOf: Watermark, afterMiss: Bool
  ) {
    guard isAvailable else { return }
    let now = clock.now()
    guard let deadline = options.deadline(of: key.kind, from: now) else { return }
    let hash = key.hash
    let tags = tags.map(\.hash)
    guard tags.count <= CacheEntry.maximumTags else { return refuse(key) }
    do throws(LMDBError) {
      // A look before the lock: most of what recall fills is there, and writers of all processes wait for each other.
      let verdict = try tier.environment.read { transaction throws(LMDBError) in
        try tables.verdict(on: key, hash: hash, asOf: asOf, now: now, in: transaction)
      }
      switch verdict {
      case .welcome: break
      case .refused: return refuse(key)
      case .present: return
      }
    } catch {
      return failed(error)
    }
    // A change to the key itself drops the entry, so a read need not ask whether that tag has changed.
    var entry = CacheEntry.bytes(
      of: value, for: key, tags: tags.filter { $0 != hash }, revision: asOf.revision, deadline: deadline,
      filledAt: now.milliseconds)
    let cost = tables.cost(valueBytes: entry.count)
    guard cost <= limit.bytes / Self.maximumShare else { return refuse(key) }
    let isKept = change { (transaction, tallies) throws(LMDBError) in
      switch try tables.verdict(on: key, hash: hash, asOf: asOf, now: now, in: transaction) {
      case .welcome: break
      case .refused: return false
      case .present: return true
      }
      try tables.remove(hash, tallies: &tallies, in: &transaction)
      try tables.dropExpired(limit: Self.expiredPerFill, now: now, tallies: &tallies, in: &transaction)
      var area = tables.window
      if afterMiss {
        let lastChange = try tables.lastChange(of: tags, in: transaction)
        tallies[key.kind].capacityMisses &+= tables.policy.capacityMiss(
          hash, now: now.milliseconds, deadline: deadline, revision: asOf.revision
        ) { $0 >= lastChange }
        tables.policy.recordMiss(hash)
        if tables.policy.skipsWindow(hash) { area = tables.main }
      }
      guard try tables.makeRoom(for: cost, within: limit, tallies: &tallies, in: &transaction) else { return false }
      try tables.append(
        &entry, hash: hash, kind: key.kind, deadline: deadline, to: area, tallies: &tallies, in: &transaction)
      return true
    }
    if isKept == false { refuse(key) }
    checkReaders(now)
  }

  private func refuse(_ key: CacheKey) {
    counters[key.kind].refused.wrappingAdd(1, ordering: .relaxed)
  }

  /// A process that was killed inside a read keeps pages from being reused until somebody notices.
  private func checkReaders(_ now: Timestamp) {
    let last = readersChecked.load(ordering: .relaxed)
    let (elapsed, overflow) = now.milliseconds.subtractingReportingOverflow(last)
    guard overflow || elapsed < 0 || elapsed >= Self.millisecondsBetweenReaderChecks,
      readersChecked.compareExchange(expected: last, desired: now.milliseconds, ordering: .relaxed).exchanged
    else { return }
    do throws(LMDBError) {
      try tier.environment.checkReaders()
    } catch {
      failed(error)
    }
  }
}
