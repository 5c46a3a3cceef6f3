import EpisodicMemory
import Foundation
import TestSupport
import Testing

@testable import EpisodicCLI

@Suite struct `Settings as text` {
  private static let texts: [(String, String)] = [
    ("{}", "{\n  \"a\": {\n    \"b\": 1\n  }\n}"),
    ("{\n}\n", "{\n  \"a\": {\n    \"b\": 1\n  }\n\n}\n"),
    ("{\n  \"x\": 1\n}\n", "{\n  \"x\": 1,\n  \"a\": {\n    \"b\": 1\n  }\n}\n"),
    ("{\n\t\"x\": 1, // why\n}", "{\n\t\"x\": 1,\n\t\"a\": {\n\t  \"b\": 1\n\t}, // why\n}"),
    ("{\"a\": {\"c\": 2}}", "{\"a\": {\"c\": 2, \"b\": 1}}"),
    ("// first\n{ /* { */ \"a\": { } }", "// first\n{ /* { */ \"a\": {\n  \"b\": 1\n } }"),
    ("{\"s\": \"}\\\"{ // no\", \"a\": {}}", "{\"s\": \"}\\\"{ // no\", \"a\": {\n  \"b\": 1\n}}"),
  ]

  @Test(arguments: texts) func `a member is inserted, and every other byte stays`(_ before: String, _ after: String)
    throws
  {
    var settings = SettingsText(before)
    try settings.add("1", at: ["a", "b"])
    #expect(settings.string == after)
    #expect(try settings.has(["a", "b"]))
    let piece = try #require(settings.inserted.first)
    #expect(settings.inserted.count == 1 && settings.string.replacing(piece, with: "") == before)
  }

  @Test(arguments: ["", "[]", "{", "{\"a\": 1}", "{\"a\" 1}", "{\"a\": {]}", "{a: {}}", "{\"a\": /* }", "nonsense"])
  func `a text of another form is refused`(_ text: String) {
    var settings = SettingsText(text)
    #expect(throws: MemoryError.self) { try settings.add("1", at: ["a", "b"]) }
    #expect(settings.string == text)
  }
}

@Suite struct `episodic install` {
  let episodic: CommandLineTool

  init() throws { episodic = try CommandLineTool() }

  private static let files: [String: [String: String]] = [
    "claude": [
      ".mcp.json": "{\n\t\"mcpServers\": {\n\t\t\"other\": {\"command\": \"x\"} // keep\n\t}\n}",
      ".claude/settings.json":
        "{\n    \"permissions\": {},\n    \"hooks\": {\n        \"Stop\": [\n            {\"hooks\": []}\n        ]\n    }\n}\n",
    ],
    "codex": [
      ".codex/config.toml": "model = \"x\"\n\n[mcp_servers.other]\ncommand = \"y\"", ".codex/hooks.json": "{}",
    ],
    "cursor": [".cursor/mcp.json": "{\"mcpServers\":{}}"],
    "vscode": [".vscode/mcp.json": "// mine\n{\"servers\": {}, \"inputs\": [],}\n"],
  ]

  private func text(_ path: String) throws -> String {
    try String(contentsOf: URL(filePath: episodic.path(path)), encoding: .utf8)
  }

  private func write(_ path: String, _ text: String) throws {
    let url = URL(filePath: episodic.path(path))
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
  }

  private var everything: Set<String> {
    get throws {
      Set(try FileManager.default.subpathsOfDirectory(atPath: episodic.path("")).filter { !$0.contains("child-") })
    }
  }

  @Test(arguments: ["claude", "codex", "cursor", "vscode"])
  func `what is installed is found by --check, and an undo leaves every byte as it was`(_ agent: String) throws {
    let files = try #require(Self.files[agent])
    for (path, text) in files { try write(path, text) }
    let before = try everything
    let missing = try episodic("install", agent, "--check")
    #expect(missing.status == 1, "\(missing)")
    let dry = try episodic("install", agent, "--dry-run")
    #expect(dry.status == 0 && dry.output.contains("+"), "\(dry)")
    for (path, text) in files { #expect(try self.text(path) == text) }

    let installed = try episodic("install", agent)
    #expect(installed.status == 0 && installed.output == dry.output, "\(installed)")
    for (path, text) in files { #expect(try self.text(path) != text && self.text(path + ".before-episodic") == text) }
    let check = try episodic("install", agent, "--check")
    #expect(check.status == 0 && check.output.contains("5 tools: recall, show, record, feedback, forget"), "\(check)")
    let again = try episodic("install", agent)
    #expect(again.status == 0 && again.output.contains("has it already"), "\(again)")

    let undone = try episodic("install", agent, "--undo")
    #expect(undone.status == 0, "\(undone)")
    for (path, text) in files { #expect(try self.text(path) == text, "\(path)") }
    #expect(try everything == before)
    #expect(try episodic("install", agent, "--undo").output.contains("nothing was added"))
  }

  @Test(arguments: ["claude", "codex", "cursor", "vscode"])
  func `files that were not there are made, and removed by an undo`(_ agent: String) throws {
    #expect(try episodic("install", agent).status == 0)
    #expect(try episodic("install", agent, "--check").status == 0)
    #expect(try episodic("install", agent, "--undo").status == 0)
    for path in try #require(Self.files[agent]).keys {
      #expect(!FileManager.default.fileExists(atPath: episodic.path(path)), "\(path)")
    }
  }

  @Test func `what others write into a file meanwhile stays, and a change of what was added is told`() throws {
    try write(".mcp.json", "{\n  \"mcpServers\": {}\n}\n")
    try episodic("install", "claude")
    let text = try text(".mcp.json")
    try write(".mcp.json", text.replacing("{\n  \"mcpServers\"", with: "{\n  \"new\": true,\n  \"mcpServers\""))
    #expect(try episodic("install", "claude", "--undo").status == 0)
    #expect(try self.text(".mcp.json") == "{\n  \"new\": true,\n  \"mcpServers\": {}\n}\n")

    try episodic("install", "claude")
    let changed = try self.text(".mcp.json").replacing("\"mcp\"", with: "\"mcp\", \"--read-only\"")
    try write(".mcp.json", changed)
    let undone = try episodic("install", "claude", "--undo")
    #expect(undone.status == 2 && undone.errors.contains("changed since"), "\(undone)")
    #expect(try self.text(".mcp.json") == changed)
  }

  @Test func `what was added is taken out though others have changed the file`() throws {
    try episodic("install", "claude")
    let path = ".claude/settings.json"
    // A member after ours, whose comma must go.
    try write(path, String(try text(path).dropLast(3)) + ",\n  \"new\": true\n}\n")
    #expect(try episodic("install", "claude", "--undo").status == 0)
    #expect(try JSON(text: text(path).trimmingCharacters(in: .newlines)) == ["new": true])

    try write(path, "{\n  \"a\": 1\n}\n")
    try episodic("install", "claude")
    try write(path, try text(path).replacing("\"a\": 1", with: "\"a\": 2"))
    #expect(try episodic("install", "claude", "--undo").status == 0)
    #expect(try text(path) == "{\n  \"a\": 2\n}\n")
  }

  @Test func `what was added is taken out though the client has written the file in its own way`() throws {
    try write(".mcp.json", "{\"mcpServers\": {\"other\": {\"command\": \"x\"}}}")
    try write(
      ".claude/settings.json",
      "{\"hooks\": {\"Stop\": [{\"hooks\": [{\"type\": \"command\", \"command\": \"mine\"}]}]}}")
    try episodic("install", "claude")
    let before = try [".mcp.json", ".claude/settings.json"].map { path in
      let value = try JSON(text: text(path))
      try write(path, value.canonicalText)
      return value
    }
    #expect(before[1]["hooks"]?["PostToolUse"] != nil)
    let undone = try episodic("install", "claude", "--undo")
    #expect(undone.status == 0, "\(undone)")
    #expect(try JSON(text: text(".mcp.json")) == ["mcpServers": ["other": ["command": "x"]]])
    #expect(
      try JSON(text: text(".claude/settings.json"))
        == ["hooks": ["Stop": [["hooks": [["type": "command", "command": "mine"]]]]]])
    // Of nothing but ours nothing is left.
    try FileManager.default.removeItem(atPath: episodic.path(".claude/settings.json"))
    try episodic("install", "claude")
    try write(
      ".claude/settings.json",
      try JSON(text: text(".claude/settings.json").trimmingCharacters(in: .newlines)).canonicalText)
    #expect(try episodic("install", "claude", "--undo").status == 0)
    #expect(!FileManager.default.fileExists(atPath: episodic.path(".claude/settings.json")))
  }

  @Test func `--user changes the settings in HOME`() throws {
    let result = try episodic.shell("mkdir home && HOME=$PWD/home episodic install claude --user")
    #expect(
      result.status == 0 && FileManager.default.fileExists(atPath: episodic.path("home/.claude.json")), "\(result)")
    #expect(try episodic.shell("HOME=$PWD/home episodic install claude --user --undo").status == 0)
    #expect(try FileManager.default.contentsOfDirectory(atPath: episodic.path("home")) == [".claude"])
  }

  @Test(arguments: ["[]", "{\"mcpServers\": []}", "{\"mcpServers\": {}", "nonsense"])
  func `a file of a form that is not known is left as it is, and so is the other`(_ text: String) throws {
    try write(".mcp.json", text)
    let result = try episodic("install", "claude")
    #expect(result.status == 2 && result.errors.contains(".mcp.json"), "\(result)")
    #expect(try self.text(".mcp.json") == text)
    #expect(!FileManager.default.fileExists(atPath: episodic.path(".claude/settings.json")))
  }

  @Test func `a symbolic link stays one, and the mode of a file stays`() throws {
    try write("dotfiles/mcp.json", "{}")
    #expect(chmod(episodic.path("dotfiles/mcp.json"), 0o640) == 0)
    try FileManager.default.createSymbolicLink(
      atPath: episodic.path(".mcp.json"), withDestinationPath: episodic.path("dotfiles/mcp.json"))
    try episodic("install", "claude")
    #expect(
      try FileManager.default.destinationOfSymbolicLink(atPath: episodic.path(".mcp.json")).hasSuffix(
        "dotfiles/mcp.json"))
    #expect(try text("dotfiles/mcp.json").contains("episodic"))
    let mode = try FileManager.default.attributesOfItem(atPath: episodic.path("dotfiles/mcp.json"))[.posixPermissions]
    #expect(mode as? Int == 0o640)
  }
}
