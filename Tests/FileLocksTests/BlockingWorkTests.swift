import FileLocks
import Synchronization
import TestSupport
import Testing

private struct Cancelled: Error {}

private final class Order: Sendable {
  let numbers = Mutex<[Int]>([])
}

@Suite struct `Work that may block` {
  @Test func `runs beside other work that waits, up to its width, and further work after it`() async throws {
    let work = BlockingWork(width: 2)
    let gate = Gate()
    let order = Order()
    let waiting = (0..<2).map { _ in
      Task { try await work.run(orThrow: Cancelled()) { _ throws(Cancelled) in gate.pass() } }
    }
    try await waitUntil("both lanes are taken") { gate.count == 2 }
    let rest = (0..<5).map { number in
      Task {
        try await work.run(orThrow: Cancelled()) { _ throws(Cancelled) in order.numbers.withLock { $0.append(number) } }
      }
    }
    // All lanes are taken, so none of these can have run, whenever they came.
    #expect(order.numbers.withLock { $0.isEmpty } && gate.isClosed)
    gate.open()
    for task in waiting + rest { try await task.value }
    #expect(order.numbers.withLock { $0.sorted() } == [0, 1, 2, 3, 4])
  }

  @Test func `leaves the queue when its task is cancelled, and throws`() async throws {
    let work = BlockingWork(width: 1)
    let gate = Gate()
    let first = Task { try await work.run(orThrow: Cancelled()) { _ throws(Cancelled) in gate.pass() } }
    try await waitUntil("the lane is taken") { gate.count == 1 }
    let hasRun = Mutex(false)
    let second = Task {
      try await work.run(orThrow: Cancelled()) { _ throws(Cancelled) in hasRun.withLock { $0 = true } }
    }
    second.cancel()
    await #expect(throws: Cancelled.self) { try await second.value }
    #expect(gate.isClosed)
    gate.open()
    try await first.value
    try await work.run(orThrow: Cancelled()) { _ throws(Cancelled) in }
    #expect(!hasRun.withLock { $0 })
  }

  @Test func `is told when its task is cancelled while it runs`() async throws {
    let gate = Gate()
    let task = Task {
      try await BlockingWork(width: 1).run(orThrow: Cancelled()) { cancellation throws(Cancelled) in
        gate.pass()
        return cancellation.isCancelled
      }
    }
    try await waitUntil("it runs") { gate.count == 1 }
    task.cancel()
    gate.open()
    #expect(try await task.value)
  }

  @Test func `runs to its end although its task is cancelled, unless it can be cancelled`() async throws {
    let work = BlockingWork(width: 1)
    let gate = Gate()
    let first = Task { try await work.run(orThrow: Cancelled()) { _ throws(Cancelled) in gate.pass() } }
    try await waitUntil("the lane is taken") { gate.count == 1 }
    let second = Task { await work.run { 7 } }
    second.cancel()
    gate.open()
    try await first.value
    #expect(await second.value == 7)
  }

  @Test func `of async work runs what has no executor of its own on its threads`() async throws {
    let work = BlockingWork(width: 1)
    let gate = Gate()
    let task = Task {
      try await work.perform { () async throws(Cancelled) in
        gate.pass()
        await Task.yield()
      }
    }
    try await waitUntil("it runs") { gate.count == 1 }
    // One lane: what comes after waits for it, which it would not if the body ran elsewhere.
    let next = Task { try await work.run(orThrow: Cancelled()) { _ throws(Cancelled) in gate.isClosed } }
    gate.open()
    try await task.value
    #expect(try await !next.value)
  }
}
