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

  var filter: Episode.Filter {
    Episode.Filter(
      session: session, taskType: taskType.map { TaskType($0) }, statuses: status.isEmpty ? nil : Set(status),
      after: after, before: before)
  }

  var isEmpty: Bool { filter == Episode.Filter() }
}

extension Episode.Status: ExpressibleByArgument {}
extension RecallMode: ExpressibleByArgument {}
extension Episode.ExistingPolicy: ExpressibleByArgument {}
