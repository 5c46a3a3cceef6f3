import Synchronization

/// Whether searches may run on the calling thread: as long as they take less than a millisecond.
///
/// To hand one to another thread and back costs as much as most searches of a small store do. What one of a large store
/// costs is known when it is over, so after one that took long the next ones go to another thread, and then one is tried
/// again.
final class BriefSearches: Sendable {
  private static let limit = Duration.milliseconds(1)
  private static let pause = 64

  private let toSkip = Atomic(0)

  var mayTry: Bool {
    if toSkip.load(ordering: .relaxed) <= 0 { return true }
    return toSkip.wrappingSubtract(1, ordering: .relaxed).oldValue <= 0
  }

  func took(_ duration: Duration) {
    if duration > Self.limit { toSkip.store(Self.pause, ordering: .relaxed) }
  }
}
