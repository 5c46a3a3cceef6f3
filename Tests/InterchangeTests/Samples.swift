import EpisodicMemory
import TestSupport

@testable import Interchange

/// A line with every member, in the usual order.
let wholeLine = """
  {"id": "run/1", "task_type": "debugging", "domain": "web", "session": "s", "context": "fix the login", \
  "status": "completed", "success_rate": 0.5, "created_at": "2026-01-31T12:00:00Z", \
  "completed_at": "2026-01-31T12:00:10.250Z", "metadata": {"model": "m", "cost": 0.25}, "steps": [\
  {"step_number": 1, "action": "look", "result": "nothing", "tool": "grep", "duration_ms": 1500, "success": false, \
  "timestamp": "2026-01-31T12:00:00Z"}, \
  {"step_number": 2, "action": "patch", "timestamp": "2026-01-31T12:00:05Z"}]}
  """

func readLine(_ text: String, limits: Memory.Limits = Memory.Limits()) throws(MemoryError) -> Episode {
  try readLine(Array(text.utf8), limits: limits)
}

func readLine(_ bytes: [UInt8], limits: Memory.Limits = Memory.Limits()) throws(MemoryError) -> Episode {
  try EpisodeLine(bytes).episode(limits: limits, now: Timestamp(milliseconds: 1_767_225_600_000))
}

extension Episode {
  /// Without the identifiers of its steps, which are new at each reading.
  var withoutStepIDs: Episode {
    var copy = self
    copy.steps = steps.map { step in
      Step(
        id: "", number: step.number, action: step.action, result: step.result, tool: step.tool,
        duration: step.duration, success: step.success, timestamp: step.timestamp)
    }
    return copy
  }

  /// A random episode that may be stored, including edge cases.
  static func random(_ index: Int, using random: inout SeededGenerator) -> Episode {
    let created = Int64.random(in: Timestamp.accepted.lowerBound.milliseconds...253_000_000_000_000, using: &random)
    var number = 0
    let steps = (0..<Int.random(in: 0...6, using: &random)).map { _ in
      number += Int.random(in: 1...3, using: &random)
      return Step(
        id: Step.ID("\(index)/\(number)"), number: number, action: text(&random), result: maybe(&random, text),
        tool: maybe(&random, text),
        duration: maybe(&random) { .milliseconds(Int64.random(in: 0...(1 << 53), using: &$0)) },
        success: maybe(&random) { Bool.random(using: &$0) },
        timestamp: Timestamp(milliseconds: created + Int64.random(in: 0...1_000_000, using: &random)))
    }
    return Episode(
      id: Episode.ID("\(index):\(text(&random).prefix(8))"), taskType: TaskType("t\(text(&random))"),
      domain: "d\(text(&random))", session: maybe(&random) { "s\(text(&$0))" }, context: text(&random),
      status: Status.allCases.randomElement(using: &random) ?? .active,
      successRate: maybe(&random) { Double.random(in: 0...1, using: &$0) },
      createdAt: Timestamp(milliseconds: created),
      completedAt: maybe(&random) { Timestamp(milliseconds: created + Int64.random(in: 0...1_000_000, using: &$0)) },
      metadata: .object(members(&random, depth: 3)), steps: steps)
  }

  private static func maybe<Value>(
    _ random: inout SeededGenerator, _ make: (inout SeededGenerator) -> Value
  ) -> Value? {
    Bool.random(using: &random) ? make(&random) : nil
  }

  private static let pieces = [
    "", " ", "a", "Zeile", "\n", "\r\n", "\t", "\"", "\\", "/", "\u{1}", "\u{1F}", "\u{7F}", "\u{85}", "\u{2028}", "é",
    "e\u{301}", "\u{212B}", "日本", "🙈", "👩‍👩‍👧",
    "\u{FEFF}", "\u{FFFD}", "\u{10FFFF}", "\u{202E}", "\u{E0041}", "\\u0041", "null", "{\"a\":1}", "%s",
  ]

  private static func text(_ random: inout SeededGenerator) -> String {
    (0..<Int.random(in: 0...5, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
  }

  private static func members(_ random: inout SeededGenerator, depth: Int) -> JSON.Object {
    var members: JSON.Object = [:]
    for _ in 0..<Int.random(in: 0...4, using: &random) { members[text(&random)] = json(&random, depth: depth - 1) }
    return members
  }

  private static func json(_ random: inout SeededGenerator, depth: Int) -> JSON {
    switch Int.random(in: 0...(depth > 0 ? 7 : 5), using: &random) {
    case 0: .null
    case 1: .bool(Bool.random(using: &random))
    case 2: Bool.random(using: &random) ? .integer(.random(in: .min ... .max, using: &random)) : .unsigned(.max)
    case 3: JSON(Double(bitPattern: UInt64.random(in: 0..<0x7FF0_0000_0000_0000, using: &random)))
    case 4:
      JSON([0.1, 1e-7, .leastNonzeroMagnitude, 1.7976931348623157e308, 1e21, -2.5].randomElement(using: &random) ?? 0)
    case 5: .string(text(&random))
    case 6: .array((0..<Int.random(in: 0...3, using: &random)).map { _ in json(&random, depth: depth - 1) })
    default: .object(members(&random, depth: depth))
    }
  }
}
