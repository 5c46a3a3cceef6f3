import Dispatch
import Synchronization

/// An actor with a thread of its own, as an event loop or a user interface has one: while a job waits there, no other runs.
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

  /// Returns when the loop has had time for one more job.
  public func turn() {}
}

/// A place where a thread waits until a test lets it go on.
public final class Gate: Sendable {
  private let semaphore = DispatchSemaphore(value: 0)
  private let arrivals = Atomic(0)
  /// Holds until `open`, and for minutes at most.
  private let held: Held

  public init() {
    let semaphore = semaphore
    held = Held { semaphore.signal() }
  }

  /// Whether whoever came has to wait.
  public var isClosed: Bool { held.isHeld }
  /// How many have come.
  public var count: Int { arrivals.load(ordering: .acquiring) }

  /// Waits on this thread.
  public func pass() {
    arrivals.wrappingAdd(1, ordering: .releasing)
    semaphore.wait()
    semaphore.signal()
  }

  public func open() { held.release() }
}
