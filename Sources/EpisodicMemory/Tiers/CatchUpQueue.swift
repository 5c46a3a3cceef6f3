import Synchronization

/// One catching up at a time in a process: all the others wait for it, and those that wait for the same commit are done
/// when it is.
///
/// What each of them did for itself would be read, locked and refused as many times as there are readers.
final class CatchUpQueue: Sendable {
  enum Turn {
    /// The caller catches up now, and calls `leave`.
    case leads
    /// Somebody caught up to the caller's stamp.
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
    /// Numbers those who come.
    var count = 0
  }

  private let state = Mutex(State())

  /// Waits for its turn.
  ///
  /// - Parameter stamp: Where the caller wants to get to.
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

  /// Ends the turn and gives it to whoever has waited longest for another stamp.
  ///
  /// - Parameter reached: What the cache was brought to; `nil` where it was not.
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
