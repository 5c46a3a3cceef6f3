import FileLocks
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
  /// Changes that the cache takes in on the calling thread, if nobody else writes to it: in a tenth of a millisecond.
  private static let briefBatch = 64

  private let primary: any PrimaryStore
  private let cache: any Cache
  /// Whether the cache was compared with the feed since this process opened the store. Stamps of an earlier life prove
  /// nothing: after the last process has closed the store, the log may begin anew and repeat them.
  private let hasCaughtUp = Atomic(false)
  private let queue = CatchUpQueue()

  init(primary: any PrimaryStore, cache: any Cache) {
    self.primary = primary
    self.cache = cache
  }

  /// Whether the cache may be asked at all.
  var isOpen: Bool { hasCaughtUp.load(ordering: .acquiring) }

  enum CatchingUp { case done, overtaken, unavailable }

  /// Makes the cache complete up to a stamp; one call at a time does it for all in this process.
  ///
  /// Cost: reads what changed, and a write transaction in the cache. Waits for other writers of the cache a fifth of a
  /// second at most, and not on the caller's executor.
  ///
  /// - Parameter stamp: Taken before the call.
  /// - Returns: `.unavailable` where the cache cannot follow, and the primary must answer.
  /// - Throws: `.cancelled`; what the primary throws.
  func catchUp(to stamp: CommitStamp) async throws(MemoryError) -> CatchingUp {
    switch await queue.enter(at: stamp) {
    case .leads: break
    case .reached: return .done
    case .cancelled: throw .cancelledTask
    }
    var reached: CommitStamp?
    defer { queue.leave(reached: reached) }
    let outcome = try await lead(to: stamp)
    if case .done = outcome { reached = stamp }
    return outcome
  }

  private func lead(to stamp: CommitStamp) async throws(MemoryError) -> CatchingUp {
    for _ in 0..<Self.maximumTries {
      let batch = try await primary.changes(after: cache.watermark(), limit: Self.batchSize)
      switch try await apply(batch, stamp: stamp) {
      case .applied where batch.isComplete:
        hasCaughtUp.store(true, ordering: .releasing)
        return .done
      case .applied: continue
      case .overtaken: return .overtaken
      case .busy, .unavailable: return .unavailable
      }
    }
    return .unavailable
  }

  private func apply(_ batch: ChangeBatch, stamp: CommitStamp) async throws(MemoryError) -> CatchUp {
    if batch.changes.count <= Self.briefBatch, batch.continues {
      let outcome = cache.apply(batch, stamp: stamp, waits: false)
      guard case .busy = outcome else { return outcome }
    }
    let cache = cache
    return try await BlockingWork.shared.run { () throws(MemoryError) in
      cache.apply(batch, stamp: stamp, waits: true)
    }
  }

  /// Makes the next read compare the cache with the feed again.
  func forget() { hasCaughtUp.store(false, ordering: .releasing) }
}
