package import EpisodicMemory
import CachePolicy
import LMDB
import Logging
import Synchronization

/// Entries with a lifetime in LMDB, shared by the processes that use a store: never older than the last commit that was
/// applied (I3), and disposable at any moment (I1).
///
/// Every state that matters is in LMDB; a process keeps only counters, so processes may come and go. Nothing throws: a
/// failure is a miss, is counted, and is logged the first time.
///
/// Here: hits, statistics, closing. `LMDBCache+Writing`: fills, changes, failures. `LMDBCache+Check`: verification.
package final class LMDBCache: Cache {
  let tier: LMDBTier
  let tables: CacheTables
  let options: Options
  let clock: any WallClock
  let limit: CacheLimit
  let counters = ProcessCounters()
  let metrics: CacheMetrics
  /// When reader slots of dead processes were last freed, milliseconds since 1970.
  let readersChecked = Atomic<Int64>(.min)
  let logger: Logger
  let state = TierState()

  init(
    _ tier: LMDBTier, _ tables: CacheTables, clock: any WallClock, options: Options, metrics: CacheMetrics,
    logger: Logger
  ) {
    self.tier = tier
    self.tables = tables
    self.clock = clock
    self.metrics = metrics
    self.options = options
    // The process that opened the files first chose the map's size; LMDB needs a quarter of it for itself.
    self.limit = CacheLimit(
      bytes: min(options.effectiveCapacity, tier.environment.options.mapSize / 4 * 3),
      entries: options.maximumEntries.map { max($0, 1) })
    self.logger = logger
  }

  deinit { close() }

  package var isAvailable: Bool { state.isUsable }

  package func watermark() -> Watermark? {
    guard isAvailable else { return nil }
    do throws(LMDBError) {
      return try tier.read { transaction throws(LMDBError) in try tables.meta.position(in: transaction)?.watermark }
    } catch {
      failed(error)
      return nil
    }
  }

  // MARK: Hits

  /// Hits that a process counts before it writes the counts, if no fill does: as many are lost if it is killed.
  private static let hitsBetweenWrites = 4096

  package func find(_ key: CacheKey, _ freshness: Freshness) -> CacheLookup<EncodedValue> {
    guard isAvailable else { return .miss }
    let hash = key.hash
    let now = clock.now()
    let counters = counters[key.kind]
    do throws(LMDBError) {
      try tier.checkFiles()
      tables.policy.prefetch(for: hash)
      let lookup = try tier.environment.read { transaction throws(LMDBError) in
        try look(for: key, hash: hash, freshness, now: now, counters, in: transaction)
      }
      switch lookup {
      case .hit:
        tables.policy.recordHit(hash)
        let (_, count) = counters.hits.wrappingAdd(1, ordering: .relaxed)
        if count.isMultiple(of: Self.hitsBetweenWrites) { writeCounts(waits: false) }
        return lookup
      case .behind: return lookup
      case .miss: break
      }
    } catch {
      failed(error)
    }
    // A caller that accepts older values looks again for a current one, and that miss is counted.
    if case .at = freshness { counters.misses.wrappingAdd(1, ordering: .relaxed) }
    return .miss
  }

  /// Finds, copies and verifies an entry in one snapshot: the position in the primary's history and the entry must be of one
  /// moment (I3).
  ///
  /// The copy comes first: a plain copy is the fastest way to load the bytes, and the checksum then finds them in the cache.
  ///
  /// - Throws: `.damaged` for bytes that were not stored so.
  private func look(
    for key: CacheKey, hash: UInt64, _ freshness: Freshness, now: Timestamp, _ counters: ProcessCounters.Kind,
    in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> CacheLookup<EncodedValue> {
    if case .at(let stamp) = freshness, try !tables.meta.stands(at: stamp, in: transaction) { return .behind }
    guard let value = try transaction.get(hash, in: tables.entries) else { return .miss }
    let copy = value.withUnsafeBytes { [UInt8]($0) }
    return try copy.span.bytes.withUnsafeBytes { bytes throws(LMDBError) in
      guard let entry = CacheEntry(verifying: bytes, hash: hash, generation: tables.generation) else {
        // Without the key's name, which is content and may not leave its domain (I8).
        throw LMDBError(.damaged, message: "an entry of kind \(key.kind.name) is damaged")
      }
      guard entry.isOf(key) else { return .miss }
      switch freshness {
      case .at:
        guard entry.deadline > now.milliseconds else {
          counters.expired.wrappingAdd(1, ordering: .relaxed)
          return .miss
        }
        guard try tables.isCurrent(entry, in: transaction) else {
          counters.stale.wrappingAdd(1, ordering: .relaxed)
          return .miss
        }
      case .within(let milliseconds):
        // An entry of the future was filled before the clock was set back.
        let (age, overflow) = now.milliseconds.subtractingReportingOverflow(entry.filledAt)
        guard entry.deadline > now.milliseconds, !overflow, age >= 0, age <= milliseconds else { return .miss }
      }
      return .hit(entry.isAbsent ? nil : EncodedValue(copy, from: entry.payloadStart))
    }
  }

  // MARK: Statistics

  /// Since the files were created, over all processes; of other processes, what they have written.
  package func statistics() -> CacheStatistics {
    guard isAvailable else {
      return CacheStatistics(unavailable: "the cache in \(tier.directory) is closed or damaged")
    }
    var total = PersistedCounters()
    do throws(LMDBError) {
      total = try tier.read { transaction throws(LMDBError) in try tables.meta.counters(in: transaction) }
    } catch {
      failed(error)
    }
    // After the read: counts written in between are missing rather than counted twice.
    total.add(counters.snapshot())
    var statistics = CacheStatistics(
      kinds: Dictionary(uniqueKeysWithValues: CacheKey.Kind.allCases.map { ($0, total[$0]) }),
      capacity: limit.bytes, maximumEntries: limit.entries, failures: total.failures)
    statistics.epoch = tables.generation
    let outage = state.writeOutage
    statistics.notWritable = outage?.reason
    statistics.notWritableSince = outage?.since
    return statistics
  }

  // MARK: Closing

  /// Writes the counts, and closes the files unless others in this process use them. From then on every read is a miss.
  package func close() {
    let before = state.close()
    guard before != .closed else { return }
    if before == .usable { writeCounts() }
    tier.release()
    tables.policy.detach()
  }
}
