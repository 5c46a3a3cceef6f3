import Episodic
import Foundation

/// The log that Codex writes of a session: what its hooks do not say is there, whether a command succeeded.
///
/// Each call stands in it twice: as the model sees it, with its arguments, and as the screen shows it, with its exit code. Lines
/// that are cut or of an unknown kind are passed over.
enum CodexRollout {
  /// Of the end of the file; a turn that wrote more is recorded from there on.
  private static let maximumBytes = 4 << 20
  private static let maximumSteps = 2000

  /// The calls of a turn in their order.
  ///
  /// - Parameter turn: Its id; calls after the last line that names another turn are not of it.
  /// - Throws: `.unavailable` if the file cannot be read.
  static func steps(path: String, turn: String) throws(MemoryError) -> [AgentStep] {
    var steps: [AgentStep] = []
    var places: [String: Int] = [:]
    var isInside = false
    for line in try lines(path) {
      guard let (type, payload) = record(line) else { continue }
      if type == "turn_context", case .string(let id)? = payload["turn_id"] { isInside = id == turn }
      guard isInside, steps.count < maximumSteps, case .string(let kind)? = payload["type"] else { continue }
      switch (type, kind) {
      case ("response_item", "function_call"), ("response_item", "custom_tool_call"),
        ("response_item", "local_shell_call"):
        guard let call = id(payload) else { continue }
        places[call] = steps.count
        steps.append(step(payload, call))
      case ("response_item", "function_call_output"), ("response_item", "custom_tool_call_output"):
        guard let place = id(payload).flatMap({ places[$0] }), steps[place].output == nil else { continue }
        steps[place].output = payload["output"].flatMap(AgentStep.output)
      case ("event_msg", "item_completed"):
        if let item = payload["item"], case .string(let call)? = item["id"], let place = places[call] {
          note(item, in: &steps[place])
        }
      case ("event_msg", "exec_command_end"):
        if let place = id(payload).flatMap({ places[$0] }) { note(.object(payload), in: &steps[place]) }
      default: continue
      }
    }
    return steps.filter { !AgentEvent.isOwn($0.tool) }
  }

  private static func id(_ payload: JSON.Object) -> String? {
    if case .string(let id)? = payload["call_id"] { id } else { nil }
  }

  private static func step(_ payload: JSON.Object, _ call: String) -> AgentStep {
    var name = "local_shell"
    if case .string(let given)? = payload["name"] { name = given }
    if case .string(let space)? = payload["namespace"] { name = "\(space)__\(name)" }
    var input = payload["arguments"] ?? payload["input"] ?? payload["action"] ?? .null
    // Arguments are JSON in a string, unless the tool takes a text.
    if case .string(let text) = input, let value = try? JSON(text: text) { input = value }
    return AgentStep(tool: name, call: call, action: AgentStep.action(name, input))
  }

  /// What the screen shows of a call: its exit code and its output without a header.
  private static func note(_ item: JSON, in step: inout AgentStep) {
    if case .integer(let code)? = item["exit_code"] {
      step.success = code == 0
    } else if case .string(let status)? = item["status"] {
      step.success = ["completed": true, "failed": false, "declined": false][status] ?? step.success
    }
    if case .string(let output)? = item["aggregated_output"] { step.output = output }
    if let duration = item["duration"], let seconds = duration["secs"]?.double, let nanos = duration["nanos"]?.double,
      (0...1e9).contains(seconds), (0...1e9).contains(nanos)
    {
      step.duration = .milliseconds(Int(seconds * 1000 + nanos / 1e6))
    }
  }

  private static func record(_ line: ArraySlice<UInt8>) -> (String, JSON.Object)? {
    // Most of the bytes are of lines that are not needed; the whole line is read only of those that are.
    let head = String(decoding: line.prefix(400), as: UTF8.self)
    guard ["turn_context", "response_item", "event_msg"].contains(where: { head.contains("\"\($0)\"") }),
      let value = try? JSON(text: String(decoding: line, as: UTF8.self)), case .string(let type)? = value["type"],
      let payload = value["payload"]?.members
    else { return nil }
    return (type, payload)
  }

  private static func lines(_ path: String) throws(MemoryError) -> [ArraySlice<UInt8>] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw MemoryError(.unavailable, "cannot read \(path): \(String(cString: strerror(errno))); the turn has no steps")
    }
    defer { close(descriptor) }
    let size = lseek(descriptor, 0, SEEK_END)
    let start = max(0, size - off_t(maximumBytes))
    var bytes = [UInt8](repeating: 0, count: maximumBytes)
    var filled = 0
    while filled < bytes.count {
      let offset = start + off_t(filled)
      let got = bytes[filled...].withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, offset) }
      if got > 0 { filled += got } else if got == 0 || errno != EINTR { break }
    }
    let lines = bytes[..<filled].split(separator: UInt8(ascii: "\n"))
    // The first one may have lost its beginning.
    return start > 0 ? Array(lines.dropFirst()) : lines
  }
}
