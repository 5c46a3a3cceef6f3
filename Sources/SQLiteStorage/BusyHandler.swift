import Foundation
import GRDB
import Synchronization

/// Decides for one connection whether SQLite keeps waiting for a lock of another program.
///
/// SQLite's own timeout can be neither cut short nor changed per call.
final class BusyHandler: Sendable {
  private let start = Atomic<UInt64>(0)
  private let limit = Atomic(UInt64.max)
  private let keepsWaiting: @Sendable (_ nanoseconds: UInt64) -> Bool

  /// - Parameter keepsWaiting: Called every few milliseconds with the nanoseconds waited so far.
  init(_ keepsWaiting: @escaping @Sendable (_ nanoseconds: UInt64) -> Bool) {
    self.keepsWaiting = keepsWaiting
  }

  convenience init(timeout: Duration) {
    let limit = timeout.nanoseconds
    self.init { $0 < limit }
  }

  var mode: Database.BusyMode { .callback { [self] tries in waits(tries) } }

  /// Limits each wait in `body`.
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
