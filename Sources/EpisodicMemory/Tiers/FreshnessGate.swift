package import FileLocks
import Synchronization

/// Brings the cache to the last commit of the primary, so that a read may be answered from it (I3).
///
/// The stamp of a read is taken before anything else, and the cache answers only while it stands at that stamp. The order is
/// stamp, feed, cache: a commit in between is applied twice, never missed. The protocol tests explore which guards that takes
/// and that none can be left out.
final class FreshnessGate: Sendable {
  /// Tries before a read gives up on a cache that other writers keep behind, and reads the primary.
  static let maximumTries = 8

  private let primary: any PrimaryStore
  private let cache: any Cache
  /// Whether the cache was compared with the feed since this process opened the store. Stamps from before prove nothing: once the
  /// last process has closed the store, the log may start over and repeat them.
  private let hasCaughtUp = Atomic(false)
  private let queue = CatchUpQueue()

  init(primary: any PrimaryStore, cache: any Cache) {
    self.primary = primary
    self.cache = cache
  }

  /// Whether the cache may answer.
  var isOpen: Bool { hasCaughtUp.load(ordering: .acquiring) }

  /// Brings the cache to a stamp; one call at a time does so for all in this process.
  ///
  /// - Parameter stamp: Taken before the call.
  /// - Returns: `.applied` once the cache stands there; `.unavailable` if it cannot follow and the primary must answer.
  /// - Throws: `.cancelled`; what the primary throws.
  func catchUp(to stamp: CommitStamp) async throws(MemoryError) -> BatchOutcome {
    switch await queue.enter(at: stamp) {
    case .leads: break
    case .reached: return .applied
    case .cancelled: throw .cancelledTask
    }
    var reached: CommitStamp?
    defer { queue.leave(reached: reached) }
    let outcome = try await cache.catchUp(with: primary, to: stamp)
    if case .applied = outcome {
      hasCaughtUp.store(true, ordering: .releasing)
      reached = stamp
    }
    return outcome
  }

  /// The next read compares the cache with the feed again.
  func close() { hasCaughtUp.store(false, ordering: .releasing) }
}

extension Cache {
  private static var batchSize: Int { 4096 }
  /// Changes applied on the calling thread if no other writer holds the lock: 100 µs.
  private static var briefBatch: Int { 64 }

  /// Applies the change feed, batch by batch, until the cache stands at a stamp.
  ///
  /// Cost: reads what changed, and a write transaction a batch. Waits for other writers of the cache for 200 ms at most, and
  /// not on the caller's executor.
  ///
  /// - Parameter stamp: Taken before the call.
  /// - Throws: `.cancelled`; what the primary throws.
  package func catchUp(with primary: any PrimaryStore, to stamp: CommitStamp) async throws(MemoryError) -> BatchOutcome
  {
    for _ in 0..<FreshnessGate.maximumTries {
      let batch = try await primary.changes(after: watermark(), limit: Self.batchSize)
      let isBrief = batch.changes.count <= Self.briefBatch && batch.continues
      var outcome = isBrief ? apply(batch, stamp: stamp, waits: false) : .busy
      if case .busy = outcome {
        outcome = try await BlockingWork.shared.run { () throws(MemoryError) in
          self.apply(batch, stamp: stamp, waits: true)
        }
      }
      guard case .applied = outcome, !batch.isComplete else { return outcome }
    }
    return .unavailable
  }
}
