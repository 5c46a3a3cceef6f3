import ArgumentParser
import Episodic

struct Sessions: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sessions",
    abstract: "Lists the sessions, the one with the newest episode first.",
    discussion: """
      A session groups the episodes of one workflow. A name that several domains use is a session in each of them.

      EXAMPLES:
        episodic sessions --domain web
        episodic list --session "$(episodic sessions --json | jq -r '.sessions[0].name')"
      """)

  @OptionGroup var store: StoreOptions

  @Option(help: ArgumentHelp("Only this domain; every domain by default.", valueName: "domain"))
  var domain: String?

  @Option(help: ArgumentHelp("Sessions to list, 1 to 1000.", valueName: "n"))
  var limit = 20

  @Option(help: ArgumentHelp("Continue after a previous list: its next cursor.", valueName: "cursor"))
  var afterCursor: String?

  @OptionGroup var times: TimeOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let cursor = try afterCursor.map(PageCursor.parse)
    let scope = domain.map(Query.Scope.domain) ?? .everything
    let page = try await store.withMemory { memory in
      try await memory.sessions(in: scope, after: cursor, limit: limit)
    }
    if output.json {
      StandardOutput.write([
        "sessions": .array(page.elements.map(\.json)), "next": page.next.map { .string($0.rawValue) } ?? .null,
      ])
      return
    }
    guard !page.elements.isEmpty else { return StandardError.write("no sessions") }
    var table = Table(
      [.init("SESSION", isText: true)] + SummaryColumns.columns
        + [.init("LAST", rank: 1), .init("FIRST", rank: 5), .init("DOMAIN", rank: 2)])
    for session in page.elements {
      table.add(
        [.init(session.name)] + SummaryColumns.cells(session.episodes)
          + [
            .init(times.format.inTable(session.lastActivity)), .init(times.format.inTable(session.firstActivity)),
            .init(session.domain),
          ])
    }
    StandardOutput.write(table.text(width: StandardOutput.width))
    if let next = page.next { StandardError.write("more: --after-cursor \(next.rawValue)") }
  }
}

extension SessionSummary {
  fileprivate var json: JSON {
    [
      "name": .string(name), "domain": .string(domain), "episodes": episodes.json,
      "first_activity": .string(firstActivity.description), "last_activity": .string(lastActivity.description),
    ]
  }
}
