package import EpisodicMemory

/// A tool call of a coding agent, as an event or a log has it, without credentials and of bounded length.
package struct AgentStep: Sendable {
  /// Tools whose output is what a stranger may have written.
  private static let webTools: Set = ["webfetch", "websearch", "web_fetch", "web_search", "web_search_call", "fetch"]
  /// Bytes of a prompt, of a command and of an output that are kept: the beginning and the end.
  package static let promptBytes = 32 << 10
  private static let actionBytes = 4 << 10
  package static let outputBytes = 16 << 10

  package let tool: String
  /// The client's id of the call.
  package let call: String?
  package let action: String
  package private(set) var output: String?
  package var success: Bool?
  package var duration: Duration?
  package var page: String?
  package var timestamp: Timestamp?
  /// Credentials that were replaced.
  package private(set) var redacted: Int

  /// - Parameter action: With its credentials.
  package init(tool: String, call: String? = nil, action: String, timestamp: Timestamp? = nil) {
    self.tool = String(tool.onOneLine.prefix(100))
    self.call = call
    self.timestamp = timestamp
    (self.action, redacted) = Self.clean(action, Self.actionBytes)
  }

  /// - Parameter bytes: Kept of it at most.
  package mutating func setOutput(_ text: String, keeping bytes: Int = Self.outputBytes) {
    let (kept, count) = Self.clean(text, bytes)
    output = kept
    redacted += count
  }

  package var draft: Step.Draft {
    Step.Draft(
      action, result: output, tool: tool.isEmpty ? nil : tool, duration: duration, success: success,
      timestamp: timestamp, provenance: provenance, overlong: .cut)
  }

  package var provenance: Provenance {
    let isWeb = Self.webTools.contains(tool.lowercased()) || page != nil
    return isWeb
      ? Provenance(.web, id: page.flatMap { (1...1024).contains($0.utf8.count) ? $0 : nil }) : Provenance(.tool)
  }

  /// The key under which a call is appended once: 1 to 128 bytes, whatever the client's names are.
  package static func key(_ session: String, _ call: String) -> String {
    "hook-" + JSON.array([.string(session), .string(call)]).canonicalHash
  }

  /// Whether a tool is one of `episodic mcp`, whose calls are not what an agent does for its task.
  package static func isOwn(_ tool: String) -> Bool { tool.hasPrefix("mcp__episodic") }

  /// A text without its credentials and NULs, cut in the middle; and how many credentials it had.
  package static func clean(_ text: String, _ bytes: Int) -> (text: String, redacted: Int) {
    // Before the cut, which could leave half of a credential.
    let clean = CredentialRedactor.redact(text.utf8.contains(0) ? text.replacing("\0", with: "\u{FFFD}") : text)
    return (clean.text.cut(toBytes: bytes), clean.count)
  }

  /// A command as it was typed, else the tool with its arguments.
  package static func action(_ tool: String, _ input: JSON) -> String {
    switch (input["command"] ?? input["cmd"], input) {
    case (.string(let command)?, _): return command
    case (.array(let words)?, _):
      return words.map { if case .string(let word) = $0 { word } else { $0.canonicalText } }.joined(separator: " ")
    case (_, .null): return tool
    case (_, .string(let text)): return "\(tool) \(text)"
    default: return "\(tool) \(input.canonicalText)"
    }
  }

  /// The text of a tool's response: a string, the streams of a command, blocks of text, or the JSON that it is.
  package static func output(_ response: JSON) -> String? {
    switch response {
    case .null: return nil
    case .string(let text): return text
    case .array(let blocks):
      let texts = blocks.compactMap { block -> String? in
        if case .string(let text)? = block["text"] { text } else { nil }
      }
      return texts.isEmpty
        ? (blocks.isEmpty ? nil : "\(blocks.count) blocks without text") : texts.joined(separator: "\n")
    case .object(let members):
      let streams = ["stdout", "stderr"].compactMap { name -> String? in
        if case .string(let text)? = members[name], !text.isEmpty { text } else { nil }
      }
      if !streams.isEmpty { return streams.joined(separator: "\n") }
      if members["stdout"] != nil { return "" }
      return members["content"].flatMap(output) ?? response.canonicalText
    default: return response.canonicalText
    }
  }
}
