import StoreValues
import Synchronization

/// Takes what callers hand over without making them wait, and writes it in the background: in order, one batch after another.
///
/// What comes while the buffer is full is dropped and counted, as is what could not be written.
final class BackgroundWriter<Element: Sendable>: Sendable {
  /// Bounds what is kept in memory.
  struct Bounds: Sendable {
    var elements = 10_000
    var bytes = 16 << 20
  }

  private struct State {
    var pending: [Element] = []
    var bytes = 0
    var dropped = 0
    /// Of those dropped, the ones that the last batch told of.
    var told = 0
    var isScheduled = false
    var last: Task<Void, Never>?
  }

  private let bounds: Bounds
  private let delay: Duration
  private let collect: @Sendable () -> [Element]
  private let write: @Sendable ([Element], _ dropped: Int) async -> Int
  private let state = Mutex(State())

  /// - Parameter delay: From the first element until it is written, so that one commit has more of them.
  /// - Parameter collect: What else is to be written, asked for with each batch.
  /// - Parameter write: Gets a batch, and how many were dropped since the one before; returns how many it could not write.
  init(
    bounds: Bounds, delay: Duration = .zero, collect: @escaping @Sendable () -> [Element] = { [] },
    write: @escaping @Sendable ([Element], _ dropped: Int) async -> Int
  ) {
    (self.bounds, self.delay, self.collect, self.write) = (bounds, delay, collect, write)
  }

  /// How many were dropped so far, because the buffer was full or they could not be written.
  var dropped: Int { state.withLock { $0.dropped } }

  /// Never waits.
  func add(_ element: Element, bytes: Int) {
    let isHalfFull = state.withLock { state -> Bool in
      guard state.pending.count < bounds.elements, bytes <= bounds.bytes - state.bytes else {
        state.dropped += 1
        return false
      }
      state.pending.append(element)
      state.bytes += bytes
      return state.pending.count == bounds.elements / 2
    }
    schedule()
    if isHalfFull, delay > .zero { _ = next() }
  }

  /// Has `collect` asked after the delay.
  func schedule() {
    let isNew = state.withLock { state -> Bool in
      defer { state.isScheduled = true }
      return !state.isScheduled
    }
    guard isNew else { return }
    Task.detached(priority: .utility) { [self] in
      // Nobody cancels it; if somebody did, it would be written at once.
      if delay > .zero { try? await Task.sleep(for: delay) }
      await flush()
    }
  }

  /// Returns when all that was added before has been written, or was dropped.
  func flush() async { await next().value }

  /// Batches follow one another: elements stay in order, and the last one done means that all are.
  private func next() -> Task<Void, Never> {
    state.withLock { state in
      let previous = state.last
      let task = Task.detached { [self] in
        await previous?.value
        await writePending()
      }
      state.last = task
      return task
    }
  }

  private func writePending() async {
    var (batch, dropped) = state.withLock { state in
      defer { (state.pending, state.bytes, state.isScheduled, state.told) = ([], 0, false, state.dropped) }
      return (state.pending, state.dropped - state.told)
    }
    batch += collect()
    guard !batch.isEmpty || dropped > 0 else { return }
    let failed = await write(batch, dropped)
    guard failed > 0 else { return }
    state.withLock { $0.dropped += failed }
  }
}
