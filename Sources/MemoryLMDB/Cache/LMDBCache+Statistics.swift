public import EpisodicMemory
import LMDB

extension LMDBCache {
  /// Since the files were made, over all processes; of other processes, what they have written down.
  public func statistics() -> CacheStatistics {
    guard isAvailable else {
      return CacheStatistics(unavailable: "the cache in \(tier.directory) is closed or damaged")
    }
    var tallies = Tallies()
    do throws(LMDBError) {
      tallies = try tier.read { transaction throws(LMDBError) in
        try tables.meta.tallies(epoch: tables.epoch, in: transaction)
      }
    } catch {
      failed(error)
    }
    // After those that are written down: what is written down in between is missing then, and not counted twice.
    tallies.add(counters.snapshot())
    var statistics = CacheStatistics(
      kinds: Dictionary(uniqueKeysWithValues: CacheKey.Kind.allCases.map { ($0, tallies[$0]) }),
      capacity: limit.bytes, maximumEntries: limit.entries, failures: tallies.failures)
    let outage = condition.writeOutage
    statistics.notWritable = outage?.reason
    statistics.notWritableSince = outage?.since
    return statistics
  }
}
