import Foundation
import Testing

@testable import EpisodicCLI

@Suite struct `What record says about a command` {
  let episodic: CommandLineTool

  init() throws { episodic = try CommandLineTool() }

  private func facts(_ id: String) throws -> [String: Any]? {
    let result = try episodic("show", id, "--json")
    return (result.json?["metadata"] as? [String: Any])?["record"] as? [String: Any]
  }

  @Test func `exit status, working directory, host and git commit of the last command are in the metadata`() throws {
    let commit = String(repeating: "ab", count: 20)
    let result = try episodic.shell(
      """
      mkdir -p repository/.git/refs/heads repository/deep/er; cd repository
      echo 'ref: refs/heads/main' > .git/HEAD; echo \(commit) > .git/refs/heads/main
      cd deep/er; episodic record --task t --domain d --episode e -- sh -c 'exit 7'; pwd -P; hostname
      """)
    let lines = result.output.split(separator: "\n")
    let facts = try #require(try facts("e"), "\(result)")
    #expect(facts["exit_status"] as? Int == 7 && facts["git_commit"] as? String == commit)
    #expect(lines.count == 2 && facts["working_directory"] as? String == lines[0].description, "\(facts)")
    #expect(facts["host"] as? String == lines[1].description)
    try episodic("record", "--episode", "e", "--", "true")
    #expect(try self.facts("e")?["exit_status"] as? Int == 0)
    #expect(try self.facts("e")?["git_commit"] == nil)
  }

  @Test func `metadata that was there stays, and --no-environment adds none`() throws {
    try episodic(
      "begin", "--task", "t", "--domain", "d", "--context", "c", "--id", "e", "--metadata", #"{"ticket":42}"#)
    try episodic("record", "--episode", "e", "--no-environment", "--", "true")
    #expect(try facts("e") == nil)
    try episodic("record", "--episode", "e", "--", "true")
    let metadata = try episodic("show", "e", "--json").json?["metadata"] as? [String: Any]
    #expect(metadata?["ticket"] as? Int == 42 && Set(metadata?.keys ?? [:].keys) == ["record", "ticket"])
  }

  @Test func `the commit of a packed branch, a detached head and a further working tree is found`() throws {
    let commit = String(repeating: "0123456789abcdef", count: 4).prefix(40)
    let root = try episodic.shell(
      """
      mkdir -p packed/.git detached/.git main/.git/worktrees/x main/.git/refs/heads tree none; pwd
      echo 'ref: refs/heads/a/b' > packed/.git/HEAD
      printf '# pack-refs\\n\(commit) refs/heads/a/b\\n^ffff\\n' > packed/.git/packed-refs
      echo \(commit) > detached/.git/HEAD
      echo \(commit) > main/.git/refs/heads/y; echo 'ref: refs/heads/y' > main/.git/worktrees/x/HEAD
      echo ../.. > main/.git/worktrees/x/commondir; echo "gitdir: $PWD/main/.git/worktrees/x" > tree/.git
      """
    ).output.trimmingCharacters(in: .newlines)
    for name in ["packed", "detached", "tree"] {
      #expect(RecordEnvironment.commit(above: "\(root)/\(name)") == String(commit), "\(name)")
    }
    #expect(RecordEnvironment.commit(above: "/") == nil)
  }

  @Test func `a context for an episode that exists is refused before the command runs`() throws {
    try episodic.record(["--episode", "e", "--", "true"])
    for option in ["--context", "--session"] {
      let result = try episodic.record(["--episode", "e", option, "new", "--", "touch", "ran"])
      #expect(result.status == 2 && result.errors.contains("\"e\""), "\(result)")
    }
    #expect(!FileManager.default.fileExists(atPath: episodic.path("ran")))
  }

  @Test func `the report goes to a file or a descriptor of its own, which the command does not have`() throws {
    let file = try episodic.record(["--json-file", "report.json", "--", "echo", "out"])
    #expect(file.output == "out\n" && file.errors.isEmpty, "\(file)")
    let report = try String(contentsOfFile: episodic.path("report.json"), encoding: .utf8)
    #expect(report.contains("\"exit_status\":0") && report.hasSuffix("}\n"))
    let descriptor = try episodic.shell(
      "episodic record --task t --domain d --json-fd 7 -- sh -c 'ls /proc/self/fd | grep -x 7; true' 7>seven; cat seven"
    )
    #expect(descriptor.output.hasPrefix("{\"duration_ms\""), "\(descriptor)")
    let closed = "episodic record --task t --domain d --json-fd 9 -- touch ran"
    for script in ["\(closed) 9>&-", "\(closed) 9</dev/null"] {
      #expect(try episodic.shell(script).status == 2, "\(script)")
    }
    #expect(try episodic.record(["--json-file", "/nowhere/x", "--", "touch", "ran"]).status == 2)
    #expect(!FileManager.default.fileExists(atPath: episodic.path("ran")))
  }

  @Test func `a beginning of an id continues an episode, and begins none`() throws {
    try episodic.record(["--episode", "build-1", "--", "true"])
    #expect(try episodic("record", "--episode", "build", "--", "true").status == 0)
    #expect(try episodic("record", "--episode", "@last", "--", "true").errors.contains("3 steps"))
    try episodic.record(["--episode", "build", "--", "true"])
    #expect(try episodic.count() == 2)
  }
}
