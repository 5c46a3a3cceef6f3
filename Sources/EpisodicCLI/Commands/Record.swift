import ArgumentParser
import Episodic
import Foundation

struct Record: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "record",
    abstract: "Runs a command and keeps it as a step of an episode.",
    discussion: """
      The command runs as it would without record: the same bytes as arguments, environment and input; its output \
      is relayed as it is written; a signal sent to record reaches it; a reader that goes away ends it. The only \
      difference is that its output is a pipe and not a terminal. With --tty it has a pseudo-terminal as its input and \
      output, of the size of this one; what is kept is then the text, without colours and cursor movements.

      Its words become the action, its output the result; its duration and success are kept. Of a long output the \
      beginning and the end are kept, --output-limit bytes together, cut between lines. Credentials of known shapes (keys and tokens of \
      common services, private keys, passwords in URLs and assignments) are replaced by [redacted:kind] before anything \
      is stored, unless --no-redact; a secret without such a shape is stored as it is.

      Without --episode a new episode begins, and is completed or failed as the command was. With --episode several \
      commands share one: it is begun if it does not exist and --task and --domain are given, reopened if it had \
      ended, and completed or failed as this command was, unless --keep-open.

      With --run the command is a tool call of a run in the ledger, which becomes an episode when it has ended.

      The episode's metadata has a member record about its last command: exit_status, working_directory, host, and \
      git_commit in a repository; --no-environment leaves it out.

      Programs that the command leaves in the background keep running; their output is lost once the command has ended. \
      Redirect it to keep it.

      Exits 0 if the recording succeeded, independent of the command's exit status. --exit-status returns that instead: \
      128 and the signal for a command that was killed, 127 for one that was not found, 126 for one that cannot be run; \
      each is kept as a failed step.

      EXAMPLES:
        episodic record --task testing --domain web -- npm test
        episodic record --task debugging --domain db --episode fix-42 --keep-open -- psql -f probe.sql
        episodic record --episode fix-42 -- make check
        episodic record --run "$run" -- npm test
        episodic record --task testing --domain web --tty --json-file report.json -- npm test
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

  @Option(help: ArgumentHelp("The episode to continue, or to begin under this id.", valueName: "id"))
  var episode: String?

  @Option(name: .customLong("run"), help: ArgumentHelp("The run of the ledger to continue.", valueName: "id"))
  var ledgerRun: String?

  @Flag(help: "Leave the episode active, for further commands.")
  var keepOpen = false

  @Option(
    help: ArgumentHelp("Bytes of output to keep, 0 to \(OutputCapture.maximumLimit).", valueName: "bytes"))
  var outputLimit = OutputCapture.defaultLimit

  @Flag(help: "Store credentials as they are.")
  var noRedact = false

  @Flag(help: "Exit with the command's status; 128 and the signal if it was killed.")
  var exitStatus = false

  @Flag(help: "Leave exit status, working directory, host and git commit out of the metadata.")
  var noEnvironment = false

  @Flag(help: "Run the command on a pseudo-terminal.")
  var tty = false

  @OptionGroup var origin: ProvenanceOptions
  @OptionGroup var report: ReportOptions

  @Argument(
    parsing: .postTerminator, help: ArgumentHelp("The command and its arguments, after --.", valueName: "command"))
  var command: [String] = []

  func validate() throws {
    guard !command.isEmpty else { throw ValidationError("no command to run; write it after --") }
    guard (task == nil) == (domain == nil) else {
      throw ValidationError("--task and --domain belong together; give both to begin an episode")
    }
    guard task != nil || episode != nil || ledgerRun != nil else {
      throw ValidationError("say what the command belongs to: --task TYPE --domain DOMAIN, --episode ID, or --run ID")
    }
    if ledgerRun != nil {
      guard origin.isEmpty else {
        throw ValidationError("a run of a ledger comes from the ledger; leave --source, --source-id and --trust out")
      }
      guard task == nil, episode == nil, context == nil, session == nil, !keepOpen else {
        throw ValidationError(
          "a run has its task, domain, context and session; leave --task, --domain, --episode, --context, --session and "
            + "--keep-open out, or --run")
      }
    }
    guard (0...OutputCapture.maximumLimit).contains(outputLimit) else {
      throw ValidationError("--output-limit is \(outputLimit); it lies in 0...\(OutputCapture.maximumLimit)")
    }
  }

  func run() async throws {
    let words = CommandWords(lastArguments: command.count)
    let (action, inAction) = redacted(words.shellText)
    let (context, inContext) = context.map(redacted) ?? (action, 0)
    let draft = draft(context: context.shortenedToField)
    if let draft { try Validation().draft(draft) }
    guard draft != nil || store.exists else {
      throw MemoryError(
        .invalid,
        "no episode \"\(episode ?? "")\" to continue, for there is no store at \(store.path); give --task and --domain "
          + "to begin it")
    }
    let target = try report.open()
    if let ledgerRun {
      let (report, outcome) = try await record(words, action, inAction, in: Ledger.Run.ID(ledgerRun), target)
      return try finish(report, outcome, target)
    }
    // Before the command, which may leave the directory or commit.
    let environment = noEnvironment ? nil : RecordEnvironment()
    let (report, outcome) = try await store.withMemory(
      creating: draft != nil, printing: target == STDOUT_FILENO, for: .shortWrite
    ) { memory in
      let recorder = Recorder(memory: memory)
      let id = try await existing(memory)
      let describes = self.context != nil || session != nil
      let (recorded, isNew) = try await recorder.prepare(id, draft, describes: describes)
      let outcome: ChildProcess.Outcome
      do {
        outcome = try ChildProcess(words: words, limit: outputLimit, usesTerminal: tty).run()
      } catch {
        if isNew { try await recorder.withdraw(recorded) }
        throw error
      }
      let (result, inResult) = result(of: outcome)
      let program = words.program
      let (step, episode) = try await recorder.record(
        Step.Draft(
          action.shortenedToField, result: result, tool: program.isEmpty ? nil : program, duration: outcome.duration,
          success: outcome.succeeded, provenance: origin.provenance),
        in: recorded, succeeded: outcome.succeeded, keepOpen: keepOpen,
        facts: environment?.json(exitStatus: outcome.exitStatus) { redacted($0).text })
      let credentials = inAction + inResult + (isNew ? inContext : 0)
      return (Report.episode(episode, step, credentials: credentials), outcome)
    }
    try finish(report, outcome, target)
  }

  /// Keeps the command as a tool call of a run.
  private func record(
    _ words: CommandWords, _ action: String, _ credentials: Int, in id: Ledger.Run.ID, _ target: Int32?
  ) async throws -> (Report, ChildProcess.Outcome) {
    try await store.withLedger(printing: target == STDOUT_FILENO) { ledger in
      guard let run = try await ledger.run(id) else {
        throw MemoryError(.notFound, "no run \"\(id)\"; begin it with episodic ledger run start")
      }
      guard !run.status.isEnded else {
        throw MemoryError(
          .conflict, "run \"\(id)\" is \(run.status.rawValue) and takes no more tool calls; start another")
      }
      let outcome = try ChildProcess(words: words, limit: outputLimit, usesTerminal: tty).run()
      let (result, inResult) = result(of: outcome)
      let program = words.program
      let call = try await ledger.add(
        Ledger.ToolCall.Draft(
          program.isEmpty ? "command" : program, arguments: .string(action.shortenedToField), result: result,
          success: outcome.succeeded, duration: outcome.duration), to: id)
      return (.run(run, position: call.position, credentials: credentials + inResult), outcome)
    }
  }

  /// The episode that is named, also by a beginning of its id or as `@last`; an id that there is not yet as it is.
  private func existing(_ memory: Memory) async throws(MemoryError) -> Episode.ID? {
    guard let episode else { return nil }
    do throws(MemoryError) {
      return try await EpisodeReference.resolve(episode, in: nil, memory, isWhole: task != nil)
    } catch let error where error.code == .notFound {
      return Episode.ID(episode)
    }
  }

  /// Prints the report, and exits as the options say.
  private func finish(_ report: Report, _ outcome: ChildProcess.Outcome, _ target: Int32?) throws {
    if case .notStarted(let failure) = outcome.ending { StandardError.write("episodic: \(failure.message.onOneLine)") }
    if let target {
      if target == STDOUT_FILENO, outcome.output.isLineOpen { StandardOutput.write("") }
      if target == STDOUT_FILENO {
        StandardOutput.write(report.json(outcome))
      } else if !writeBytes(Array((report.json(outcome).outputText + "\n").utf8), to: target) {
        throw MemoryError(
          .unavailable, "cannot write the report: \(String(cString: strerror(errno))); the outcome is recorded")
      }
    } else {
      StandardError.write(report.sentence)
    }
    if exitStatus, outcome.exitStatus != 0 { throw ExitCode(outcome.exitStatus) }
    if let failure = outcome.failure {
      let stream = failure.stream == STDOUT_FILENO ? "output" : "error"
      throw MemoryError(
        .unavailable,
        "cannot write standard \(stream): \(String(cString: strerror(failure.number))); the command's was closed, and "
          + "its outcome is recorded")
    }
  }

  private func draft(context: String) -> Episode.Draft? {
    guard let task, let domain else { return nil }
    return Episode.Draft(
      TaskType(task), domain: domain, context: context, session: session, id: episode.map { Episode.ID($0) },
      provenance: origin.provenance)
  }

  private func redacted(_ text: String) -> (text: String, count: Int) {
    noRedact ? (text, 0) : CredentialRedactor.redact(text)
  }

  /// The captured output, followed by a note if the command did not exit by itself.
  private func result(of outcome: ChildProcess.Outcome) -> (text: String?, redacted: Int) {
    let kept = outcome.output.text(redacting: !noRedact)
    let text = kept?.text ?? ""
    // The note may quote the command, which may contain credentials.
    let note = outcome.note.map(redacted)
    let lines = [text.hasSuffix("\n") && note != nil ? String(text.dropLast()) : text, note?.text ?? ""]
    let result = lines.filter { !$0.isEmpty }.joined(separator: "\n")
    return (result.isEmpty ? nil : result, (kept?.redacted ?? 0) + (note?.count ?? 0))
  }

  /// What the command became, and how many credentials were replaced.
  private enum Report {
    case episode(Episode, Step, credentials: Int)
    case run(Ledger.Run, position: Int, credentials: Int)

    func json(_ outcome: ChildProcess.Outcome) -> JSON {
      var members: JSON.Object
      let replaced: Int
      switch self {
      case .episode(let episode, let step, let credentials):
        members = JSON.Object([
          ("id", .string(episode.id.rawValue)), ("step_number", .integer(Int64(step.number))),
          ("status", .string(episode.status.rawValue)),
        ])
        replaced = credentials
      case .run(let run, let position, let credentials):
        members = JSON.Object([
          ("run_id", .string(run.id.rawValue)), ("position", .integer(Int64(position))),
          ("status", .string(run.status.rawValue)),
        ])
        replaced = credentials
      }
      members["exit_status"] = .integer(Int64(outcome.exitStatus))
      members["duration_ms"] = .integer(outcome.duration.milliseconds)
      members["redacted"] = .integer(Int64(replaced))
      return .object(members)
    }

    var sentence: String {
      func note(_ credentials: Int) -> [String] {
        credentials > 0 ? ["\(counted(credentials, "credential")) redacted"] : []
      }
      switch self {
      case .episode(let episode, _, let credentials):
        let notes = [episode.status.rawValue, counted(episode.steps.count, "step")] + note(credentials)
        return "recorded \(episode.id.rawValue.onOneLine) (\(notes.joined(separator: ", ")))"
      case .run(let run, let position, let credentials):
        let notes = [run.status.rawValue, "entry \(position)"] + note(credentials)
        return "recorded in run \(run.id.rawValue.onOneLine) (\(notes.joined(separator: ", ")))"
      }
    }
  }
}

extension String {
  /// At most 64 KiB, so that a long command fits a field.
  fileprivate var shortenedToField: String {
    let most = 64 << 10
    return utf8.count <= most ? self : String(decoding: utf8.prefix(most), as: UTF8.self) + "…"
  }
}
