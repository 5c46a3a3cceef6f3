import ArgumentParser
import Episodic

struct LedgerWorkerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker",
    abstract: "Registers workers and shows what they do.",
    discussion: """
      EXAMPLES:
        episodic ledger worker add w1 --kind browser
        episodic ledger worker list
      """,
    subcommands: [WorkerAdd.self, WorkerHeartbeat.self, WorkerSet.self, WorkerList.self, WorkerRemove.self])
}

struct WorkerAdd: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Registers a worker, or says that it was started again.",
    discussion: """
      EXAMPLES:
        episodic ledger worker add w1 --kind browser
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("The worker's id.", valueName: "id"))
  var id: String

  @Option(help: ArgumentHelp("What it works with: browser or another.", valueName: "kind"))
  var kind = "worker"

  @Option(help: ArgumentHelp("The number of its process.", valueName: "pid"))
  var pid: Int?

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let worker = try await store.withLedger(creating: true) { ledger in
      try await ledger.register(
        worker: Ledger.Worker.ID(id), kind: Ledger.Worker.Kind(rawValue: kind), pid: pid)
    }
    try LedgerList.write(worker, output, "\(worker.id): \(worker.status.rawValue)")
  }
}

struct WorkerHeartbeat: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "heartbeat", abstract: "Keeps all tasks of a worker for another lease.",
    discussion: """
      Prints the tasks that were cancelled meanwhile: the worker stops working on them.

      EXAMPLES:
        episodic ledger worker heartbeat w1 --lease 5m
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("The worker's id.", valueName: "id"))
  var id: String

  @Option(help: ArgumentHelp("How long it may be silent.", valueName: "time"), transform: DurationText.parse)
  var lease: Duration = .seconds(60)

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let stopped = try await store.withLedger { ledger in
      try await ledger.heartbeat(worker: Ledger.Worker.ID(id), lease: lease)
    }
    if output.json { return StandardOutput.write(["cancelled": .array(stopped.map { .string($0.rawValue) })]) }
    for task in stopped { StandardOutput.write("stop \(task)".onOneLine) }
  }
}

struct WorkerSet: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set", abstract: "Says what a worker is doing.",
    discussion: """
      What a worker that crashed or was stopped had claimed goes back to the queue at once.

      EXAMPLES:
        episodic ledger worker set w1 crashed
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("The worker's id.", valueName: "id"))
  var id: String

  @Argument(
    help: ArgumentHelp("idle, busy, crashed, restarting or stopped.", valueName: "status"), transform: ClosedName.parse)
  var status: Ledger.Worker.Status

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let worker = try await store.withLedger { ledger in try await ledger.set(status, of: Ledger.Worker.ID(id)) }
    try LedgerList.write(worker, output, "\(worker.id): \(worker.status.rawValue)")
  }
}

struct WorkerList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists workers, those heard of last first.",
    discussion: """
      EXAMPLES:
        episodic ledger worker list --status busy
      """)

  @OptionGroup var store: StoreOptions

  @Option(
    help: ArgumentHelp("idle, busy, crashed, restarting or stopped.", valueName: "status"), transform: ClosedName.parse)
  var status: Ledger.Worker.Status?

  @Option(help: ArgumentHelp("Workers to list, 1 to 1000.", valueName: "n"))
  var limit = 100

  @OptionGroup var times: TimeOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let workers = try await store.withLedger { ledger in try await ledger.workers(status, limit: limit) }
    try LedgerList.write(
      workers, as: "workers", output, empty: "no workers",
      [
        .init("WORKER"), .init("STATUS"), .init("KIND", rank: 3), .init("TASK", rank: 1), .init("DONE", isNumber: true),
        .init("STARTS", isNumber: true, rank: 4), .init("HEARD", rank: 2),
      ]
    ) { worker in
      [
        .init(worker.id.rawValue), .init(worker.status.rawValue), .init(worker.kind.rawValue),
        .init(worker.currentTask?.rawValue ?? ""), .init("\(worker.tasksCompleted)"), .init("\(worker.launches)"),
        .init(times.format.inTable(worker.lastHeartbeat)),
      ]
    }
  }
}

struct WorkerRemove: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove", abstract: "Removes a worker that has no task.",
    discussion: """
      EXAMPLES:
        episodic ledger worker remove w1
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("The worker's id.", valueName: "id"))
  var id: String

  @OptionGroup var output: OutputOptions

  func run() async throws {
    try await store.withLedger { ledger in try await ledger.remove(worker: Ledger.Worker.ID(id)) }
    LedgerList.writeRemoved(id, output)
  }
}
