import FileLocks
import Synchronization

/// Lets one caller of a process at a time bring the cache to a commit; callers that wait for the same commit return with it.
///
/// Without it, each of *n* concurrent readers would read the feed, wait for the cache's lock and find the work done.
final class CatchUpQueue: Sendable {
  enum Turn {
    /// The caller catches up, then calls `leave`.
    case leads
    /// Another caller caught up to the same stamp.
    case reached
    /// The caller's task was cancelled.
    case cancelled
  }

  private struct Waiting {
    let number: Int
    let stamp: CommitStamp
    let continuation: CheckedContinuation<Turn, Never>
  }

  private struct State {
    var isTaken = false
    var waiting: [Waiting] = []
    /// The number of the last caller that waited.
    var count = 0
  }

  private let state = Mutex(State())

  /// Suspends until the caller may catch up, or need not any more.
  ///
  /// - Parameter stamp: The commit to catch up to.
  func enter(at stamp: CommitStamp) async -> Turn {
    let number = state.withLock { state -> Int? in
      guard state.isTaken else {
        state.isTaken = true
        return nil
      }
      state.count += 1
      return state.count
    }
    guard let number else { return .leads }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let turn = state.withLock { state -> Turn? in
          guard !Task.isCancelled else { return .cancelled }
          guard state.isTaken else {
            state.isTaken = true
            return .leads
          }
          state.waiting.append(Waiting(number: number, stamp: stamp, continuation: continuation))
          return nil
        }
        if let turn { continuation.resume(returning: turn) }
      }
    } onCancel: {
      let waiting = state.withLock { state in
        state.waiting.firstIndex { $0.number == number }.map { state.waiting.remove(at: $0) }
      }
      waiting?.continuation.resume(returning: .cancelled)
    }
  }

  /// Ends the caller's turn and starts that of the longest waiting caller with another stamp.
  ///
  /// - Parameter reached: The commit that the cache was brought to; `nil` if that failed.
  func leave(reached: CommitStamp?) {
    let (done, next) = state.withLock { state -> ([Waiting], Waiting?) in
      let done = state.waiting.filter { $0.stamp == reached }
      state.waiting.removeAll { $0.stamp == reached }
      let next = state.waiting.isEmpty ? nil : state.waiting.removeFirst()
      state.isTaken = next != nil
      return (done, next)
    }
    for waiting in done { waiting.continuation.resume(returning: .reached) }
    next?.continuation.resume(returning: .leads)
  }
}
