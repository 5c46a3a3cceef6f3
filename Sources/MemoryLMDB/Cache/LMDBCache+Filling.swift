import CachePolicy
public import EpisodicMemory
import LMDB
import Synchronization

extension LMDBCache {
  /// Expired entries that leave at most, a fill: more than come.
  private static let expiredPerFill = 4
  /// A value that would take more than one part in so many would throw out too many others.
  private static let maximumShare = 8
  /// One transaction takes values of a 32nd of the capacity at most, and of 4 MiB: what it frees it cannot use again itself.
  private static let portionShare = 32
  private static let maximumPortion = 4 << 20
  private static let millisecondsBetweenReaderChecks: Int64 = 60_000

  /// A value on its way, laid out.
  private struct Filling {
    let fill: CacheFill
    let hash: UInt64
    let deadline: Int64
    var entry: [UInt8]
  }

  /// A value that is there already and can be served stays as it is, with its deadline.
  ///
  /// A value that would take more than an eighth of the capacity is not kept, and counts as refused.
  @discardableResult
  public func fill(_ fills: [CacheFill], asOf: Watermark, waits: Bool) -> Bool {
    guard isAvailable else { return true }
    let now = clock.now()
    let welcome: [CacheFill]
    do throws(LMDBError) {
      // A look before the lock: most of what recall fills is there, and writers of all processes wait for each other.
      welcome = try tier.read { transaction throws(LMDBError) in
        var welcome: [CacheFill] = []
        for fill in fills
        where try verdict(on: fill, asOf: asOf, now: now, in: transaction) == .welcome { welcome.append(fill) }
        return welcome
      }
    } catch {
      failed(error)
      return true
    }
    var portion: [Filling] = []
    var bytes = 0
    let most = min(limit.bytes / Self.portionShare, Self.maximumPortion)
    for fill in welcome {
      guard let filling = layOut(fill, asOf: asOf, now: now) else { continue }
      if bytes > 0, bytes + filling.entry.count > most {
        guard put(&portion, asOf: asOf, now: now, waits: waits) else { return false }
        (portion, bytes) = ([], 0)
      }
      portion.append(filling)
      bytes += filling.entry.count
    }
    guard portion.isEmpty || put(&portion, asOf: asOf, now: now, waits: waits) else { return false }
    checkReaders(now)
    return true
  }

  /// Counts a refusal; a kind that is not cached at all is none.
  private func verdict(
    on fill: CacheFill, asOf: Watermark, now: Timestamp, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> CacheTables.Verdict {
    guard options.deadline(of: fill.key.kind, from: now) != nil else { return .present }
    let verdict = try tables.verdict(on: fill.key, hash: fill.key.hash, asOf: asOf, now: now, in: transaction)
    if verdict == .refused { refuse(fill.key) }
    return verdict
  }

  /// - Returns: `nil` where it is too large, or depends on too much.
  private func layOut(_ fill: CacheFill, asOf: Watermark, now: Timestamp) -> Filling? {
    guard let deadline = options.deadline(of: fill.key.kind, from: now) else { return nil }
    let hash = fill.key.hash
    // Without the key's own: a change to the key itself drops the entry.
    let tags = fill.tags.map(\.hash).filter { $0 != hash }
    guard tags.count <= CacheEntry.maximumTags else {
      refuse(fill.key)
      return nil
    }
    let entry = CacheEntry.bytes(
      of: fill.value, for: fill.key, tags: tags, revision: asOf.revision, deadline: deadline,
      filledAt: now.milliseconds)
    guard tables.cost(valueBytes: entry.count) <= limit.bytes / Self.maximumShare else {
      refuse(fill.key)
      return nil
    }
    return Filling(fill: fill, hash: hash, deadline: deadline, entry: entry)
  }

  /// Puts what is still welcome into the tables, in one transaction.
  ///
  /// - Returns: False where others write, and it was not to wait for them.
  private func put(_ fillings: inout [Filling], asOf: Watermark, now: Timestamp, waits: Bool) -> Bool {
    let outcome = change(
      waits: waits,
      if: { transaction throws(LMDBError) in
        try tables.meta.watermark(epoch: tables.epoch, in: transaction) == asOf
      }
    ) { (transaction, tallies) throws(LMDBError) in
      var refused: [CacheKey] = []
      for place in fillings.indices {
        let isKept = try put(&fillings[place], asOf: asOf, now: now, tallies: &tallies, in: &transaction)
        if !isKept { refused.append(fillings[place].fill.key) }
      }
      return refused
    }
    switch outcome {
    case .done(let refused): for key in refused { refuse(key) }
    case .moot: for filling in fillings { refuse(filling.fill.key) }
    case .busy: return waits
    case .failed: break
    }
    return true
  }

  /// - Returns: False where there is no room.
  private func put(
    _ filling: inout Filling, asOf: Watermark, now: Timestamp, tallies: inout Tallies,
    in transaction: inout WriteTransaction
  ) throws(LMDBError) -> Bool {
    let (key, hash) = (filling.fill.key, filling.hash)
    switch try tables.verdict(on: key, hash: hash, asOf: asOf, now: now, in: transaction) {
    case .welcome: break
    case .refused: return false
    case .present: return true
    }
    try tables.remove(hash, tallies: &tallies, in: &transaction)
    try tables.dropExpired(limit: Self.expiredPerFill, now: now, tallies: &tallies, in: &transaction)
    var area = tables.window
    if filling.fill.afterMiss {
      tables.policy.recordMiss(hash)
      if tables.policy.skipsWindow(hash) { area = tables.main }
    }
    let cost = tables.cost(valueBytes: filling.entry.count)
    guard try tables.makeRoom(for: cost, within: limit, tallies: &tallies, in: &transaction) else { return false }
    try tables.append(
      &filling.entry, hash: hash, kind: key.kind, deadline: filling.deadline, to: area, tallies: &tallies,
      in: &transaction)
    return true
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
