import ArgumentParser
import Episodic

struct Show: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows an episode with its steps.",
    discussion: """
      With --json, the episode is printed as export writes it. Exits 1 if there is no such episode.

      EXAMPLES:
        episodic show 0193e0a4-5a7c-7b1e-8f00-3c2a9d4e5f60
        episodic show build-17 --json | jq '.steps[-1].result'
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("Identifier of the episode.", valueName: "id"))
  var id: String

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() async throws {
    let episode = try await store.withMemory { memory in try await memory.episode(Episode.ID(id)) }
    guard let episode else {
      throw MemoryError(.notFound, "no episode \"\(id)\" in \(store.path); episodic list shows the ones there are")
    }
    if json {
      StandardOutput.write(episode.json)
    } else {
      StandardOutput.write(episode.lines.joined(separator: "\n"))
    }
  }
}

extension Episode {
  fileprivate var lines: [String] {
    var fields: [(String, String)] = [
      ("id", id.rawValue), ("status", outcome), ("task", taskType.rawValue), ("domain", domain),
    ]
    if let session { fields.append(("session", session)) }
    fields.append(("created", createdAt.displayText))
    if let completedAt { fields.append(("completed", completedAt.displayText)) }
    if metadata != [:] { fields.append(("metadata", metadata.outputText)) }
    var lines = fields.map { "\($0.padded(to: 9))  \($1.onOneLine)" }
    lines.append("context".padded(to: 9) + "  " + context.indentedLines(by: 11))
    for step in steps { lines += [""] + step.lines }
    return lines
  }
}

extension Step {
  fileprivate var lines: [String] {
    var notes: [String] = []
    if let success { notes.append(success ? "ok" : "FAILED") }
    if let tool { notes.append(tool.onOneLine) }
    if let duration { notes.append(duration.displayText) }
    notes.append(timestamp.displayText)
    var lines = ["step \(number)  \(notes.joined(separator: "  "))", "  > " + action.indentedLines(by: 4)]
    if let result { lines.append("    " + result.indentedLines(by: 4)) }
    return lines
  }
}

extension String {
  /// Every line but the first indented.
  fileprivate func indentedLines(by columns: Int) -> String {
    let text = OmissionMarker.described(in: replacing("\r\n", with: "\n")).terminalSafe
    let trimmed = text.hasSuffix("\n") ? String(text.dropLast()) : text
    return trimmed.replacing("\n", with: "\n" + String(repeating: " ", count: columns))
  }
}
