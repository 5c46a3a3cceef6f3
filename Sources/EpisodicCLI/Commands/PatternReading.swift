import ArgumentParser
import Episodic

struct PatternList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists patterns, the most successful first.",
    discussion: """
      A domain has its own patterns, and the shared ones that are linked to one of its episodes.

      EXAMPLES:
        episodic pattern list --domain web --type error_resolution
        episodic pattern list --text "connection refused"
        episodic pattern list --contains '{"error": "EADDRINUSE"}' --json
      """)

  @OptionGroup var store: StoreOptions

  @Option(help: ArgumentHelp("Only this domain; every domain by default.", valueName: "domain"))
  var domain: String?

  @Option(help: ArgumentHelp("Only this type.", valueName: "type"))
  var type: String?

  @Option(help: ArgumentHelp("Only with at least this success rate, 0 to 1.", valueName: "rate"))
  var minimumSuccessRate: Double?

  @Option(help: ArgumentHelp("Only those linked to this episode.", valueName: "id"))
  var episode: String?

  @Option(help: ArgumentHelp("Only with one of these words in the data, the rare ones first.", valueName: "words"))
  var text: String?

  @Option(
    help: ArgumentHelp("Only with data that contains this JSON.", valueName: "json"), transform: MetadataText.parseValue
  )
  var contains: JSON?

  @Option(help: ArgumentHelp("Patterns to list, 1 to 1000.", valueName: "n"))
  var limit = 20

  @OptionGroup var times: TimeOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let scope = domain.map(Query.Scope.domain) ?? .everything
    let patterns = try await store.withMemory { memory in
      var linked: Episode.ID?
      if let episode { linked = try await EpisodeReference.resolve(episode, in: domain, memory) }
      let filter = Pattern.Filter(
        type: type.map { PatternType($0) }, text: text, data: contains, episode: linked,
        minimumSuccessRate: minimumSuccessRate, limit: limit)
      return try await memory.patterns(filter, in: scope)
    }
    if output.json {
      StandardOutput.write(["patterns": .array(patterns.map(\.json))])
      return
    }
    guard !patterns.isEmpty else { return StandardError.write("no patterns") }
    var table = Table([
      .init("SUCCESS", isNumber: true), .init("USES", isNumber: true), .init("DATA", isText: true),
      .init("TYPE", rank: 1), .init("USED", rank: 2), .init("ID"),
    ])
    for pattern in patterns {
      table.add([
        .init(pattern.successRate.map { "\(Int(($0 * 100).rounded())) %" } ?? "-"), .init("\(pattern.usageCount)"),
        .init(String(pattern.data.outputText.prefix(300))), .init(pattern.type.rawValue),
        .init(pattern.lastUsed.map(times.format.inTable) ?? "never"), .init(pattern.id.rawValue),
      ])
    }
    StandardOutput.write(table.text(width: StandardOutput.width))
  }
}

struct PatternShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Shows a pattern.",
    discussion: """
      Exits 1 if there is no such pattern.

      EXAMPLES:
        episodic pattern show 0193e0a4-5a7c-7b1e-8f00-3c2a9d4e5f60 --json
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("Id of the pattern.", valueName: "id"))
  var pattern: String

  @OptionGroup var times: TimeOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let found = try await store.withMemory { memory in try await memory.pattern(Pattern.ID(pattern)) }
    guard let found else {
      throw MemoryError(.notFound, "no pattern \"\(pattern)\"; pattern list shows the ones there are")
    }
    guard !output.json else { return StandardOutput.write(found.json) }
    var fields: [(String, String)] = [
      ("id", found.id.rawValue), ("type", found.type.rawValue),
      ("success", found.successRate.map { "\(Int(($0 * 100).rounded())) %" } ?? "unknown"),
      ("uses", "\(found.usageCount)"),
    ]
    if let lastUsed = found.lastUsed { fields.append(("used", times.format.exact(lastUsed))) }
    fields.append(("created", times.format.exact(found.createdAt)))
    if found.metadata != [:] { fields.append(("metadata", found.metadata.outputText)) }
    fields.append(("data", found.data.outputText))
    StandardOutput.write(fields.map { "\($0.padded(to: 9))  \($1.onOneLine)" }.joined(separator: "\n"))
  }
}
