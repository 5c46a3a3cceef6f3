import EpisodicMemory
import Foundation
import TestSupport
import Testing

@testable import EpisodicCLI

@Suite struct `Stats of the past` {
  let episodic: CommandLineTool
  static let hostile = #"<script>alert("1")</script>'&\u202e\\"#

  /// Episodes of three days in January 2026, in a domain with a hostile name and in one without.
  init() throws {
    episodic = try CommandLineTool()
    try episodic("import", "-", input: Self.lines)
  }

  private static let lines: String = (0..<24).map { number in
    let domain = number % 3 == 0 ? Self.hostile.replacing("\"", with: "\\\"") : "web"
    let time = "2026-01-0\(1 + number / 8)T0\(number % 8):00:00Z"
    let status = number % 4 == 0 ? "failed" : "completed"
    return """
      {"id":"e\(number)","task_type":"debugging","domain":"\(domain)","context":"c","status":"\(status)",\
      "created_at":"\(time)","completed_at":"\(time)","success_rate":\(number % 4 == 0 ? 0 : 1),"metadata":{},"steps":[\
      {"step_number":1,"action":"x","result":"exit \(number)","tool":"bash\\\\n\\"t","duration_ms":\(number * 100),\
      "success":\(number % 4 != 0),"timestamp":"\(time)"}]}\n
      """
  }.joined()

  static let time = ["--since", "2026-01-01", "--until", "2026-01-04", "--zone", "UTC"]

  private func stats(_ arguments: String...) throws -> CommandLineTool.Result {
    try episodic.run(["stats"] + Self.time + arguments)
  }

  @Test func `show counts, success, step times and failures, grouped as asked`() throws {
    let text = try stats("--by", "domain").output
    for part in ["episodes", "24", "75 %", "18 of 24", "DOMAIN", "web", "FIRST FAILED STEP", "exit #", "BEGUN BY HOUR"]
    {
      #expect(text.contains(part), "\(part) is not in \(text)")
    }
    #expect(!text.contains("\u{202e}"))
    let days = try stats("--by", "day").output
    #expect(days.contains("2026-01-02") && days.contains("DAY"), "\(days)")
    #expect(try stats("--by", "task").output.contains("TASK"))
    #expect(try stats("--by", "tool").output.components(separatedBy: "TOOL").count >= 2)
  }

  @Test(arguments: [60, 80, 120]) func `fit the terminal`(columns: Int) throws {
    let text = try episodic.shell(
      "COLUMNS=\(columns) episodic stats \(Self.time.joined(separator: " ")) --by domain"
    ).output
    for line in text.split(separator: "\n").dropFirst() { #expect(String(line).columns <= columns, "\(line)") }
  }

  @Test(arguments: [
    ("LC_ALL=C.UTF-8", true), ("LC_ALL=C", false), ("LC_ALL=C.UTF-8 TERM=dumb", false),
    ("LC_ALL= LC_CTYPE= LANG=de_DE.utf8", true),
  ])
  func `draw blocks where the locale and the terminal have them`(variables: String, hasBlocks: Bool) throws {
    let text = try episodic.shell(
      "unset TERM; \(variables) episodic stats \(Self.time.joined(separator: " "))"
    ).output
    #expect(text.contains("▁") == hasBlocks || text.contains("█") == hasBlocks, "\(text)")
    #expect(text.contains("BEGUN BY HOUR  @") == !hasBlocks, "\(text)")
  }

  @Test func `of one domain have nothing of others`() throws {
    let json = try stats("--domain", "web", "--by", "domain", "--json")
    #expect(!json.output.contains("script") && json.output.contains("\"domain\":\"web\""), "\(json)")
    for form in [["--prometheus"], ["--html", "-"], []] {
      let output = try episodic.run(["stats"] + Self.time + ["--domain", "web"] + form).output
      #expect(!output.contains("script>") && output.contains("web"), "\(form)")
    }
  }

  @Test func `as JSON are those of the library, in their documented form`() throws {
    let result = try stats("--by", "tool", "--json")
    try JSONSchema("analytics").check(result.output)
    let analytics = try JSONDecoder().decode(Analytics.self, from: Data(result.output.utf8))
    #expect(analytics.total.episodes.total == 24 && analytics.total.success?.successes == 18)
    #expect(analytics.tools.map(\.name) == [#"bash\n"t"#] && analytics.series.count == 3)
    let empty = try episodic("stats", "--since", "2020-01-01", "--until", "2020-01-02", "--json").output
    try JSONSchema("analytics").check(empty)
  }

  static let bad: [[String]] = [
    ["--since", "tomorrowish"], ["--since", "2026-01-04", "--until", "2026-01-01"], ["--by", "colour"],
    ["--json", "--html", "-"], ["--everywhere"], ["--domain", "", "--since", "1d"],
    ["--everywhere", "--domain", "web", "--prometheus"], ["--since", "1d", "--zone", "Mars"], ["--html", ""],
    ["--since", "0001-01-01", "--by", "day"],
  ]

  @Test(arguments: bad) func `refuse what makes no sense, in one line`(_ arguments: [String]) throws {
    let result = try episodic.run(["stats"] + arguments)
    #expect(result.status == 2 && result.output.isEmpty, "\(result)")
    #expect(result.errors.split(separator: "\n").first?.isEmpty == false, "\(result)")
  }

  @Test func `an HTML file that cannot be written is an error, and none is left`() throws {
    let result = try episodic("stats", "--html", "nowhere/report.html")
    #expect(result.status == 2 && result.errors.contains("nowhere/report.html"), "\(result)")
    try episodic("stats", "--since", "all", "--html", "report.html")
    #expect(try String(contentsOfFile: episodic.path("report.html"), encoding: .utf8).hasSuffix("</html>\n"))
  }
}

@Suite struct `Figures for Prometheus` {
  let episodic: CommandLineTool
  private let past = try? `Stats of the past`()

  init() throws { episodic = try #require(past).episodic }

  private func text(_ arguments: String...) throws -> String {
    try episodic.run(["stats"] + `Stats of the past`.time + ["--prometheus"] + arguments).output
  }

  @Test(arguments: [[], ["--everywhere"], ["--domain", "web"]])
  func `follow the grammar of the text format, with help, type and base units`(_ arguments: [String]) throws {
    let text = try episodic.run(["stats"] + `Stats of the past`.time + ["--prometheus"] + arguments).output
    let parsed = try PrometheusFormat(text)
    #expect(Set(parsed.helps.keys) == Set(parsed.kinds.keys) && parsed.kinds.count >= 12)
    for name in parsed.kinds.keys {
      #expect(name.hasPrefix("episodic_") && !name.contains("_ms") && !name.contains("milli"), "\(name)")
    }
  }

  @Test func `have the values of the store`() throws {
    let parsed = try PrometheusFormat(text())
    #expect(parsed.value("episodic_episodes", ["status": "completed"]) == 18)
    #expect(parsed.value("episodic_success_ratio") == 0.75)
    #expect(parsed.value("episodic_step_duration_seconds", ["quantile": "0.5"]) == 1.1)
    #expect(parsed.value("episodic_step_duration_seconds_count") == 24)
    #expect(parsed.value("episodic_step_duration_seconds_sum") == 27.6)
    #expect(parsed.value("episodic_tool_steps", ["tool": #"bash\n"t"#]) == 24)
    #expect(parsed.value("episodic_window_start_seconds") == 1_767_225_600)
    #expect(parsed.value("episodic_cache_hits_total", ["kind": "query"]) == 0)
  }

  @Test func `name domains only if they are asked for, escaped`() throws {
    #expect(try !text().contains("domain="))
    let everywhere = try PrometheusFormat(text("--everywhere"))
    let names = Set(everywhere.samples.compactMap { $0.labels["domain"] })
    #expect(names.count == 2 && names.contains("web") && names.contains { $0.contains("</script>'&") }, "\(names)")
    let sum = everywhere.samples.filter { $0.name == "episodic_episodes" }.reduce(0) { $0 + $1.value }
    #expect(sum == 24)
    let web = try PrometheusFormat(text("--domain", "web"))
    #expect(web.value("episodic_episodes", ["domain": "web", "status": "completed"]) == 12)
    #expect(web.value("episodic_store_bytes", ["tier": "primary"]) == nil)
  }

  @Test(.enabled(if: Programs.find("promtool") != nil, "promtool is not installed"))
  func `are accepted by promtool`() throws {
    let promtool = try #require(Programs.find("promtool"))
    for arguments in ["", "--everywhere"] {
      let time = `Stats of the past`.time.joined(separator: " ")
      let result = try episodic.shell(
        "episodic stats \(time) --prometheus \(arguments) | \(promtool) check metrics")
      #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
    }
  }

  @Test(arguments: [
    "a 1", "# TYPE a gauge\na 1", "# TYPE a gauge\n# TYPE a gauge\na 1\n", "# TYPE a gauge\na{b=\"\\x\"} 1\n",
    "# TYPE a counter\na 1\n", "# TYPE a gauge\na{b=\"c\"} 1\na{b=\"c\"} 2\n", "# TYPE a gauge\na{1b=\"c\"} 1\n",
    "# TYPE a summary\na 1\n", "# TYPE a gauge\na{b=\"c} 1\n", "# TYPE a b\na 1\n", "# TYPE a gauge\nb 1\n",
  ])
  func `the parser of the tests refuses what is no such text`(_ text: String) {
    #expect(throws: PrometheusFormat.Violation.self) { try PrometheusFormat(text) }
  }
}

/// Programs that a test needs and a machine may not have.
enum Programs {
  static func find(_ names: String...) -> String? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
    for name in names {
      for folder in folders where FileManager.default.isExecutableFile(atPath: "\(folder)/\(name)") {
        return "\(folder)/\(name)"
      }
    }
    return nil
  }
}
