import EpisodicMemory
import Interchange

/// The form of a log.
package enum LogFormat: String, CaseIterable, Sendable {
  case claude, codex
  /// OpenTelemetry's, one export a line.
  case otel
  case openaiAgents = "openai-agents"
  case langsmith
  case sweAgent = "swe-agent"

  /// Lines that are looked at to find the form.
  private static let probed = 50

  /// The form by the first lines of a file; `nil` if it is none that is known.
  static func detect(_ input: OpenInput) throws(MemoryError) -> LogFormat? {
    // A trajectory may be indented, over many lines.
    if input.name.hasSuffix(".traj") || input.name.hasSuffix(".traj.json") { return .sweAgent }
    var reader = LineReader(input)
    for _ in 0..<probed {
      do throws(MemoryError) {
        guard let line = try reader.next() else { return nil }
        if let format = detect(line.bytes) { return format }
      } catch let error where error.code.isOfInput {
        // A line that is too long; the next call goes on after it.
        continue
      }
    }
    return nil
  }

  private static func detect(_ line: [UInt8]) -> LogFormat? {
    let names = LineMembers.names(in: line)
    if names.contains("resourceSpans") { return .otel }
    if names.isSuperset(of: ["object", "id"]) { return .openaiAgents }
    if names.isSuperset(of: ["run_type", "id"]) { return .langsmith }
    if names.contains("trajectory") || names.contains("trajectory_format") { return .sweAgent }
    guard names.contains("type") else { return nil }
    if names.isSuperset(of: ["timestamp", "payload"]) { return .codex }
    if names.contains("sessionId") { return .claude }
    // The first generation of Codex has items without an envelope.
    let type = LineMembers.values(["type"], in: line).flatMap { $0[0] } ?? ""
    return !names.contains("uuid") && CodexLog.isBareItem(type) ? .codex : nil
  }
}
