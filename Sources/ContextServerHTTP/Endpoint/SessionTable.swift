import ByteCoding
import ContextServer
import EpisodicMemory
import Synchronization

/// The sessions that `initialize` began, by their ids; the modern era has none.
///
/// A client whose session is gone is told so and begins another, so that nothing is lost with one but its client's name.
final class SessionTable: Sendable {
  /// Beyond it the one that was idle longest ends.
  static let maximum = 256
  /// Milliseconds without a request after which one ends.
  static let idleLimit: Int64 = 3_600_000

  struct Entry {
    let session: ClientSession
    /// Of the protocol, as `initialize` answered.
    let revision: String
    fileprivate var lastUse: Timestamp
  }

  private let clock: any WallClock
  private let entries = Mutex<[String: Entry]>([:])

  init(clock: any WallClock) { self.clock = clock }

  /// - Returns: The id of the session.
  func add(_ session: ClientSession, revision: String) -> String {
    var generator = SystemRandomNumberGenerator()
    let id = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) }.hexadecimal
    let now = clock.now()
    entries.withLock { entries in
      entries = entries.filter { now.milliseconds - $0.value.lastUse.milliseconds < Self.idleLimit }
      if entries.count >= Self.maximum, let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) {
        entries[oldest.key] = nil
      }
      entries[id] = Entry(session: session, revision: revision, lastUse: now)
    }
    return id
  }

  func use(_ id: String) -> Entry? {
    let now = clock.now()
    return entries.withLock { entries in
      guard let entry = entries[id], now.milliseconds - entry.lastUse.milliseconds < Self.idleLimit else {
        entries[id] = nil
        return nil
      }
      entries[id]?.lastUse = now
      return entry
    }
  }

  func remove(_ id: String) -> ClientSession? { entries.withLock { $0.removeValue(forKey: id)?.session } }
}
