public import struct Foundation.TimeZone
import FileLocks

extension Memory {
  /// Figures of the episodes that began in a time: how many, how well they ended, how long their steps took, why they failed,
  /// which patterns they used, and what the cache answered meanwhile.
  ///
  /// Everything but the cache is counted in one snapshot, exactly.
  ///
  /// - Parameter since: Where the time begins; `nil`: with the first episode.
  /// - Parameter until: Where it ends, which is not part of it; `nil`: now.
  /// - Parameter dimension: What to group by; `nil`: no groups.
  /// - Parameter timeZone: Where days and weeks begin.
  /// - Throws: `.invalid` if the time ends before it begins; `.limitExceeded` for more than 3,660 days by day.
  /// - Complexity: Visits each episode of the time, about 1 us, and each of its steps, 0.5 us, by indexes.
  public func analytics(
    since: Timestamp? = nil, until: Timestamp? = nil, by dimension: Analytics.Dimension? = nil, in scope: Query.Scope,
    timeZone: TimeZone = .current
  ) async throws(MemoryError) -> Analytics {
    try await span("analytics", scope) { () async throws(MemoryError) in
      try validation.time(since, "since")
      try validation.time(until, "until")
      // What began in this millisecond is part of it.
      let end = until ?? Timestamp(milliseconds: clock.now().milliseconds &+ 1)
      if let since, since >= end {
        throw MemoryError(
          .invalid, "the time since \(since) ends at \(end), which is not later; give an earlier beginning")
      }
      return try await primary.analytics(
        AnalyticsRequest(since: since, until: end, dimension: dimension, scope: scope, timeZone: timeZone))
    }
  }

  /// Adds what the cache counted since the last call, in any process, to the figures of this hour.
  ///
  /// - Returns: False if there is no cache that counts.
  @discardableResult
  package func recordCacheHours() async throws(MemoryError) -> Bool {
    let cache = cache
    let statistics = try await BlockingWork.shared.perform { () async throws(MemoryError) in cache.statistics() }
    guard let reads = CacheReads(statistics) else { return false }
    try await primary.addCacheReads(reads, at: clock.now())
    return true
  }
}
