import Foundation
import Synchronization

/// Waits until something is so, however slow the machine is.
///
/// - Parameter patience: After which waiting is an error. Only a fault reaches it: minutes, so that load never does.
/// - Throws: `NeverHappened` after `patience`; what `condition` throws.
public func waitUntil(
  _ what: String, within patience: Duration = .seconds(600), _ condition: () throws -> Bool
) async throws {
  let begin = ContinuousClock.now
  while try !condition() {
    guard ContinuousClock.now - begin < patience else { throw NeverHappened(what: what, patience: patience) }
    try await Task.sleep(for: .milliseconds(1))
  }
}

public struct NeverHappened: Error, CustomStringConvertible {
  let what: String
  let patience: Duration
  public var description: String { "within \(patience): \(what)" }
}

extension Child {
  /// Waits until it has printed so many whole lines.
  ///
  /// - Throws: `NeverHappened` if it ends before, with what it said on standard error.
  public func waitForLines(_ count: Int, within patience: Duration = .seconds(600)) async throws {
    try await waitUntil("a child prints \(count) lines", within: patience) {
      // Looked at first: what it printed before its end is there after it.
      let isOver = isOver
      if try lines.count >= count { return true }
      guard !isOver else {
        throw NeverHappened(what: "a child prints \(count) lines; it ended: \(try standardError)", patience: patience)
      }
      return false
    }
  }
}

/// Something held while others do their work, to show by order and not by time that they do not wait for it.
///
/// A claim "they do not wait" is `#expect(held.isHeld)` after they have returned. It is let go by `release`, and, so that
/// a fault fails the test and does not hang it, by itself after minutes.
public final class Held: Sendable {
  private let letGo: Mutex<(@Sendable () -> Void)?>

  /// - Parameter patience: Longer than others need on a machine where a hundred tests share two cores.
  /// - Parameter letGo: Called once.
  public init(atMost patience: Duration = .seconds(600), letGo: @escaping @Sendable () -> Void) {
    self.letGo = Mutex(letGo)
    // A thread of its own: those that wait in vain may have taken all the others.
    Thread.detachNewThread { [weak self] in
      Thread.sleep(forTimeInterval: patience / .seconds(1))
      self?.release()
    }
  }

  public var isHeld: Bool { letGo.withLock { $0 != nil } }

  public func release() {
    let letGo = letGo.withLock { held in
      defer { held = nil }
      return held
    }
    letGo?()
  }

  deinit { release() }
}
