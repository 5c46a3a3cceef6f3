import Foundation
import Testing

@Suite struct `Record` {
  let episodic: CommandLineTool

  init() throws { episodic = try CommandLineTool() }

  @Test func `a command that succeeds becomes a completed episode`() throws {
    let result = try record("--json", "--", "sh", "-c", "echo hello; echo oops >&2")
    #expect(result.status == 0 && result.errors == "oops\n", "\(result)")
    #expect(result.output.hasPrefix("hello\n"))
    let report = try json(result.output.split(separator: "\n").last ?? "")
    #expect(report["status"] as? String == "completed" && report["exit_status"] as? Int == 0)
    #expect(report["step_number"] as? Int == 1 && report["duration_ms"] is Int)
    let episode = try show(try #require(report["id"] as? String))
    #expect(episode["domain"] as? String == "web" && episode["task_type"] as? String == "testing")
    #expect(episode["context"] as? String == "sh -c 'echo hello; echo oops >&2'")
    let step = try #require((episode["steps"] as? [[String: Any]])?.first)
    #expect(step["action"] as? String == "sh -c 'echo hello; echo oops >&2'")
    #expect(step["tool"] as? String == "sh" && step["success"] as? Bool == true)
    #expect(Set((step["result"] as? String ?? "").split(separator: "\n")) == ["hello", "oops"])
  }

  @Test func `a command that fails becomes a failed episode, and a word of its output finds it`() throws {
    let result = try record("--", "sh", "-c", "printf 'connection re%s' fused; exit 3")
    #expect(result.status == 0 && result.errors.contains("(failed, 1 step)"), "\(result)")
    let found = try episodic("recall", "refused", "--domain", "web", "--json")
    #expect((found.json?["results"] as? [Any])?.count == 1, "\(found)")
  }

  @Test(arguments: [("exit 7", 7), ("kill -9 $$", 137), ("true", 0)])
  func `--exit-status exits with the command's status`(script: String, status: Int32) throws {
    #expect(try record("--exit-status", "--", "sh", "-c", script).status == status)
  }

  @Test func `a command killed by a signal is a failure, and the result names the signal`() throws {
    let step = try lastStep(record("--json", "--", "sh", "-c", "echo before; kill -TERM $$"))
    #expect(step["success"] as? Bool == false)
    let result = step["result"] as? String ?? ""
    #expect(result.hasPrefix("before\n[killed by signal 15"), "\(result)")
  }

  @Test func `commands share an episode, and the last one decides its status`() throws {
    let task = ["record", "--task", "testing", "--domain", "web"]
    #expect(try episodic("record", "--episode", "e", "--", "true").status == 2)
    #expect(
      try episodic.run(task + ["--episode", "e", "--keep-open", "--", "true"]).errors.contains("(active, 1 step)"))
    #expect(try episodic("record", "--episode", "e", "--", "false").errors.contains("(failed, 2 steps)"))
    #expect(try episodic("record", "--episode", "e", "--", "true").errors.contains("(completed, 3 steps)"))
    #expect(try episodic.run(task + ["--episode", "e", "--", "true"]).errors.contains("(completed, 4 steps)"))
    let steps = try #require(try show("e")["steps"] as? [[String: Any]])
    #expect(steps.map { $0["step_number"] as? Int } == [1, 2, 3, 4])
    #expect(steps.map { $0["success"] as? Bool } == [true, false, true, true])
  }

  /// The error does not name that domain (I8).
  @Test func `an episode of another domain is not written to`() throws {
    try record("--episode", "e", "--", "true")
    let result = try episodic("record", "--task", "t", "--domain", "elsewhere", "--episode", "e", "--", "true")
    #expect(result.status == 2 && result.errors.contains("another domain"), "\(result)")
    #expect(!result.errors.contains("web"), "\(result)")
    #expect((try show("e")["steps"] as? [Any])?.count == 1)
  }

  @Test func `recorders that share an episode lose no step`() throws {
    let count = 8
    let script = (1...count).map { "episodic record --task t --domain d --episode e -- sh -c 'exit \($0 % 2)' &" }
    let result = try episodic.shell(script.joined(separator: "\n") + "\nwait")
    #expect(result.errors.split(separator: "\n").filter { $0.hasPrefix("recorded e ") }.count == count, "\(result)")
    #expect((try show("e")["steps"] as? [Any])?.count == count)
    #expect(try show("e")["status"] as? String != "active")
  }

  @Test func `output that is not UTF-8 is repaired, and NUL removed`() throws {
    let step = try lastStep(record("--json", "--", "printf", "a\\000b\\377c\\n"))
    #expect(step["result"] as? String == "ab\u{FFFD}c\n")
  }

  @Test func `words are quoted for a shell`() throws {
    let step = try lastStep(record("--json", "--", "true", "plain", "two words", "it's", "$HOME", ""))
    #expect(step["action"] as? String == #"true plain 'two words' 'it'\''s' '$HOME' ''"#)
  }

  @Test func `standard input reaches the command`() throws {
    let step = try lastStep(
      episodic("record", "--task", "t", "--domain", "d", "--json", "--", "cat", input: "from outside"))
    #expect(step["result"] as? String == "from outside")
  }

  @Test func `Ctrl-C ends the command, and the step is recorded`() throws {
    // Its own process group, like a terminal's foreground job, so that the signal reaches recorder and command.
    // Without a terminal only bash has job control.
    let result = try episodic.shell(
      """
      exec bash -c '
      set -m
      episodic record --task t --domain d --episode e -- sh -c "echo ready > ready; sleep 30" &
      while [ ! -s ready ]; do sleep 0.02; done
      kill -INT -$!
      wait $!'
      """)
    #expect(result.status == 0, "\(result)")
    let step = try #require((try show("e")["steps"] as? [[String: Any]])?.first)
    #expect(step["success"] as? Bool == false)
    #expect((step["result"] as? String)?.contains("signal 2") == true)
  }

  // MARK: Details

  @discardableResult
  private func record(_ arguments: String...) throws -> CommandLineTool.Result { try episodic.record(arguments) }

  private func json(_ text: some StringProtocol) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  private func show(_ id: String) throws -> [String: Any] {
    let result = try episodic("show", id, "--json")
    return try #require(result.json, "\(result)")
  }

  private func lastStep(_ result: CommandLineTool.Result) throws -> [String: Any] { try episodic.lastStep(result) }
}
