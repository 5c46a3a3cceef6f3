import ArgumentParser
import Episodic

struct List: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Lists episodes, newest first.",
    discussion: """
      A table fits the terminal: long contexts are cut, then columns are left out, and ids are shortened to a beginning \
      that no other has, which every command accepts. In a pipe nothing is cut, unless COLUMNS is set. Exits 0 also if there \
      are none.

      EXAMPLES:
        episodic list
        episodic list --domain web --status failed --after 7d --limit 5
        episodic list --session release-42 --json --steps last:1
      """)

  @OptionGroup var store: StoreOptions

  @Option(help: ArgumentHelp("Only this domain; every domain by default.", valueName: "domain"))
  var domain: String?

  @OptionGroup var filters: FilterOptions

  @Option(help: ArgumentHelp("Episodes to list, 1 to 1000.", valueName: "n"))
  var limit = 20

  @Option(help: ArgumentHelp("Continue after a previous list: its next cursor.", valueName: "cursor"))
  var afterCursor: String?

  @Option(help: StepsOption.help)
  var steps = StepsOption.all

  @OptionGroup var times: TimeOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let cursor = try afterCursor.map(PageCursor.parse)
    let scope = domain.map(Query.Scope.domain) ?? .everything
    let width = StandardOutput.width
    let (page, ids) = try await store.withMemory { memory in
      let page = try await memory.episodes(
        filters.filter, in: scope, after: cursor, limit: limit, steps: output.json ? steps.selection : .none)
      return (page, try await ShownIDs(page.elements.map(\.id), isShort: width != nil && !output.json, memory))
    }
    if output.json {
      StandardOutput.write([
        "episodes": .array(page.elements.map(\.json)),
        "next": page.next.map { .string($0.rawValue) } ?? .null,
      ])
      return
    }
    guard !page.elements.isEmpty else { return StandardError.write("no episodes") }
    var table = Table([
      .init("STATUS"), .init("CONTEXT", isText: true), .init("WHEN", rank: 1), .init("STEPS", isNumber: true, rank: 4),
      .init("TASK", rank: 3), .init("DOMAIN", rank: 2), .init("ID"),
    ])
    for episode in page.elements {
      table.add([
        .init(episode.outcome, episode.status.style), .init(String(episode.context.prefix(300))),
        .init(times.format.inTable(episode.createdAt)), .init("\(episode.stepCount)"),
        .init(episode.taskType.rawValue), .init(episode.domain), .init(ids[episode.id], .faint),
      ])
    }
    StandardOutput.write(table.text(width: width))
    if let next = page.next { StandardError.write("more: --after-cursor \(next.rawValue)") }
  }
}
