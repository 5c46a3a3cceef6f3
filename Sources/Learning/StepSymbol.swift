/// What is compared between runs: the kind of action of a step, its shape and how it ended, without what differs from one to the
/// next.
package struct StepSymbol: Hashable, Sendable {
  /// How a step ended, as far as the agent saw it.
  package enum Outcome: UInt8, Sendable, CaseIterable {
    case ok, failed
    /// It succeeded and returned nothing: no text, an empty list, `null`.
    case empty
  }

  /// The tool or verb: what an agent chooses. At most `longest` bytes, not empty.
  package let action: String
  /// What the task makes of it: `join` of a query, `sort | uniq` of a pipeline; empty if it has none. At most `longest` bytes.
  package let shape: String
  package let outcome: Outcome

  package static let longest = 40

  package init(action: String, shape: String = "", outcome: Outcome) {
    self.action = action.isEmpty ? "nothing" : Self.limited(action)
    self.shape = Self.limited(shape)
    self.outcome = outcome
  }

  /// As it is shown and stored in a pattern: `query failed`, `select join ok`, `find | sort empty`.
  package var text: String {
    let kind = shape.isEmpty ? action : "\(action) \(shape)"
    return switch outcome {
    case .ok: kind + " ok"
    case .failed: kind + " failed"
    case .empty: kind + " empty"
    }
  }

  private static func limited(_ text: String) -> String {
    guard text.utf8.count > longest else { return text }
    var cut = String(decoding: text.utf8.prefix(longest), as: UTF8.self)
    while cut.hasSuffix("\u{FFFD}") { cut.removeLast() }
    return cut
  }
}
