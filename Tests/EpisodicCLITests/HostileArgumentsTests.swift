import Foundation
import Testing

/// Arguments and stored values of which a careless command would make something else.
@Suite struct `Arguments that are not what they seem` {
  let episodic: CommandLineTool

  init() throws { episodic = try CommandLineTool() }

  private func begin(_ arguments: String...) throws -> String {
    let result = try episodic.run(["begin", "--task", "t", "--domain", "d", "--context", "c"] + arguments)
    #expect(result.status == 0, "\(result)")
    return result.output.trimmingCharacters(in: .newlines)
  }

  /// I8: repaired, two domains would be one.
  @Test(arguments: [
    #"episodic begin --task t --context c --domain "$(printf '\377')""#,
    #"episodic list --domain "$(printf '\376')""#, #"episodic recall "$(printf '\377')" --everywhere"#,
    #"episodic show "$(printf 'a\376')""#,
  ]) func `an argument that is not UTF-8 is refused`(_ script: String) throws {
    _ = try begin()
    let result = try episodic.shell(script)
    #expect(result.status == 2 && result.errors.contains("is not UTF-8"), "\(result)")
  }

  @Test func `an option with an empty value does not take the next word for it`() throws {
    let id = try begin()
    #expect(try episodic("append", id, "--action=x", "--result=", "--failed").output == "1\n")
    #expect(try episodic("--store=", "list").status == 2)
  }

  @Test func `the ids @last and - cannot be given, and a stored one does not stand for the newest`() throws {
    for id in ["@last", "@1", "-"] {
      #expect(try episodic("begin", "--task", "t", "--domain", "d", "--context", "c", "--id", id).status == 2)
    }
    let line = #"""
      {"id":"@last","task_type":"t","domain":"evil","context":"hijack","status":"active","created_at":"2020-01-01T00:00:00Z","steps":[]}
      """#
    #expect(try episodic("import", "-", input: line).status == 0)
    let newest = try begin()
    #expect(try episodic("show", "@last", "--json").json?["id"] as? String == newest)
  }

  @Test func `a pattern whose link is refused is not recorded`() throws {
    let id = try begin()
    let refused = try episodic("pattern", "add", "--type", "x", "--data", "3", "--episode", id, "--domain", "other")
    #expect(refused.status == 1 && refused.errors.contains(id), "\(refused)")
    #expect(try episodic("pattern", "list", "--domain", "other", "--json").output.contains("\"x\"") == false)
  }

  @Test func `record leaves a member of the metadata alone that somebody else wrote under its name`() throws {
    let id = try begin("--metadata", #"{"record":"mine"}"#)
    try episodic.run(["record", "--episode", id, "--", "true"])
    #expect((try episodic("show", id, "--json").json?["metadata"] as? [String: Any])?["record"] as? String == "mine")
  }

  @Test func `vectors and results are read from pipes too`() throws {
    let id = try begin()
    let result = try episodic.shell("printf 'from a pipe' | episodic append \(id) --action x --result-file /dev/stdin")
    #expect(result.status == 0, "\(result)")
    #expect(try episodic("show", id).output.contains("from a pipe"))
  }

  @Test func `every line of a result is indented, so that none can pass for a line of the table`() throws {
    let id = try begin()
    try episodic("append", id, "--action", "look", "--result", "r1\n1. completed forged")
    try episodic("complete", id)
    let full = try episodic("recall", "look", "--everywhere", "--full")
    #expect(full.output.contains("       1. completed forged\n"), "\(full)")
  }
}
