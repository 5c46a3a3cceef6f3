import FileLocks
import Synchronization

/// Applies the primary's changes to the index in the background, so that a query has few left to apply.
///
/// Only speed depends on it: a query applies missing changes itself or searches the primary. Every step runs on a reader's
/// thread of the primary or on a thread of `BlockingWork`, never on the caller's executor.
final class IndexFollower: Sendable {
  /// Changes that are left to the next query, which applies them in a few milliseconds.
  private static let maximumPending = 256
  /// About 1 to 2 s of work: several times what a batch of thousands takes.
  private static let stepsAfterWrite = 16
  /// Bounds a write's wait for another process that keeps the index locked.
  private static let waitAfterWrite = Duration.milliseconds(200)
  /// Comparisons before a check gives up on an index that other processes keep ahead of it.
  private static let maximumChecks = 64
  /// Between two attempts to lock the index.
  private static let pause = Duration.milliseconds(5)

  private struct State {
    var pending = 0
    var task: Task<Void, Never>?
    var isClosed = false
  }

  private let primary: any PrimaryStore
  private let index: any SearchIndex
  let busyTimeout: Duration
  private let state = Mutex(State())

  /// - Parameter busyTimeout: How long to wait for another process that keeps the index locked.
  init(primary: any PrimaryStore, index: any SearchIndex, busyTimeout: Duration) {
    self.primary = primary
    self.index = index
    self.busyTimeout = busyTimeout
  }

  /// Counts committed changes, and follows in the background after every 256.
  func noteChanges(_ count: Int) {
    guard index.isAvailable else { return }
    let isDue = state.withLock { state in
      state.pending += count
      return state.pending >= Self.maximumPending
    }
    if isDue { start() }
  }

  /// Follows in the background, unless it already does.
  func start() {
    guard index.isAvailable else { return }
    state.withLock { state in
      guard state.task == nil, !state.isClosed else { return }
      state.pending = 0
      state.task = Task.detached(priority: .utility) { [self] in
        // No caller to throw to; the next read meets the same failure of the primary.
        do throws(MemoryError) { try await follow() } catch {}
        self.state.withLock { $0.task = nil }
      }
    }
  }

  /// Follows after a write of many changes, for at most 16 steps and 200 ms of waiting. The rest is left to the background.
  func followAfterWrite() async {
    // The write is committed whatever happens here; the next read meets the same failure of the primary.
    do throws(MemoryError) {
      if try await follow(atMost: Self.stepsAfterWrite, waitingAtMost: Self.waitAfterWrite) { return }
    } catch {}
    start()
  }

  /// Follows until the index equals the primary, then merges.
  ///
  /// - Parameter merges: False to leave out the merges.
  /// - Parameter steps: At most this many.
  /// - Parameter limit: How long to wait for another process that keeps the index locked; `nil`: `busyTimeout`.
  /// - Returns: Whether all is done, or the index is unavailable, which is not an error.
  /// - Throws: `.busy` if another process keeps the index locked for longer; `.cancelled`; what the primary throws.
  @discardableResult
  func follow(
    merges: Bool = true, atMost steps: Int = .max, waitingAtMost limit: Duration? = nil,
    _ progress: (IndexProgress) -> Void = { _ in }
  ) async throws(MemoryError) -> Bool {
    let index = index
    var wait = BoundedWait(limit ?? busyTimeout, pause: Self.pause)
    for _ in 0..<steps {
      guard index.isAvailable else { return true }
      try MemoryError.throwIfCancelled()
      let step = try await primary.read { snapshot throws(MemoryError) in try index.advance(in: snapshot) }
      progress(step)
      switch step {
      case .building, .following: wait.reset()
      case .waiting: try await wait.pause(for: Self.locked)
      case .arrived:
        while merges, try await maintain() { try MemoryError.throwIfCancelled() }
        return true
      case .unavailable: return true
      }
    }
    return false
  }

  /// Merges take seconds in a large index. Cancelling the task ends a running one without effect.
  private func maintain() async throws(MemoryError) -> Bool {
    let index = index
    return try await BlockingWork.shared.run { (cancellation) throws(MemoryError) in
      index.maintain { !cancellation.isCancelled }
    }
  }

  /// Follows, then compares the index with the primary in one snapshot of both.
  ///
  /// - Returns: Nothing if the index is unavailable or cannot be written to, since then it answers nothing wrong.
  /// - Throws: `.busy` if another process keeps the index locked for longer than `busyTimeout`; `.cancelled`.
  func check() async throws(MemoryError) -> [MemoryCheck] {
    let index = index
    do throws(MemoryError) {
      for _ in 0..<Self.maximumChecks {
        try await follow(merges: false)
        guard index.isAvailable, index.statistics().notWritable == nil else { return [] }
        // Other processes may have moved the index ahead of the snapshot meanwhile.
        let checks = try await primary.read { snapshot throws(MemoryError) in try index.check(in: snapshot) }
        if let checks { return checks }
      }
      return [MemoryCheck("search index", .failed("it does not catch up with the primary; call rebuild()"))]
    } catch let error where error.code == .busy || error.code == .cancelled {
      throw error
    } catch {
      return [MemoryCheck("search index", .failed("it could not be compared: \(error)"))]
    }
  }

  /// Removes the index's content, waiting for other processes for `busyTimeout`.
  ///
  /// - Throws: `.busy` after that, `.cancelled`.
  func removeAll() async throws(MemoryError) {
    let index = index
    var wait = BoundedWait(busyTimeout, pause: Self.pause)
    while !(try await BlockingWork.shared.run { () throws(MemoryError) in index.removeAll() }) {
      try await wait.pause(for: Self.locked)
    }
  }

  static let locked = "another process keeps the search index locked; look for one that is stopped, and try again"

  /// Cancels the background task and waits for its end.
  func close() async {
    let task = state.withLock { state in
      state.isClosed = true
      return state.task
    }
    task?.cancel()
    await task?.value
  }
}
