import ArgumentParser
import Episodic

struct Update: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "update",
    abstract: "Changes the description of an episode, in any status.",
    discussion: """
      Only what is given changes; its domain never does. Prints the id. With - one JSON object is read: id, task_type, \
      context, session (null leaves the session), success_rate, metadata (which replaces the earlier metadata).

      EXAMPLES:
        episodic update @last --context "the login test fails on CI, on Linux only"
        episodic update 0193e0a4 --no-session --metadata '{"ticket": 42}'
      """)

  @OptionGroup var store: StoreOptions
  @OptionGroup var target: EpisodeArguments

  @Option(help: ArgumentHelp("Kind of work.", valueName: "type"))
  var task: String?

  @Option(help: ArgumentHelp("What the task is, in words.", valueName: "text"))
  var context: String?

  @Option(help: ArgumentHelp("The session it belongs to.", valueName: "name"))
  var session: String?

  @Flag(help: "Take it out of its session.")
  var noSession = false

  @Option(help: ArgumentHelp("0 to 1.", valueName: "rate"))
  var successRate: Double?

  @Option(
    help: ArgumentHelp("A JSON object that replaces the metadata.", valueName: "json"), transform: MetadataText.parse)
  var metadata: JSON?

  @OptionGroup var output: OutputOptions

  func validate() throws {
    let isEmpty =
      [task, context, session].allSatisfy { $0 == nil } && successRate == nil && metadata == nil && !noSession
    guard session == nil || !noSession else {
      throw ValidationError("--session and --no-session exclude each other; give one")
    }
    guard target.readsInput == isEmpty else {
      throw ValidationError(
        target.readsInput
          ? "with -, the changes are in the object; leave their options out"
          : "nothing to change; give an option, or - for standard input")
    }
  }

  func run() async throws {
    var reference = target.episode
    var change = Episode.Change(
      taskType: task.map { TaskType($0) }, context: context,
      session: noSession ? .some(nil) : session.map { .some($0) },
      successRate: successRate, metadata: metadata)
    if target.readsInput {
      var object = try InputObject("the changes of an episode")
      reference = try target.reference(&object)
      let leavesSession = object.has("session")
      let session = try object.text("session")
      change = Episode.Change(
        taskType: try object.text("task_type").map { TaskType($0) }, context: try object.text("context"),
        session: leavesSession ? .some(session) : nil, successRate: try object.number("success_rate"),
        metadata: try object.object("metadata"))
      try object.end()
      guard change != Episode.Change() else { throw MemoryError(.invalid, "the object changes nothing; add a member") }
    }
    let (wanted, changes) = (reference, change)
    let episode = try await store.withMemory(for: .shortWrite) { memory in
      try await memory.update(try await EpisodeReference.resolve(wanted, in: target.domain, memory), with: changes)
    }
    output.json ? StandardOutput.write(episode.json) : StandardOutput.write(episode.id.rawValue.onOneLine)
  }
}
