import AgentLedger
import Foundation
import GRDB
import StoreValues
import Synchronization
import TestSupport
import Testing

/// A receiver in process that fails, hangs, loses answers and is given everything twice; it removes duplicates by their ids.
private final class FaultyReceiver: OutboxSink {
  private struct State {
    var generator: SeededGenerator
    var arrivals = 0
    var known: Set<Ledger.OutboxMessage.ID> = []
    /// In the order in which they arrived first.
    var accepted: [Ledger.OutboxMessage] = []
  }

  private let state: Mutex<State>

  init(seed: UInt64) { state = Mutex(State(generator: SeededGenerator(seed: seed))) }

  var arrivals: Int { state.withLock { $0.arrivals } }
  var accepted: [Ledger.OutboxMessage] { state.withLock { $0.accepted } }

  struct Down: Error {}

  func deliver(_ batch: [Ledger.OutboxMessage]) async throws -> [Ledger.DeliveryOutcome] {
    let fault = state.withLock { Int.random(in: 0..<10, using: &$0.generator) }
    if fault == 0 { throw Down() }
    let outcomes = state.withLock { state in
      batch.map { message -> Ledger.DeliveryOutcome in
        let dice = Int.random(in: 0..<10, using: &state.generator)
        if dice == 0 { return .tryAgain("not now") }
        if dice == 1 { return .notSent(after: .seconds(1)) }
        state.arrivals += 1
        if state.known.insert(message.id).inserted { state.accepted.append(message) }
        return dice == 2 ? .tryAgain("the answer was lost") : .delivered
      }
    }
    if fault == 1 { throw Down() }
    // Longer than anybody waits for it: everything has arrived, and nobody is told.
    if fault == 2 { try await _Concurrency.Task.sleep(for: .seconds(600)) }
    return outcomes
  }
}

@Suite struct `Delivery to a faulty receiver` {
  static let messages = 300
  static let keys = 12

  static func put(into ledger: Ledger) async throws {
    try await ledger.put(
      (0..<messages).map { .init(.results, key: "k\($0 % keys)", payload: .integer(Int64($0))) })
  }

  @Test(arguments: [UInt64](1...3))
  func `everything arrives, in order per key, from three senders, and the log says so`(
    seed: UInt64
  ) async throws {
    let clock = ManualClock()
    let ledger = try await Ledger.inMemory(clock: clock)
    try await Self.put(into: ledger)
    let receiver = FaultyReceiver(seed: seed)
    var options = Ledger.DeliveryOptions()
    (options.batchSize, options.timeout, options.maximumAttempts) = (10, .milliseconds(50), 1_000_000)
    while try await !ledger.undelivered(limit: 1).isEmpty {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<3 { group.addTask { [options] in try await ledger.deliver(to: receiver, options) } }
        try await group.waitForAll()
      }
      clock.advance(by: .seconds(3600))
    }
    let accepted = receiver.accepted
    #expect(accepted.count == Self.messages)
    #expect(receiver.arrivals > Self.messages, "no message arrived twice")
    for (key, messages) in Dictionary(grouping: accepted, by: \.key) {
      let numbers = messages.compactMap { Int($0.payload.canonicalText) }
      #expect(numbers == numbers.sorted() && numbers.count == Self.messages / Self.keys, "\(key), seed \(seed)")
    }
    let log = try await ledger.deliveries(limit: 1000)
    #expect(log.filter { $0.success && $0.error == nil }.reduce(0) { $0 + $1.count } == Self.messages)
    #expect(
      log.contains { $0.error?.contains("Down") == true }
        && log.contains { $0.error?.contains("did not answer") == true })
  }
}

@Suite struct `Senders that are killed` {
  /// 500 with EPISODIC_KILLS=500.
  private static let kills = ProcessInfo.processInfo.environment["EPISODIC_KILLS"].flatMap(Int.init) ?? 25

  /// Three senders in processes of their own deliver into one file, each line of it a delivery, while one after the other is
  /// killed and replaced, and messages are put meanwhile.
  @Test func `everything arrives, in order per key, and the log says so`() async throws {
    let directory = try TemporaryDirectory()
    let ledger = try await Ledger.open(at: directory.file("store"))
    let received = directory.file("received")
    try Data().write(to: URL(filePath: received))
    func start() throws -> Child {
      try Child("LedgerWorker", ["deliver", directory.file("store"), received], in: directory)
    }
    var generator = SeededGenerator(seed: 17)
    var senders = try (0..<3).map { _ in try start() }
    var count = 0
    defer { for sender in senders { sender.kill() } }
    for _ in 0..<Self.kills {
      // So that a sender is killed in its work, and not always in its start.
      let before = try Data(contentsOf: URL(filePath: received)).count
      try await ledger.put(
        (0..<20).map { .init(.results, key: "k\($0 % 7)", payload: .integer(Int64(count + $0))) })
      count += 20
      let victim = Int.random(in: senders.indices, using: &generator)
      try await waitUntil("something arrives") {
        try Data(contentsOf: URL(filePath: received)).count > before || senders[victim].isOver
      }
      senders[victim].kill()
      senders[victim] = try start()
    }
    while try await !ledger.undelivered(limit: 1).isEmpty {
      for index in senders.indices where senders[index].isOver {
        Issue.record("a sender ended: \(try senders[index].standardError)")
        return
      }
      try await _Concurrency.Task.sleep(for: .milliseconds(20))
    }

    var seen: Set<Substring> = []
    let arrived = try String(contentsOf: URL(filePath: received), encoding: .utf8).split(separator: "\n")
      .map { $0.split(separator: " ") }
    let accepted = arrived.filter { seen.insert($0[2]).inserted }
    #expect(accepted.count == count)
    for (key, lines) in Dictionary(grouping: accepted, by: { $0[0] }) {
      let numbers = lines.compactMap { Int($0[1]) }
      #expect(numbers == numbers.sorted(), "\(key)")
    }
    let logged = try await DatabaseQueue(path: directory.file("store") + "/ledger.sqlite").read { db in
      try Int.fetchOne(db, sql: "SELECT sum(count) FROM deliveries WHERE success AND error IS NULL")
    }
    #expect(logged == count)
    try await ledger.close()
  }
}
