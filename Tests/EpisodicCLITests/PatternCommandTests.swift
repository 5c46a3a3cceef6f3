import Foundation
import Testing

@Suite struct `Patterns on the command line` {
  let episodic: CommandLineTool

  init() throws { episodic = try CommandLineTool() }

  private func patterns(_ arguments: String...) throws -> [[String: Any]] {
    let result = try episodic.run(["pattern", "list", "--json"] + arguments)
    return try #require(result.json?["patterns"] as? [[String: Any]], "\(result)")
  }

  @Test func `a pattern is added, listed, shown, used and deleted`() throws {
    let added = try episodic("pattern", "add", "--type", "optimization", "--data", #"{"hot":"parser"}"#)
    let id = added.output.trimmingCharacters(in: .newlines)
    #expect(added.status == 0 && !id.isEmpty, "\(added)")
    #expect(
      try episodic("pattern", "add", "--type", "optimization", "--data", #"{ "hot": "parser" }"#).output == "\(id)\n")
    #expect(try episodic("pattern", "use", id, "--succeeded").output == "\(id)\n")
    #expect(try episodic("pattern", "use", id, "--failed", "--json").json?["success_rate"] as? Double == 0.5)
    #expect(try patterns().map { $0["id"] as? String } == [id])
    #expect(try episodic("pattern", "list").output.contains("50 %"))
    let shown = try episodic("pattern", "show", id, "--json")
    #expect(
      shown.json?["usage_count"] as? Int == 2 && shown.json?["pattern_type"] as? String == "optimization", "\(shown)")
    #expect(try episodic("pattern", "show", id).output.contains("parser"))
    #expect(try episodic("pattern", "delete", id).output == "\(id)\n")
    for verb in ["show", "use", "delete"] { #expect(try episodic("pattern", verb, id).status == 1, "\(verb)") }
  }

  /// I8
  @Test func `a domain lists the patterns of its episodes`() throws {
    try episodic("import", "-", input: line("a") + line("b", domain: "db"))
    try episodic("pattern", "add", "--type", "t", "--data", "1", "--episode", "a")
    try episodic("pattern", "add", "-", input: #"{"pattern_type":"t","data":[2],"episodes":["b"]}"#)
    #expect(try patterns("--domain", "web").map { $0["data"] as? Int } == [1])
    #expect(try patterns("--episode", "b").map { $0["data"] as? [Int] } == [[2]])
    #expect(try patterns("--type", "none").isEmpty)
  }

  @Test func `a pattern is found by words and by a part of its data`() throws {
    try episodic("pattern", "add", "--type", "t", "--data", #"{"error":"connection refused","port":9000}"#)
    try episodic("pattern", "add", "--type", "t", "--data", #"{"error":"permission denied"}"#)
    #expect(try patterns("--text", "refused").count == 1 && patterns("--text", "error").count == 2)
    #expect(try patterns("--contains", #"{"port":9000}"#).count == 1)
    #expect(try patterns("--contains", #"{"port":1}"#).isEmpty)
  }

  @Test func `a link to an episode that is not there records nothing`() throws {
    try episodic("import", "-", input: line("a"))
    #expect(try episodic("pattern", "add", "--type", "t", "--data", "1", "--episode", "nobody").status == 1)
    #expect(try patterns().isEmpty)
  }
}
