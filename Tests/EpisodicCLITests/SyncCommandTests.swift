import EpisodicMemory
import Foundation
import TestSupport
import Testing

@Suite struct `episodic sync and import of logs` {
  let episodic: CommandLineTool

  init() throws { episodic = try CommandLineTool() }

  private static let log = """
    {"type":"user","uuid":"u","promptId":"p","sessionId":"S","cwd":"/src/shop","timestamp":"2026-11-21T06:48:01Z","message":{"content":"fix the login"}}
    {"type":"assistant","uuid":"a","parentUuid":"u","sessionId":"S","timestamp":"2026-11-21T06:48:02Z","message":{"content":[{"type":"tool_use","id":"c","name":"Bash","input":{"command":"make"}}]}}
    {"type":"user","uuid":"r","parentUuid":"a","sessionId":"S","timestamp":"2026-11-21T06:48:03Z","message":{"content":[{"type":"tool_result","tool_use_id":"c","content":"no rule","is_error":true}]}}

    """

  /// Runs in the folder of the test, with the clients' folders in it.
  private func sync(_ arguments: String) throws -> CommandLineTool.Result {
    try episodic.shell("CLAUDE_CONFIG_DIR=$PWD/claude CODEX_HOME=$PWD/codex episodic \(arguments)")
  }

  private func write(_ text: String, _ name: String) throws {
    let path = episodic.path(name)
    try FileManager.default.createDirectory(
      at: URL(filePath: path).deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(filePath: path))
  }

  @Test func `sync takes in what is new in the folder of the client, and nothing twice`() throws {
    let missing = try sync("sync claude")
    #expect(missing.status == 1 && missing.errors.contains("no logs in") && missing.output.isEmpty, "\(missing)")
    try write(Self.log, "claude/projects/-src-shop/S.jsonl")
    let dry = try sync("sync claude --dry-run")
    #expect(
      dry.status == 0 && dry.output.contains("1 new episode") && dry.output.contains("nothing was stored"), "\(dry)")
    #expect(!FileManager.default.fileExists(atPath: episodic.store))
    let first = try sync("sync claude --json").json
    #expect(first?["added"] as? Int == 1 && first?["steps"] as? Int == 1, "\(String(describing: first))")
    let second = try sync("sync claude --json").json
    #expect(second?["added"] as? Int == 0 && second?["unchanged_files"] as? Int == 1)
    let shown = try episodic("show", "@last", "--json").json
    #expect(shown?["domain"] as? String == "shop" && (shown?["steps"] as? [Any])?.count == 1)
    #expect(try episodic("recall", "no rule", "--domain", "shop").output.contains("fix the login"))
    #expect(try episodic("doctor").status == 0)
  }

  @Test func `an episode that the hook recorded is the one of the log`() throws {
    for event in [
      #"{"hook_event_name":"UserPromptSubmit","session_id":"S","prompt_id":"p","cwd":"/src/shop","prompt":"fix the login"}"#,
      #"{"hook_event_name":"PostToolUseFailure","session_id":"S","cwd":"/src/shop","tool_name":"Bash","tool_use_id":"c","tool_input":{"command":"make"},"error":"no rule"}"#,
      #"{"hook_event_name":"Stop","session_id":"S","cwd":"/src/shop"}"#,
    ] {
      #expect(try episodic("hook", input: event).status == 0)
    }
    try write(Self.log, "claude/projects/-src-shop/S.jsonl")
    let report = try sync("sync claude --json").json
    #expect(report?["added"] as? Int == 0 && report?["steps"] as? Int == 0, "\(String(describing: report))")
    #expect(try episodic.count() == 1)
  }

  @Test func `import reads files and folders, and tells options for episodes from those for logs`() throws {
    try write(Self.log, "old/deep/S.jsonl")
    try write(#"{"id":"x"}"#, "other.jsonl")
    #expect(try episodic("import", "--format", "auto", "old").output.contains("1 new episode"))
    #expect(try episodic("import", "--format", "claude", "old/deep/S.jsonl").output.contains("0 new episodes"))
    let unknown = try episodic("import", "--format", "auto", "other.jsonl")
    #expect(unknown.status == 2 && unknown.errors.contains("no log of a form that is known"), "\(unknown)")
    for wrong in [
      ["--format", "claude", "--existing", "skip", "old"], ["--format", "claude", "--keep-going", "old"],
      ["--since", "1d", "x.jsonl"], ["--dry-run", "x.jsonl"], ["--format", "unheard", "old"],
      ["--format", "claude", "missing"],
    ] {
      let result = try episodic.run(["import"] + wrong)
      #expect(result.status == 2 && result.output.isEmpty, "\(wrong) \(result)")
    }
  }

  @Test func `sync goes on with --watch until it is interrupted`() throws {
    try write(Self.log, "codex/sessions/2026/rollout-1.jsonl")
    try write(Self.log, "claude/projects/a/S.jsonl")
    let later = Self.log.replacing("\"S\"", with: "\"T\"").replacing("fix the login", with: "fix the logout")
    try write(later, "later.jsonl")
    let result = try sync(
      """
      sync claude --watch > out & pid=$!
      for i in $(seq 300); do grep -q '1 new' out && break; sleep 0.1; done
      cp later.jsonl claude/projects/a/T.jsonl
      for i in $(seq 300); do [ "$(grep -c '1 new' out)" = 2 ] && break; sleep 0.1; done
      kill -INT $pid; kill $pid 2>/dev/null; wait $pid; cat out
      """)
    #expect(result.output.matches(of: /1 new episode/).count == 2, "\(result)")
    #expect(try episodic.count() == 2)
  }
}
