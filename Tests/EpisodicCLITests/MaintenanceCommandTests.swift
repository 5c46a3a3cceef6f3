import EpisodicMemory
import Foundation
import GRDB
import Testing

@Suite struct `Maintaining by command` {
  let episodic: CommandLineTool

  init() throws {
    episodic = try CommandLineTool()
    try episodic("import", "-", input: line("a") + line("b", domain: "db") + line("c", status: "failed"))
  }

  private static let page = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../Sources/Episodic/Episodic.docc/Maintenance.md").standardized

  @Test func `the commands of the page, of the timer and of cron run as they stand`() throws {
    let text = try String(contentsOf: Self.page, encoding: .utf8)
    let commands = text.split(separator: "\n").compactMap { line -> String? in
      let line = String(line)
      if line.hasPrefix("episodic ") { return line }
      guard let program = line.range(of: "/usr/local/bin/episodic ") else { return nil }
      // Its output goes to standard output here.
      return "episodic " + line[program.upperBound...].components(separatedBy: " 2>&1 | ")[0]
    }
    #expect(commands.count >= 6)
    for command in commands {
      let local = command.replacing("%h/.episodic", with: "\"$EPISODIC_STORE\"")
        .replacing("$HOME/.episodic", with: "\"$EPISODIC_STORE\"")
      let result = try episodic.shell(local)
      #expect(result.status == 0, "\(command): \(result)")
    }
  }

  @Test func `the page lists every task`() throws {
    let text = try String(contentsOf: Self.page, encoding: .utf8)
    for task in MaintenanceTask.allCases { #expect(text.contains("| `\(task.rawValue)` |"), "\(task)") }
  }

  @Test func `maintain says what it did, and leaves out what is not due`() throws {
    let first = try episodic("maintain")
    #expect(first.status == 0 && first.output.contains("retention") && first.output.contains("done"), "\(first)")
    let second = try episodic("maintain", "--json")
    let tasks = try #require(second.json?["tasks"] as? [[String: Any]])
    #expect(tasks.filter { $0["outcome"] as? String == "not_due" }.count >= 9, "\(second)")
    #expect(
      try episodic("maintain", "--task", "pages", "--task", "log", "--json").json?["tasks"].map { "\($0)" }?.contains(
        "not_due") == false)
    #expect(try episodic("maintain", "--task", "sweep").status == 2)
  }

  @Test func `a task that failed is shown by maintain, check and doctor, until it succeeds`() throws {
    #expect(try episodic("backup", "--every", "1d").status == 0)
    _ = try episodic.shell("touch \"$EPISODIC_STORE/backups\"")
    #expect(try episodic("maintain", "--task", "backup").status == 1)
    let dry = try episodic("maintain", "--dry-run", "--json")
    let tasks = try #require(dry.json?["tasks"] as? [[String: Any]])
    let failure = tasks.first { $0["task"] as? String == "backup" }?["last_failure"] as? [String: String]
    #expect(failure?["reason"]?.contains("backups") == true && failure?["at"] != nil, "\(dry)")
    let check = try episodic("check", "--quick")
    #expect(check.status == 0 && check.output.contains("note     the task backup of maintenance failed"), "\(check)")
    #expect((try episodic("check", "--quick", "--json").json?["notes"] as? [String])?.count == 1)
    let doctor = try episodic("doctor")
    #expect(doctor.status == 1 && doctor.output.contains("maintenance-failed  backup"), "\(doctor)")
    _ = try episodic.shell("rm \"$EPISODIC_STORE/backups\"")
    #expect(try episodic("maintain", "--task", "backup").status == 0)
    #expect(try episodic("check", "--quick", "--json").json?["notes"] as? [String] == [])
    #expect(try episodic("doctor").status == 0)
  }

  @Test func `a policy is set, shown, applied and cleared`() throws {
    #expect(try episodic("retention", "show").errors.contains("everything is kept"))
    let set = try episodic("retention", "set", "--domain", "web", "--archive-after", "1d")
    #expect(set.status == 0 && set.output.contains("archive after 1d"), "\(set)")
    // A store that nobody has looked at for long: the clock is not believed at once.
    try DatabaseQueue(path: episodic.store + "/memory.sqlite").write { db in
      try db.execute(sql: "UPDATE schema_version SET applied_at = 1000")
    }
    let doubted = try episodic("retention", "apply", "--dry-run")
    #expect(doubted.status == 0 && doubted.errors.contains("--accept-clock"), "\(doubted)")
    let dry = try episodic("retention", "apply", "--dry-run", "--accept-clock", "--json")
    #expect((dry.json?["counts"] as? [String: Int])?["archive_after"] == 2, "\(dry)")
    let applied = try episodic("retention", "apply", "--accept-clock", "--domain", "web")
    #expect(applied.output.contains("archive") && applied.errors.contains("changed 2 of 2 episodes"), "\(applied)")
    #expect(try episodic("show", "a", "--json").json?["status"] as? String == "archived")
    #expect(try episodic("show", "b", "--json").json?["status"] as? String == "completed")
    #expect(try episodic("retention", "clear", "--domain", "web").status == 0)
    #expect(try episodic("retention", "show", "--json").output.contains("\"domains\":{}"))
  }

  @Test(arguments: ["burn_after", "archive_after_seconds"])
  func `policies that cannot be read or make no sense are removed by force`(_ rule: String) throws {
    #expect(try episodic("retention", "set", "--max-episodes", "5").status == 0)
    let sql = "UPDATE settings SET value = '{\"standard\": {\"\(rule)\": -1}}' WHERE name = 'retention'"
    try DatabaseQueue(path: episodic.store + "/memory.sqlite").write { db in try db.execute(sql: sql) }
    for verb in [["show"], ["apply"], ["clear"]] {
      let result = try episodic.run(["retention"] + verb)
      #expect(result.status == 3 && result.errors.contains("retention clear --force"), "\(verb): \(result)")
    }
    let failed = try episodic("maintain", "--task", "retention", "--json")
    #expect(failed.status == 1 && failed.output.contains("retention clear --force"), "\(failed)")
    #expect(try episodic("retention", "clear", "--force", "--domain", "web").status == 2)
    #expect(try episodic("retention", "clear", "--force").status == 0)
    #expect(try episodic("retention", "show").errors.contains("everything is kept"))
  }

  @Test func `a dry run says of a fresh store only what is due by time`() throws {
    let tasks = try #require(try episodic("maintain", "--dry-run", "--json").json?["tasks"] as? [[String: Any]])
    let idle = tasks.filter { $0["outcome"] as? String == "not_due" }.compactMap { $0["task"] as? String }
    #expect(Set(idle) == ["erasures", "log", "backup"], "\(tasks)")
  }

  @Test(arguments: [
    (["--archive-after", "10d", "--delete-archived-after", "5d"], "deleteArchivedAfter"),
    (["--archive-after", "0s"], "archiveAfter"), (["--archive-after", "-5d"], "--archive-after"),
    (["--max-episodes", "0"], "maximumEpisodes"), (["--abandon-after", "soon"], "30d"),
    (["--domain", "wep", "--max-episodes", "5"], "--force"),
  ])
  func `a policy that makes no sense ends with the field and the remedy`(arguments: [String], named: String) throws {
    let result = try episodic.run(["retention", "set"] + arguments)
    #expect(result.status == (named == "--force" ? 1 : 2) && result.errors.contains(named), "\(result)")
    #expect(try episodic("retention", "show", "--json").output.contains("\"domains\":{}"))
  }
}
