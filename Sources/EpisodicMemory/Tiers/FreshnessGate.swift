import Synchronization

/// Brings the cache to where the primary is, so that a read may be answered from it (I3).
///
/// The stamp of a read is taken before anything else, and the cache answers only while it stands at that stamp; so the
/// order is stamp, feed, cache, and a commit in between is caught up with once more, never missed. Which guards that
/// takes, and that none of them can go, is what the protocol tests explore.
final class FreshnessGate: Sendable {
  /// Tries before a read gives up on a cache that other writers keep behind, and asks the primary.
  static let maximumTries = 8
  private static let batchSize = 4096

  private let primary: any PrimaryStore
  private let cache: any Cache
  /// Whether the cache was compared with the feed since this process opened the store. Stamps of an earlier life prove
  /// nothing: after the last process has closed the store, the log may begin anew and repeat them.
  private let hasCaughtUp = Atomic(false)

  init(primary: any PrimaryStore, cache: any Cache) {
    self.primary = primary
    self.cache = cache
  }

  /// Whether the cache may be asked at all.
  var isOpen: Bool { hasCaughtUp.load(ordering: .acquiring) }

  enum CatchingUp { case done, overtaken, unavailable }

  /// Makes the cache complete up to a stamp.
  ///
  /// Cost: reads what changed, and a write transaction in the cache.
  ///
  /// - Parameter stamp: Taken before the call.
  /// - Returns: `.unavailable` where the cache cannot follow, and the primary must answer.
  func catchUp(to stamp: CommitStamp) async throws(MemoryError) -> CatchingUp {
    for _ in 0..<Self.maximumTries {
      let batch = try await primary.changes(after: cache.watermark(), limit: Self.batchSize)
      switch cache.apply(batch, stamp: stamp) {
      case .applied where batch.isComplete:
        hasCaughtUp.store(true, ordering: .releasing)
        return .done
      case .applied: continue
      case .overtaken: return .overtaken
      case .unavailable: return .unavailable
      }
    }
    return .unavailable
  }

  /// Makes the next read compare the cache with the feed again.
  func forget() { hasCaughtUp.store(false, ordering: .releasing) }
}
