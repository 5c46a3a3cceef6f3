import FileLocks
import Synchronization

/// Keeps the index near the primary, so that a query finds little to catch up with.
///
/// Safety never depends on it: a query takes in what is missing, or has the primary search alone. Every step runs on a
/// reader of the primary or on a thread of `BlockingWork`, never on the caller's executor.
final class IndexFollower: Sendable {
  /// Changes that may wait for the next query: what a query takes in without anybody noticing.
  private static let patience = 256
  /// A second or two of work: several times what a batch of thousands takes.
  private static let stepsAfterWrite = 16
  /// A write does not wait for longer than this for another process that keeps the index.
  private static let waitAfterWrite = Duration.milliseconds(200)
  /// While another process has the index's lock.
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

  /// Tells of a write that has been committed; now and then the index follows in the background.
  func noteChanges(_ count: Int) {
    guard index.isAvailable else { return }
    let isDue = state.withLock { state in
      state.pending += count
      return state.pending >= Self.patience
    }
    if isDue { start() }
  }

  /// Follows in the background, unless that is under way.
  func start() {
    guard index.isAvailable else { return }
    state.withLock { state in
      guard state.task == nil, !state.isClosed else { return }
      state.pending = 0
      state.task = Task.detached(priority: .utility) { [self] in
        // Nobody waits for it, and what is wrong with the primary the next read will say.
        do throws(MemoryError) { try await follow() } catch {}
        self.state.withLock { $0.task = nil }
      }
    }
  }

  /// Follows after many changes, so that the next query does not find the index too far behind. Where it has much more to
  /// catch up with than those, or another process keeps the index, the rest is left to the background.
  func followAfterWrite() async {
    // The write stands whatever becomes of this: what is wrong with the primary the next read will say.
    do throws(MemoryError) {
      if try await follow(atMost: Self.stepsAfterWrite, waitingAtMost: Self.waitAfterWrite) { return }
    } catch {}
    start()
  }

  /// Follows until the index is where the primary is, and merges what is to be merged.
  ///
  /// - Parameter steps: Steps that it may take.
  /// - Parameter limit: How long to wait for another process that keeps the index locked; `nil` for the store's own.
  /// - Returns: Whether there is nothing left to do, or to be done.
  /// - Throws: `.busy` where another process kept the index for longer; `.cancelled`; what the primary throws. An index
  ///   that fails is unavailable from then on, which is not an error.
  @discardableResult
  func follow(
    atMost steps: Int = .max, waitingAtMost limit: Duration? = nil, _ progress: (IndexProgress) -> Void = { _ in }
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
        while try await maintain() { try MemoryError.throwIfCancelled() }
        return true
      case .unavailable: return true
      }
    }
    return false
  }

  /// Merges take seconds in a large index; one that is under way ends without effect when the task is cancelled.
  private func maintain() async throws(MemoryError) -> Bool {
    let index = index
    return try await BlockingWork.shared.run { (cancellation) throws(MemoryError) in
      index.maintain { !cancellation.isCancelled }
    }
  }

  /// Forgets the index, as soon as no other process has its lock.
  ///
  /// - Throws: `.busy` where one keeps it, `.cancelled`.
  func removeAll() async throws(MemoryError) {
    let index = index
    var wait = BoundedWait(busyTimeout, pause: Self.pause)
    while !(try await BlockingWork.shared.run { () throws(MemoryError) in index.removeAll() }) {
      try await wait.pause(for: Self.locked)
    }
  }

  static let locked = "another process keeps the search index locked; look for one that is stopped, and try again"

  /// Stops what runs in the background and waits for its end.
  func close() async {
    let task = state.withLock { state in
      state.isClosed = true
      return state.task
    }
    task?.cancel()
    await task?.value
  }
}
