import ArgumentParser
import Episodic
import Foundation

/// A program whose settings name the memory.
enum AgentProgram: String, CaseIterable, ExpressibleByArgument {
  case claude, codex, cursor, vscode
}

/// A settings file of an agent, and what is added to it.
struct AgentSettings {
  enum Form {
    /// The server is a member of the object at this path, which is not there yet.
    case server(path: [String], type: String?)
    /// The hook is added to the list of each event.
    case hooks(events: [String])
    /// The server is a table at the end of a file in TOML.
    case table
  }

  let path: String
  let form: Form

  private static let name = "episodic"
  private static let claudeEvents = ["UserPromptSubmit", "PostToolUse", "PostToolUseFailure", "Stop", "SessionEnd"]
  private static let codexEvents = ["UserPromptSubmit", "PostToolUse", "Stop"]

  /// The files of a program.
  ///
  /// - Parameter folder: The project's, or the home directory.
  static func files(of program: AgentProgram, isUser: Bool, in folder: String) -> [AgentSettings] {
    func file(_ name: String, _ form: Form) -> AgentSettings { AgentSettings(path: "\(folder)/\(name)", form: form) }
    switch program {
    case .claude:
      return [
        file(isUser ? ".claude.json" : ".mcp.json", .server(path: ["mcpServers", name], type: nil)),
        file(".claude/settings.json", .hooks(events: claudeEvents)),
      ]
    case .codex:
      return [file(".codex/config.toml", .table), file(".codex/hooks.json", .hooks(events: codexEvents))]
    case .cursor: return [file(".cursor/mcp.json", .server(path: ["mcpServers", name], type: nil))]
    case .vscode:
      #if os(Linux)
        let user = ".config/Code/User/mcp.json"
      #else
        let user = "Library/Application Support/Code/User/mcp.json"
      #endif
      return [file(isUser ? user : ".vscode/mcp.json", .server(path: ["servers", name], type: "stdio"))]
    }
  }

  /// The text with what is added to it.
  ///
  /// - Returns: `nil` if it has that already.
  /// - Throws: `.invalid` if the text is not of a form that is known.
  func adding(_ commands: AgentCommands, to text: String) throws(MemoryError) -> (text: String, inserted: [String])? {
    do throws(MemoryError) {
      switch form {
      case .server(let path, let type): return try addingServer(commands, path, type, to: text)
      case .hooks(let events): return try addingHooks(commands, events, to: text)
      case .table: return try addingTable(commands, to: text)
      }
    } catch {
      throw error.naming(place: self.path)
    }
  }

  /// The text without what was added, though the client has written the file anew in its own way.
  ///
  /// - Parameter record: Of the installation.
  /// - Returns: `nil` if that is not found.
  func removing(_ record: JSON, from text: String) throws(MemoryError) -> String? {
    var settings = SettingsText(text)
    switch form {
    case .server(let path, _):
      guard case .array(let words)? = record["server"], let program = words.first else { return nil }
      try settings.remove(at: path) { value in
        let server = Self.json(value)
        return server?["command"] == program && server?["args"] == .array(Array(words.dropFirst()))
      }
    case .hooks(let events):
      guard let command = record["hook"] else { return nil }
      for event in events {
        try settings.remove(at: ["hooks", event]) { value in
          // An element with other commands, too, is somebody else's.
          value.contains(command.canonicalText) && value.components(separatedBy: "\"command\":").count == 2
        }
      }
    case .table: return nil
    }
    return settings.string == text ? nil : settings.string
  }

  /// `nil` if it is none, or has comments.
  private static func json(_ text: String) -> JSON? {
    do throws(MemoryError) {
      return try JSON(text: text)
    } catch {
      return nil
    }
  }

  private func addingServer(
    _ commands: AgentCommands, _ path: [String], _ type: String?, to text: String
  ) throws(MemoryError) -> (text: String, inserted: [String])? {
    var settings = SettingsText(text.isEmpty ? "{}\n" : text)
    guard try !settings.has(path) else { return nil }
    let words = commands.server
    let arguments = words.dropFirst().map { JSON.string($0).canonicalText }.joined(separator: ", ")
    let kind = type.map { "\n  \"type\": \(JSON.string($0).canonicalText)," } ?? ""
    try settings.add(
      "{\(kind)\n  \"command\": \(JSON.string(words[0]).canonicalText),\n  \"args\": [\(arguments)]\n}", at: path)
    return (settings.string, settings.inserted)
  }

  private func addingHooks(
    _ commands: AgentCommands, _ events: [String], to text: String
  ) throws(MemoryError) -> (text: String, inserted: [String])? {
    var settings = SettingsText(text.isEmpty ? "{}\n" : text)
    let command = JSON.string(commands.hook).canonicalText
    for event in events {
      let entry = "{\n  \"hooks\": [{ \"type\": \"command\", \"command\": \(command), \"timeout\": 5 }]\n}"
      let path = ["hooks", event]
      if let list = try settings.value(at: path) {
        guard !list.contains(" hook --store ") || !list.contains(Self.name) else { continue }
        try settings.append(entry, to: path)
      } else {
        try settings.add("[\n  \(entry.replacing("\n", with: "\n  "))\n]", at: path)
      }
    }
    return settings.inserted.isEmpty ? nil : (settings.string, settings.inserted)
  }

  private func addingTable(
    _ commands: AgentCommands, to text: String
  ) throws(MemoryError) -> (text: String, inserted: [String])? {
    let lines = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
    if lines.contains(where: { $0.hasPrefix("[mcp_servers.\(Self.name)") }) { return nil }
    guard !lines.contains(where: { $0.hasPrefix("mcp_servers") }) else {
      throw MemoryError(
        .invalid, "mcp_servers is not written as tables; add [mcp_servers.\(Self.name)] by hand, nothing was changed")
    }
    let words = commands.server.map { JSON.string($0).canonicalText }
    let table = """
      [mcp_servers.\(Self.name)]
      command = \(words[0])
      args = [\(words.dropFirst().joined(separator: ", "))]

      """
    let piece = (text.isEmpty ? "" : text.hasSuffix("\n") ? "\n" : "\n\n") + table
    return (text + piece, [piece])
  }
}

/// How an agent starts the server and the hook.
struct AgentCommands {
  /// The program and its arguments.
  let server: [String]
  /// A line of a shell.
  let hook: String

  init(program: String, store: String) {
    server = [program, "mcp", "--store", store]
    hook = "\(Self.quoted(program)) hook --store \(Self.quoted(store))"
  }

  private static func quoted(_ word: String) -> String {
    word.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/._-+".contains($0)) }
      ? word : "'\(word.replacing("'", with: "'\\''"))'"
  }
}
