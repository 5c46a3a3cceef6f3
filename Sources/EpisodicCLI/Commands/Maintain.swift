import ArgumentParser
import Episodic

struct Maintain: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "maintain",
    abstract: "Does what is due: retention, expired entries, the change feed, full text, free pages, the log.",
    discussion: """
      Works in small slices: a writer waits about 100 ms for it at most. Meant to be run by a timer; what ran recently is \
      left out. One process at a time maintains a store: a second one says so and ends with 0. --full does everything, and \
      writes memory.sqlite again without free pages: writers wait for that.

      A ledger beside the memory is maintained too, unless tasks are named: retention, leases that ran out, runs that are \
      silent for a day, pages, free pages and the log.

      Exits 1 if a task failed; the other tasks ran.

      EXAMPLES:
        episodic maintain
        episodic maintain --dry-run
        episodic maintain --task pages --task log
        episodic maintain --full --json
      """)

  @OptionGroup var store: StoreOptions

  @Option(
    help: ArgumentHelp(
      "Run this task, whether it is due or not; may be given several times. One of "
        + MaintenanceTask.allCases.map(\.rawValue).joined(separator: ", ") + ".", valueName: "name"))
  var task: [MaintenanceTask] = []

  @Flag(help: "Run every task, and write memory.sqlite again; writers wait meanwhile.")
  var full = false

  @Flag(help: "Say what would be done, and change nothing.")
  var dryRun = false

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let options = MaintenanceOptions(tasks: Set(task), isFull: full, isDryRun: dryRun)
    let report = try await store.withMemory { memory in
      defer { StandardError.endProgress() }
      return try await memory.maintain(options) { progress in
        StandardError.progress("\(progress.task.rawValue)\(progress.done > 0 ? " \(progress.done)" : "")")
      }
    }
    let ledger = try await ledgerReport()
    if output.json {
      StandardOutput.write(report.json(ledger))
    } else if report.isHeld {
      let holder = report.holder.map { "process \($0)" } ?? "another process"
      StandardError.write("nothing was done: \(holder) maintains \(store.path.onOneLine)")
    } else {
      StandardOutput.write(report.text)
    }
    if !output.json, let ledger { write(ledger) }
    let hasFailed =
      report.tasks.contains { $0.outcome == .failed } || ledger?.outcomes.contains(where: \.hasFailed) == true
    if hasFailed { throw ExitCode(1) }
  }

  /// Of the ledger beside the memory; `nil` if there is none, or tasks of the memory are named.
  private func ledgerReport() async throws -> Ledger.MaintenanceReport? {
    guard task.isEmpty, store.hasLedger else { return nil }
    StandardError.progress("the ledger")
    defer { StandardError.endProgress() }
    var options = Ledger.MaintenanceOptions()
    (options.isFull, options.isDryRun) = (full, dryRun)
    let chosen = options
    return try await store.withLedger { ledger in try await ledger.maintain(chosen) }
  }

  private func write(_ report: Ledger.MaintenanceReport) {
    guard !report.isHeld else {
      let holder = report.holder.map { "process \($0)" } ?? "another process"
      return StandardError.write("the ledger was left alone: \(holder) maintains it")
    }
    for outcome in report.outcomes {
      let counts = outcome.counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
      let notes = counts + [outcome.reason?.inCommandTerms].compactMap(\.self)
      let state = outcome.hasFailed ? "failed" : dryRun ? "would do" : "done"
      StandardOutput.write(
        "ledger \(outcome.step.rawValue): \(state)\(notes.isEmpty ? "" : ", ")\(notes.joined(separator: ", "))"
          .onOneLine)
    }
  }
}

extension Ledger.MaintenanceReport {
  fileprivate var json: JSON {
    [
      "held": .bool(isHeld), "holder": holder.map { .integer(Int64($0)) } ?? .null,
      "started_at": .string(startedAt.description),
      "steps": .array(
        outcomes.map { outcome in
          let counts = outcome.counts.sorted { $0.key < $1.key }.map { ($0.key, JSON.integer(Int64($0.value))) }
          return [
            "step": .string(outcome.step.rawValue), "failed": .bool(outcome.hasFailed),
            "reason": outcome.reason.map { .string($0.inCommandTerms) } ?? .null,
            "counts": .object(JSON.Object(counts)), "ms": .integer(Int64(outcome.milliseconds)),
          ]
        }),
    ]
  }
}

extension MaintenanceReport {
  fileprivate func json(_ ledger: Ledger.MaintenanceReport?) -> JSON {
    [
      "held": .bool(isHeld), "holder": holder.map { .integer(Int64($0)) } ?? .null,
      "started_at": .string(startedAt.description), "tasks": .array(tasks.map(\.json)),
      "ledger": ledger?.json ?? .null,
    ]
  }

  fileprivate var text: String {
    var table = Table([
      .init("TASK", isText: true), .init("OUTCOME", isText: true), .init("DONE", isText: true),
      .init("MS", isNumber: true, rank: 2),
    ])
    for task in tasks {
      let counts = task.counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
      // Of a task that ran, the reason says whether it failed again.
      let failure = task.outcome == .due || task.outcome == .notDue ? task.lastFailure : nil
      let notes =
        counts
        + [task.reason?.inCommandTerms, failure.map { "failed at \($0.at): \($0.reason.inCommandTerms)" }]
        .compactMap(\.self)
      table.add([
        .init(task.task.rawValue), .init(task.outcome.rawValue.replacing("_", with: " ")),
        .init(notes.joined(separator: ", ").onOneLine), .init("\(task.milliseconds)"),
      ])
    }
    return table.text(width: StandardOutput.width)
  }
}

extension MaintenanceReport.Task {
  fileprivate var json: JSON {
    [
      "task": .string(task.rawValue), "outcome": .string(outcome.rawValue),
      "reason": reason.map { .string($0.inCommandTerms) } ?? .null,
      "counts": .object(JSON.Object(counts.sorted { $0.key < $1.key }.map { ($0.key, .integer(Int64($0.value))) })),
      "ms": .integer(Int64(milliseconds)),
      "last_failure": lastFailure.map {
        ["at": .string($0.at.description), "reason": .string($0.reason.inCommandTerms)]
      } ?? .null,
    ]
  }
}
