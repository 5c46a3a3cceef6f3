public import ArgumentParser
public import Episodic

/// Which episodes to select.
struct FilterOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Only episodes of this session.", valueName: "name"))
  var session: String?

  @Option(help: ArgumentHelp("Only episodes of this task type, such as debugging.", valueName: "type"))
  var taskType: String?

  @Option(
    help: ArgumentHelp(
      "Only episodes of this status; may be repeated.",
      valueName: "status"))
  var status: [Episode.Status] = []

  @Option(
    help: ArgumentHelp(
      "Only episodes created at or after this time: 2026-01-31, 2026-01-31T12:00:00Z, yesterday, or 7d, 2h ago.",
      valueName: "time"),
    transform: TimeText.parse)
  var after: Timestamp?

  @Option(
    help: ArgumentHelp("Only episodes created before this time.", valueName: "time"), transform: TimeText.parse)
  var before: Timestamp?

  @Option(
    help: ArgumentHelp(
      "Only episodes that are trusted at least so far: \(Trust.allCases.map(\.rawValue).joined(separator: ", ")).",
      valueName: "level"))
  var minimumTrust: Trust?

  @Flag(help: "Only quarantined episodes.")
  var quarantined = false

  @Option(help: ArgumentHelp("Only episodes with a step of this tool.", valueName: "name"))
  var tool: String?

  @Flag(help: "Only episodes with a step that failed; with --tool or --step-text the same step.")
  var failed = false

  @Flag(help: "Only episodes with a step that succeeded; with --tool or --step-text the same step.")
  var succeeded = false

  @Option(help: ArgumentHelp("Only episodes with a step that has all these words, in any order.", valueName: "words"))
  var stepText: String?

  @Option(
    help: ArgumentHelp("Only episodes with a step that has these words side by side: a command.", valueName: "words"))
  var stepPhrase: String?

  func validate() throws {
    guard !quarantined || minimumTrust == nil else {
      throw ValidationError("--quarantined and --minimum-trust exclude each other; give one")
    }
    guard !(failed && succeeded) else {
      throw ValidationError("--failed and --succeeded are about one step and exclude each other; give one")
    }
  }

  private var trust: ClosedRange<Trust>? {
    quarantined ? Trust.quarantined...Trust.quarantined : minimumTrust.map { $0...Trust.verified }
  }

  private var step: Step.Filter? {
    let filter = Step.Filter(
      tool: tool, success: failed ? false : succeeded ? true : nil, text: stepText, phrase: stepPhrase)
    return filter == Step.Filter() ? nil : filter
  }

  var filter: Episode.Filter {
    Episode.Filter(
      session: session, taskType: taskType.map { TaskType($0) }, statuses: status.isEmpty ? nil : Set(status),
      after: after, before: before, trust: trust, step: step)
  }

  var isEmpty: Bool { filter == Episode.Filter() }
}

extension Episode.Status: ExpressibleByArgument {}
extension RecallMode: ExpressibleByArgument {}
extension Episode.ExistingPolicy: ExpressibleByArgument {}
extension MaintenanceTask: ExpressibleByArgument {}
