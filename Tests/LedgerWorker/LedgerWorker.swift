import AgentLedger
import Foundation

/// A process that tests start, share a ledger with, and kill.
///
/// Every line it prints acknowledges a write that was committed before.
@main
struct LedgerWorker {
  static func main() async throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 4 else { throw Failure("usage: LedgerWorker deliver|retain|work DIRECTORY ARGUMENT") }
    var options = Ledger.OpenOptions()
    if arguments[1] == "retain", let now = Int64(arguments[3]) { options.clock = StoppedClock(now) }
    let ledger = try await Ledger.open(at: arguments[2], options: options)
    switch arguments[1] {
    case "deliver": try await deliver(ledger, into: arguments[3])
    case "retain":
      acknowledge("open")
      while true { try await ledger.applyRetention() }
    case "work": try await work(ledger, name: arguments[3])
    default: throw Failure("no mode \(arguments[1])")
    }
  }

  /// Claims tasks and completes them, until there are none left.
  private static func work(_ ledger: Ledger, name: String) async throws {
    let worker = try await ledger.register(worker: Ledger.Worker.ID(name), pid: Int(getpid())).id
    while true {
      let tasks = try await ledger.claim(by: worker, count: Int.random(in: 1...4), lease: .milliseconds(1500))
      for task in tasks {
        let message = Ledger.OutboxMessage.Draft(
          .results, key: task.domain, payload: ["task": .string(task.id.rawValue)])
        do throws(MemoryError) {
          try await ledger.complete(
            task.id, by: worker, with: Ledger.TaskResult.Draft(["worker": .string(name)]), deliver: message)
          acknowledge("completed \(task.id)")
        } catch {
          // Its lease ran out while this process was stopped: another has it.
          guard error.code == .conflict else { throw error }
          acknowledge("lost \(task.id)")
        }
      }
      if tasks.isEmpty {
        let isDone = try await ledger.tasks(.init(status: .pending), limit: 1).isEmpty
        let isQuiet = try await ledger.tasks(.init(status: .inProgress), limit: 1).isEmpty
        if isDone && isQuiet { return try await ledger.close() }
        try await Task.sleep(for: .milliseconds(50))
      }
    }
  }

  /// Delivers what is in the outbox into a file, until it is killed.
  private static func deliver(_ ledger: Ledger, into path: String) async throws {
    var options = Ledger.DeliveryOptions()
    (options.batchSize, options.timeout, options.leaseMargin) = (10, .milliseconds(200), .milliseconds(300))
    options.maximumAttempts = 1_000_000
    try await ledger.deliverContinuously(to: FileSink(path: path), options)
  }

  private static func acknowledge(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
  }

  struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
  }
}

private struct StoppedClock: WallClock {
  private let time: Timestamp

  init(_ milliseconds: Int64) { time = Timestamp(milliseconds: milliseconds) }

  func now() -> Timestamp { time }
}

/// Appends a line for each message to a file that several processes share.
private struct FileSink: OutboxSink {
  let path: String

  func deliver(_ batch: [Ledger.OutboxMessage]) async throws -> [Ledger.DeliveryOutcome] {
    let file = open(path, O_WRONLY | O_APPEND)
    guard file >= 0 else { throw LedgerWorker.Failure("cannot open \(path)") }
    defer { close(file) }
    return try batch.map { message in
      let line = Array("\(message.key) \(message.payload.canonicalText) \(message.id)\n".utf8)
      guard write(file, line, line.count) == line.count else { throw LedgerWorker.Failure("cannot write \(path)") }
      return .delivered
    }
  }
}
