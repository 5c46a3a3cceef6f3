import Synchronization

/// Lets a read into the cache only when the cache has caught up with the last commit (I3).
///
/// Interleavings matter here. The stamp is taken before the feed is read, so a commit in between is caught up with and
/// then caught up with once more, never missed; and the cache is looked at only after the gate has let the read in.
final class FreshnessGate: Sendable {
  /// Tries before a read gives up on a cache that other writers keep behind, and asks the primary.
  private static let maximumTries = 8
  private static let batchSize = 4096

  private let primary: any PrimaryStore
  private let cache: any Cache
  /// The stamp at which the cache was last seen to be complete.
  private let verified = Mutex<CommitStamp?>(nil)

  init(primary: any PrimaryStore, cache: any Cache) {
    self.primary = primary
    self.cache = cache
  }

  /// The stamp up to which the cache is now complete; `nil` where it is not, and the primary must answer.
  ///
  /// Cost: one stamp, while nothing was committed; else reading what changed and a write transaction in the cache.
  func pass() async throws(MemoryError) -> CommitStamp? {
    guard cache.isAvailable else { return nil }
    let stamp = try primary.commitStamp()
    if verified.withLock({ $0 }) == stamp { return stamp }
    for _ in 0..<Self.maximumTries {
      let batch = try await primary.changes(after: cache.watermark(), limit: Self.batchSize)
      switch cache.apply(batch) {
      case .applied where batch.isComplete:
        verified.withLock { $0 = stamp }
        return stamp
      case .applied, .overtaken: continue
      case .unavailable: return nil
      }
    }
    return nil
  }

  /// Whether no commit came since `stamp`.
  func stillHolds(_ stamp: CommitStamp) throws(MemoryError) -> Bool {
    try primary.commitStamp() == stamp
  }

  /// Makes the next read compare the cache with the feed again.
  func forget() { verified.withLock { $0 = nil } }
}
