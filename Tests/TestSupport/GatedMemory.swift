public import EpisodicMemory
import Synchronization

/// A memory whose operations wait until they are let go.
public final class GatedMemory: Sendable {
  private struct State {
    var isOpen = false
    var begun = 0
    var passed = 0
    var cancelled = 0
  }

  private final class Gate: Sendable {
    let state = Mutex(State())

    func pass() async throws(MemoryError) {
      state.withLock { $0.begun += 1 }
      while !state.withLock({ $0.isOpen }) {
        do {
          try await Task.sleep(for: .milliseconds(2))
        } catch {
          state.withLock { $0.cancelled += 1 }
          throw MemoryError(.cancelled, "the task was cancelled", cause: error)
        }
      }
      state.withLock { $0.passed += 1 }
    }
  }

  public let memory: Memory
  private let gate: Gate

  /// - Parameter memory: Has what the operations read and write.
  public init(_ memory: Memory) {
    let gate = Gate()
    let faulty = FaultyPrimary(memory.primaryStore) { operation, moment async throws(MemoryError) in
      if moment == .before, operation != "close()" { try await gate.pass() }
    }
    self.gate = gate
    self.memory = Memory(primary: faulty, cache: NoCache(because: "a test"))
  }

  public func open() { gate.state.withLock { $0.isOpen = true } }

  /// Operations that ended with their task.
  public var cancelled: Int { gate.state.withLock { $0.cancelled } }

  public func waitUntilBegun(_ count: Int) async throws {
    try await waitUntil("\(count) operations begin") { gate.state.withLock { $0.begun } >= count }
  }

  public func waitUntilPassed(_ count: Int) async throws {
    try await waitUntil("\(count) operations pass") { gate.state.withLock { $0.passed } >= count }
  }
}
