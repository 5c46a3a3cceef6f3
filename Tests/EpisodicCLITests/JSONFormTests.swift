import EpisodicMemory
import Foundation
import Testing

/// What the command prints is what the schemas of the documentation say.
@Suite struct `JSON forms` {
  let episodic: CommandLineTool

  init() throws {
    episodic = try CommandLineTool()
    try episodic(
      "import", "-", "--vectors", episodic.file("v.f32", rows([1, 0, 0, 1])), "--model", "m", "--dimensions", "2",
      input: line("a") + line("b", domain: "db", context: "migrate the schema", status: "failed"))
    try episodic(
      "begin", "-", "--json",
      input:
        #"{"id":"e","task_type":"t","domain":"d","context":"c \u001b","session":"s","metadata":{"k":[1,null]},"steps":[{"action":"x","result":"y","tool":"z","duration_ms":5,"success":true}]}"#
    )
    try episodic(
      "pattern", "add", "--type", "t", "--data", "[1]", "--success-rate", "0.5", "--episode", "a", "--actor", "ci")
    try episodic("import", "-", input: line("gone", domain: "db"))
    try episodic("forget", "--episode", "gone", "--domain", "db", "--yes")
    try episodic("backup", "--output", "kept.sqlite")
    _ = try episodic.file(
      "log.jsonl",
      #"{"type":"user","sessionId":"s","uuid":"u","message":{"content":"look around"}}"# + "\n" + #"{"type":"mode"}"#)
  }

  static let calls: [(schema: String, arguments: [String], input: String, status: Int32)] = [
    ("episode", ["show", "a", "--json"], "", 0), ("episode", ["show", "e", "--json", "--steps", "none"], "", 0),
    ("list", ["list", "--json"], "", 0), ("list", ["list", "--json", "--limit", "1", "--steps", "last:1"], "", 0),
    ("list", ["list", "--json", "--domain", "nowhere"], "", 0),
    ("recall", ["recall", "login refused", "--everywhere", "--json"], "", 0),
    ("recall", ["recall", "login", "--everywhere", "--json", "--steps", "none"], "", 0),
    ("recall", ["recall", "login", "--everywhere", "--json", "--neighbors", "2"], "", 0),
    ("recall", ["recall", "login", "--everywhere", "--json", "--tokens", "200", "--at", "2026-01-31"], "", 0),
    ("recall", ["recall", "login in January", "--everywhere", "--json", "--why-not", "a", "--why-not", "zz"], "", 0),
    ("recall", ["recall", "xylophone", "--everywhere", "--json", "--explain"], "", 1),
    ("recall", ["recall", "xylophone", "--everywhere", "--json"], "", 1),
    ("result", ["recall", "--queries", "-", "--output", "-"], #"{"id":"q","text":"login"}"#, 0),
    ("statistics", ["stats", "--json"], "", 0), ("check", ["check", "--json"], "", 0),
    ("check", ["check", "--quick", "--json"], "", 0), ("diagnosis", ["doctor", "--json"], "", 0),
    ("statistics", ["stats", "--json"], "", 0),
    ("analytics", ["stats", "--since", "all", "--by", "domain", "--json"], "", 0),
    ("analytics", ["stats", "--since", "2026-01-01", "--domain", "nowhere", "--json"], "", 0),
    ("check", ["check", "--json"], "", 0),
    ("config", ["config", "--json"], "", 0), ("rebuild", ["rebuild", "--json"], "", 0),
    ("salvage", ["salvage", "--to", "salvaged", "--json"], "", 0),
    ("export", ["export", "--output", "copy.jsonl", "--json"], "", 0),
    ("import", ["import", "-", "--json", "--existing", "skip"], line("a"), 0),
    ("log-import", ["import", "--format", "auto", "--json", "log.jsonl"], "", 0),
    ("log-import", ["import", "--format", "claude", "--json", "--dry-run", "log.jsonl"], "", 0),
    ("recording", ["record", "--task", "t", "--domain", "d", "--json", "--", "true"], "", 0),
    ("episode", ["begin", "--task", "t", "--domain", "d", "--context", "c", "--json"], "", 0),
    ("step", ["append", "e", "--action", "x", "--json"], "", 0),
    ("steps", ["append", "e", "-", "--json"], #"[{"action":"x"},{"action":"y"}]"#, 0),
    ("episode", ["complete", "e", "--json"], "", 0), ("episode", ["fail", "e", "--json"], "", 0),
    ("episode", ["archive", "e", "--json"], "", 0), ("episode", ["reopen", "a", "--json"], "", 0),
    ("episode", ["update", "a", "--no-session", "--json"], "", 0), ("deletion", ["delete", "a", "--json"], "", 0),
    ("embedding", ["embed", "e", "-", "--json"], #"{"model":"m","vector":[1,2],"step_number":1}"#, 0),
    ("embedding", ["embed", "e", "-", "--json"], #"{"model":"m","vector":[1,2]}"#, 0),
    ("domains", ["domains", "--json"], "", 0), ("sessions", ["sessions", "--json"], "", 0),
    ("sessions", ["sessions", "--json", "--domain", "nowhere"], "", 0),
    ("patterns", ["pattern", "list", "--json"], "", 0), ("patterns", ["patterns", "--json"], "", 0),
    ("learning", ["learn", "--json"], "", 0), ("learning-validation", ["learn", "--validate", "1", "--json"], "", 0),
    ("advice", ["advise", "e", "--json"], "", 0),
    ("maintenance", ["maintain", "--json"], "", 0),
    ("maintenance", ["maintain", "--full", "--dry-run", "--json"], "", 0),
    ("retention", ["retention", "show", "--json"], "", 0),
    ("policy", ["retention", "show", "--domain", "web", "--json"], "", 0),
    ("policy", ["retention", "clear", "--json"], "", 0),
    (
      "policy",
      ["retention", "set", "--domain", "web", "--archive-after", "30d", "--max-episodes", "5", "--json"], "", 0
    ),
    ("retention-report", ["retention", "apply", "--dry-run", "--json"], "", 0),
    ("trust-report", ["trust", "e", "unverified", "--by", "anna", "--reason", "a reason", "--json"], "", 0),
    ("trust", ["trust", "e", "--json"], "", 0),
    ("trust-report", ["quarantine", "e", "--by", "anna", "--json"], "", 0),
    ("trust-report", ["promote", "e", "--to", "verified", "--by", "anna", "--json"], "", 0),
    (
      "episode",
      [
        "begin", "--task", "t", "--domain", "d", "--context", "c", "--source", "web", "--source-id", "x", "--trust",
        "untrusted", "--derived-from", "e", "--json",
      ], "", 0
    ),
    ("pattern", ["pattern", "add", "--type", "t", "--data", "{}", "--json"], "", 0),
    ("receipt", ["forget", "--episode", "b", "--everywhere", "--yes", "--json"], "", 0),
    ("receipt", ["forget", "--between", "2020-01-01", "2040-01-01", "--domain", "db", "--dry-run", "--json"], "", 0),
    ("audit-record", ["audit", "list", "--limit", "1", "--json"], "", 0),
    ("audit-head", ["audit", "head"], "", 0), ("audit-verification", ["audit", "verify", "--json"], "", 0),
    ("audit-verification", ["audit", "verify", "--rows", "--json"], "", 0),
    ("keys", ["keys", "list", "--json"], "", 0),
    ("receipt", ["receipts", "--json"], "", 0), ("receipt", ["receipts", "--verify", "--json"], "", 0),
    ("backup", ["backup", "--json", "--gzip", "--keep", "3"], "", 0), ("backups", ["backups", "--json"], "", 0),
    ("verification", ["verify", "kept.sqlite", "--json"], "", 0),
    ("restore", ["restore", "kept.sqlite", "--json", "--dry-run"], "", 0),
    ("restore", ["restore", "kept.sqlite", "--json", "--yes"], "", 0),
  ]

  @Test(arguments: calls.indices) func `what a command prints has its documented form`(_ index: Int) throws {
    let call = Self.calls[index]
    let result = try episodic.run(call.arguments, input: call.input)
    #expect(result.status == call.status, "\(call.arguments) \(result)")
    #expect(result.output.split(separator: "\n").count == 1, "\(result)")
    #expect(throws: Never.self, "\(call.arguments) \(result)") { try JSONSchema(call.schema).check(result.output) }
  }

  @Test func `a pattern that is shown, used and deleted has its documented form`() throws {
    let list = try episodic("pattern", "list", "--json")
    let id = try #require((list.json?["patterns"] as? [[String: Any]])?.first?["id"] as? String)
    try JSONSchema("pattern").check(episodic("pattern", "use", id, "--succeeded", "--json").output)
    try JSONSchema("pattern").check(episodic("pattern", "show", id, "--json").output)
    try JSONSchema("deletion").check(episodic("pattern", "delete", id, "--json").output)
  }

  @Test func `an episode has one form in show, list, recall and export`() throws {
    let shown = try JSON(text: episodic("show", "a", "--json").output)
    let list = try JSON(text: episodic("list", "--json", "--domain", "web").output)
    let recalled = try JSON(text: episodic("recall", "login", "--domain", "web", "--json").output)
    let exported = try episodic("export").output.split(separator: "\n").map { try JSON(text: String($0)) }
    for line in exported { try JSONSchema("episode").check(line.canonicalText) }
    guard case .array(let episodes)? = list["episodes"], case .array(let hits)? = recalled["results"] else {
      Issue.record("\(list) \(recalled)")
      return
    }
    #expect(episodes == [shown] && hits.compactMap { $0["episode"] } == [shown] && exported.contains(shown))
  }

  @Test(arguments: [
    #"{"id":"q","text":"x","filters":{"domain":"d","status":["failed"],"after":"2026-01-31T12:00:00Z"},"metadata":1}"#,
    #"{"id":"q","text":"x","at":"2026-01-31T12:00:00Z"}"#, #"{"id":"q","text":"x","at":null}"#,
    #"{"id":"q"}"#, #"{"id":"q","text":null,"filters":null}"#,
  ])
  func `a query that the schema allows is accepted`(query: String) throws {
    try JSONSchema("query").check(query)
    #expect(try episodic("recall", "--queries", "-", "--output", "-", input: query).status == 0)
  }

  @Test(arguments: [
    #"{"text":"x"}"#, #"{"id":"q","limit":1}"#, #"{"id":"q","at":1}"#, #"{"id":"q","filters":{"dommain":"d"}}"#,
    #"{"id":"q","filters":{"domain":null}}"#, #"{"id":"q","filters":{"status":"done"}}"#,
  ])
  func `a query that the schema forbids is refused`(query: String) throws {
    #expect(throws: JSONSchema.Violation.self) { try JSONSchema("query").check(query) }
    #expect(try episodic("recall", "--queries", "-", "--output", "-", input: query).status == 2)
  }

  @Test(arguments: [
    (#"{"type":"integer","minimum":1}"#, "0", false), (#"{"type":"integer","minimum":1}"#, "1", true),
    (#"{"type":["string","null"]}"#, "null", true), (#"{"type":["string","null"]}"#, "1", false),
    (#"{"properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}"#, #"{"a":"x"}"#, true),
    (#"{"properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}"#, "{}", false),
    (
      #"{"properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}"#, #"{"a":"x","b":1}"#,
      false
    ),
    (#"{"items":{"const":true}}"#, "[true,false]", false), (#"{"oneOf":[{"type":"null"},{"enum":[1,2]}]}"#, "2", true),
    (#"{"format":"date-time"}"#, "\"2026-01-31\"", false), (#"{"pattern":"^a"}"#, "\"ba\"", false),
    (#"{"unheardOf":1}"#, "1", false),
  ])
  func `the validator knows its keywords and refuses others`(schema: String, value: String, fits: Bool) throws {
    let schema = JSONSchema(try JSON(text: schema))
    if fits { try schema.check(value) } else { #expect(throws: JSONSchema.Violation.self) { try schema.check(value) } }
  }

  @Test func `every schema is used by a call and named on the page of the forms`() throws {
    let page = try String(
      contentsOf: URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Sources/Episodic/Episodic.docc/JSONForms.md"), encoding: .utf8)
    let names = try JSONSchema.names()
    for name in names {
      _ = try JSONSchema(name)
      #expect(page.contains("`\(name).schema.json`"), "\(name)")
    }
    // Those of the ledger are used by its own suite, or referred to by one that is.
    let ofLedger = try String(
      contentsOf: URL(filePath: #filePath).deletingLastPathComponent().appending(path: "LedgerCommandTests.swift"),
      encoding: .utf8)
    let inLedger = try names.filter { name in
      try name.hasPrefix("ledger-")
        && (ofLedger.contains("\"\(name)\"") || names.contains { try JSONSchema($0).refers(to: name) })
    }
    let used = Set(Self.calls.map(\.schema)).union([
      "query", "hit", "change", "explanation", "figures", "pattern-explanation",
      // Of builds with the trait Encryption; see KeysCommandTests.
      "sealing",
    ]).union(inLedger)
    #expect(Set(names).isSubset(of: used), "\(Set(names).subtracting(used))")
  }
}
