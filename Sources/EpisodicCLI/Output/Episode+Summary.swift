import Episodic

extension Episode {
  /// The episode without its steps, for lists and answers that programs read.
  var summary: JSON {
    guard case .object(var members) = json else { return json }
    members["steps"] = .integer(Int64(steps.count))
    return .object(members)
  }

  /// The status, and how much of it worked.
  var outcome: String {
    guard let successRate, successRate > 0, successRate < 1 else { return status.rawValue }
    return "\(status.rawValue) \(Int((successRate * 100).rounded()))%"
  }
}

extension Timestamp {
  /// To the second, for people: `2026-01-31 12:00:00`; UTC.
  var forPeople: String {
    String(description.prefix(19)).replacing("T", with: " ")
  }
}

extension Duration {
  /// `12ms`, `1.5s`, `2m 3s`.
  var forPeople: String {
    let milliseconds = milliseconds
    if milliseconds < 1000 { return "\(milliseconds)ms" }
    if milliseconds < 60_000 { return "\(Double(milliseconds / 100) / 10)s" }
    return "\(milliseconds / 60_000)m \(milliseconds / 1000 % 60)s"
  }
}

/// `1 step`, `2 steps`.
func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
