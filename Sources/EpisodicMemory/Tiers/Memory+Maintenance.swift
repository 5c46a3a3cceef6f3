import FileLocks

extension Memory {
  /// What both tiers hold, and what the cache did.
  public func statistics() async throws(MemoryError) -> MemoryStatistics {
    let (primary, cache, index) = (primary, cache, index)
    return try await BlockingWork.shared.perform { () async throws(MemoryError) in
      MemoryStatistics(primary: try await primary.statistics(), cache: cache.statistics(), index: index.statistics())
    }
  }

  /// What the cache did and holds: the same without asking the primary, in microseconds.
  public func cacheStatistics() -> CacheStatistics { cache.statistics() }

  /// Verifies the primary (integrity, foreign keys, full text, change feed), and the cache and the index against it.
  ///
  /// Cost: reads everything once.
  ///
  /// - Throws: `.busy` where another process keeps the index for longer than the store's `busyTimeout`; `.cancelled`.
  public func check() async throws(MemoryError) -> [MemoryCheck] {
    let (primary, cache, index, gate, busyTimeout) = (primary, cache, index, reads.gate, follower.busyTimeout)
    return try await BlockingWork.shared.perform { () async throws(MemoryError) in
      let checks = try await primary.check()
      // A cache that has not caught up is not wrong, only behind; so it is made to catch up first.
      if cache.isAvailable { _ = try await gate.catchUp(to: try primary.commitStamp()) }
      try MemoryError.throwIfCancelled()
      let ofCache = await cache.check(against: primary)
      try MemoryError.throwIfCancelled()
      return checks + ofCache + (try await index.check(against: primary, busyTimeout: busyTimeout))
    }
  }

  /// Makes everything derived anew: empties the cache, which fills itself again, rebuilds the full-text indexes, and builds
  /// the index of words and vectors. Others may read and write meanwhile.
  ///
  /// One that is cancelled or gives up leaves what is derived as far as it has come, and the next use goes on with it.
  ///
  /// - Parameter acceptingTexts: Also where the text of a step or an episode and its full-text index disagree, as `check`
  ///   tells: one of the two was damaged, and what is made again takes the text for right.
  /// - Parameter progress: Called when a stage starts, goes on and ends.
  /// - Throws: `.corrupted` where they disagree and that is not accepted; `.busy` where another process keeps the cache or
  ///   the index for longer than the store's `busyTimeout`; `.cancelled`.
  public func rebuild(
    acceptingTexts: Bool = false, progress: (RebuildProgress) -> Void = { _ in }
  ) async throws(MemoryError) {
    progress(RebuildProgress(stage: "cache", done: 0, total: 1))
    try await emptyCache()
    progress(RebuildProgress(stage: "cache", done: 1, total: 1))
    progress(RebuildProgress(stage: "full-text indexes", done: 0, total: 1))
    try await primary.rebuildTextIndexes(acceptingTexts: acceptingTexts)
    progress(RebuildProgress(stage: "full-text indexes", done: 1, total: 1))
    guard index.isAvailable else { return }
    try await follower.removeAll()
    var last: RebuildProgress?
    func report(_ next: RebuildProgress) {
      if let before = last, before.stage != next.stage { progress(before.ended) }
      if last?.stage != next.stage { progress(RebuildProgress(stage: next.stage, done: 0, total: next.total)) }
      progress(next)
      last = next
    }
    try await follower.follow { step in
      if case .building(let stage, let done, let total) = step {
        report(RebuildProgress(stage: stage.rawValue, done: done, total: total))
      }
    }
    if let last { progress(last.ended) }
  }

  private func emptyCache() async throws(MemoryError) {
    let cache = cache
    var wait = BoundedWait(follower.busyTimeout, pause: .milliseconds(5))
    while !(try await BlockingWork.shared.run { () throws(MemoryError) in cache.removeAll() }) {
      try await wait.pause(
        for: "another process keeps the cache locked; look for one that is stopped, and try again")
    }
    reads.gate.forget()
  }

  /// Merges what grew piece by piece, in the full-text indexes and in the index of words: searches after it cost least.
  ///
  /// - Throws: `.busy` where another process keeps the index for longer than the store's `busyTimeout`; `.cancelled`.
  public func optimize() async throws(MemoryError) {
    try await primary.optimizeTextIndexes()
    try await follower.follow()
  }

  /// Checkpoints, lets go of the files, and makes the memory unusable. Not required: a memory that is dropped loses
  /// nothing.
  public func close() async throws(MemoryError) {
    await follower.close()
    let (primary, cache, index) = (primary, cache, index)
    try await BlockingWork.shared.perform { () async throws(MemoryError) in
      index.close()
      cache.close()
      try await primary.close()
    }
  }
}

/// How far a rebuild has come.
public struct RebuildProgress: Hashable, Sendable {
  /// `cache`, `full-text indexes`, `words` or `vectors`.
  public let stage: String
  public let done: Int
  /// About how much there is to do in this stage.
  public let total: Int?

  public init(stage: String, done: Int, total: Int?) {
    self.stage = stage
    self.done = done
    self.total = total
  }

  fileprivate var ended: RebuildProgress {
    RebuildProgress(stage: stage, done: max(done, total ?? done), total: total)
  }
}

/// What both tiers hold, and what the cache did.
public struct MemoryStatistics: Hashable, Sendable {
  public let primary: PrimaryStatistics
  public let cache: CacheStatistics
  public let index: IndexStatistics

  public init(primary: PrimaryStatistics, cache: CacheStatistics, index: IndexStatistics) {
    self.primary = primary
    self.cache = cache
    self.index = index
  }
}
