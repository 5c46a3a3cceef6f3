package import FileLocks
package import EpisodicMemory
import CachePolicy
import LMDB
import Logging
import Synchronization

extension LMDBCache {
  // MARK: Fills

  /// Expired entries that a fill removes at most: more than it adds.
  private static let expiredPerFill = 4
  /// A value above an eighth of the capacity would evict too many others.
  private static let maximumShare = 8
  /// A transaction ends after values of a 32nd of the capacity, or of 4 MiB: it cannot reuse the pages that it frees.
  private static let portionShare = 32
  private static let maximumPortion = 4 << 20

  /// A value laid out for the tables.
  private struct NewEntry {
    let fill: CacheFill
    let hash: UInt64
    let deadline: Int64
    var bytes: [UInt8]
  }

  /// An entry that is there and can be served stays as it is, with its deadline. A value above an eighth of the capacity is
  /// refused.
  @discardableResult
  package func fill(_ fills: [CacheFill], asOf: Watermark, waits: Bool) -> Bool {
    guard isAvailable else { return true }
    let now = clock.now()
    guard var rest = admitted(fills, asOf: asOf, now: now) else { return true }
    let portionSize = min(limit.bytes / Self.portionShare, Self.maximumPortion)
    while !rest.isEmpty {
      var portion: [NewEntry] = []
      var byteCount = 0
      while byteCount < portionSize, let fill = rest.popFirst() {
        guard let entry = layOut(fill, asOf: asOf, now: now) else { continue }
        portion.append(entry)
        byteCount += entry.bytes.count
      }
      if portion.isEmpty { break }
      let outcome = change(
        waits: waits,
        if: { transaction throws(LMDBError) in try tables.meta.position(in: transaction)?.watermark == asOf }
      ) { (transaction, counters) throws(LMDBError) in
        for index in portion.indices {
          let (key, hash, deadline) = (portion[index].fill.key, portion[index].hash, portion[index].deadline)
          let admission = try tables.admission(of: key, hash: hash, asOf: asOf, now: now, in: transaction)
          guard admission == .admitted else { continue }
          try tables.remove(hash, counters: &counters, in: &transaction)
          try tables.removeExpired(limit: Self.expiredPerFill, now: now, counters: &counters, in: &transaction)
          var area = tables.window
          if portion[index].fill.afterMiss {
            tables.policy.recordMiss(hash)
            if tables.policy.skipsWindow(hash) { area = tables.main }
          }
          let cost = tables.cost(valueBytes: portion[index].bytes.count)
          guard try tables.makeRoom(for: cost, within: limit, counters: &counters, in: &transaction) else {
            counters[key.kind].refused &+= 1
            continue
          }
          try tables.insert(
            &portion[index].bytes, hash: hash, kind: key.kind, deadline: deadline, into: area, counters: &counters,
            in: &transaction)
        }
      }
      switch outcome {
      case .done, .failed: break
      case .moot: for entry in portion { countRefused(entry.fill.key) }
      case .busy: if !waits { return false }
      }
    }
    checkReaders(now)
    return true
  }

  /// The values that are to be stored, by a look before the lock: most of what recall fills is there already, and the
  /// writers of all processes wait for each other.
  ///
  /// - Returns: `nil` after a failure.
  private func admitted(_ fills: [CacheFill], asOf: Watermark, now: Timestamp) -> ArraySlice<CacheFill>? {
    do throws(LMDBError) {
      return try tier.read { transaction throws(LMDBError) in
        var admitted: [CacheFill] = []
        for fill in fills where options[fill.key.kind] > .zero {
          switch try tables.admission(of: fill.key, hash: fill.key.hash, asOf: asOf, now: now, in: transaction) {
          case .admitted: admitted.append(fill)
          case .refused: countRefused(fill.key)
          case .present: break
          }
        }
        return admitted[...]
      }
    } catch {
      failed(error)
      return nil
    }
  }

  /// - Returns: `nil` if the value is too large or has too many tags.
  private func layOut(_ fill: CacheFill, asOf: Watermark, now: Timestamp) -> NewEntry? {
    guard let deadline = options.deadline(of: fill.key.kind, from: now) else { return nil }
    guard fill.tags.count <= CacheEntry.maximumTags else {
      countRefused(fill.key)
      return nil
    }
    let bytes = CacheEntry.bytes(
      of: fill.value, for: fill.key, tags: fill.tags.map(\.hash), revision: asOf.revision, deadline: deadline,
      filledAt: now.milliseconds)
    guard tables.cost(valueBytes: bytes.count) <= limit.bytes / Self.maximumShare else {
      countRefused(fill.key)
      return nil
    }
    return NewEntry(fill: fill, hash: fill.key.hash, deadline: deadline, bytes: bytes)
  }

  private func countRefused(_ key: CacheKey) {
    counters[key.kind].refused.wrappingAdd(1, ordering: .relaxed)
  }

  private static let millisecondsBetweenReaderChecks: Int64 = 60_000

  /// The reader slot of a process that was killed inside a read pins pages until it is freed.
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

  // MARK: Maintenance

  /// Expired entries that a call of `maintain` removes: a few milliseconds of the writers' lock.
  private static let expiredAtOnce = 256

  package func maintain() -> Int? {
    guard isAvailable else { return 0 }
    let now = clock.now()
    var removed = 0
    do throws(LMDBError) {
      try tier.environment.checkReaders()
      guard try tier.read({ transaction throws(LMDBError) in try tables.hasExpired(by: now, in: transaction) }) else {
        return 0
      }
    } catch {
      failed(error)
      return 0
    }
    let outcome = change { (transaction, counters) throws(LMDBError) in
      let before = counters.entries
      try tables.removeExpired(limit: Self.expiredAtOnce, now: now, counters: &counters, in: &transaction)
      removed = before &- counters.entries
    }
    return switch outcome {
    case .done: removed
    case .busy: nil
    case .moot, .failed: 0
    }
  }

  // MARK: Changes

  /// - Complexity: One write transaction, and about a microsecond for each episode that changed.
  package func apply(_ batch: ChangeBatch, stamp: CommitStamp, waits: Bool) -> BatchOutcome {
    guard isAvailable else { return .unavailable }
    // Of several callers that catch up at once all but one are too late: this spares most of them the wait for the lock.
    guard watermark() == batch.asked else { return isAvailable ? .overtaken : .unavailable }
    let invalid = Invalidation(batch.changes)
    let outcome = change(
      waits: waits,
      if: { transaction throws(LMDBError) in try tables.meta.position(in: transaction)?.watermark == batch.asked }
    ) { (transaction, counters) throws(LMDBError) in
      if let watermark = batch.asked, batch.continues, batch.end.revision >= watermark.revision, !invalid.isUnbounded {
        for key in invalid.keys { try tables.remove(key, counters: &counters, in: &transaction) }
        try tables.tags.record(invalid.tags, in: &transaction)
      } else {
        try tables.removeEntries(counters: &counters, in: &transaction)
        try tables.tags.reset(to: batch.end.revision, in: &transaction)
      }
      // In the same transaction as what the changes invalidate (I3).
      let position = CachePosition(watermark: batch.end, stamp: batch.isComplete ? stamp : nil)
      try tables.meta.put(position, in: &transaction)
    }
    return switch outcome {
    case .done: .applied
    case .moot: .overtaken
    case .busy: waits ? .unavailable : .busy
    case .failed: .unavailable
    }
  }

  package func reject(_ key: CacheKey) {
    guard isAvailable else { return }
    // If the lock is held, the next reader of the entry rejects it.
    change(waits: false) { (transaction, counters) throws(LMDBError) in
      try tables.remove(key.hash, counters: &counters, in: &transaction)
      counters.failures &+= 1
    }
  }

  @discardableResult
  package func removeAll() -> Bool {
    guard isAvailable else { return true }
    let outcome = change { (transaction, counters) throws(LMDBError) in
      try tables.removeEntries(counters: &counters, in: &transaction)
    }
    return outcome != .busy
  }

  /// Adds the counts of this process to those of all.
  ///
  /// - Parameter waits: Whether to wait for other writers; if not, the counts may stay for the next write.
  func writeCounts(waits: Bool = true) { change(waits: waits) { (_, _) throws(LMDBError) in } }

  enum ChangeOutcome {
    case done
    /// `isWanted` returned false: nothing was written.
    case moot
    /// Another writer holds the lock.
    case busy
    /// The failure has been handled.
    case failed
  }

  /// Runs a change in a write transaction, which also writes the counts of this process. If the map is full, evicts entries
  /// and tries once more; if the tables contradict each other, empties them.
  ///
  /// - Parameter waits: Whether to wait for other writers. A wait that times out counts as a failure.
  /// - Parameter isWanted: Called under the lock, before a write transaction begins.
  @discardableResult
  func change(
    waits: Bool = true, if isWanted: (borrowing ReadTransaction) throws(LMDBError) -> Bool = { _ in true },
    _ body: (inout WriteTransaction, inout PersistedCounters) throws(LMDBError) -> Void
  ) -> ChangeOutcome {
    guard state.mayWrite(at: clock.now()) else { return .failed }
    let counted = counters.take()
    var hasMadeRoom = false
    while true {
      do throws(LMDBError) {
        let written = try tier.write(waits: waits, if: isWanted) { transaction throws(LMDBError) in
          let before = try tables.meta.counters(in: transaction)
          var after = before
          after.add(counted)
          try body(&transaction, &after)
          try tables.meta.put(after, in: &transaction)
          return (before, after)
        }
        if state.writeSucceeded() {
          state.resetFailures()
          logger.notice(
            "the cache in \(tier.directory) is written again",
            metadata: ["event": "cache.writable", "path": "\(tier.directory)"])
        }
        guard let (before, after) = written else {
          counters.putBack(counted)
          return .moot
        }
        metrics.report(after, since: before)
        return .done
      } catch let error where [.mapFull, .transactionFull].contains(error.code) && !hasMadeRoom {
        hasMadeRoom = true
        do throws(LMDBError) { try makeRoom() } catch { return couldNotWrite(error, counted, waits: waits) }
      } catch {
        return couldNotWrite(error, counted, waits: waits)
      }
    }
  }

  private func couldNotWrite(
    _ error: LMDBError, _ counted: PersistedCounters, waits: Bool
  ) -> ChangeOutcome {
    counters.putBack(counted)
    if error.code == .busy {
      guard waits else { return .busy }
      // After a wait that timed out the lock is only tried, so later writes need no pause.
      state.writeFailed(because: "\(error)", at: clock.now(), pauses: false)
    } else if error.code != .damaged, error.code != .filesChanged {
      state.writeFailed(because: "\(error)", at: clock.now(), pauses: true)
    }
    failed(error)
    return error.code == .busy ? .busy : .failed
  }

  /// Evicts a 16th of the entries. The reader slots of dead processes are freed first: pages are reused once no reader sees
  /// them. Twice, since LMDB reuses the pages that one transaction frees in the one after the next.
  private func makeRoom() throws(LMDBError) {
    try tier.environment.checkReaders()
    for _ in 0..<2 {
      let (before, after) = try tier.write { transaction throws(LMDBError) in
        let before = try tables.meta.counters(in: transaction)
        var after = before
        let all = CacheLimit(bytes: before.bytes, entries: nil)
        _ = try tables.makeRoom(for: before.bytes / 16, within: all, counters: &after, in: &transaction)
        try tables.meta.put(after, in: &transaction)
        return (before, after)
      }
      metrics.report(after, since: before)
    }
  }

  // MARK: Failures

  /// Counts a failure and logs the first. Damaged tables are emptied; damaged files are given up.
  func failed(_ error: LMDBError) {
    // Reads that were in progress when the cache was closed.
    if state.isClosed, error.code == .unavailable { return }
    counters.failures.wrappingAdd(1, ordering: .relaxed)
    // `RecoveringTier` logs it and opens the new files.
    if error.code == .filesChanged { return state.giveUp(because: "\(error)") }
    if state.isFirstFailure() {
      logger.warning(
        "the cache in \(tier.directory) failed, reads go to the primary: \(error); further failures are only counted",
        metadata: ["event": "cache.failed", "path": "\(tier.directory)", "error": "\(error)"])
    }
    guard error.code == .damaged, state.isUsable else { return }
    do throws(LMDBError) {
      // LMDB's own damage lies below the tables and cannot be repaired here: the next process to open the tier makes new files.
      if error.returnCode != 0 {
        state.giveUp(because: "\(error)")
        return try tier.condemn()
      }
      try tier.write { transaction throws(LMDBError) in try reset(in: &transaction) }
    } catch {
      state.giveUp(because: "it is damaged and could not be emptied: \(error)")
    }
  }

  /// Empties the tables except for position and counters; a position that is damaged is removed, and then nothing is filled
  /// until changes have been applied again.
  private func reset(in transaction: inout WriteTransaction) throws(LMDBError) {
    let watermark = try unlessDamaged { () throws(LMDBError) in
      try tables.meta.position(in: transaction)?.watermark
    }
    var counters =
      try unlessDamaged { () throws(LMDBError) in try tables.meta.counters(in: transaction) } ?? PersistedCounters()
    try tables.removeEntries(counters: &counters, in: &transaction)
    try tables.meta.put(counters, in: &transaction)
    if let watermark {
      try tables.tags.reset(to: watermark.revision, in: &transaction)
    } else {
      try transaction.removeAll(in: tables.tags.database)
      try transaction.delete(CachePosition.key, in: tables.meta.database)
    }
  }

  /// - Returns: `nil` if the record that `read` reads is damaged.
  private func unlessDamaged<Value>(_ read: () throws(LMDBError) -> Value?) throws(LMDBError) -> Value? {
    do throws(LMDBError) {
      return try read()
    } catch let error where error.code == .damaged && error.returnCode == 0 {
      return nil
    }
  }
}
