import CoreMetrics
import Logging
import StoreValues
import Synchronization
import TestSupport
import Testing

@testable import AgentLedger

@Suite struct `Telemetry into a ledger` {
  private let clock = ManualClock()

  private struct Broken: Error {}

  @Test func `a logged line is an event with its level, label, metadata and what it refers to`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    try await ledger.start(.init(.testing, domain: "d", id: "r"))
    let handler = LedgerLogHandler(writingTo: ledger)
    var logger = Logger(label: "planner", factory: handler.labelled)
    logger[metadataKey: "run_id"] = "r"
    logger.debug("not at this level")
    logger.notice("begun", metadata: ["list": ["a", "b"], "count": "\(3)"])
    clock.advance(by: .seconds(1))
    logger.error("failed", error: Broken(), metadata: ["task_id": "gone"])
    logger.warning("slow", metadata: ["error_type": "timeout", "component": "api", "kind": "performance"])
    await handler.flush()
    let events = try await ledger.events(.init(run: "r"))
    #expect(events.map(\.message) == ["slow", "failed", "begun"])
    #expect(events.map(\.level) == [.warning, .error, .info])
    #expect(events.map(\.kind) == [.performance, .error, .log])
    #expect(events.map(\.component) == [.api, "planner", "planner"])
    #expect(events.map(\.errorType) == [.timeout, "Broken", nil])
    #expect(events[1].task == nil && events[1].details["task_id"] == "gone")
    #expect(events[2].details == ["list": ["a", "b"], "count": "3", "run_id": "r"])
    #expect(events[2].createdAt < events[1].createdAt)
    #expect(handler.dropped == 0)
  }

  @Test func `a credential that is logged is not stored, and a line that cannot be stored as it is, is cut`()
    async throws
  {
    let ledger = try await Ledger.inMemory(clock: clock)
    let handler = LedgerLogHandler(writingTo: ledger)
    let logger = Logger(label: "", factory: handler.labelled)
    logger.info("with ghp_0123456789abcdefghijABCDEFGHIJ012345", metadata: ["password": "hunter2xyz9"])
    logger.info("a\u{0}b")
    logger.info(
      "\(String(repeating: "long ", count: 100_000))", metadata: ["m": "\(String(repeating: "x", count: 99_999))"])
    logger.info("id", metadata: ["run_id": "\(String(repeating: "x", count: 129))", "kind": ""])
    await handler.flush()
    let events = try await ledger.events().reversed().map(\.self)
    try #require(events.count == 4)
    #expect(!events[0].message.contains("ghp_") && events[0].details["password"] == "[redacted:password]")
    #expect(events[1].message == "a\u{FFFD}b")
    #expect(events[2].message.utf8.count <= 64 << 10 && events[2].details["cut"] != nil)
    #expect(events[3].run == nil && events[3].kind == .log)
  }

  @Test func `what the ledger itself logs and measures is not written into it`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    let handler = LedgerLogHandler(writingTo: ledger)
    Logger(label: "any", factory: handler.labelled).warning("upkeep failed", source: "AgentLedger")
    let factory = LedgerMetricsFactory(writingTo: ledger)
    Counter(label: "episodic.ledger.commits", dimensions: [], factory: factory).increment()
    await handler.flush()
    await factory.flush()
    #expect(try await ledger.events().isEmpty)
    #expect(try await ledger.series().isEmpty)
  }

  @Test func `counters give their increments, gauges their last value, recorders and timers each value`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    // Only flush() writes.
    let factory = LedgerMetricsFactory(writingTo: ledger, interval: .seconds(86_400))
    let counter = Counter(label: "calls", dimensions: [("to", "x")], factory: factory)
    let exact = FloatingPointCounter(label: "dollars", dimensions: [], factory: factory)
    let gauge = Gauge(label: "depth", dimensions: [], factory: factory)
    let meter = Meter(label: "open", dimensions: [], factory: factory)
    let recorder = Recorder(label: "bytes", dimensions: [], aggregate: true, factory: factory)
    let timer = Timer(label: "took", dimensions: [], factory: factory)
    func values(_ name: Ledger.Sample.Name) async throws -> [Double] {
      await factory.flush()
      return try await ledger.samples(of: name, in: .last(.seconds(86_400))).map(\.value)
    }
    for _ in 0..<5 { counter.increment(by: 2) }
    exact.increment(by: 0.25)
    exact.increment(by: 0.5)
    for value in [3, 9, 4] {
      gauge.record(value)
      recorder.record(value)
      timer.recordMilliseconds(value)
    }
    meter.set(10)
    meter.decrement(by: 3)
    #expect(try await values("calls") == [10])
    #expect(try await values("dollars") == [0.75])
    #expect(try await values("depth") == [4])
    #expect(try await values("open") == [7])
    #expect(try await values("bytes").sorted() == [3, 4, 9])
    #expect(try await values("took").sorted() == [3, 4, 9])
    clock.advance(by: .seconds(1))
    counter.increment()
    meter.increment(by: 1)
    #expect(try await values("calls") == [1, 10])
    #expect(try await values("open") == [8, 7])
    recorder.record(Double.nan)
    #expect(try await values("bytes").count == 3)
    #expect(factory.dropped == 1)
    #expect(try await ledger.series("calls").first?.labels == ["to": "x"])
  }

  @Test func `a writer that stands still drops what comes beyond its bounds, counts it and delays nobody`() async throws
  {
    let (written, gate) = (Recorded(), Gate())
    let writer = BackgroundWriter<Int>(bounds: .init(elements: 3, bytes: 1000)) { batch, dropped in
      await gate.pass()
      written.add(batch, dropped)
      return 0
    }
    writer.add(1, bytes: 1)
    await gate.waitForVisitor()
    // The writer is inside `pass`, so nothing of this is written before it opens.
    for number in 2...6 { writer.add(number, bytes: 1) }
    #expect(writer.dropped == 2)
    gate.open()
    await writer.flush()
    #expect(written.batches == [[1], [2, 3, 4]])
    #expect(written.dropped == [0, 2])
    writer.add(7, bytes: 1001)
    #expect(writer.dropped == 3)
    writer.add(8, bytes: 1000)
    await writer.flush()
    #expect(written.batches.flatMap(\.self) == [1, 2, 3, 4, 8])
  }

  @Test func `what a closed ledger does not take is counted as dropped`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    let handler = LedgerLogHandler(writingTo: ledger)
    let factory = LedgerMetricsFactory(writingTo: ledger)
    try await ledger.close()
    Logger(label: "l", factory: handler.labelled).info("late")
    Recorder(label: "bytes", dimensions: [], aggregate: true, factory: factory).record(1)
    await handler.flush()
    await factory.flush()
    #expect(handler.dropped == 1 && factory.dropped == 1)
  }

  @Test func `a program gets events and samples by one line`() async {
    await #expect(processExitsWith: .success) {
      let ledger = try await Ledger.inMemory()
      let telemetry = ledger.bootstrapTelemetry(alsoLoggingTo: nil)
      Logger(label: "program").error("failed")
      Counter(label: "calls").increment(by: 3)
      await telemetry.flush()
      let event = try #require(try await ledger.events().first)
      try #require(event.message == "failed" && event.component == "program" && event.level == .error)
      let calls = try await ledger.summary(of: "calls", in: .last(.seconds(3600)))
      try #require(calls.sum == 3)
    }
  }
}

/// What a writer got.
private final class Recorded: Sendable {
  private let state = Mutex<[(batch: [Int], dropped: Int)]>([])

  func add(_ batch: [Int], _ dropped: Int) { state.withLock { $0.append((batch, dropped)) } }
  var batches: [[Int]] { state.withLock { $0.map(\.batch) } }
  var dropped: [Int] { state.withLock { $0.map(\.dropped) } }
}

/// Keeps visitors until it is opened.
private final class Gate: Sendable {
  private let (visits, visitor) = AsyncStream.makeStream(of: Void.self)
  private let (opening, opener) = AsyncStream.makeStream(of: Void.self)

  func pass() async {
    visitor.yield()
    for await _ in opening {}
  }

  func waitForVisitor() async { for await _ in visits { return } }
  func open() { opener.finish() }
}
