import ArgumentParser
import Episodic

struct Domains: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "domains",
    abstract: "Lists the domains, the boundaries of privacy, with the number of their episodes.",
    discussion: """
      EXAMPLES:
        episodic domains
        episodic domains --json | jq -r '.domains[].name'
      """)

  @OptionGroup var store: StoreOptions
  @OptionGroup var times: TimeOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let domains = try await store.withMemory { memory in try await memory.domains() }
    if output.json {
      StandardOutput.write([
        "domains": .array(
          domains.map { domain in
            [
              "name": .string(domain.name), "episodes": domain.episodes.json,
              "last_activity": .string(domain.lastActivity.description),
            ]
          })
      ])
      return
    }
    guard !domains.isEmpty else { return StandardError.write("no domains") }
    var table = Table([.init("DOMAIN", isText: true)] + SummaryColumns.columns + [.init("LAST", rank: 1)])
    for domain in domains {
      table.add(
        [.init(domain.name)] + SummaryColumns.cells(domain.episodes) + [
          .init(times.format.inTable(domain.lastActivity))
        ])
    }
    StandardOutput.write(table.text(width: StandardOutput.width))
  }
}

/// The columns of numbers of episodes.
enum SummaryColumns {
  static let columns: [Table.Column] =
    [.init("EPISODES", isNumber: true)]
    + Episode.Status.allCases.map { .init($0.rawValue.uppercased(), isNumber: true, rank: 4) }

  static func cells(_ episodes: [Episode.Status: Int]) -> [Table.Cell] {
    [.init("\(episodes.values.reduce(0, +))")] + Episode.Status.allCases.map { .init("\(episodes[$0] ?? 0)") }
  }
}

extension [Episode.Status: Int] {
  /// Every status, also those without an episode.
  var json: JSON {
    .object(JSON.Object(Episode.Status.allCases.map { ($0.rawValue, JSON.integer(Int64(self[$0] ?? 0))) }))
  }
}
