import Foundation
import Testing

@Suite struct `Recall, list and show` {
  let episodic: CommandLineTool

  init() throws {
    episodic = try CommandLineTool()
    let lines = [
      line("a", context: "repair the login page", result: "connection refused"),
      line("b", domain: "db", context: "migrate the schema", status: "failed", result: "permission denied"),
      line("c", context: "tune the parser", status: "active", result: "refused again"),
    ]
    let vectors = try episodic.file("v.f32", rows([1, 0, 0, 1, 1, 1]))
    let result = try episodic(
      "import", "-", "--vectors", vectors, "--model", "m", "--dimensions", "2", input: lines.joined())
    #expect(result.status == 0, "\(result)")
  }

  @Test func `a word of a result finds its episode`() throws {
    let result = try episodic("recall", "refused", "--everywhere", "--json")
    #expect(result.status == 0)
    let results = try #require(result.json?["results"] as? [[String: Any]])
    #expect(results.map { $0["id"] as? String } == ["a"])
    let steps = (results[0]["episode"] as? [String: Any])?["steps"] as? [[String: Any]]
    #expect(steps?.map { $0["result"] as? String } == ["connection refused"])
    #expect((results[0]["matches"] as? [[String: Any]])?.first?["step"] as? Int == 1)
    #expect(result.json?["ms"] is NSNumber)
    #expect(try episodic("recall", "refused", "--everywhere").output.contains("a  "))
  }

  /// I8
  @Test(arguments: [
    #"{"id":"q","text":"refused","domain":"db"}"#, #"{"id":"q","text":"refused","filters":{"domain":null}}"#,
    #"{"id":"q","text":"refused","filters":{"dommain":"db"}}"#, #"{"id":"q","text":"refused","status":"failed"}"#,
    #"{"id":"q","text":"refused","limit":3}"#,
  ])
  func `a filter that would not be applied is refused`(_ query: String) throws {
    let result = try episodic("recall", "--queries", "-", "--output", "-", input: query + "\n")
    #expect(result.status == 2 && result.output.isEmpty, "\(result)")
  }

  @Test func `results do not overwrite the queries`() throws {
    let queries = try episodic.file("q.jsonl", #"{"id":"q","text":"refused"}"#)
    #expect(try episodic("recall", "--queries", queries, "--output", queries).status == 2)
    #expect(try String(contentsOfFile: queries, encoding: .utf8).hasPrefix("{"))
  }

  @Test func `nothing of another domain is found`() throws {
    #expect(try ids("recall", "refused", "permission", "--domain", "db") == ["b"])
  }

  @Test func `filters, phrases and prefixes restrict the results`() throws {
    #expect(try ids("recall", "refused", "--everywhere", "--status", "active") == ["c"])
    #expect(try ids("recall", "--phrase", "permission denied", "--everywhere") == ["b"])
    #expect(try ids("recall", "--prefix", "migr", "--everywhere") == ["b"])
    #expect(try ids("recall", "refused", "--everywhere", "--before", "2026-01-31") == [])
  }

  @Test func `a vector finds its nearest episode`() throws {
    let vector = try episodic.file("q.f32", rows([0, 1]))
    let options = ["--query-vectors", vector, "--dimensions", "2", "--everywhere"]
    #expect(try ids(["recall", "--mode", "vector"] + options).first == "b")
    #expect(try ids(["recall", "refused", "--mode", "text", "--model", "m"] + options) == ["a"])
    #expect(try Set(ids(["recall", "refused"] + options)) == ["a", "b"])
    let two = try episodic.file("two.f32", rows([0, 1, 1, 0]))
    let result = try episodic("recall", "x", "--everywhere", "--query-vectors", two, "--dimensions", "2")
    #expect(result.status == 2 && result.errors.contains("2 rows"), "\(result)")
  }

  @Test(arguments: ["the", "\"", "", "NEAR(", "'; DROP TABLE episodes; --", "a AND OR NOT \"b"])
  func `any text is words and never a syntax error`(text: String) throws {
    let result = try episodic("recall", text, "--everywhere")
    let isAnswered = result.status == 0 || result.status == 1 && result.errors == "nothing found\n"
    #expect(isAnswered || result.status == 2 && result.errors.contains("no word"), "\(result)")
  }

  @Test func `a query without a word gets an empty result and a warning, and the others are answered`() throws {
    let queries = try episodic.file(
      "q.jsonl",
      ["refused", "???", "🙈 -", "refused"].enumerated().map { #"{"id":"\#($0)","text":"\#($1)"}"# }.joined(
        separator: "\n"))
    let result = try episodic("recall", "--queries", queries, "--output", "-")
    #expect(result.status == 0, "\(result)")
    let lines = result.output.split(separator: "\n")
    #expect(lines.count == 4 && lines[1].contains(#""query_id":"1","results":[]"#), "\(result)")
    let warnings = result.errors.split(separator: "\n")
    #expect(warnings.count == 2 && warnings[0].contains("q.jsonl:2: ") && warnings[0].contains("warning"), "\(result)")
    #expect(lines[0].contains("score") == lines[3].contains("score"))
  }

  @Test func `--keep-going skips bad lines of queries, each with its vector, and exits with 1`() throws {
    let queries = try episodic.file(
      "q.jsonl",
      "{\"id\":\"1\",\"text\":\"refused\"}\nnonsense\n{\"id\":\"3\",\"filters\":{\"domain\":\"\"},\"text\":\"x\"}\n{\"id\":\"4\"}"
    )
    let vectors = try episodic.file("q.f32", rows([1, 1, 2, 2, 3, 3, 4, 4]))
    let result = try episodic(
      "recall", "--keep-going", "--queries", queries, "--output", "-", "--query-vectors", vectors, "--dimensions", "2")
    #expect(result.status == 1, "\(result)")
    #expect(result.output.matches(of: /"query_id":"(.)"/).map { String($0.1) } == ["1", "4"], "\(result)")
    #expect(result.errors.contains("q.jsonl:2: ") && result.errors.contains("q.jsonl:3: "), "\(result)")
  }

  @Test func `a file of queries is answered in its order`() throws {
    let queries = try episodic.file(
      "q.jsonl",
      """
      {"id": "2", "text": "permission", "filters": {}, "category": "x", "metadata": {"by": "hand"}}
      {"id": "1", "text": "refused", "filters": {"domain": "web"}, "exclude_ids": ["a"]}

      {"id": "3", "text": "permission", "filters": {"domain": "web"}}
      """)
    let output = episodic.path("r.jsonl")
    #expect(try episodic("recall", "--queries", queries, "--output", output).status == 0)
    let lines = try String(contentsOfFile: output, encoding: .utf8).split(separator: "\n")
    let results = try lines.map { try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]) }
    #expect(results.map { $0["query_id"] as? String } == ["2", "1", "3"])
    #expect(results.map { ($0["results"] as? [[String: Any]])?.map { $0["id"] as? String } } == [["b"], ["a"], []])
    #expect(results.allSatisfy { $0["ms"] is NSNumber })
    let again = try episodic(
      "recall", "--queries", "-", "--output", "-", input: String(contentsOfFile: queries, encoding: .utf8))
    #expect(again.output.split(separator: "\n").count == 3, "\(again)")
  }

  @Test(arguments: [
    ("nonsense", "not JSON"), (#"{"id": "q", "text": "x", "filters": {"domain": ""}}"#, "domain is empty"),
    (#"{"text": "x"}"#, "id is missing"),
    (#"{"id": "q", "text": "x", "filters": {"domian": "web"}}"#, "domian"),
  ]) func `a bad query is named with file and line, and no results appear`(bad: String, says: String) throws {
    let queries = try episodic.file("q.jsonl", "{\"id\": \"1\", \"text\": \"refused\"}\n\(bad)\n")
    let output = episodic.path("r.jsonl")
    let result = try episodic("recall", "--queries", queries, "--output", output)
    #expect(result.status == 2 && result.errors.contains("q.jsonl:2: ") && result.errors.contains(says), "\(result)")
    #expect(!FileManager.default.fileExists(atPath: output))
  }

  @Test func `a list is newest first, filtered, and continues at its cursor`() throws {
    #expect(try listed("--domain", "web").ids == ["c", "a"])
    #expect(try listed("--status", "failed", "--status", "active").ids == ["c", "b"])
    let first = try listed("--limit", "2")
    let next = try #require(first.next)
    let second = try listed("--after-cursor", next)
    #expect(first.ids + second.ids == ["c", "b", "a"] && second.next == nil)
    #expect(try episodic("list", "--limit", "0").status == 2)
  }

  @Test func `show prints the steps, and as JSON the line of an export`() throws {
    let text = try episodic("show", "b").output
    #expect(text.contains("migrate the schema") && text.contains("permission denied"))
    let json = try episodic("show", "b", "--json").output
    #expect(try episodic("export").output.contains(json))
  }

  @Test func `a text cannot move the cursor or change colours`() throws {
    try episodic(
      "import", "-", input: line("esc", context: "red \\u001b[31m \\u0007 \\u202e", result: "\\u001b]0;title\\u0007"))
    for arguments in [["show", "esc"], ["list"], ["recall", "red", "--everywhere"]] {
      let output = try episodic.run(arguments).output
      #expect(output.contains("red") && !output.contains("\u{1B}") && !output.contains("\u{202E}"), "\(arguments)")
    }
  }

  @Test func `stats, check and rebuild report on the store`() throws {
    let stats = try episodic("stats", "--json").json
    let primary = try #require(stats?["primary"] as? [String: Any])
    #expect(primary["steps"] as? Int == 3 && stats?["cache"] is [String: Any])
    #expect(try episodic("stats").output.contains("episodes  3"))
    #expect(try episodic("check", "--json").json?["passed"] as? Bool == true)
    #expect(try episodic("rebuild").status == 0)
    let check = try episodic("check")
    #expect(check.status == 0 && check.output.split(separator: "\n").allSatisfy { $0.hasPrefix("ok ") }, "\(check)")
  }

  private func ids(_ arguments: String...) throws -> [String] { try ids(arguments) }

  private func ids(_ arguments: [String]) throws -> [String] {
    let result = try episodic.run(arguments + ["--json"])
    let results = try #require(result.json?["results"] as? [[String: Any]], "\(result)")
    return results.compactMap { $0["id"] as? String }
  }

  private func listed(_ arguments: String...) throws -> (ids: [String], next: String?) {
    let result = try episodic.run(["list", "--json"] + arguments)
    let episodes = try #require(result.json?["episodes"] as? [[String: Any]], "\(result)")
    return (episodes.compactMap { $0["id"] as? String }, result.json?["next"] as? String)
  }
}
