/// A step as it stands in the line of its episode.
struct StepLine {
  private static let numberWanted = "a whole number, counted from 1"
  private static let durationWanted = "whole milliseconds, or null"

  /// `nil`: one more than the highest before.
  let number: Int64?
  let action: String
  let result: String?
  let tool: String?
  let milliseconds: Int64?
  let success: Bool?
  let timestamp: Timestamp

  /// Reads the step that the scanner stands before.
  init(_ scanner: inout JSONScanner) throws(MemoryError) {
    var number: Int64?, milliseconds: Int64?
    var action: String?, result: String?, tool: String?
    var success: Bool?
    var timestamp: Timestamp?
    try scanner.object("an object with action and timestamp") { scanner, name throws(MemoryError) in
      switch name {
      case "step_number": number = try scanner.null() ? nil : try scanner.integer(Self.numberWanted)
      case "action": action = try scanner.text("a string")
      case "result": result = try scanner.null() ? nil : try scanner.text("a string, or null")
      case "tool": tool = try scanner.null() ? nil : try scanner.text("a string, or null")
      case "duration_ms": milliseconds = try scanner.null() ? nil : try scanner.integer(Self.durationWanted)
      case "success": success = try scanner.null() ? nil : try scanner.bool("true, false or null")
      case "timestamp": timestamp = try scanner.time()
      default: throw scanner.fault("is no member of a step; put it under metadata of the episode")
      }
    }
    guard let action else { throw scanner.missing("action", "a string") }
    guard let timestamp else { throw scanner.missing("timestamp", JSONScanner.timeWanted) }
    self.number = number
    self.action = action
    self.result = result
    self.tool = tool
    self.milliseconds = milliseconds
    self.success = success
    self.timestamp = timestamp
  }

  func step(number: Int, now: Timestamp) -> Step {
    Step(
      id: .generate(at: now), number: number, action: action, result: result, tool: tool,
      duration: milliseconds.map { .milliseconds($0) }, success: success, timestamp: timestamp)
  }
}

extension Step {
  /// The step as it stands in the line of its episode; what is `nil` is left out.
  public var json: JSON {
    var members: JSON.Object = [
      "step_number": .integer(Int64(number)), "action": .string(action), "timestamp": .string(timestamp.description),
    ]
    members["result"] = result.map(JSON.string)
    members["tool"] = tool.map(JSON.string)
    members["duration_ms"] = duration.map { .integer($0.milliseconds) }
    members["success"] = success.map(JSON.bool)
    return .object(members)
  }
}
