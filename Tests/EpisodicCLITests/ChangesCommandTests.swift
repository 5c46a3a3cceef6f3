import Foundation
import Testing

@Suite struct `Changes on the command line` {
  let episodic: CommandLineTool

  init() throws {
    episodic = try CommandLineTool()
    try episodic("begin", "--task", "t", "--domain", "web", "--context", "c", "--id", "a")
    try episodic("append", "a", "--action", "x")
    try episodic("begin", "--task", "t", "--domain", "db", "--context", "c", "--id", "b")
  }

  private func changes(_ arguments: String...) throws -> [[String: Any]] {
    let result = try episodic.run(["changes", "--json"] + arguments)
    #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
    return try result.output.split(separator: "\n").map {
      try JSONSchema("change").check(String($0))
      return try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  @Test func `what changed comes in the order of the commits, and ends`() throws {
    let all = try changes()
    #expect(all.map { $0["id"] as? String } == ["a", "a", "b"])
    #expect(all.map { $0["subject"] as? String } == ["episode", "step", "episode"])
    #expect(all.allSatisfy { $0["kind"] as? String == "insert" } && all[1]["step_number"] as? Int == 1)
    #expect(try changes("--limit", "2").count == 2)
    #expect(try episodic("changes").output.split(separator: "\n").count == 3)
  }

  /// I8
  @Test func `a domain sees its own changes, and the command ends also if the last is of another`() throws {
    #expect(try changes("--domain", "web").map { $0["id"] as? String } == ["a", "a"])
    #expect(try changes("--domain", "nowhere").isEmpty)
  }

  @Test func `a cursor goes on where it was taken`() throws {
    let first = try changes("--limit", "1")
    let cursor = try #require(first[0]["cursor"] as? String)
    #expect(try changes("--after", cursor).map { $0["id"] as? String } == ["a", "b"])
    let end = try episodic("changes", "--cursor").output.trimmingCharacters(in: .newlines)
    #expect(try changes("--after", end).isEmpty)
    try episodic("delete", "a")
    let later = try changes("--after", end)
    #expect(later.map { $0["kind"] as? String } == ["delete"] && later[0]["id"] as? String == "a", "\(later)")
    #expect(try changes("--after", "beginning").count >= 3)
    #expect(try episodic("changes", "--after", "x").status == 2)
  }

  @Test func `--follow tells what other processes change, and ends at its limit`() throws {
    let result = try episodic.shell(
      """
      episodic changes --follow --json --limit 2 > followed & watcher=$!
      while ! [ -s begun ]; do episodic append a --action again; sleep 0.1; [ "$(wc -l < followed)" -ge 2 ] && echo > begun; done
      wait $watcher; echo ended $?; cat followed
      """)
    #expect(result.output.contains("ended 0"), "\(result)")
    #expect(result.output.split(separator: "\n").filter { $0.contains("\"subject\":\"step\"") }.count == 2, "\(result)")
  }
}
