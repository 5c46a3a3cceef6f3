import Dispatch
import Synchronization

/// Keeps the index near the primary, so that a query finds little to catch up with.
///
/// Safety never depends on it: a query takes in what is missing, or has the primary search alone.
final class IndexFollower: Sendable {
  /// Changes that may wait for the next query: what a query takes in without anybody noticing.
  private static let patience = 256
  /// A second or two of work: several times what a batch of thousands takes.
  private static let stepsAfterWrite = 16
  private static let triesToRemove = 40
  /// While another process has the index's lock.
  private static let pause = Duration.milliseconds(5)

  private struct State {
    var pending = 0
    var task: Task<Void, Never>?
    var isClosed = false
  }

  private let primary: any PrimaryStore
  private let index: any SearchIndex
  private let state = Mutex(State())

  init(primary: any PrimaryStore, index: any SearchIndex) {
    self.primary = primary
    self.index = index
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
  /// catch up with than those, the rest is left to the background.
  func followAfterWrite() async {
    // The write stands whatever becomes of this: what is wrong with the primary the next read will say.
    do throws(MemoryError) {
      if try await !follow(atMost: Self.stepsAfterWrite) { start() }
    } catch {}
  }

  /// Follows until the index is where the primary is, and merges what is to be merged.
  ///
  /// - Parameter steps: Steps that it may take.
  /// - Returns: Whether there is nothing left to do, or to be done.
  /// - Throws: What the primary throws. An index that fails is unavailable from then on, which is not an error.
  @discardableResult
  func follow(
    atMost steps: Int = .max, _ progress: (IndexProgress) -> Void = { _ in }
  ) async throws(MemoryError) -> Bool {
    let index = index
    for _ in 0..<steps {
      guard index.isAvailable else { return true }
      guard !Task.isCancelled else { return false }
      let step = try await primary.read { snapshot throws(MemoryError) in try index.advance(in: snapshot) }
      progress(step)
      switch step {
      case .building, .following: continue
      case .waiting:
        do { try await Task.sleep(for: Self.pause) } catch { return false }
      case .arrived:
        while !Task.isCancelled, await maintain() {}
        return true
      case .unavailable: return true
      }
    }
    return false
  }

  /// Merges take seconds in a large index, which is too long for a thread that others wait for.
  private func maintain() async -> Bool {
    let index = index
    return await withCheckedContinuation { continuation in
      DispatchQueue.global(qos: .utility).async { continuation.resume(returning: index.maintain()) }
    }
  }

  /// Forgets the index, as soon as no other process has its lock.
  ///
  /// - Returns: False where one keeps it.
  func removeAll() async throws(MemoryError) -> Bool {
    for _ in 0..<Self.triesToRemove {
      if index.removeAll() { return true }
      do { try await Task.sleep(for: .milliseconds(50)) } catch { return false }
    }
    return false
  }

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
