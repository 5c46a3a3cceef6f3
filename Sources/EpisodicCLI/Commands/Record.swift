import ArgumentParser
import Episodic
import Foundation

struct Record: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs a command and keeps it as a step of an episode.",
    discussion: """
      The command's output passes through; its words become the action, the end of its output the result, its duration \
      and success are kept. Without --episode a new episode begins, and is completed or failed as the command was. \
      With --episode several commands share one: it is begun if it does not exist and --task and --domain are given, opened \
      again if it had ended, and ends as this command does unless --keep-open.

      What the command leaves running in the background loses its output soon after the command ends; redirect it.

      Exits 0 when the recording succeeded, whatever the command returned; --exit-status passes that on.

      EXAMPLES:
        episodic record --task testing --domain web -- npm test
        episodic record --task debugging --domain db --episode fix-42 --keep-open -- psql -f probe.sql
        episodic record --episode fix-42 -- make check
        episodic record --task testing --domain web --exit-status -- sh -c 'make && make test'
      """)

  @OptionGroup var store: StoreOptions

  @Option(help: ArgumentHelp("Kind of work, such as testing, debugging, refactoring.", valueName: "type"))
  var task: String?

  @Option(help: ArgumentHelp("The privacy boundary the episode belongs to.", valueName: "domain"))
  var domain: String?

  @Option(help: ArgumentHelp("What the task is, in words; the command itself by default.", valueName: "text"))
  var context: String?

  @Option(help: ArgumentHelp("Groups the episodes of one workflow.", valueName: "name"))
  var session: String?

  @Option(help: ArgumentHelp("The episode to go on with, or to begin under this id.", valueName: "id"))
  var episode: String?

  @Flag(help: "Leave the episode active, for more commands to come.")
  var keepOpen = false

  @Flag(help: "Exit as the command did; 128 and the signal if it was killed.")
  var exitStatus = false

  @Flag(help: "Print what was recorded as one JSON object, after the command's output.")
  var json = false

  @Argument(
    parsing: .postTerminator, help: ArgumentHelp("The command and its arguments, after --.", valueName: "command"))
  var command: [String] = []

  func validate() throws {
    guard !command.isEmpty else { throw ValidationError("no command to run; write it after --") }
    guard (task == nil) == (domain == nil) else {
      throw ValidationError("--task and --domain belong together; give both to begin an episode")
    }
    guard task != nil || episode != nil else {
      throw ValidationError("say what the command belongs to: --task TYPE --domain DOMAIN, or --episode ID")
    }
  }

  func run() async throws {
    let child = try ChildProcess(command)
    let words = ShellWords.joined(command).shortenedToField
    let (outcome, step, episode) = try await store.withMemory(creating: true) { memory in
      let recorder = Recorder(memory: memory)
      let (id, isNew) = try await recorder.prepare(self.episode.map { Episode.ID($0) }, draft(context: words))
      let outcome: ChildProcess.Outcome
      do {
        outcome = try child.run()
      } catch {
        if isNew { try await recorder.withdraw(id) }
        throw error
      }
      let (step, episode) = try await recorder.record(
        Step.Draft(
          words, result: outcome.result, tool: child.program, duration: outcome.duration, success: outcome.succeeded),
        in: id, succeeded: outcome.succeeded, keepOpen: keepOpen)
      return (outcome, step, episode)
    }
    if json {
      if outcome.output.isLineOpen { StandardOutput.write("") }
      StandardOutput.write([
        "id": .string(episode.id.rawValue), "step_number": .integer(Int64(step.number)),
        "status": .string(episode.status.rawValue), "exit_status": .integer(Int64(outcome.exitStatus)),
        "duration_ms": .integer(outcome.duration.milliseconds),
      ])
    } else {
      let steps = counted(episode.steps.count, "step")
      StandardError.write("recorded \(episode.id.rawValue.onOneLine) (\(episode.status.rawValue), \(steps))")
    }
    if exitStatus, outcome.exitStatus != 0 { throw ExitCode(outcome.exitStatus) }
  }

  private func draft(context words: String) -> Episode.Draft? {
    guard let task, let domain else { return nil }
    return Episode.Draft(
      TaskType(task), domain: domain, context: context ?? words, session: session,
      id: episode.map { Episode.ID($0) })
  }
}

extension ChildProcess.Outcome {
  /// The end of the output, and what else is to be known of how it ended.
  fileprivate var result: String? {
    guard case .killed(let signal) = ending else { return output.text }
    let note = "[killed by signal \(signal): \(String(cString: strsignal(signal)))]"
    return output.text.map { $0.hasSuffix("\n") ? $0 + note : "\($0)\n\(note)" } ?? note
  }
}

extension String {
  /// Short enough for a field: a command may have more words than memory keeps.
  fileprivate var shortenedToField: String {
    let most = 64 << 10
    return utf8.count <= most ? self : String(decoding: utf8.prefix(most), as: UTF8.self) + "…"
  }
}
