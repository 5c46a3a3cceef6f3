import Foundation
import Testing

@Suite struct `Usage and exit codes` {
  let episodic: CommandLineTool

  init() throws { episodic = try CommandLineTool() }

  private static let commands = [
    "record", "begin", "append", "complete", "fail", "archive", "reopen", "update", "delete", "forget", "receipts",
    "embed", "recall", "list",
    "show", "domains", "sessions", "pattern add", "pattern list", "pattern show", "pattern use", "pattern delete",
    "import", "export", "stats",
    "changes",
    "check", "doctor", "rebuild", "maintain", "retention show", "retention set", "retention clear", "retention apply",
    "config", "backup", "backups", "verify", "restore", "salvage",
  ]

  @Test(arguments: commands) func `the help of every command has examples`(command: String) throws {
    let help = try episodic.run(command.split(separator: " ").map(String.init) + ["--help"])
    #expect(help.status == 0 && help.output.contains("EXAMPLES") && help.output.contains("--store"))
    #expect(help.errors.isEmpty)
  }

  @Test func `the top-level help names every command and exit code`() throws {
    let help = try episodic("--help")
    #expect(help.status == 0)
    for command in Self.commands {
      #expect(help.output.contains("  \(command.prefix { $0 != " " }) "))
    }
    for code in 0...3 { #expect(help.output.contains("  \(code)  ")) }
  }

  @Test func `the version is on standard output`() throws {
    let version = try episodic("--version")
    #expect(version.status == 0 && version.output.contains("."))
  }

  @Test(arguments: [
    ["nonsense"], ["list", "--nonsense"], ["list", "--limit", "many"], ["list", "--status", "done"],
    ["list", "--after", "soon"], ["list", "--after-cursor", "x"], ["show"], ["import"], ["recall"],
    ["recall", "refused"], ["recall", "refused", "--domain", "web", "--everywhere"],
    ["recall", "refused", "--everywhere", "--mode", "vector"],
    ["recall", "refused", "--everywhere", "--mode", "magic"],
    ["recall", "--queries", "q.jsonl"], ["recall", "refused", "--everywhere", "--output", "r.jsonl"],
    ["recall", "x", "--queries", "q.jsonl", "--output", "-"],
    ["recall", "--queries", "q.jsonl", "--output", "-", "--domain", "web"],
    ["recall", "x", "--everywhere", "--dimensions", "3"], ["recall", "x", "--everywhere", "--query-vectors", "v.f32"],
    ["import", "a.jsonl", "--vectors", "v.f32"], ["import", "a.jsonl", "--existing", "merge"],
    ["record", "--task", "testing", "--domain", "web"], ["record", "--task", "testing", "--", "true"],
    ["record", "--", "true"], ["record", "true"],
  ]) func `bad usage ends with 2 and one line that says where help is`(arguments: [String]) throws {
    let result = try episodic.run(arguments)
    #expect(result.status == 2, "\(result)")
    #expect(result.output.isEmpty)
    #expect(result.errors.hasPrefix("episodic: ") && result.errors.hasSuffix("--help\n"), "\(result)")
    #expect(result.errors.split(separator: "\n").count == 1, "\(result)")
  }

  @Test(arguments: [
    ["list"], ["show", "a"], ["stats"], ["check"], ["rebuild"], ["export"], ["recall", "x", "--everywhere"],
  ]) func `a store that is not there ends with 3, names the path and is not made`(arguments: [String]) throws {
    let result = try episodic.run(arguments)
    #expect(result.status == 3, "\(result)")
    #expect(result.errors.contains(episodic.store) && result.errors.split(separator: "\n").count == 1, "\(result)")
    #expect(!FileManager.default.fileExists(atPath: episodic.store))
  }

  @Test(arguments: [["list"], ["import", "-"], ["record", "--task", "t", "--domain", "d", "--", "true"]])
  func `a directory that is not a store exits with 3`(arguments: [String]) throws {
    try FileManager.default.createDirectory(atPath: episodic.store, withIntermediateDirectories: true)
    _ = try episodic.file("store/memory.sqlite", String(repeating: "this is no database. ", count: 500))
    let result = try episodic.run(arguments, input: line("a"))
    #expect(result.status == 3 && result.errors.split(separator: "\n").count == 1, "\(result)")
  }

  @Test func `an unknown id exits with 1`() throws {
    try episodic("import", "-", input: line("a"))
    let result = try episodic("show", "b")
    #expect(result.status == 1 && result.output.isEmpty && result.errors.contains("\"b\""), "\(result)")
  }

  @Test func `--store overrides the environment`() throws {
    let other = episodic.path("other")
    try episodic("import", "-", "--store", other, input: line("a"))
    #expect(try episodic("show", "a", "--store", other).status == 0)
    #expect(try episodic("show", "a").status == 3)
  }

  @Test func `a closed reader makes no command trap`() throws {
    let lines = (0..<2000).map { line("id-\($0)", context: String(repeating: "word ", count: 20)) }.joined()
    try episodic("import", "-", input: lines)
    let result = try episodic.shell("episodic export | head -n 1; episodic list --limit 1000 | head -n 1")
    #expect(result.status == 0 && result.output.split(separator: "\n").count == 2, "\(result)")
    #expect(!result.errors.contains("atal") && !result.errors.contains("rash"), "\(result)")
  }
}
