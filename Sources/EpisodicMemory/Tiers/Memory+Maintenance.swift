import FileLocks

extension Memory {
  /// Contents of primary, cache and index, and counters of the cache.
  public func statistics() async throws(MemoryError) -> MemoryStatistics {
    try await span("statistics") { () async throws(MemoryError) in
      let (primary, cache, index) = (primary, cache, index)
      return try await BlockingWork.shared.perform { () async throws(MemoryError) in
        MemoryStatistics(primary: try await primary.statistics(), cache: cache.statistics(), index: index.statistics())
      }
    }
  }

  /// The cache's part of `statistics()`, in microseconds.
  public func cacheStatistics() -> CacheStatistics { cache.statistics() }

  /// Verifies the primary (integrity, foreign keys, full text, change feed), and the cache and the index against it.
  ///
  /// - Parameter depth: `full` reads everything once; `quick` the structure of the primary, and neither cache nor index.
  /// - Throws: `.busy` if another process locks the index for longer than the store's `busyTimeout`; `.cancelled`.
  public func check(_ depth: MemoryCheck.Depth = .full) async throws(MemoryError) -> [MemoryCheck] {
    try await check(depth) { _ in }
  }

  /// - Parameter progress: Called with what is checked next: `primary`, `cache`, `index`.
  package func check(
    _ depth: MemoryCheck.Depth = .full, progress: @escaping @Sendable (String) -> Void
  ) async throws(MemoryError) -> [MemoryCheck] {
    try await span("check") { () async throws(MemoryError) in
      let primary = primary
      progress("primary")
      let checks = try await BlockingWork.shared.perform { () async throws(MemoryError) in
        try await primary.check(depth)
      }
      return depth == .full ? checks + (try await checkDerived(progress: progress)) : checks
    }
  }

  /// Verifies the cache and the index against the primary.
  package func checkDerived(
    progress: @escaping @Sendable (String) -> Void = { _ in }
  ) async throws(MemoryError) -> [MemoryCheck] {
    let (primary, cache, gate, follower) = (primary, cache, reads.gate, follower)
    return try await BlockingWork.shared.perform { () async throws(MemoryError) in
      progress("cache")
      // A cache that lags behind is not wrong: let it catch up before it is compared.
      if cache.isAvailable { _ = try await gate.catchUp(to: try primary.commitStamp()) }
      try MemoryError.throwIfCancelled()
      let ofCache = await cache.check(against: primary)
      try MemoryError.throwIfCancelled()
      progress("index")
      return ofCache + (try await follower.check())
    }
  }

  /// Rebuilds everything derived: empties the cache, and builds the full-text indexes and the index of words and vectors again.
  /// Reads and writes go on meanwhile.
  ///
  /// A rebuild that is cancelled or times out leaves a partial index, which the next use completes.
  ///
  /// - Parameter acceptingTexts: Whether to rebuild also if a text and its full-text index disagree, as `check` reports. One of
  ///   the two is damaged, and the rebuilt index matches the text.
  /// - Parameter progress: Called at the start, during and at the end of each stage.
  /// - Throws: `.corrupted` if they disagree and that is not accepted; `.busy` if another process locks the cache or the index
  ///   for longer than the store's `busyTimeout`; `.cancelled`.
  public func rebuild(
    acceptingTexts: Bool = false, progress: (RebuildProgress) -> Void = { _ in }
  ) async throws(MemoryError) {
    try await span("rebuild") { () async throws(MemoryError) in
      progress(RebuildProgress(stage: "cache", done: 0, total: 1))
      await beginDerivedFilesAgain()
      try await emptyCache()
      progress(RebuildProgress(stage: "cache", done: 1, total: 1))
      progress(RebuildProgress(stage: "full-text indexes", done: 0, total: 1))
      try await primary.rebuildTextIndexes(acceptingTexts: acceptingTexts)
      progress(RebuildProgress(stage: "full-text indexes", done: 1, total: 1))
      // So that the log has no text that was replaced or deleted. A reader that keeps it is no reason to fail.
      try await primary.truncateLog(waitingAtMost: .milliseconds(100))
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
  }

  /// New files rather than emptied ones, because pages that LMDB has freed keep their bytes.
  private func beginDerivedFilesAgain() async {
    do throws(MemoryError) {
      try await files.removeDerived(waitingAtMost: .seconds(1))
    } catch {
      // Another process is opening or closing them, or they cannot be removed: they are emptied in place.
    }
  }

  private func emptyCache() async throws(MemoryError) {
    let cache = cache
    var wait = BoundedWait(follower.busyTimeout, pause: .milliseconds(5))
    while !(try await BlockingWork.shared.run { () throws(MemoryError) in cache.removeAll() }) {
      try await wait.pause(
        for: "another process keeps the cache locked; look for one that is stopped, and try again")
    }
    reads.gate.close()
  }

  /// Merges the segments of the full-text indexes and of the index of words, which makes searches cheaper.
  ///
  /// - Throws: `.busy` if another process locks the index for longer than the store's `busyTimeout`; `.cancelled`.
  public func optimize() async throws(MemoryError) {
    try await span("optimize") { () async throws(MemoryError) in
      try await primary.optimizeTextIndexes()
      try await follower.follow()
    }
  }

  /// Checkpoints and closes the files; the memory cannot be used afterwards. Optional: a memory that is released without it
  /// loses nothing.
  public func close() async throws(MemoryError) {
    await automaticMaintenance?.close()
    await closeDerivedFiles()
    let primary = primary
    try await BlockingWork.shared.perform { () async throws(MemoryError) in try await primary.close() }
  }

  /// Closes cache and index alone, for a process that is about to end: the next one would verify each page of files that were left
  /// open. A primary may be left so, and its log is not moved.
  package func closeDerivedFiles() async {
    await follower.close()
    let (cache, index) = (cache, index)
    await BlockingWork.shared.perform { () async throws(Never) in
      index.close()
      cache.close()
    }
  }
}

/// The progress of a rebuild.
public struct RebuildProgress: Hashable, Sendable {
  /// `cache`, `full-text indexes`, `words` or `vectors`.
  public let stage: String
  /// Work done in this stage, in units of its own.
  public let done: Int
  /// Approximate amount of work of this stage.
  public let total: Int?

  /// A moment of a rebuild.
  public init(stage: String, done: Int, total: Int?) {
    self.stage = stage
    self.done = done
    self.total = total
  }

  fileprivate var ended: RebuildProgress {
    RebuildProgress(stage: stage, done: max(done, total ?? done), total: total)
  }
}

/// Contents of primary, cache and index, and counters of the cache.
public struct MemoryStatistics: Hashable, Sendable {
  /// What the primary holds.
  public let primary: PrimaryStatistics
  /// What the cache did and holds.
  public let cache: CacheStatistics
  /// What the index holds.
  public let index: IndexStatistics

  /// Statistics of a memory; for doubles in tests.
  public init(primary: PrimaryStatistics, cache: CacheStatistics, index: IndexStatistics) {
    self.primary = primary
    self.cache = cache
    self.index = index
  }
}
