import Foundation
import Testing

@Suite struct `An episode from a shell script` {
  let episodic: CommandLineTool

  init() throws { episodic = try CommandLineTool() }

  @discardableResult
  private func begin(_ arguments: String...) throws -> String {
    let result = try episodic.run(
      ["begin", "--task", "debugging", "--domain", "web", "--context", "the login fails"] + arguments)
    #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
    return result.output.trimmingCharacters(in: .newlines)
  }

  private func show(_ id: String) throws -> [String: Any] {
    let result = try episodic("show", id, "--json")
    return try #require(result.json, "\(result)")
  }

  @Test func `begin prints the id alone, append the number, complete the id`() throws {
    let id = try begin()
    #expect(
      try episodic("append", id, "--action", "a", "--result", "r", "--tool", "sh", "--failed", "--duration-ms", "12")
        .output
        == "1\n")
    #expect(try episodic("append", id, "--action", "b", "--succeeded", "--at", "2026-01-31T12:00:00Z").output == "2\n")
    #expect(try episodic("complete", id, "--success-rate", "0.25").output == "\(id)\n")
    let episode = try show(id)
    #expect(episode["status"] as? String == "completed" && episode["success_rate"] as? Double == 0.25)
    let steps = try #require(episode["steps"] as? [[String: Any]])
    #expect(steps[0]["success"] as? Bool == false && steps[0]["duration_ms"] as? Int == 12)
    #expect(steps[1]["timestamp"] as? String == "2026-01-31T12:00:00Z" && steps[1]["success"] as? Bool == true)
  }

  @Test func `an object on standard input needs only what has no default`() throws {
    let begun = try episodic(
      "begin", "-", "--json", input: #"{"task_type":"testing","domain":"web","context":"x","session":"s"}"#)
    let id = try #require(begun.json?["id"] as? String, "\(begun)")
    #expect(begun.json?["status"] as? String == "active" && (begun.json?["steps"] as? [Any])?.isEmpty == true)
    #expect(try episodic("append", id, "-", input: #"{"action":"a","success":null}"#).output == "1\n")
    #expect(try episodic("append", "-", input: #"{"id":"\#(id)","action":"b","duration_ms":1.5e3}"#).output == "2\n")
    #expect(try episodic("append", id, "-", input: #"[{"action":"c"},{"action":"d"}]"#).output == "3\n4\n")
    #expect(try episodic("fail", "-", input: #"{"id":"\#(id)","success_rate":0.5}"#).status == 0)
    #expect(try episodic("update", id, "-", input: #"{"session":null,"metadata":{"k":1}}"#).status == 0)
    let episode = try show(id)
    #expect(episode["session"] == nil && (episode["metadata"] as? [String: Int]) == ["k": 1])
    #expect((episode["steps"] as? [[String: Any]])?.count == 4)
  }

  @Test func `an episode with its steps is stored at once`() throws {
    let input =
      #"{"id":"e","task_type":"t","domain":"d","context":"c","status":"failed","steps":[{"action":"a"},{"action":"b","step_number":7}]}"#
    #expect(try episodic("begin", "-", input: input).output == "e\n")
    let steps = try #require(try show("e")["steps"] as? [[String: Any]])
    #expect(steps.map { $0["step_number"] as? Int } == [1, 7])
    let again = try episodic("begin", "-", input: input)
    #expect(again.status == 2 && again.output.isEmpty && again.errors.contains("\"e\""), "\(again)")
  }

  @Test(arguments: [
    (["begin", "-"], #"{"task_type":"t","domain":"d","context":"c","sesion":"s"}"#, "sesion"),
    (["begin", "-"], #"{"task_type":"t","domain":"d"}"#, "context"),
    (["begin", "-"], #"{"task_type":"t","domain":"d","context":"c","steps":[{"actoin":"a"}]}"#, "steps[0]"),
    (["begin", "-"], #"{"task_type":"t","domain":"d","context":"c","status":"done"}"#, "done"),
    (["begin", "-"], #"["t"]"#, "object"), (["begin", "-"], "nonsense", "standard input"),
    (["append", "e", "-"], #"{"action":"a","step":1}"#, "step"),
    (["append", "-"], #"{"action":"a"}"#, "id"), (["append", "e", "-"], #"{"id":"f","action":"a"}"#, "\"f\""),
    (["append", "-"], #"[{"action":"a"}]"#, "array"), (["complete", "e", "-"], #"{"rate":1}"#, "rate"),
    (["complete", "e", "-"], #"{"success_rate":2}"#, "2"), (["update", "e", "-"], "{}", "nothing"),
    (["update", "e", "-"], #"{"domain":"x"}"#, "domain"), (["embed", "e", "-"], #"{"model":"m"}"#, "vector"),
    (["pattern", "add", "-"], #"{"pattern_type":"t"}"#, "data"),
  ])
  func `a bad object is refused by the name of what is wrong in it`(
    arguments: [String], input: String, says: String
  ) throws {
    try episodic("begin", "--task", "t", "--domain", "d", "--context", "c", "--id", "e")
    let result = try episodic.run(arguments, input: input)
    #expect(result.status == 2 && result.output.isEmpty, "\(result)")
    #expect(result.errors.contains(says) && result.errors.split(separator: "\n").count == 1, "\(result)")
    #expect(try episodic.count() == 1)
    #expect((try show("e")["steps"] as? [Any])?.isEmpty == true)
  }

  @Test func `every change of status does what its name says, once`() throws {
    let id = try begin()
    #expect(try episodic("archive", id).status == 0 && episodic("archive", id).status == 2)
    #expect(try show(id)["status"] as? String == "archived")
    #expect(try episodic("reopen", id).status == 0 && episodic("reopen", id).status == 2)
    #expect(try episodic("fail", id, "--json").json?["status"] as? String == "failed")
    #expect(try episodic("complete", id).status == 2)
    #expect(try episodic("append", id, "--action", "late").status == 2)
    #expect(try episodic("complete", "nobody").status == 1)
  }

  @Test func `update changes what is given and nothing else`() throws {
    let id = try begin("--session", "s", "--metadata", #"{"a":1}"#)
    #expect(try episodic("update", id, "--context", "new", "--task", "testing").output == "\(id)\n")
    var episode = try show(id)
    #expect(episode["context"] as? String == "new" && episode["task_type"] as? String == "testing")
    #expect(episode["session"] as? String == "s" && (episode["metadata"] as? [String: Int]) == ["a": 1])
    #expect(try episodic("update", id, "--no-session").status == 0)
    episode = try show(id)
    #expect(episode["session"] == nil && episode["context"] as? String == "new")
    #expect(try episodic("update", id).status == 2)
  }

  @Test func `delete removes what is named whole, says so, and asks before it takes an abbreviation`() throws {
    let id = try begin()
    let abbreviated = try episodic("delete", String(id.dropLast(4)))
    #expect(abbreviated.status == 2 && abbreviated.errors.contains("--yes"), "\(abbreviated)")
    let deleted = try episodic("delete", id)
    #expect(deleted.output == "\(id)\n" && deleted.errors.contains("the login fails"), "\(deleted)")
    #expect(try episodic("delete", id).status == 1)
    try begin()
    #expect(try episodic("delete", "@last", "--yes", "--json").json?["deleted"] as? Bool == true)
    #expect(try episodic.count() == 0)
  }

  @Test func `embed keeps the vector of an episode or a step, by which recall finds it`() throws {
    let id = try begin()
    try episodic("append", id, "--action", "a", "--result", "r")
    let file = try episodic.file("v.f32", rows([1, 0]))
    #expect(try episodic("embed", id, "--vector", file, "--model", "m").status == 0)
    let step = try episodic("embed", id, "-", "--json", input: #"{"vector":[0,1],"model":"m","step_number":1}"#)
    #expect(step.json?["content"] as? String == "a\nr" && step.json?["dimensions"] as? Int == 2, "\(step)")
    #expect(try episodic("embed", id, "--vector", file, "--model", "m", "--step", "9").status == 1)
    try episodic("complete", id)
    let found = try episodic(
      "recall", "--mode", "vector", "--query-vectors", file, "--dimensions", "2", "--everywhere", "--json")
    #expect((found.json?["results"] as? [[String: Any]])?.first?["id"] as? String == id, "\(found)")
    let odd = try episodic.file("odd.f32", "abc")
    #expect(try episodic("embed", id, "--vector", odd, "--model", "m").status == 2)
  }

  @Test func `a call that is repeated with its idempotency key gives the first answer and writes nothing`() throws {
    let first = try begin("--idempotency-key", "k")
    #expect(try begin("--idempotency-key", "k") == first && episodic.count() == 1)
    for _ in 0..<2 { #expect(try episodic("append", first, "--action", "a", "--idempotency-key", "s").output == "1\n") }
    let step = #"{"action":"b","idempotency_key":"t"}"#
    for _ in 0..<2 { #expect(try episodic("append", first, "-", input: step).output == "2\n") }
    let other = try episodic("append", first, "--action", "c", "--idempotency-key", "s")
    #expect(other.status == 2 && other.errors.contains("\"s\""), "\(other)")
    #expect((try show(first)["steps"] as? [Any])?.count == 2)
    let whole = #"{"task_type":"t","domain":"d","context":"c","steps":[{"action":"a"}],"idempotency_key":"w"}"#
    #expect(try episodic("begin", "-", input: whole).status == 2)
  }

  @Test func `has this command failed before is one call`() throws {
    let id = try begin()
    try episodic(
      "append", id, "--action", "swift test --filter Login", "--result", "timed out", "--tool", "bash", "--failed")
    try episodic("append", id, "--action", "swift build", "--tool", "bash", "--succeeded")
    try episodic("fail", id)
    func found(_ arguments: String...) throws -> Int? {
      let result = try episodic.run(["list", "--domain", "web", "--json", "--steps", "none"] + arguments)
      return (result.json?["episodes"] as? [Any])?.count
    }
    #expect(try found("--tool", "bash", "--failed", "--step-phrase", "swift test") == 1)
    #expect(try found("--tool", "bash", "--failed", "--step-phrase", "swift build") == 0)
    #expect(try found("--step-text", "login timed") == 1 && found("--tool", "curl") == 0)
    #expect(try episodic("recall", "login", "--domain", "web", "--failed", "--tool", "bash").status == 0)
    #expect(try episodic("recall", "login", "--domain", "web", "--tool", "curl").status == 1)
    #expect(try episodic("list", "--failed", "--succeeded").status == 2)
  }

  /// I2
  @Test func `what a writing verb acknowledged is there for the next one, which finds a log that was left`() throws {
    let id = try begin()
    for number in 1...60 { #expect(try episodic("append", id, "--action", "step \(number)").output == "\(number)\n") }
    let log = episodic.store + "/memory.sqlite-wal"
    let size = try FileManager.default.attributesOfItem(atPath: log)[.size] as? Int ?? 0
    #expect(size < 2 << 20, "\(size)")
    #expect((try show(id)["steps"] as? [Any])?.count == 60)
    // A reading verb moves the log into the database.
    #expect(!FileManager.default.fileExists(atPath: log))
    #expect(try episodic("check").status == 0)
  }

  /// What Operating says of backups by copying files.
  @Test func `memory.sqlite and the log that a writing verb left are together the whole store`() throws {
    let id = try begin()
    try episodic("append", id, "--action", "in the log alone")
    let copy = try CommandLineTool()
    try FileManager.default.createDirectory(atPath: copy.store, withIntermediateDirectories: true)
    for file in ["memory.sqlite", "memory.sqlite-wal"] {
      try FileManager.default.copyItem(atPath: episodic.store + "/" + file, toPath: copy.store + "/" + file)
    }
    #expect(try copy("show", id).output.contains("in the log alone"))
    #expect(try copy("check").status == 0)
  }

  @Test func `writing verbs leave the cache and the index to the readers, which answer as new as the last commit`()
    throws
  {
    let id = try begin()
    try episodic("append", id, "--action", "first")
    #expect(try episodic("show", id).output.contains("first"))
    try episodic("append", id, "--action", "second")
    #expect(try episodic("show", id).output.contains("second"))
    try episodic("complete", id)
    #expect(try episodic("recall", "second", "--domain", "web").status == 0)
    try episodic("delete", id)
    #expect(try episodic("recall", "second", "--domain", "web").status == 1)
  }
}
