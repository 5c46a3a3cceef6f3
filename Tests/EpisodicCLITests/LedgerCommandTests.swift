import EpisodicMemory
import Foundation
import Testing

/// The verbs of `episodic ledger`: what they do, and that their JSON has its documented form.
@Suite struct `The ledger on the command line` {
  let episodic: CommandLineTool

  init() throws { episodic = try CommandLineTool() }

  /// Runs a verb with `--json` and checks its form.
  @discardableResult
  private func json(
    _ schema: String, _ arguments: String..., status: Int32 = 0, input: String = ""
  ) throws -> JSON {
    let result = try episodic.run(["ledger"] + arguments + ["--json"], input: input)
    #expect(result.status == status && result.errors.isEmpty, "\(arguments) \(result)")
    #expect(result.output.split(separator: "\n").count == 1, "\(arguments) \(result)")
    #expect(throws: Never.self, "\(arguments) \(result)") { try JSONSchema(schema).check(result.output) }
    return try JSON(text: String(result.output.dropLast()))
  }

  /// Runs a verb that is refused.
  private func refused(_ arguments: String..., status: Int32, saying words: String) throws {
    let result = try episodic.run(["ledger"] + arguments)
    #expect(result.status == status && result.output.isEmpty, "\(arguments) \(result)")
    #expect(result.errors.contains(words) && result.errors.split(separator: "\n").count == 1, "\(arguments) \(result)")
  }

  private func id(_ value: JSON?) throws -> String {
    guard case .string(let id)? = value?["id"] else { throw JSONSchema.Violation(description: "no id") }
    return id
  }

  private func elements(_ list: JSON, _ name: String) -> [JSON] {
    if case .array(let elements)? = list[name] { elements } else { [] }
  }

  // MARK: Tasks

  @Test func `a task is added, claimed, kept, failed, tried again, completed, and its results are listed`() throws {
    try json("ledger-worker", "worker", "add", "w1", "--kind", "browser")
    let params = #"{"url":"https://example.org"}"#
    let added = try json(
      "ledger-added-task", "task", "add", "visit", "--domain", "web", "--params", params, "--once", "--category",
      "coding",
      "--session", "s", "--request", "look", "--priority", "high")
    #expect(added["is_new"] == .bool(true))
    let task = try id(added["task"])
    let again = try json("ledger-added-task", "task", "add", "visit", "--domain", "web", "--params", params, "--once")
    #expect(again["is_new"] == .bool(false) && again["task"]?["id"] == .string(task))
    let claimed = try json("ledger-tasks", "task", "claim", "w1", "--lease", "5m")
    #expect(try elements(claimed, "tasks").map { try id($0) } == [task])
    try json("ledger-tasks", "task", "claim", "w1", status: 1)
    let kept = try json("ledger-instruction", "task", "heartbeat", task, "--worker", "w1")
    #expect(kept["instruction"] == "go_on")
    try json("ledger-cancelled", "worker", "heartbeat", "w1")
    try refused("task", "done", task, "--worker", "w2", status: 2, saying: "claimed by \"w1\"")
    try refused("worker", "remove", "w1", status: 2, saying: "has task")
    let done = try json("ledger-task", "task", "done", task, "--worker", "w1", "--data", "[1,2]", "--deliver-key", "k")
    #expect(done["status"] == "completed")
    let results = try elements(json("ledger-results", "task", "results", task), "results")
    #expect(results.count == 1 && results.first?["data"] == [1, 2] && results.first?["success"] == .bool(true))
    #expect(try elements(json("ledger-messages", "outbox", "list"), "messages").count == 1)
    try json("ledger-messages", "outbox", "list", "--dead")
    try json("ledger-task", "task", "show", task)
    #expect(try elements(json("ledger-tasks", "task", "list", "--status", "completed"), "tasks").count == 1)
    #expect(try elements(json("ledger-tasks", "task", "list", "--domain", "nowhere"), "tasks").isEmpty)
    try json("ledger-workers", "worker", "list")
    #expect(try json("ledger-worker", "worker", "set", "w1", "stopped")["status"] == "stopped")
    #expect(try json("ledger-removed", "worker", "remove", "w1")["removed"] == "w1")
  }

  @Test func `a task that fails for good is retried by hand, and one that is worked on is cancelled at its heartbeat`()
    throws
  {
    try json("ledger-worker", "worker", "add", "w1")
    let task = try id(json("ledger-added-task", "task", "add", "visit", "--domain", "web")["task"])
    try json("ledger-tasks", "task", "claim", "w1")
    let failed = try json("ledger-task", "task", "fail", task, "--worker", "w1", "--error", "e", "--for-good")
    #expect(failed["status"] == "failed" && failed["error"] == "e")
    #expect(try json("ledger-task", "task", "retry", task)["status"] == "pending")
    try json("ledger-tasks", "task", "claim", "w1")
    #expect(try json("ledger-task", "task", "cancel", task)["status"] == "in_progress")
    let told = try json("ledger-instruction", "task", "heartbeat", task, "--worker", "w1", status: 1)
    #expect(told["instruction"] == "stop")
    try refused("task", "retry", task, status: 2, saying: "cancelled")
    try refused("task", "claim", "nobody", status: 1, saying: "register it first")
    try refused("task", "results", "none", status: 1, saying: "no task none")
    try refused("task", "cancel", "none", status: 1, saying: "ledger task list")
    try refused("task", "add", "t", "--domain", "d", "--params", "{", status: 2, saying: "no JSON")
    try refused("task", "add", "t", "--domain", "d", "--priority", "later", status: 2, saying: "urgent, high, normal")
  }

  // MARK: Runs

  @Test func `a run is started, logged and ended, and becomes an episode once`() throws {
    try json("ledger-agent", "agent", "add", "ada", "--type", "builder", "--model", "small-1")
    try json("ledger-agents", "agent", "list")
    let run = try id(
      json(
        "ledger-run", "run", "start", "--task", "debugging", "--domain", "web", "--context", "fails", "--agent", "ada"))
    let part = try id(json("ledger-run", "run", "start", "--task", "testing", "--domain", "web", "--parent", run))
    try json("ledger-entry", "run", "log", run, "--prompt", "what is wrong?", "--response", "a cookie", "--model", "m")
    try json(
      "ledger-entry", "run", "log", run, "--tool", "shell", "--arguments", #"{"command":"x"}"#, "--result", "1",
      "--failed")
    try json("ledger-run", "run", "set", run, "reviewing")
    try json("ledger-run-tree", "run", "tree", run)
    #expect(try elements(json("ledger-cancelled", "run", "cancel", part), "cancelled") == [.string(part)])
    #expect(try json("ledger-run", "run", "finish", run, "--success-rate", "0.5")["status"] == "completed")
    try refused("run", "finish", run, status: 2, saying: "completed")
    #expect(try elements(json("ledger-run-entries", "run", "show", run), "entries").count == 2)
    #expect(try elements(json("ledger-runs", "run", "list", "--status", "completed"), "runs").count == 1)
    let report = try json("ledger-consolidation", "consolidate")
    #expect(Set(elements(report, "episodes")) == [.string(run), .string(part)])
    #expect(try elements(json("ledger-consolidation", "consolidate"), "episodes").isEmpty)
    #expect(try episodic("show", run, "--json").json?["success_rate"] as? Double == 0.5)
    try refused("run", "tree", "none", status: 1, saying: "ledger run list")
    try json("ledger-events", "events", "--level", "error")
  }

  // MARK: Pages and states

  @Test func `a page is kept until it expires, and printed as it was given`() throws {
    let text = "<p>é</p>\n<p>two</p>"
    let put = try episodic.run(["ledger", "page", "put", "https://e.org", "--json"], input: text + "\n")
    try JSONSchema("ledger-page").check(put.output)
    #expect(try episodic("ledger", "page", "get", "https://e.org").output == text + "\n")
    let page = try json("ledger-page", "page", "get", "https://e.org")
    #expect(page["data"] == .string(text) && page["access_count"] == 2 && page["type"] == "html")
    let file = try episodic.file("list.json", "[1]")
    let other = try json("ledger-page", "page", "put", "list", file, "--type", "json", "--lifetime", "1h")
    #expect(other["type"] == "json" && other["size"] == 3)
    #expect(try json("ledger-removed", "page", "remove", "list")["removed"] == "list")
    try refused("page", "remove", "list", status: 1, saying: "no page list")
    try refused("page", "get", "list", status: 1, saying: "no fresh page list")
    try refused("page", "put", "p", "missing.html", status: 2, saying: "missing.html")
    try refused("page", "put", "p", file, "--lifetime", "0s", status: 2, saying: "lifetime")
    try refused("page", "put", "p", file, "--type", "pdf", status: 2, saying: "html, json, text")
  }

  @Test func `a state has versions, and a compare-and-set that is too late is refused`() throws {
    let first = try json("ledger-state", "state", "put", "chess", "g", #"{"moves":["e4"]}"#, "--expecting", "0")
    #expect(first["version"] == 1)
    let second = try json(
      "ledger-state", "state", "put", "chess", "g", "-", "--expecting", "1", input: #"{"moves":[]}"#)
    #expect(second["version"] == 2)
    try refused("state", "put", "chess", "g", "1", "--expecting", "1", status: 2, saying: "has version 2")
    try refused("state", "put", "chess", "g", "{", status: 2, saying: "no JSON")
    #expect(try episodic("ledger", "state", "get", "chess", "g").output == "{\"moves\":[]}\n")
    #expect(try json("ledger-state", "state", "get", "chess", "g", "--version", "1")["value"] == ["moves": ["e4"]])
    #expect(try elements(json("ledger-states", "state", "versions", "chess", "g"), "states").count == 2)
    #expect(
      try elements(json("ledger-states", "state", "versions", "chess", "g", "--before", "2"), "states").count == 1)
    #expect(try elements(json("ledger-states", "state", "list", "chess"), "states").count == 1)
    #expect(try elements(json("ledger-states", "state", "list", "go"), "states").isEmpty)
    try refused("state", "get", "chess", "g", "--version", "9", status: 1, saying: "no version 9 of state g of chess")
    try refused("state", "delete", "chess", "g", "--expecting", "1", status: 2, saying: "has version 2")
    #expect(try json("ledger-removed", "state", "delete", "chess", "g")["removed"] == "g")
    try refused("state", "delete", "chess", "g", status: 1, saying: "no state g of chess")
    try refused("state", "get", "chess", "g", status: 1, saying: "no state g of chess")
  }

  // MARK: People, notices, alerts

  @Test func `a person gets notices as the preferences say`() throws {
    try json("ledger-person", "person", "add", "ada", "--tier", "premium", "--email", "ada@example.org")
    try json("ledger-person", "person", "show", "ada")
    try json("ledger-people", "person", "list")
    try json(
      "ledger-template", "notice", "template", "done", "--subject", "{{task}} is done", "--body", "It took {{time}}.",
      "--variable", "task", "--variable", "time")
    try json("ledger-templates", "notice", "template")
    let shown = try json("ledger-preferences", "notice", "preferences", "ada")
    #expect(shown == ["channels": ["email"]])
    let set = try json(
      "ledger-preferences", "notice", "preferences", "ada", "--channel", "email", "--channel", "slack", "--quiet",
      "22:00-07:00")
    #expect(set == ["channels": ["email", "slack"], "quiet_hours": ["from": "22:00", "to": "07:00"]])
    // What is not named stays.
    let kinds = try json("ledger-preferences", "notice", "preferences", "ada", "--kind", "system", "--no-quiet")
    #expect(kinds == ["channels": ["email", "slack"], "kinds": ["system"]])
    let values = #"{"task":"it","time":"5 min"}"#
    let sent = try json("ledger-notices", "notice", "send", "ada", "done", "--values", values)
    #expect(elements(sent, "notices").count == 2)
    #expect(
      try json("ledger-preferences", "notice", "preferences", "ada", "--no-channel", "--all-kinds")["channels"] == [])
    #expect(
      try elements(json("ledger-notices", "notice", "send", "ada", "done", "--values", values), "notices").isEmpty)
    #expect(try elements(json("ledger-notices", "notice", "list", "--to", "ada"), "notices").count == 2)
    try refused("notice", "preferences", "bob", status: 1, saying: "no person bob")
    try refused("notice", "preferences", "ada", "--quiet", "22-7", status: 2, saying: "22:00-07:00")
    try refused("notice", "preferences", "ada", "--quiet", "22:00-22:00", status: 2, saying: "start and end at 22:00")
    try refused("notice", "preferences", "ada", "--no-quiet", "--quiet", "22:00-07:00", status: 2, saying: "give one")
    try refused("notice", "send", "ada", "done", "--values", "{}", status: 2, saying: "task")
    #expect(try json("ledger-removed", "person", "remove", "ada")["removed"] == "ada")
  }

  @Test func `a rule that is disabled does not fire until it is enabled`() throws {
    try json("ledger-worker", "worker", "add", "w1")
    let task = try id(json("ledger-added-task", "task", "add", "visit", "--domain", "web")["task"])
    try json("ledger-tasks", "task", "claim", "w1")
    try json("ledger-task", "task", "fail", task, "--worker", "w1", "--error", "e", "--for-good")
    try json(
      "ledger-alert-rule", "alert", "set", "r", "--condition", "error_rate", "--above", "0.5", "--cooldown", "0s")
    #expect(try json("ledger-alert-rule", "alert", "disable", "r")["enabled"] == .bool(false))
    #expect(try elements(json("ledger-alerts", "alert", "evaluate"), "alerts").isEmpty)
    #expect(try json("ledger-alert-rule", "alert", "enable", "r")["enabled"] == .bool(true))
    #expect(try elements(json("ledger-alerts", "alert", "evaluate", status: 1), "alerts").count == 1)
    #expect(try elements(json("ledger-alerts", "alert", "list", "r"), "alerts").count == 1)
    try json("ledger-alert-rules", "alert", "list")
    try refused("alert", "disable", "none", status: 1, saying: "\"none\"")
    #expect(try json("ledger-removed", "alert", "remove", "r")["removed"] == "r")
    try refused("alert", "set", "r", "--condition", "usage", status: 2, saying: "--above and --below")
  }

  // MARK: Upkeep

  @Test func `retention is shown, set, counted and applied`() throws {
    try json("ledger-page", "page", "put", "p", input: "text")
    let standard = try json("ledger-retention", "retention", "show")
    #expect(standard["samples"] == 2_592_000_000 && standard["pages"] == 0)
    #expect(try json("ledger-retention", "retention", "set", "samples", "90d")["samples"] == 7_776_000_000)
    #expect(try json("ledger-retention", "retention", "set", "notices", "forever")["notices"] == .null)
    let shown = try json("ledger-retention", "retention", "show")
    #expect(shown["samples"] == 7_776_000_000 && shown["notices"] == .null && shown["results"] == 604_800_000)
    #expect(try episodic("ledger", "retention", "show").output.contains("forever"))
    let dry = try json("ledger-retention-report", "retention", "apply", "--dry-run")
    #expect(dry["dry_run"] == .bool(true) && dry["counts"]?["pages"] == 0)
    #expect(try json("ledger-retention-report", "retention", "apply")["dry_run"] == .bool(false))
    try refused("retention", "set", "episodes", "1d", status: 2, saying: "completed_tasks")
    try refused("retention", "set", "samples", "soon", status: 2, saying: "no duration")
  }

  @Test func `maintain, check, doctor and backup look after the ledger of the store too`() throws {
    try episodic("import", "-", input: line("a"))
    try json("ledger-added-task", "task", "add", "visit", "--domain", "web")
    for arguments in [["check"], ["maintain"], ["doctor"], ["backup"]] {
      let result = try episodic.run(arguments + ["--json"])
      #expect(result.status == 0 && result.output.contains("\"ledger"), "\(result)")
    }
    try json("ledger-stats", "stats", "--since", "7d", "--zone", "UTC")
  }

  @Test(arguments: [
    ["task", "list"], ["run", "list"], ["page", "get", "p"], ["state", "get", "a", "n"], ["retention", "show"],
    ["notice", "preferences", "ada"], ["alert", "disable", "r"], ["stats"], ["outbox", "list"],
    ["task", "results", "t"],
  ]) func `a ledger that is not there ends with 3, and is not made`(arguments: [String]) throws {
    let result = try episodic.run(["ledger"] + arguments)
    #expect(result.status == 3 && result.errors.contains(episodic.store), "\(result)")
    #expect(!FileManager.default.fileExists(atPath: episodic.store))
  }

  private static let verbs = [
    "task add", "task claim", "task heartbeat", "task done", "task fail", "task cancel", "task retry", "task show",
    "task results", "task list", "worker add", "worker heartbeat", "worker set", "worker list", "worker remove",
    "agent add", "agent list", "run start", "run log", "run set", "run finish", "run cancel", "run show", "run tree",
    "run list", "consolidate", "outbox list", "outbox retry", "events", "page get", "page put", "page remove",
    "state get", "state put", "state list", "state versions", "state delete", "person add", "person show",
    "person list", "person remove", "notice template", "notice preferences", "notice send", "notice list", "alert set",
    "alert list", "alert evaluate", "alert disable", "alert enable", "alert remove", "retention show", "retention set",
    "retention apply", "stats",
  ]

  @Test(arguments: verbs) func `the help of every verb has examples`(verb: String) throws {
    let help = try episodic.run(["ledger"] + verb.split(separator: " ").map(String.init) + ["--help"])
    #expect(help.status == 0 && help.output.contains("EXAMPLES") && help.output.contains("--json"), "\(help)")
  }
}
