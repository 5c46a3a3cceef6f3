import AgentLedger
import Foundation
import StoreValues
import Synchronization
import TestSupport
import Testing

/// A receiver in process: records what arrives, and answers as told.
private final class ScriptedSink: OutboxSink {
  private let state = Mutex((arrived: [Ledger.OutboxMessage](), batches: [Int]()))
  private let answer: @Sendable (Ledger.OutboxMessage) throws -> Ledger.DeliveryOutcome

  init(_ answer: @escaping @Sendable (Ledger.OutboxMessage) throws -> Ledger.DeliveryOutcome = { _ in .delivered }) {
    self.answer = answer
  }

  var arrived: [Ledger.OutboxMessage] { state.withLock { $0.arrived } }
  var batches: [Int] { state.withLock { $0.batches } }

  func deliver(_ batch: [Ledger.OutboxMessage]) async throws -> [Ledger.DeliveryOutcome] {
    state.withLock { $0.batches.append(batch.count) }
    return try batch.map { message in
      let outcome = try answer(message)
      if outcome == .delivered { state.withLock { $0.arrived.append(message) } }
      return outcome
    }
  }
}

/// A receiver that answers when its gate opens, whether it is cancelled or not.
private final class SlowSink: OutboxSink {
  let gate = Gate()
  private let outcome: Ledger.DeliveryOutcome

  init(_ outcome: Ledger.DeliveryOutcome = .delivered) { self.outcome = outcome }

  func deliver(_ batch: [Ledger.OutboxMessage]) async throws -> [Ledger.DeliveryOutcome] {
    await withCheckedContinuation { continuation in
      // Not on a thread of the cooperative pool, which has one a core.
      Thread.detachNewThread {
        self.gate.pass()
        continuation.resume()
      }
    }
    return batch.map { _ in outcome }
  }
}

@Suite struct `The outbox` {
  let clock = ManualClock()

  private func ledger(_ keys: String...) async throws -> (Ledger, [Ledger.OutboxMessage.ID]) {
    let ledger = try await Ledger.inMemory(clock: clock)
    let ids = try await ledger.put(
      keys.enumerated().map { .init("results", key: $1, payload: ["number": .integer(Int64($0))]) })
    return (ledger, ids)
  }

  private func status(_ id: Ledger.OutboxMessage.ID, in ledger: Ledger) async throws -> Ledger.OutboxMessage.Status? {
    try await ledger.message(id)?.status
  }

  // MARK: Order

  @Test func `a round sends the first message of each key, oldest first`() async throws {
    let (ledger, ids) = try await ledger("b", "a", "b", "c")
    let sink = ScriptedSink()
    let report = try await ledger.deliver(to: sink)
    #expect(sink.arrived.map(\.id) == [ids[0], ids[1], ids[3]])
    #expect(report.sent == 3 && report.delivered == 3)
    #expect(try await ledger.undelivered().map(\.id) == [ids[2]])
    try await ledger.deliver(to: sink)
    #expect(sink.arrived.last?.id == ids[2])
    #expect(try await ledger.deliver(to: sink).sent == 0)
  }

  @Test func `a key that fails stops only itself, and keeps its order`() async throws {
    let (ledger, ids) = try await ledger("bad", "bad", "good", "good")
    let fails = Mutex(true)
    let sink = ScriptedSink { message in
      message.key == "bad" && fails.withLock { $0 } ? .tryAgain("not today") : .delivered
    }
    for _ in 0..<3 { try await ledger.deliver(to: sink) }
    #expect(sink.arrived.map(\.id) == [ids[2], ids[3]])
    #expect(try await ledger.message(ids[0])?.error == "not today")
    #expect(try await status(ids[1], in: ledger) == .queued)
    fails.withLock { $0 = false }
    clock.advance(by: .seconds(2))
    for _ in 0..<2 { try await ledger.deliver(to: sink) }
    #expect(sink.arrived.map(\.id) == [ids[2], ids[3], ids[0], ids[1]])
  }

  @Test func `a message that must wait holds back those of its key`() async throws {
    let (ledger, _) = try await ledger()
    let later = clock.now().milliseconds + 60_000
    let ids = try await ledger.put([
      .init("notices", key: "k", payload: 1, notBefore: Timestamp(milliseconds: later)),
      .init("notices", key: "k", payload: 2), .init("notices", key: "other", payload: 3),
    ])
    let sink = ScriptedSink()
    #expect(try await ledger.deliver(to: sink).sent == 1)
    #expect(try await ledger.deliver(to: sink).sent == 0)
    clock.advance(by: .seconds(60))
    for _ in 0..<2 { try await ledger.deliver(to: sink) }
    #expect(sink.arrived.map(\.id) == [ids[2], ids[0], ids[1]])
  }

  @Test func `a sink gets only the kinds it asks for`() async throws {
    let (ledger, _) = try await ledger("a")
    try await ledger.put([.init("signals", key: "s", payload: 1), .init("tasks", key: "t", payload: 2)])
    let sink = ScriptedSink()
    var options = Ledger.DeliveryOptions()
    options.kinds = ["tasks", "signals", "tasks"]
    try await ledger.deliver(to: sink, options)
    #expect(sink.arrived.map(\.kind) == ["signals", "tasks"])
    #expect(try await ledger.undelivered().map(\.kind) == ["results"])
  }

  @Test func `a batch has at most as many messages and 8 MiB`() async throws {
    let (ledger, _) = try await ledger()
    let text = JSON.string(String(repeating: "x", count: 900_000))
    try await ledger.put((0..<12).map { .init("results", key: "\($0)", payload: text) })
    let sink = ScriptedSink()
    var options = Ledger.DeliveryOptions()
    options.batchSize = 10
    while try await ledger.deliver(to: sink, options).sent > 0 {}
    #expect(sink.batches == [9, 3])
  }

  // MARK: Failures

  @Test func `a wait doubles with each attempt, up to a dead letter, which can be put back`() async throws {
    let (ledger, ids) = try await ledger("k", "k")
    let fails = Mutex(true)
    let sink = ScriptedSink { message in
      message.id == ids[0] && fails.withLock { $0 } ? .tryAgain("down") : .delivered
    }
    var options = Ledger.DeliveryOptions()
    options.maximumAttempts = 4
    for attempt in 1...3 {
      #expect(try await ledger.deliver(to: sink, options).waiting == 1)
      let message = try #require(try await ledger.message(ids[0]))
      let wait = message.nextAttemptAt.milliseconds - clock.now().milliseconds
      let whole = Int64(1000 << (attempt - 1))
      #expect((whole / 2...whole).contains(wait) && message.attempts == attempt)
      clock.advance(by: .milliseconds(wait - 1))
      #expect(try await ledger.deliver(to: sink, options).sent == 0)
      clock.advance(by: .milliseconds(1))
    }
    #expect(try await ledger.deliver(to: sink, options).dead == 1)
    #expect(try await ledger.deadLetters().map(\.id) == [ids[0]])
    // The key goes on without it.
    fails.withLock { $0 = false }
    try await ledger.put(.init("results", key: "k", payload: 3))
    #expect(try await ledger.deliver(to: sink, options).delivered == 1)
    #expect(try await ledger.retry(ids[0]).status == .ready)
    for _ in 0..<2 { try await ledger.deliver(to: sink, options) }
    #expect(sink.arrived.map(\.payload) == [["number": 1], ["number": 0], 3])
    #expect(try await ledger.deadLetters().isEmpty)
  }

  @Test func `what is refused is a dead letter at once`() async throws {
    let (ledger, ids) = try await ledger("k")
    let sink = ScriptedSink { _ in .refused("no such customer") }
    #expect(try await ledger.deliver(to: sink).dead == 1)
    let letter = try #require(try await ledger.deadLetters().first)
    #expect(letter.id == ids[0] && letter.error == "no such customer" && letter.attempts == 1)
  }

  @Test func `a receiver's wish to wait counts up to an hour, and is no attempt if nothing was sent`() async throws {
    let (ledger, ids) = try await ledger("a", "b")
    let sink = ScriptedSink { message in
      message.key == "a" ? .tryAgain("busy", after: .seconds(100_000)) : .notSent(after: .seconds(60))
    }
    try await ledger.deliver(to: sink)
    let (a, b) = (try #require(try await ledger.message(ids[0])), try #require(try await ledger.message(ids[1])))
    #expect(a.nextAttemptAt.milliseconds - clock.now().milliseconds == 3_600_000 && a.attempts == 1)
    #expect(b.nextAttemptAt.milliseconds - clock.now().milliseconds == 60_000 && b.attempts == 0)
  }

  struct Broken: Error, CustomStringConvertible {
    let description = "Authorization: Bearer abcdefghijklmnopqrstuvwxyz0123456789"
  }

  @Test func `a sink that throws is a failed attempt of the whole batch, and its error is kept without credentials`()
    async throws
  {
    let (ledger, ids) = try await ledger("a", "b")
    #expect(try await ledger.deliver(to: ScriptedSink { _ in throw Broken() }).waiting == 2)
    for id in ids {
      let error = try #require(try await ledger.message(id)?.error)
      #expect(error.contains("redacted") && !error.contains("abcdefghij"))
    }
    let log = try await ledger.deliveries()
    #expect(log.map(\.count) == [2] && log.allSatisfy { !$0.success && $0.direction == .upload })
  }

  @Test func `a sink with too few outcomes is a failed attempt of the whole batch`() async throws {
    struct Forgetful: OutboxSink {
      func deliver(_ batch: [Ledger.OutboxMessage]) async throws -> [Ledger.DeliveryOutcome] { [.delivered] }
    }
    let (ledger, ids) = try await ledger("a", "b")
    #expect(try await ledger.deliver(to: Forgetful()).waiting == 2)
    #expect(try await ledger.message(ids[0])?.error == "the sink returned 1 outcomes for 2 messages")
  }

  @Test func `a sink that hangs is waited for up to its timeout`() async throws {
    let (ledger, ids) = try await ledger("a")
    let sink = SlowSink()
    var options = Ledger.DeliveryOptions()
    options.timeout = .milliseconds(20)
    #expect(try await ledger.deliver(to: sink, options).waiting == 1)
    #expect(try await ledger.message(ids[0])?.error?.contains("did not answer within 0.02 seconds") == true)
    sink.gate.open()
  }

  @Test func `a message that hangs its sink is soon sent alone`() async throws {
    let (ledger, _) = try await ledger()
    try await ledger.put((0..<8).map { .init("results", key: "\($0)", payload: .integer($0)) })
    let sink = ScriptedSink { message in
      if message.key == "3" { throw Broken() }
      return .delivered
    }
    var options = Ledger.DeliveryOptions()
    (options.batchSize, options.maximumAttempts) = (8, 5)
    for _ in 0..<40 {
      try await ledger.deliver(to: sink, options)
      clock.advance(by: .seconds(20))
    }
    #expect(try await ledger.undelivered().isEmpty)
    #expect(try await ledger.deadLetters().map(\.key) == ["3"])
  }

  // MARK: Several senders

  @Test func `two senders do not send the same, and a lease that runs out gives it back`() async throws {
    let (ledger, ids) = try await ledger("a")
    let hanging = SlowSink()
    async let first = ledger.deliver(to: hanging)
    try await waitUntil("the first sender has the message") { hanging.gate.count == 1 }
    let second = ScriptedSink()
    #expect(try await ledger.deliver(to: second).sent == 0)
    clock.advance(by: .seconds(61))
    #expect(try await ledger.deliver(to: second).delivered == 1)
    hanging.gate.open()
    #expect(try await first.overtaken == 1)
    #expect(try await status(ids[0], in: ledger) == .delivered)
    let log = try await ledger.deliveries()
    #expect(log.filter { $0.success && $0.error == nil }.map(\.count) == [1])
    #expect(log.contains { $0.error == "its sender was silent past its lease" })
  }

  @Test func `what a sender says too late of a failure is not counted`() async throws {
    let (ledger, ids) = try await ledger("a")
    let slow = SlowSink(.refused("late"))
    async let first = ledger.deliver(to: slow)
    try await waitUntil("the first sender has the message") { slow.gate.count == 1 }
    clock.advance(by: .seconds(61))
    let second = ScriptedSink { _ in .tryAgain("busy") }
    #expect(try await ledger.deliver(to: second).waiting == 1)
    slow.gate.open()
    #expect(try await first.overtaken == 1)
    let message = try #require(try await ledger.message(ids[0]))
    #expect(message.status == .waiting && message.error == "busy" && message.attempts == 1)
  }

  @Test func `a dead letter that is put back does not overtake what a sender has`() async throws {
    let (ledger, ids) = try await ledger("k", "k")
    try await ledger.deliver(to: ScriptedSink { _ in .refused("no") })
    let slow = SlowSink()
    async let report = ledger.deliver(to: slow)
    try await waitUntil("the second message is sent") { slow.gate.count == 1 }
    #expect(try await ledger.retry(ids[0]).status == .queued)
    #expect(try await ledger.deliver(to: ScriptedSink()).sent == 0)
    slow.gate.open()
    #expect(try await report.delivered == 1)
    #expect(try await status(ids[0], in: ledger) == .ready)
  }

  // MARK: The clock

  @Test func `a clock that jumps an hour back prolongs no wait and no lease`() async throws {
    let (ledger, ids) = try await ledger("waits", "fresh")
    try await ledger.deliver(to: ScriptedSink { $0.key == "waits" ? .tryAgain("down") : .notSent(after: .seconds(1)) })
    let fixed = clock.now().milliseconds + 5000
    let held = try await ledger.put(
      .init("results", key: "fixed", payload: 1, notBefore: Timestamp(milliseconds: fixed)))
    clock.advance(by: .seconds(-3600))
    #expect(try await ledger.deliver(to: ScriptedSink()).sent == 0)
    clock.advance(by: .seconds(1))
    let sink = ScriptedSink()
    try await ledger.deliver(to: sink)
    #expect(Set(sink.arrived.map(\.id)) == Set(ids))
    #expect(try await ledger.message(held)?.nextAttemptAt.milliseconds == fixed)
  }

  // MARK: Continuously

  @Test func `what is put into the outbox is delivered continuously, until the task ends`() async throws {
    let (ledger, _) = try await ledger("a", "a", "b")
    let sink = ScriptedSink()
    let courier = _Concurrency.Task { try await ledger.deliverContinuously(to: sink) }
    try await waitUntil("three arrive") { sink.arrived.count == 3 }
    try await ledger.put(.init("results", key: "c", payload: 4))
    try await waitUntil("another arrives") { sink.arrived.count == 4 }
    courier.cancel()
    try await courier.value
    #expect(try await ledger.undelivered().isEmpty)
  }

  @Test func `a courier that is cancelled gives back what its sink had not delivered`() async throws {
    final class Sleeper: OutboxSink {
      let isCalled = Atomic(false)
      func deliver(_ batch: [Ledger.OutboxMessage]) async throws -> [Ledger.DeliveryOutcome] {
        isCalled.store(true, ordering: .releasing)
        try await _Concurrency.Task.sleep(for: .seconds(600))
        return []
      }
    }
    let (ledger, ids) = try await ledger("a")
    let sink = Sleeper()
    let courier = _Concurrency.Task { try await ledger.deliverContinuously(to: sink) }
    try await waitUntil("the sink is called") { sink.isCalled.load(ordering: .acquiring) }
    courier.cancel()
    try await courier.value
    let message = try #require(try await ledger.message(ids[0]))
    #expect(message.status == .waiting && message.attempts == 0)
    clock.advance(by: .milliseconds(1))
    #expect(try await ledger.deliver(to: ScriptedSink()).delivered == 1)
  }

  @Test func `a courier whose ledger is closed ends with the error`() async throws {
    let (ledger, _) = try await ledger()
    try await ledger.close()
    await #expect { try await ledger.deliverContinuously(to: ScriptedSink()) } throws: {
      ($0 as? MemoryError)?.code == .closed
    }
  }

  // MARK: Results, bad input

  @Test func `a result and its message are written with the end of its task`() async throws {
    let (ledger, _) = try await ledger()
    let worker = try await ledger.register().id
    let task = try await ledger.add(.init("visit", domain: "web")).task.id
    _ = try await ledger.claim(by: worker)
    try await ledger.complete(
      task, by: worker, with: .init(["title": "x"], duration: .milliseconds(1500), logPath: "/tmp/log"),
      deliver: .init(.results, key: "k", payload: ["a": 1]))
    let result = try #require(try await ledger.results(of: task).first)
    #expect(result.success && result.duration == .milliseconds(1500) && result.logPath == "/tmp/log")
    #expect(try await ledger.result(result.id) == result)
    let message = try #require(try await ledger.undelivered().first)
    #expect(message.result == result.id && message.status == .ready)
  }

  @Test(arguments: [
    (Ledger.OutboxMessage.Draft("", key: "k", payload: 1), "the message's kind is empty"),
    (Ledger.OutboxMessage.Draft("results", key: "", payload: 1), "the message's key is empty"),
    (Ledger.OutboxMessage.Draft("results", key: "a\0", payload: 1), "the message's key has a NUL character"),
    (
      Ledger.OutboxMessage.Draft("results", key: "k", payload: .string(String(repeating: "x", count: 1 << 20))),
      "the message's payload has 1048578 bytes"
    ),
  ]) func `a message that cannot be kept is refused, with all of its call`(
    _ draft: Ledger.OutboxMessage.Draft, _ message: String
  ) async throws {
    let (ledger, _) = try await ledger()
    await #expect { try await ledger.put([.init("results", key: "k", payload: 1), draft]) } throws: {
      "\($0)".hasPrefix(message)
    }
    #expect(try await ledger.undelivered().isEmpty)
  }

  @Test func `only a dead letter is put back`() async throws {
    let (ledger, ids) = try await ledger("a")
    await #expect { try await ledger.retry(ids[0]) } throws: { ($0 as? MemoryError)?.code == .conflict }
    await #expect { try await ledger.retry("nobody" as Ledger.OutboxMessage.ID) } throws: {
      ($0 as? MemoryError)?.code == .notFound
    }
  }

  @Test func `the log has what the application fetched`() async throws {
    let (ledger, _) = try await ledger()
    try await ledger.logDelivery(.download, of: .tasks, count: 12, duration: .milliseconds(250))
    clock.advance(by: .seconds(1))
    try await ledger.logDelivery(.download, of: .tasks, count: 0, success: false, error: "503")
    let lines = try await ledger.deliveries(limit: 1)
    #expect(lines.map(\.error) == ["503"])
    let older = try #require(try await ledger.deliveries(after: lines.last).first)
    #expect(older.count == 12 && older.duration == .milliseconds(250) && older.direction == .download)
    #expect(try await ledger.deliveries(since: clock.now()).count == 1)
    await #expect { try await ledger.logDelivery(.download, of: .tasks, count: -1) } throws: {
      "\($0)" == "the delivery's count is -1; it cannot be negative"
    }
  }
}
