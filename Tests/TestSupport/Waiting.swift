import FileLocks
import Foundation
import Synchronization

/// Polls a condition every millisecond until it is true.
///
/// - Parameter patience: The time after which waiting is an error: minutes, so that load alone never causes one.
/// - Throws: `NeverHappened` after `patience`; errors of `condition`.
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
  /// Waits until it has printed `count` complete lines.
  ///
  /// - Throws: `NeverHappened` if it ends before, with its standard error.
  public func waitForLines(_ count: Int, within patience: Duration = .seconds(600)) async throws {
    try await waitUntil("a child prints \(count) lines", within: patience) {
      // Read before the lines: after the end, all lines are there.
      let isOver = isOver
      if try lines.count >= count { return true }
      guard !isOver else {
        throw NeverHappened(what: "a child prints \(count) lines; it ended: \(try standardError)", patience: patience)
      }
      return false
    }
  }

  /// Stops it, until it is killed. The signal alone only asks for that: until it is delivered, the process runs.
  public func stop() async throws {
    _ = Foundation.kill(process, SIGSTOP)
    try await waitUntilStopped()
  }

  /// - Throws: `NeverHappened` if it ends before.
  public func waitUntilStopped(within patience: Duration = .seconds(600)) async throws {
    try await waitUntil("the process \(process) is stopped", within: patience) {
      let state = ProcessState(of: process)
      guard state != .gone else {
        throw NeverHappened(
          what: "the process \(process) is stopped; it ended: \(try standardError)", patience: patience)
      }
      return state == .stopped
    }
  }
}

/// A resource held while other calls run, to show by order and not by time that they do not wait for it.
///
/// The claim "they do not wait" is `#expect(held.isHeld)` after they have returned. `release` frees it; it is also freed
/// after 10 minutes, so that a fault fails the test instead of hanging it.
public final class Held: Sendable {
  private let onRelease: Mutex<(@Sendable () -> Void)?>

  /// - Parameter patience: Longer than the calls need on a machine where a hundred tests share two cores.
  /// - Parameter onRelease: Called once.
  public init(atMost patience: Duration = .seconds(600), onRelease: @escaping @Sendable () -> Void) {
    self.onRelease = Mutex(onRelease)
    // Its own thread: blocked calls may occupy all threads of the pools.
    Thread.detachNewThread { [weak self] in
      Thread.sleep(forTimeInterval: patience / .seconds(1))
      self?.release()
    }
  }

  public var isHeld: Bool { onRelease.withLock { $0 != nil } }

  public func release() {
    let onRelease = onRelease.withLock { held in
      defer { held = nil }
      return held
    }
    onRelease?()
  }

  deinit { release() }
}
