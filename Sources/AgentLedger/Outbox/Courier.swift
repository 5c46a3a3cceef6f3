import FileLocks
import Logging
import SQLiteStorage
import StoreValues

/// Sends rounds of messages, one after the other.
struct Courier<Sink: OutboxSink>: Sendable {
  let database: LedgerDatabase
  let sink: Sink
  let options: Ledger.DeliveryOptions

  /// Least time between two looks at an outbox in which nothing is to be sent: a busy ledger commits often.
  private static var shortestPause: Duration { .milliseconds(20) }

  /// Sends one batch.
  func round() async throws(MemoryError) -> Ledger.DeliveryReport {
    let options = options
    guard
      try await database.read({ [clock = database.clock] db in
        try OutboxQueue.outlook(of: options.kinds, at: clock.now(), db).isDue
      })
    else { return Ledger.DeliveryReport() }
    let sender = Identifier<Ledger>.generate(at: database.clock.now()).rawValue
    let batch = try await database.write(grows: false) { db, now in
      try OutboxQueue(db, now).lease(options, to: sender)
    }
    guard !batch.isEmpty else { return Ledger.DeliveryReport() }
    let began = ContinuousClock.now
    let outcomes = await SinkCall.outcomes(of: sink, batch, within: options.timeout)
    let round = DeliveryRound(
      sender: sender, batch: batch, outcomes: outcomes, maximumAttempts: options.maximumAttempts,
      milliseconds: max(0, (ContinuousClock.now - began).milliseconds))
    return try await write(round)
  }

  /// What was delivered is written even if the caller is cancelled: it would be sent again.
  private func write(_ round: DeliveryRound) async throws(MemoryError) -> Ledger.DeliveryReport {
    let database = database
    let written = await _Concurrency.Task { @concurrent () -> Result<Ledger.DeliveryReport, MemoryError> in
      do throws(MemoryError) {
        return .success(try await database.write(grows: false) { db, now in try round.write(at: now, db) })
      } catch {
        return .failure(error)
      }
    }.value
    return try written.get()
  }

  /// Sends until the task is cancelled.
  ///
  /// - Throws: What does not pass by itself.
  func run() async throws(MemoryError) {
    while !_Concurrency.Task.isCancelled {
      do throws(MemoryError) {
        let stamp = try commitStamp()
        guard try await round().sent == 0 else { continue }
        try await waitForWork(after: stamp)
      } catch {
        guard !_Concurrency.Task.isCancelled else { return }
        guard error.code == .busy || error.code == .unavailable || error.code == .cancelled else { throw error }
        database.logger.warning(
          "a round of deliveries failed; it is tried again",
          metadata: ["event": "ledger.delivery_failed", "error": "\(error)"])
        await pause(options.pause)
      }
    }
  }

  private func commitStamp() throws(MemoryError) -> CommitStamp {
    do {
      return try database.stored.commitStamp()
    } catch {
      throw database.explained(error)
    }
  }

  /// Returns after another commit, at the end of the next wait, or after the longest pause.
  private func waitForWork(after stamp: CommitStamp) async throws(MemoryError) {
    let (kinds, clock, stored) = (options.kinds, database.clock, database.stored)
    let now = clock.now()
    let next = try await database.read { db in try OutboxQueue.outlook(of: kinds, at: now, db).next }
    let wait = next.map { Duration.milliseconds($0.milliseconds - now.milliseconds) } ?? options.pause
    let longest = max(Self.shortestPause, min(wait, options.pause))
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await pause(longest) }
      // A store that cannot be watched is looked at after the pause.
      group.addTask {
        do { try await stored.waitForCommit(after: stamp) } catch { await pause(longest) }
      }
      await group.next()
      group.cancelAll()
    }
    await pause(Self.shortestPause)
  }

  /// Ends early if the task is cancelled.
  private func pause(_ duration: Duration) async {
    do { try await _Concurrency.Task.sleep(for: duration) } catch { return }
  }
}
