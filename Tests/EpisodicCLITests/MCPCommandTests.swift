import EpisodicMemory
import Foundation
import TestSupport
import Testing

/// The built command as a client starts it.
@Suite struct `episodic mcp` {
  let episodic: CommandLineTool

  init() throws { episodic = try CommandLineTool() }

  static func request(_ method: String, _ parameters: JSON, id: Int) -> String {
    let message: JSON = ["jsonrpc": "2.0", "id": JSON(id), "method": .string(method), "params": parameters]
    return message.canonicalText + "\n"
  }

  static func call(_ tool: String, _ arguments: JSON, id: Int) -> String {
    request("tools/call", ["name": .string(tool), "arguments": arguments], id: id)
  }

  static let opening = request(
    "initialize", ["protocolVersion": "2025-06-18", "capabilities": [:], "clientInfo": ["name": "codex"]], id: 0)

  /// The answers by their ids.
  private func answers(_ output: String) throws -> [Int: JSON] {
    var answers: [Int: JSON] = [:]
    for line in output.split(separator: "\n") {
      let message = try JSON(text: String(line))
      #expect(message["jsonrpc"] == "2.0", "\(line)")
      if case .integer(let id)? = message["id"] { answers[Int(id)] = message }
    }
    return answers
  }

  @Test func `a conversation is answered whole, with nothing else on standard output`() throws {
    let record: JSON = [
      "id": "a", "context": "the login test fails", "status": "completed",
      "steps": [["action": "wait", "result": "passed"]],
    ]
    let first = try episodic(
      "mcp", "--domain", "web",
      input: Self.opening + Self.request("tools/list", [:], id: 1) + Self.call("record", record, id: 2))
    let answers = try answers(first.output)
    #expect(first.status == 0 && first.errors.isEmpty && answers.count == 3, "\(first)")
    #expect(answers[2]?["result"]?["structuredContent"]?["id"] == "a", "\(first)")
    // Without a line end at the end of the input.
    let second = try episodic(
      "mcp", "--domain", "web", "--tools", "recall",
      input: String(Self.opening + Self.call("recall", ["text": "login"], id: 1).dropLast()))
    #expect(try self.answers(second.output)[1]?["result"]?["structuredContent"]?["ids"] == ["a"], "\(second)")
    let shown = try episodic("show", "a", "--json").json
    #expect(shown?["actor"] as? String == "codex" && shown?["source"] as? String == "agent")
  }

  @Test func `the domain is the name of the git repository around the directory`() throws {
    let result = try episodic.shell(
      "mkdir -p shop/.git shop/src/deep && cd shop/src/deep && episodic mcp",
      input: Self.call("record", ["id": "a", "context": "c", "status": "failed"], id: 1))
    #expect(result.status == 0, "\(result)")
    #expect(try episodic("show", "a", "--json").json?["domain"] as? String == "shop")
  }

  @Test(arguments: [
    ["--tools", "recall,x"], ["--tools", ""], ["--read-only", "--tools", "record"], ["--domain", ""], ["x"],
    ["--http", ""], ["--http", "0.0.0.0:80"], ["--http", "80"], ["--token-file", "t"], ["--token-descriptor", "3"],
    ["--http", "127.0.0.1:0", "--token-file", "t", "--token-descriptor", "3"],
    ["--http", "unix:s", "--token-descriptor", "-1"],
  ])
  func `wrong options are bad usage, and nothing is printed`(_ options: [String]) throws {
    let result = try episodic.run(["mcp"] + options)
    #expect(result.status == 2 && result.output.isEmpty && !result.errors.isEmpty, "\(result)")
  }

  @Test func `--read-only makes no store, and changes none`() throws {
    let call = Self.call("recall", ["text": "x"], id: 1)
    let missing = try episodic("mcp", "--read-only", input: call)
    #expect(missing.output.contains("isError") && !FileManager.default.fileExists(atPath: episodic.store), "\(missing)")
    try episodic("import", "-", input: line("a"))
    let result = try episodic(
      "mcp", "--read-only", "--domain", "web", input: Self.call("recall", ["text": "login"], id: 1))
    #expect(result.output.contains("\"ids\":[\"a\"]"), "\(result)")
  }

  @Test func `with a damaged store the model is told, and the server ends as asked`() throws {
    try episodic("import", "-", input: line("a"))
    try Data(repeating: 0x5A, count: 65_536).write(to: URL(filePath: episodic.store + "/memory.sqlite"))
    let result = try episodic(
      "mcp", "--domain", "web", input: Self.opening + Self.call("recall", ["text": "login"], id: 1))
    let answer = try #require(try answers(result.output)[1]?["result"])
    #expect(result.status == 0 && answer["isError"] == true, "\(result)")
    #expect(answer["structuredContent"]?["error"]?.canonicalText.contains("Go on without it") == true, "\(result)")
  }

  @Test func `20 MB on one line is refused, and the next line answered`() throws {
    let result = try episodic(
      "mcp", input: String(repeating: "x", count: 20_000_000) + "\n" + Self.request("ping", [:], id: 1))
    let lines = result.output.split(separator: "\n")
    #expect(lines.count == 2 && lines[0].contains("-32700"), "\(result)")
    #expect(try answers(result.output)[1]?["result"] == [:])
  }

  @Test func `a client that stops reading ends the server, with what it recorded`() throws {
    let calls = (1...200).map { Self.call("record", ["id": "e\($0)", "context": "c", "status": "failed"], id: $0) }
    let result = try episodic.shell("episodic mcp --domain web | head -n 1", input: Self.opening + calls.joined())
    #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
  }

  /// Killed in the midst of recording and asked again: nothing is lost, and nothing is there twice.
  @Test(.timeLimit(.minutes(5))) func `a record that is killed and retried by its id is recorded once`() throws {
    let directory = try TemporaryDirectory()
    let steps = JSON.array((0..<50).map { ["action": "step \($0)", "result": "r"] })
    var environment = ProcessInfo.processInfo.environment
    environment["EPISODIC_STORE"] = episodic.store
    let program = Child.products.appending(path: "episodic").path(percentEncoded: false)
    for round in 0..<12 {
      let record: JSON = ["id": "r\(round)", "context": "c", "status": "completed", "steps": steps]
      let input = Self.opening + Self.call("record", record, id: 1)
      let child = try Child(
        running: program, ["mcp", "--domain", "web"], input: input, environment: environment, in: directory)
      usleep(UInt32(round) * 12_000)
      child.kill()
      let wasAnswered = try child.lines.contains { $0.contains("\"durable\":true") }
      if wasAnswered { #expect(try episodic("show", "r\(round)").status == 0, "an acknowledged record is lost") }
      let again = try episodic("mcp", "--domain", "web", input: input)
      #expect(try answers(again.output)[1]?["result"]?["structuredContent"]?["steps_total"] == 50, "\(again)")
      let shown = try episodic("show", "r\(round)", "--json").json
      #expect((shown?["steps"] as? [Any])?.count == 50 && shown?["status"] as? String == "completed")
    }
    #expect(try episodic("check", "--json").status == 0)
  }

  #if !HTTPServer
    @Test func `--http says in one line how to build it, where the build has no server of HTTP`() throws {
      let result = try episodic("mcp", "--http", "127.0.0.1:0")
      #expect(result.status == 2 && result.output.isEmpty, "\(result)")
      #expect(
        result.errors.contains("--traits HTTPServer") && result.errors.split(separator: "\n").count == 1, "\(result)")
    }
  #endif

  // MARK: Other clients

  private func converse(_ python: String, _ mode: String) throws {
    let program = Child.products.appending(path: "episodic").path(percentEncoded: false)
    try PythonClient.converse(python, mode, program, episodic.store)
  }

  @Test(
    .enabled(
      if: PythonClient.path("EPISODIC_MCP2_PYTHON", 2) != nil,
      "skipped: no Python with mcp 2.x; name one in EPISODIC_MCP2_PYTHON"),
    arguments: ["auto", "legacy", "2026-07-28"])
  func `the client mcp 2 for Python works in its three modes`(_ mode: String) throws {
    try converse(try #require(PythonClient.path("EPISODIC_MCP2_PYTHON", 2)), mode)
  }

  @Test(
    .enabled(
      if: PythonClient.path("EPISODIC_MCP1_PYTHON", 1) != nil,
      "skipped: no Python with mcp 1.x; name one in EPISODIC_MCP1_PYTHON"))
  func `the client mcp 1 for Python works`() throws {
    try converse(try #require(PythonClient.path("EPISODIC_MCP1_PYTHON", 1)), "session")
  }
}
