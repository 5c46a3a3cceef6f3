import Dispatch
import Synchronization

/// An actor with its own thread, like an event loop: while a job blocks it, no other job runs.
public actor EventLoop {
  private final class OneThread: SerialExecutor {
    private let queue = DispatchQueue(label: "event loop")

    func enqueue(_ job: consuming ExecutorJob) {
      let job = UnownedJob(job)
      queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
  }

  private let executor = OneThread()
  public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  public init() {}

  /// Calls `body` on the loop.
  public func run<Value: Sendable>(_ body: @Sendable () async throws -> Value) async rethrows -> Value {
    try await body()
  }

  /// Returns when the loop has run one more job.
  public func turn() {}
}

/// Blocks the threads that call `pass` until a test calls `open`.
public final class Gate: Sendable {
  private let semaphore = DispatchSemaphore(value: 0)
  private let arrivals = Atomic(0)
  /// Until `open`, and for 10 minutes at most.
  private let held: Held

  public init() {
    let semaphore = semaphore
    held = Held { semaphore.signal() }
  }

  /// Whether `pass` blocks.
  public var isClosed: Bool { held.isHeld }
  /// The number of calls of `pass`.
  public var count: Int { arrivals.load(ordering: .acquiring) }

  /// Blocks the calling thread until `open`.
  public func pass() {
    arrivals.wrappingAdd(1, ordering: .releasing)
    semaphore.wait()
    semaphore.signal()
  }

  public func open() { held.release() }
}
