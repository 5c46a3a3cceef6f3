import ArgumentParser
import Episodic

struct PatternCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pattern",
    abstract: "Keeps patterns: what worked repeatedly.",
    discussion: """
      A pattern is a type, such as tool_sequence or error_resolution, and data, any JSON. Recorded again, it is the same \
      pattern; its uses are counted with its success rate, and the best come first.

      EXAMPLES:
        episodic pattern add --type error_resolution --data '{"error": "EADDRINUSE", "fix": "kill the old server"}'
        episodic pattern list --domain web
        episodic pattern use 0193e0a4-5a7c-7b1e-8f00-3c2a9d4e5f60 --succeeded
      """,
    subcommands: [PatternAdd.self, PatternList.self, PatternShow.self, PatternUse.self, PatternDelete.self])
}

struct PatternAdd: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Records a pattern and prints its id.",
    discussion: """
      If there is one of the same type and data, its success rate and metadata are set as far as they are given. The store \
      is created if there is none. With - one JSON object is read: pattern_type and data, and perhaps domain, success_rate, \
      metadata, episodes (an array of ids that the pattern is linked to).

      EXAMPLES:
        episodic pattern add --type tool_sequence --data '["grep", "sed", "make test"]' --episode @last
        echo '{"pattern_type": "optimization", "data": {"hot": "parser"}}' | episodic pattern add -
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("- to read one JSON object from standard input instead of options.", valueName: "-"))
  var input: String?

  @Option(help: ArgumentHelp("Kind of pattern, such as tool_sequence, error_resolution.", valueName: "type"))
  var type: String?

  @Option(help: ArgumentHelp("What the pattern is, as JSON.", valueName: "json"), transform: MetadataText.parseValue)
  var data: JSON?

  @Option(help: ArgumentHelp("The domain it belongs to; shared by all domains by default.", valueName: "domain"))
  var domain: String?

  @Option(help: ArgumentHelp("0 to 1.", valueName: "rate"))
  var successRate: Double?

  @Option(help: ArgumentHelp("Further facts as a JSON object.", valueName: "json"), transform: MetadataText.parse)
  var metadata: JSON?

  @Option(help: ArgumentHelp("An episode in which it occurred; may be repeated.", valueName: "id"))
  var episode: [String] = []

  @OptionGroup var output: OutputOptions

  func validate() throws {
    if let input {
      guard input == "-" else {
        throw ValidationError("unexpected argument \"\(input)\"; give --data, or - for standard input")
      }
      guard type == nil, data == nil, domain == nil, successRate == nil, metadata == nil, episode.isEmpty else {
        throw ValidationError("with -, everything is in the object; leave the other options out")
      }
    } else if type == nil || data == nil {
      throw ValidationError("--type and --data are needed; give both, or - for an object on standard input")
    }
  }

  func run() async throws {
    let (draft, episodes) = try newPattern()
    let pattern = try await store.withMemory(creating: true, for: .shortWrite) { memory in
      // A pattern of a domain is linked to episodes of that domain alone; another's is as one that is not there (I8).
      var ids: [Episode.ID] = []
      for episode in episodes { ids.append(try await EpisodeReference.resolve(episode, in: draft.domain, memory)) }
      return try await memory.write { [ids] batch in
        let pattern = try batch.record(draft)
        for id in ids { try batch.link(pattern.id, to: id) }
        return pattern
      }
    }
    output.json ? StandardOutput.write(pattern.json) : StandardOutput.write(pattern.id.rawValue)
  }

  private func newPattern() throws -> (Pattern.Draft, episodes: [String]) {
    guard input != nil else {
      return (
        Pattern.Draft(
          PatternType(type ?? ""), data: data ?? .null, domain: domain, successRate: successRate,
          metadata: metadata ?? [:]), episode
      )
    }
    var object = try InputObject("a pattern")
    guard object.has("data") else { throw MemoryError(.invalid, "data of a pattern is missing; write any JSON value") }
    let draft = Pattern.Draft(
      PatternType(try object.required("pattern_type")), data: object.value("data") ?? .null,
      domain: try object.text("domain"), successRate: try object.number("success_rate"),
      metadata: try object.object("metadata") ?? [:])
    let episodes = try (object.array("episodes") ?? []).map { value throws(MemoryError) in
      guard case .string(let id) = value else {
        throw MemoryError(.invalid, "episodes has \(value.outputText.prefix(60)) in it; write ids as strings")
      }
      return id
    }
    try object.end()
    return (draft, episodes)
  }
}

struct PatternUse: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "use", abstract: "Counts a use of a pattern.",
    discussion: """
      --succeeded and --failed enter its success rate, the mean over the counted uses. Prints the id.

      EXAMPLES:
        episodic pattern use 0193e0a4-5a7c-7b1e-8f00-3c2a9d4e5f60 --failed
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("Id of the pattern.", valueName: "id"))
  var pattern: String

  @Flag(help: "It worked.")
  var succeeded = false

  @Flag(help: "It did not work.")
  var failed = false

  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard !(succeeded && failed) else { throw ValidationError("--succeeded and --failed exclude each other; give one") }
  }

  func run() async throws {
    let used = try await store.withMemory(for: .shortWrite) { memory in
      try await memory.markUsed(Pattern.ID(pattern), succeeded: succeeded ? true : failed ? false : nil)
    }
    output.json ? StandardOutput.write(used.json) : StandardOutput.write(used.id.rawValue)
  }
}

struct PatternDelete: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete", abstract: "Deletes a pattern with its links; the episodes stay.",
    discussion: """
      Prints the id. Exits 1 if there is no such pattern.

      EXAMPLES:
        episodic pattern delete 0193e0a4-5a7c-7b1e-8f00-3c2a9d4e5f60
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("Id of the pattern.", valueName: "id"))
  var pattern: String

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let id = Pattern.ID(pattern)
    try await store.withMemory(for: .shortWrite) { memory in
      guard try await memory.delete(pattern: id) else {
        throw MemoryError(.notFound, "no pattern \"\(pattern)\"; pattern list shows the ones there are")
      }
    }
    output.json
      ? StandardOutput.write(["id": .string(id.rawValue), "deleted": true])
      : StandardOutput.write(id.rawValue.onOneLine)
  }
}
