import Foundation
import GRDB
import StoreValues
import TestSupport
import Testing

@testable import AgentLedger

@Suite struct `Retention of a ledger` {
  let clock = ManualClock()

  private func ledger(_ random: RandomLedger) async throws -> Ledger {
    let ledger = try await Ledger.inMemory(clock: clock)
    try await ledger.database.write(grows: false) { db, _ in try random.write(db) }
    try await ledger.set(random.retention)
    return ledger
  }

  private func stored(
    _ ledger: Ledger, _ counts: [Ledger.Retention.Topic: Int]
  ) async throws -> RandomLedger.Outcome {
    try await ledger.database.read { db in try RandomLedger.stored(db, counts: counts) }
  }

  @Test(arguments: 1...40 as ClosedRange<UInt64>) func `what goes, and what stays, equals a plain model`(
    seed: UInt64
  ) async throws {
    var generator = SeededGenerator(seed: seed)
    let random = RandomLedger(at: clock.now().milliseconds, &generator)
    let ledger = try await ledger(random)
    let expected = random.outcome()
    let before = try await stored(ledger, expected.counts)
    #expect(try await ledger.applyRetention(isDryRun: true).counts == expected.counts, "seed \(seed)")
    #expect(try await stored(ledger, expected.counts) == before, "a dry run changes nothing, seed \(seed)")
    let counts = try await ledger.applyRetention().counts
    #expect(try await stored(ledger, counts) == expected, "seed \(seed)")
    #expect(try await ledger.applyRetention().counts == [:], "a second pass finds nothing, seed \(seed)")
  }

  @Test(arguments: 1...10 as ClosedRange<UInt64>) func `a pass that is cut short is ended by the next one`(
    seed: UInt64
  ) async throws {
    var generator = SeededGenerator(seed: seed)
    let random = RandomLedger(at: clock.now().milliseconds, &generator)
    let ledger = try await ledger(random)
    var expected = random.outcome()
    for yields in [0, 5, 30, 200] {
      let pass = Task { try await ledger.applyRetention() }
      for _ in 0..<yields { await Task.yield() }
      pass.cancel()
      _ = await pass.result
    }
    try await ledger.applyRetention()
    expected.counts = [:]
    #expect(try await stored(ledger, [:]) == expected, "seed \(seed)")
  }

  /// Of each of so many ledgers eight passes are killed; 250 with EPISODIC_KILLS=2000.
  private static let killedLedgers =
    UInt64(ProcessInfo.processInfo.environment["EPISODIC_KILLS"].flatMap(Int.init) ?? 32) / 8

  @Test(arguments: 1...max(1, killedLedgers)) func `a pass that is killed at any moment is ended by the next one`(
    seed: UInt64
  ) async throws {
    let directory = try TemporaryDirectory()
    var generator = SeededGenerator(seed: seed)
    let now = clock.now().milliseconds
    let random = RandomLedger(at: now, &generator)
    var options = Ledger.OpenOptions()
    options.clock = clock
    let made = try await Ledger.open(at: directory.file("store"), options: options)
    try await made.database.write(grows: false) { db, _ in try random.write(db) }
    try await made.set(random.retention)
    try await made.close()
    for _ in 0..<8 {
      let child = try Child("LedgerWorker", ["retain", directory.file("store"), "\(now)"], in: directory)
      try await child.waitForLines(1)
      usleep(UInt32.random(in: 0...10_000, using: &generator))
      child.kill()
    }
    let ledger = try await Ledger.open(at: directory.file("store"), options: options)
    try await ledger.applyRetention()
    var expected = random.outcome()
    expected.counts = [:]
    #expect(try await stored(ledger, [:]) == expected, "seed \(seed)")
    // The rows of a random ledger have claimants that nobody registered, and notices without a message.
    for check in try await ledger.check() where [.integrity, .schema, .rules, .owners, .pages].contains(check.subject) {
      #expect(check.outcome == .passed, "seed \(seed): \(check)")
    }
    try await ledger.close()
  }

  @Test func `a clock that jumped ahead deletes nothing at once, and is believed when it has gone on`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    let worker = try await ledger.register(worker: "w").id
    try await ledger.add(Ledger.Task.Draft("visit", domain: "web"))
    let task = try #require(try await ledger.claim(by: worker).first)
    try await ledger.complete(task.id, by: worker)
    try await ledger.applyRetention()
    clock.advance(by: .seconds(400 * 86_400))
    let report = try await ledger.applyRetention()
    #expect(report.counts == [:])
    #expect(report.clockDoubt != nil)
    #expect(try await ledger.task(task.id) != nil)
    for _ in 0..<8 {
      clock.advance(by: .seconds(86_400))
      try await ledger.applyRetention()
    }
    #expect(try await ledger.task(task.id) == nil)
  }

  @Test func `who knows that the clock is right accepts it`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    let worker = try await ledger.register(worker: "w").id
    try await ledger.add(Ledger.Task.Draft("visit", domain: "web"))
    let task = try #require(try await ledger.claim(by: worker).first)
    try await ledger.complete(task.id, by: worker)
    clock.advance(by: .seconds(400 * 86_400))
    #expect(try await ledger.applyRetention(isAcceptingClock: true).counts == [.completedTasks: 1])
  }

  @Test func `retention is kept in the ledger, and one that makes no sense is refused`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    #expect(try await ledger.retention() == Ledger.Retention())
    var retention = Ledger.Retention()
    retention[.samples] = .seconds(86_400)
    retention[.notices] = nil
    try await ledger.set(retention)
    #expect(try await ledger.retention() == retention)
    retention[.samples] = .seconds(-1)
    let wrong = retention
    #expect(await refusal { try await ledger.set(wrong) } == .invalid)
    #expect(try await ledger.retention()[.samples] == .seconds(86_400))
  }
}
