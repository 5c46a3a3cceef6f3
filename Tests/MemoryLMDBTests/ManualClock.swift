import EpisodicMemory
import Synchronization

/// A clock that stands until it is told to go on.
final class ManualClock: WallClock {
  private let milliseconds = Atomic<Int64>(1_700_000_000_000)

  func now() -> Timestamp { Timestamp(milliseconds: milliseconds.load(ordering: .relaxed)) }

  func advance(by duration: Duration) {
    let (seconds, attoseconds) = duration.components
    milliseconds.wrappingAdd(seconds * 1000 + attoseconds / 1_000_000_000_000_000, ordering: .relaxed)
  }
}
