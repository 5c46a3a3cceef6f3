import ArgumentParser
import Episodic

struct LedgerTask: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "task",
    abstract: "Queues tasks, and works on them.",
    discussion: """
      A claimed task is its worker's until the lease runs out: a heartbeat extends it. A task that fails is tried again after \
      a wait that doubles; one that kills its worker is set aside after some times.

      EXAMPLES:
        episodic ledger task add visit --domain web --params '{"url": "https://example.org"}' --priority high --once
        episodic ledger task claim w1 --count 5 --lease 5m
        episodic ledger task list --status failed
      """,
    subcommands: [
      TaskAdd.self, TaskClaimCommand.self, TaskHeartbeat.self, TaskDone.self, TaskFail.self, TaskCancel.self,
      TaskRetry.self, TaskShow.self, TaskResults.self, TaskList.self,
    ])
}

extension Ledger.Task.Priority {
  @Sendable fileprivate static func parse(_ text: String) throws -> Self {
    guard let priority = Self(name: text) else {
      throw ValidationError("\"\(text)\" is no priority; write \(allCases.map(\.name).joined(separator: ", "))")
    }
    return priority
  }
}

struct TaskAdd: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Queues a task and prints its id.",
    discussion: """
      The ledger is created if there is none. With --once the same type with the same params is queued once in a domain: \
      adding it again prints the id of the task that is queued.

      EXAMPLES:
        episodic ledger task add visit --domain web --params '{"url": "https://example.org"}'
        episodic ledger task add report --domain office --priority batch --after 2026-12-01T06:00:00Z --once
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("What is to be done: the application's word.", valueName: "type"))
  var type: String

  @Option(help: ArgumentHelp("The domain.", valueName: "domain"))
  var domain: String

  @Option(
    help: ArgumentHelp("What it is to be done with, as JSON.", valueName: "json"), transform: MetadataText.parseValue)
  var params: JSON?

  @Option(
    help: ArgumentHelp("urgent, high, normal, low or batch.", valueName: "priority"),
    transform: Ledger.Task.Priority.parse)
  var priority = Ledger.Task.Priority.normal

  @Option(help: ArgumentHelp("The session it belongs to.", valueName: "session"))
  var session: String?

  @Option(help: ArgumentHelp("Not before this time.", valueName: "time"), transform: TimeText.parse)
  var after: Timestamp?

  @Option(help: ArgumentHelp("Attempts until it has failed for good.", valueName: "n"))
  var maxAttempts = 3

  @Option(
    help: ArgumentHelp("coding, debug, design, documentation, analysis, general or another.", valueName: "category"))
  var category: String?

  @Option(help: ArgumentHelp("The request in words.", valueName: "text"))
  var request: String?

  @Option(help: ArgumentHelp("An id of your own.", valueName: "id"))
  var id: String?

  @Flag(help: "Queue the same work once.")
  var once = false

  @OptionGroup var output: OutputOptions

  func run() async throws {
    var draft = Ledger.Task.Draft(
      type, domain: domain, params: params ?? [:], priority: priority, session: session, notBefore: after,
      isUnique: once,
      id: id.map { Ledger.Task.ID($0) })
    draft.maximumAttempts = maxAttempts
    draft.category = category.map(Ledger.Task.Category.init(rawValue:))
    draft.request = request
    let added = try await store.withLedger(creating: true) { [draft] ledger in try await ledger.add(draft) }
    if output.json { return StandardOutput.write(try JSON(ledger: added)) }
    StandardOutput.write(added.task.id.rawValue)
    if !added.isNew { StandardError.write("queued already") }
  }
}

struct TaskClaimCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "claim", abstract: "Claims the next tasks for a worker and prints them.",
    discussion: """
      By priority, then age. Exits with 1 if there is nothing to do now.

      EXAMPLES:
        episodic ledger task claim w1
        episodic ledger task claim w1 --count 5 --type visit --lease 5m --json
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("The worker that claims.", valueName: "worker"))
  var worker: String

  @Option(help: ArgumentHelp("Tasks to claim at most.", valueName: "n"))
  var count = 1

  @Option(help: ArgumentHelp("Only of this type; may be repeated.", valueName: "type"))
  var type: [String] = []

  @Option(help: ArgumentHelp("Only of this domain.", valueName: "domain"))
  var domain: String?

  @Option(
    help: ArgumentHelp("How long the worker may be silent: 60s, 5m.", valueName: "time"), transform: DurationText.parse)
  var lease: Duration = .seconds(60)

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let tasks = try await store.withLedger { ledger in
      try await ledger.claim(by: Ledger.Worker.ID(worker), count: count, of: type, in: domain, lease: lease)
    }
    try TaskLines.write(tasks, output, empty: "nothing to do now")
    if tasks.isEmpty { throw ExitCode(1) }
  }
}

struct TaskHeartbeat: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "heartbeat", abstract: "Keeps a claimed task for another lease.",
    discussion: """
      Prints go_on, or stop and exits with 1 if the task was cancelled.

      EXAMPLES:
        episodic ledger task heartbeat 0193e0a4-5a7c-7b1e-8f00-3c2a9d4e5f60 --worker w1 --lease 5m
      """)

  @OptionGroup var store: StoreOptions
  @OptionGroup var claimed: ClaimedTask

  @Option(help: ArgumentHelp("How long the worker may be silent.", valueName: "time"), transform: DurationText.parse)
  var lease: Duration = .seconds(60)

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let instruction = try await store.withLedger { ledger in
      try await ledger.heartbeat(claimed.task, by: claimed.claimant, lease: lease)
    }
    if output.json {
      StandardOutput.write(["instruction": .string(instruction.rawValue)])
    } else {
      StandardOutput.write(instruction.rawValue)
    }
    if instruction == .stop { throw ExitCode(1) }
  }
}

struct TaskDone: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "done", abstract: "Ends a claimed task as completed, with its result.",
    discussion: """
      With --deliver-key the result is put into the outbox in the same commit, to be delivered in the order of that key.

      EXAMPLES:
        episodic ledger task done 0193e0a4-5a7c-7b1e-8f00-3c2a9d4e5f60 --worker w1 --data '{"title": "Example"}'
        episodic ledger task done 0193e0a4-5a7c-7b1e-8f00-3c2a9d4e5f60 --worker w1 --data '[1, 2]' --deliver-key web
      """)

  @OptionGroup var store: StoreOptions
  @OptionGroup var claimed: ClaimedTask

  @Option(help: ArgumentHelp("The result, as JSON.", valueName: "json"), transform: MetadataText.parseValue)
  var data: JSON?

  @Option(help: ArgumentHelp("Deliver the result, in the order of this key.", valueName: "key"))
  var deliverKey: String?

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let message = deliverKey.map { key in
      Ledger.OutboxMessage.Draft(
        .results, key: key, payload: ["task_id": .string(claimed.id), "data": data ?? .null])
    }
    let task = try await store.withLedger { ledger in
      try await ledger.complete(
        claimed.task, by: claimed.claimant, with: data.map { Ledger.TaskResult.Draft($0) }, deliver: message)
    }
    try TaskLines.write(task, output)
  }
}

struct TaskFail: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fail", abstract: "Says that an attempt at a claimed task failed.",
    discussion: """
      It is tried again after a wait that doubles with each failure, until its limit; with --for-good it is not.

      EXAMPLES:
        episodic ledger task fail 0193e0a4-5a7c-7b1e-8f00-3c2a9d4e5f60 --worker w1 --error "connection refused"
      """)

  @OptionGroup var store: StoreOptions
  @OptionGroup var claimed: ClaimedTask

  @Option(help: ArgumentHelp("What went wrong.", valueName: "text"))
  var error: String

  @Flag(help: "Do not try again.")
  var forGood = false

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let task = try await store.withLedger { ledger in
      try await ledger.fail(claimed.task, by: claimed.claimant, error: error, mayRetry: !forGood)
    }
    try TaskLines.write(task, output)
  }
}

struct TaskCancel: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cancel", abstract: "Cancels a task.",
    discussion: """
      One that waits is cancelled at once; one that is worked on at its worker's next heartbeat.

      EXAMPLES:
        episodic ledger task cancel 0193e0a4-5a7c-7b1e-8f00-3c2a9d4e5f60
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("The task's id.", valueName: "id"))
  var id: String

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let task = try await store.withLedger { ledger in try await ledger.cancel(Ledger.Task.ID(id)) }
    try TaskLines.write(task, output)
  }
}

struct TaskRetry: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retry", abstract: "Queues a task again that has failed for good.",
    discussion: """
      EXAMPLES:
        episodic ledger task retry 0193e0a4-5a7c-7b1e-8f00-3c2a9d4e5f60
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("The task's id.", valueName: "id"))
  var id: String

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let task = try await store.withLedger { ledger in try await ledger.retry(Ledger.Task.ID(id)) }
    try TaskLines.write(task, output)
  }
}

struct TaskShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Shows a task as JSON.",
    discussion: """
      EXAMPLES:
        episodic ledger task show 0193e0a4-5a7c-7b1e-8f00-3c2a9d4e5f60
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("The task's id.", valueName: "id"))
  var id: String

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let task = try await store.withLedger { ledger in try await ledger.task(Ledger.Task.ID(id)) }
    StandardOutput.write(try JSON(ledger: LedgerList.found(task, "task", id)))
  }
}

struct TaskResults: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "results", abstract: "Lists what came of the attempts at a task, in their order.",
    discussion: """
      EXAMPLES:
        episodic ledger task results 0193e0a4-5a7c-7b1e-8f00-3c2a9d4e5f60
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("The task's id.", valueName: "id"))
  var id: String

  @OptionGroup var times: TimeOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let results = try await store.withLedger { ledger in
      let task = try LedgerList.found(try await ledger.task(Ledger.Task.ID(id)), "task", id)
      return try await ledger.results(of: task.id)
    }
    try LedgerList.write(
      results, as: "results", output, empty: "no results",
      [
        .init("TIME"), .init("SUCCESS"), .init("DATA", isText: true, rank: 1), .init("ERROR", isText: true, rank: 2),
      ]
    ) { result in
      [
        .init(times.format.inTable(result.createdAt)), .init(result.success ? "yes" : "no"),
        .init(result.data.canonicalText), .init(result.error ?? ""),
      ]
    }
  }
}

struct TaskList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists tasks, newest first.",
    discussion: """
      EXAMPLES:
        episodic ledger task list --status pending --domain web
        episodic ledger task list --after-task 0193e0a4-5a7c-7b1e-8f00-3c2a9d4e5f60 --json
      """)

  @OptionGroup var store: StoreOptions

  @Option(
    help: ArgumentHelp("pending, in_progress, completed, failed or cancelled.", valueName: "status"),
    transform: ClosedName.parse)
  var status: Ledger.Task.Status?

  @Option(help: ArgumentHelp("Only of this domain.", valueName: "domain"))
  var domain: String?

  @Option(help: ArgumentHelp("Only of this session.", valueName: "session"))
  var session: String?

  @Option(help: ArgumentHelp("Only of this type.", valueName: "type"))
  var type: String?

  @Option(help: ArgumentHelp("Continue after this task, the last of a previous list.", valueName: "id"))
  var afterTask: String?

  @Option(help: ArgumentHelp("Tasks to list, 1 to 1000.", valueName: "n"))
  var limit = 20

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let filter = Ledger.Task.Filter(status: status, domain: domain, session: session, type: type)
    let tasks = try await store.withLedger { ledger in
      try await ledger.tasks(filter, after: afterTask.map { Ledger.Task.ID($0) }, limit: limit)
    }
    try TaskLines.write(tasks, output, empty: "no tasks")
  }
}

/// A task that a worker has claimed.
struct ClaimedTask: ParsableArguments {
  @Argument(help: ArgumentHelp("The task's id.", valueName: "id"))
  var id: String

  @Option(help: ArgumentHelp("The worker that claimed it.", valueName: "worker"))
  var worker: String

  var task: Ledger.Task.ID { Ledger.Task.ID(id) }
  var claimant: Ledger.Worker.ID { Ledger.Worker.ID(worker) }
}

/// Tasks as a table or as JSON.
enum TaskLines {
  static func write(_ tasks: [Ledger.Task], _ output: OutputOptions, empty: String) throws {
    try LedgerList.write(
      tasks, as: "tasks", output, empty: empty,
      [
        .init("TASK"), .init("STATUS"), .init("PRIORITY", rank: 2), .init("TYPE", isText: true),
        .init("DOMAIN", rank: 3),
        .init("TRIES", isNumber: true, rank: 4), .init("PARAMS", isText: true, rank: 1),
        .init("ERROR", isText: true, rank: 1),
      ]
    ) { task in
      [
        .init(task.id.rawValue), .init(task.status.rawValue), .init(task.priority.name), .init(task.type),
        .init(task.domain), .init("\(task.attempts)"), .init(task.params.canonicalText), .init(task.error ?? ""),
      ]
    }
  }

  static func write(_ task: Ledger.Task, _ output: OutputOptions) throws {
    try LedgerList.write(task, output, "\(task.id): \(task.status.rawValue)\(task.error.map { ", \($0)" } ?? "")")
  }
}
