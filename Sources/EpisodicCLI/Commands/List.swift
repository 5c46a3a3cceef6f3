import ArgumentParser
import Episodic

struct List: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Lists episodes, newest first.",
    discussion: """
      EXAMPLES:
        episodic list
        episodic list --domain web --status failed --limit 5
        episodic list --session release-42 --json
      """)

  @OptionGroup var store: StoreOptions

  @Option(help: ArgumentHelp("Only this domain; every domain by default.", valueName: "domain"))
  var domain: String?

  @OptionGroup var filters: FilterOptions

  @Option(help: ArgumentHelp("Episodes to list, 1 to 1000.", valueName: "n"))
  var limit = 20

  @Option(help: ArgumentHelp("Continue after a previous list: its next cursor.", valueName: "cursor"))
  var afterCursor: String?

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() async throws {
    let cursor = try afterCursor.map { text in
      guard let cursor = Episode.Page.Cursor(rawValue: text) else {
        throw ValidationError("\"\(text)\" is not a cursor; give the one that the previous list ended with")
      }
      return cursor
    }
    let scope = domain.map(Query.Scope.domain) ?? .everything
    let page = try await store.withMemory { memory in
      try await memory.episodes(filters.filter, in: scope, after: cursor, limit: limit)
    }
    if json {
      StandardOutput.write([
        "episodes": .array(page.elements.map(\.summary)), "next": page.next.map { .string($0.rawValue) } ?? .null,
      ])
      return
    }
    guard !page.elements.isEmpty else { return StandardError.write("no episodes") }
    var table = Table(["ID", "STATUS", "TASK", "DOMAIN", "CREATED", "STEPS", "CONTEXT"], rightAligned: ["STEPS"])
    for episode in page.elements {
      table.add([
        episode.id.rawValue, episode.outcome, episode.taskType.rawValue, episode.domain, episode.createdAt.displayText,
        "\(episode.steps.count)", String(episode.context.prefix(300)),
      ])
    }
    StandardOutput.write(table.text(width: StandardOutput.width))
    if let next = page.next { StandardError.write("more: --after-cursor \(next.rawValue)") }
  }
}
