import Foundation
import Testing

@Suite struct `Learning on the command line` {
  let episodic: CommandLineTool

  init() throws { episodic = try CommandLineTool() }

  /// A run that tries, fails, and then looks or tries again; looking helps.
  private func run(_ number: Int) -> String {
    let looks = number % 2 == 0
    let succeeded = looks ? number % 20 < 18 : number % 10 < 2
    let time = "2026-01-\(number / 24 % 28 < 9 ? "0" : "")\(number / 24 % 28 + 1)T12:00:00Z"
    let steps = [
      ("try(\(number))", "Error: bad '\(number)'", false), (looks ? "look()" : "try(0)", "x", looks),
      ("end()", "x", true),
    ]
    let objects = steps.enumerated().map { index, step in
      #"{"step_number":\#(index + 1),"action":"\#(step.0)","result":"\#(step.1)","success":\#(step.2),"timestamp":"\#(time)"}"#
    }
    return
      #"{"id":"r\#(number)","task_type":"t","domain":"web","context":"task \#(number)","status":"\#(succeeded ? "completed" : "failed")","created_at":"\#(time)","completed_at":"\#(time)","metadata":{"agent":"a","task":\#(number)},"steps":[\#(objects.joined(separator: ","))]}"#
      + "\n"
  }

  private func learned() throws {
    try episodic("import", "-", input: (0..<200).map(run).joined())
    let result = try episodic("learn")
    #expect(result.status == 0 && result.output.contains("after try failed: do look"), "\(result)")
    try episodic(
      "begin", "--id", "now", "--task", "t", "--domain", "web", "--context", "c", "--metadata", #"{"agent":"a"}"#)
    try episodic("append", "now", "--action", "try(7)", "--result", "Error: bad '7'", "--failed")
  }

  @Test func `what is learned is listed, explained and advised, as the schemas say`() throws {
    try learned()
    let learning = try episodic("learn", "--json")
    try JSONSchema("learning").check(learning.output)
    let advice = try episodic("advise", "now", "--json")
    try JSONSchema("advice").check(advice.output)
    let first = try #require((advice.json?["advice"] as? [[String: Any]])?.first, "\(advice)")
    #expect((first["own"] as? [String: Any])?["runs"] as? Int == 100)
    #expect(try episodic("advise", "now").output.contains("do: look"))
    #expect(try episodic("patterns").output.contains("provisional"))
    let id = try #require(first["pattern"] as? String)
    let explained = try episodic("patterns", "--explain", id, "--json")
    try JSONSchema("pattern-explanation").check(explained.output)
    let shown = try episodic("patterns", "--explain", id)
    #expect(shown.output.contains("example") && shown.output.contains("shuffles"), "\(shown)")
    let validation = try episodic("learn", "--validate", "1", "--json")
    try JSONSchema("learning-validation").check(validation.output)
  }

  @Test func `nothing learned and nothing known are answers, and a reason is given`() throws {
    try episodic("import", "-", input: line("a"))
    let learning = try episodic("learn")
    #expect(learning.status == 0 && learning.output.contains("1 tasks, about 90 needed"), "\(learning)")
    let advice = try episodic("advise", "a")
    #expect(advice.status == 0 && advice.output.isEmpty && advice.errors.contains("nothing is known"), "\(advice)")
    #expect(try episodic("patterns").status == 0)
    #expect(try episodic("patterns", "--explain", "none").status == 1)
    #expect(try episodic("advise", "none").status == 1)
    #expect(try episodic("learn", "--shuffles", "3").status == 2)
  }
}
