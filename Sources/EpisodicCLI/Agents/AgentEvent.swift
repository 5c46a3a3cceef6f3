import Episodic
import Foundation

/// What a coding agent tells its hook: an event of Claude Code or Codex.
struct AgentEvent {
  enum Client: String {
    case claude = "claude-code"
    case codex
  }

  enum Kind {
    /// A person asks for something.
    case prompt(String)
    /// A tool was used; whether it succeeded, if the client says so.
    case toolUse(succeeded: Bool?)
    /// The agent has answered.
    case stop
    /// The session is over, whether the agent has answered or not.
    case end
    /// Nothing that is recorded.
    case other
  }

  let name: String
  let kind: Kind
  let client: Client
  let session: String
  let directory: String
  /// The turn of the conversation, if the client counts them.
  let turn: String?
  let transcript: String?
  let lastMessage: String?
  private let members: JSON.Object

  /// - Throws: `.invalid`, naming what is missing.
  init(_ bytes: [UInt8]) throws(MemoryError) {
    var scanner = try JSONScanner(bytes, repair: .applied)
    let value = try scanner.value()
    try scanner.end()
    guard let members = value.members else {
      throw MemoryError(.invalid, "the event is no JSON object; the client has to send one on standard input")
    }
    self.members = members
    func text(_ name: String) -> String? {
      guard case .string(let text)? = members[name], !text.isEmpty else { return nil }
      return text
    }
    guard let name = text("hook_event_name"), let session = text("session_id") else {
      throw MemoryError(.invalid, "the event has no hook_event_name or no session_id; the client has to send both")
    }
    (self.name, self.session) = (name, session)
    directory = text("cwd") ?? FileManager.default.currentDirectoryPath
    // Codex counts turns, Claude Code prompts.
    client = text("turn_id") != nil ? .codex : .claude
    turn = text("turn_id") ?? text("prompt_id")
    transcript = text("transcript_path")
    lastMessage = text("last_assistant_message")
    switch name {
    case "UserPromptSubmit": kind = text("prompt").map { Kind.prompt($0) } ?? .other
    // Claude Code has an event of its own for what failed; Codex does not say.
    case "PostToolUse": kind = .toolUse(succeeded: client == .claude ? true : nil)
    case "PostToolUseFailure": kind = .toolUse(succeeded: false)
    case "Stop": kind = .stop
    case "SessionEnd": kind = .end
    default: kind = .other
    }
  }

  /// The id of the episode that the prompt begins: the same for an event that is delivered twice.
  var episode: Episode.ID? {
    turn.map { Episode.ID("turn-" + JSON([client.rawValue, session, $0]).canonicalHash.prefix(24)) }
  }

  /// What failed, as a question to the memory.
  var question: String { "\(action.cut(toBytes: 500))\n\((output ?? "").cut(toBytes: 3000))" }

  /// The tool use as a step; `nil` if it is a call of this memory, or no tool is named.
  func step(succeeded: Bool?) -> Step.Draft? {
    guard let tool, !Self.isOwn(tool) else { return nil }
    return AgentStep(
      tool: tool, call: text("tool_use_id"), action: action, output: output, success: succeeded,
      duration: milliseconds.map { .milliseconds($0) }, page: page
    ).draft
  }

  /// The key under which the step is appended once.
  var stepKey: String? { text("tool_use_id").map { AgentStep.key(session, $0) } }

  private var tool: String? { text("tool_name") }

  private var action: String { AgentStep.action(tool ?? "", members["tool_input"] ?? .null) }

  private var output: String? {
    if let error = text("error") { return error }
    return members["tool_response"].flatMap(AgentStep.output)
  }

  private var page: String? {
    guard case .string(let url)? = members["tool_input"]?["url"] else { return nil }
    return url
  }

  private var milliseconds: Int? {
    members["duration_ms"]?.double.flatMap { (0...1e12).contains($0) ? Int($0) : nil }
  }

  private func text(_ name: String) -> String? {
    guard case .string(let text)? = members[name], !text.isEmpty else { return nil }
    return text
  }

  /// Whether a tool is one of `episodic mcp`, whose calls are not what an agent does for its task.
  static func isOwn(_ tool: String) -> Bool { tool.hasPrefix("mcp__episodic") }
}

/// A tool call of a coding agent, as an event or a log has it.
struct AgentStep {
  /// Tools whose output is what a stranger may have written.
  private static let webTools: Set = ["webfetch", "websearch", "web_fetch", "web_search", "web_search_call", "fetch"]
  /// Bytes of a command and of an output that are kept.
  private static let actionBytes = 4 << 10
  private static let outputBytes = 16 << 10

  var tool: String
  var call: String?
  var action: String
  var output: String?
  var success: Bool?
  var duration: Duration?
  var page: String?

  var draft: Step.Draft {
    let isWeb = Self.webTools.contains(tool.lowercased()) || page != nil
    let sourceID = page.flatMap { (1...1024).contains($0.utf8.count) ? $0 : nil }
    func clean(_ text: String, _ bytes: Int) -> String { CredentialRedactor.redact(text).text.cut(toBytes: bytes) }
    return Step.Draft(
      clean(action, Self.actionBytes), result: output.map { clean($0, Self.outputBytes) },
      tool: String(tool.onOneLine.prefix(100)), duration: duration, success: success,
      provenance: isWeb ? Provenance(.web, id: sourceID) : Provenance(.tool), overlong: .cut)
  }

  /// 1 to 128 bytes, whatever the client's names are.
  static func key(_ session: String, _ call: String) -> String { "hook-" + JSON([session, call]).canonicalHash }

  /// A command as it was typed, else the tool with its arguments.
  static func action(_ tool: String, _ input: JSON) -> String {
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
  static func output(_ response: JSON) -> String? {
    switch response {
    case .null: return nil
    case .string(let text): return text
    case .array(let blocks):
      let texts = blocks.compactMap { block -> String? in
        if case .string(let text)? = block["text"] { text } else { nil }
      }
      return texts.isEmpty ? response.canonicalText : texts.joined(separator: "\n")
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
