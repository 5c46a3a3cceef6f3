import Foundation
import GRDB
import Synchronization

/// Decides, for one connection, whether SQLite goes on waiting for a lock of another program.
///
/// SQLite's own timeout can neither be cut short nor changed by who is using the connection.
final class BusyHandler: Sendable {
  private let start = Atomic<UInt64>(0)
  private let limit = Atomic(UInt64.max)
  private let keepsWaiting: @Sendable (_ nanoseconds: UInt64) -> Bool

  /// - Parameter keepsWaiting: Asked every few milliseconds how to go on after having waited for so many nanoseconds.
  init(_ keepsWaiting: @escaping @Sendable (_ nanoseconds: UInt64) -> Bool) {
    self.keepsWaiting = keepsWaiting
  }

  convenience init(timeout: Duration) {
    let limit = timeout.nanoseconds
    self.init { $0 < limit }
  }

  var mode: Database.BusyMode { .callback { [self] tries in waits(tries) } }

  /// Lets nothing in `body` wait for longer.
  func limited<Result>(to duration: Duration, _ body: () throws -> Result) rethrows -> Result {
    limit.store(duration.nanoseconds, ordering: .relaxed)
    defer { limit.store(.max, ordering: .relaxed) }
    return try body()
  }

  private func waits(_ tries: Int) -> Bool {
    let now = DispatchTime.now().uptimeNanoseconds
    if tries == 0 { start.store(now, ordering: .relaxed) }
    let waited = now &- start.load(ordering: .relaxed)
    guard waited < limit.load(ordering: .relaxed), keepsWaiting(waited) else { return false }
    usleep(tries < 10 ? 200 : 2000)
    return true
  }
}
