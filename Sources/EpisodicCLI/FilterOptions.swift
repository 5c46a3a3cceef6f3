import ArgumentParser
import Episodic

/// Which episodes to look at.
struct FilterOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Only episodes of this session.", valueName: "name"))
  var session: String?

  @Option(help: ArgumentHelp("Only episodes of this task type, such as debugging.", valueName: "type"))
  var taskType: String?

  @Option(
    help: ArgumentHelp(
      "Only episodes of this status; may be given again for more than one.",
      valueName: "status"))
  var status: [Episode.Status] = []

  @Option(
    help: ArgumentHelp(
      "Only episodes created at or after this time, 2026-01-31 or 2026-01-31T12:00:00Z.", valueName: "time"),
    transform: FilterOptions.time)
  var after: Timestamp?

  @Option(
    help: ArgumentHelp("Only episodes created before this time.", valueName: "time"), transform: FilterOptions.time)
  var before: Timestamp?

  var filter: Episode.Filter {
    Episode.Filter(
      session: session, taskType: taskType.map { TaskType($0) }, statuses: status.isEmpty ? nil : Set(status),
      after: after, before: before)
  }

  var isEmpty: Bool { filter == Episode.Filter() }

  /// A time, or a day, which begins at midnight UTC.
  @Sendable private static func time(_ text: String) throws -> Timestamp {
    if let midnight = Timestamp("\(text)T00:00:00Z") { return midnight }
    do throws(Timestamp.ParsingError) {
      return try Timestamp(iso8601: text)
    } catch {
      throw ValidationError("\(error); for a day, 2026-01-31 will do")
    }
  }
}
