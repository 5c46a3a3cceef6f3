public import EpisodicMemory
import Synchronization

/// A clock that only a test advances.
public final class ManualClock: WallClock {
  private let milliseconds: Mutex<Int64>

  public init(_ start: Timestamp = Timestamp(milliseconds: 1_767_225_600_000)) {
    milliseconds = Mutex(start.milliseconds)
  }

  public func now() -> Timestamp { Timestamp(milliseconds: milliseconds.withLock { $0 }) }

  public func advance(by duration: Duration) {
    milliseconds.withLock {
      $0 += duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
    }
  }
}
