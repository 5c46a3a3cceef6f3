import AgentLogs
import Episodic
import Foundation

/// What a coding agent tells its hook: an event of Claude Code or Codex.
struct AgentEvent {
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
  let client: AgentClient
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
    turn.map { client.episode(session: session, turn: $0) }
  }

  /// What failed, as a question to the memory.
  var question: String { "\(action.cut(toBytes: 500))\n\((output ?? "").cut(toBytes: 3000))" }

  /// The tool use as a step; `nil` if it is a call of this memory, or no tool is named.
  func step(succeeded: Bool?) -> Step.Draft? {
    guard let tool, !AgentStep.isOwn(tool) else { return nil }
    var step = AgentStep(tool: tool, call: text("tool_use_id"), action: action)
    if let output { step.setOutput(output) }
    step.success = succeeded
    step.duration = milliseconds.map { .milliseconds($0) }
    step.page = page
    return step.draft
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
}
