import EpisodicMemory
import Foundation
import Synchronization
import TestSupport
import Testing

private final class Order: Sendable {
  let numbers = Mutex<[Int]>([])
}

@Suite struct `Work that may block` {
  @Test func `runs beside other work that waits, up to its width, and what is more after it`() async throws {
    let work = BlockingWork(width: 2)
    let gate = Gate()
    let order = Order()
    let waiting = (0..<2).map { _ in
      Task { try await work.run { () throws(MemoryError) in gate.pass() } }
    }
    try await waitUntil("both lanes are taken") { gate.count == 2 }
    let rest = (0..<5).map { number in
      Task { try await work.run { () throws(MemoryError) in order.numbers.withLock { $0.append(number) } } }
    }
    // All lanes are taken, so none of these can have run, whenever they came.
    #expect(order.numbers.withLock { $0.isEmpty } && gate.isClosed)
    gate.open()
    for task in waiting + rest { try await task.value }
    #expect(order.numbers.withLock { $0.sorted() } == [0, 1, 2, 3, 4])
  }

  @Test func `leaves the queue when its task is cancelled, and says so`() async throws {
    let work = BlockingWork(width: 1)
    let gate = Gate()
    let first = Task { try await work.run { () throws(MemoryError) in gate.pass() } }
    try await waitUntil("the lane is taken") { gate.count == 1 }
    let hasRun = Mutex(false)
    let second = Task { try await work.run { () throws(MemoryError) in hasRun.withLock { $0 = true } } }
    second.cancel()
    let error = await #expect(throws: MemoryError.self) { try await second.value }
    #expect(error?.code == .cancelled && gate.isClosed)
    gate.open()
    try await first.value
    try await work.run { () throws(MemoryError) in }
    #expect(!hasRun.withLock { $0 })
  }

  @Test func `is told when its task is cancelled while it runs`() async throws {
    let gate = Gate()
    let task = Task {
      try await BlockingWork.shared.run { (cancellation) throws(MemoryError) in
        gate.pass()
        return cancellation.isCancelled
      }
    }
    try await waitUntil("it runs") { gate.count == 1 }
    task.cancel()
    gate.open()
    #expect(try await task.value)
  }

  @Test func `of async work runs what has no executor of its own on its threads`() async throws {
    let work = BlockingWork(width: 1)
    let gate = Gate()
    let task = Task {
      try await work.perform { () async throws(MemoryError) in
        gate.pass()
        await Task.yield()
      }
    }
    try await waitUntil("it runs") { gate.count == 1 }
    // One lane: what comes after waits for it, which it would not if the body ran elsewhere.
    let next = Task { try await work.run { () throws(MemoryError) in gate.isClosed } }
    gate.open()
    try await task.value
    #expect(try await !next.value)
  }
}
