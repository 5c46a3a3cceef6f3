/// What was done in a situation: the identity of a learned pattern.
public struct PatternKey: Hashable, Sendable {
  /// What a pattern is about.
  public enum Kind: String, Sendable, CaseIterable {
    /// After one step, or two in a row, an action.
    case sequence
    /// The same at the start of a run.
    case preamble
    /// After a step that failed, or a certain error of it, an action.
    case resolution
    /// The same action, or the same error, again.
    case loop
  }

  /// What the pattern is about.
  public let kind: Kind
  /// The steps before, oldest first, as `query failed` or `select join ok`; of a resolution perhaps the masked text of the error,
  /// and then the step that had it. Empty for a loop.
  public let when: [String]
  /// The action, without how it ended; of a loop what is repeated.
  public let then: String

  package init(_ kind: Kind, when: [String], then: String) {
    (self.kind, self.when, self.then) = (kind, when, then)
  }

  /// After steps, whose kind they decide.
  package init(when: [String], then: String) {
    let failed = when.last?.hasSuffix(" failed") == true
    self.init(failed ? .resolution : when.first == Self.start ? .preamble : .sequence, when: when, then: then)
  }

  /// Stands before the first step of a run.
  package static let start = "(start)"
  /// With the same arguments.
  package static let sameAction = "the same action a third time"
  /// Of two steps in a row, by its masked text.
  package static let sameError = "the same error a second time"

  /// In words: `after query failed: describe`.
  public var text: String {
    when.isEmpty ? then : "after \(when.joined(separator: ", ")): \(then)"
  }

  /// Of the step before, or what is repeated: by it a pattern is found that may apply.
  package var situation: String { when.last ?? then }
}
