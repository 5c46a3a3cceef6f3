public import Learning

/// Whether what is learned from half of the tasks holds in the other half, which is how it is judged before it is trusted.
public struct LearningValidation: Sendable, Hashable {
  /// One pattern that was found in a half.
  public struct Check: Sendable, Hashable {
    /// From 1; each split is judged both ways.
    public var split: Int
    /// What was found.
    public var key: PatternKey
    /// Whether it was found to help or to harm.
    public var direction: LearnedPattern.Direction
    /// Standard deviations from chance where it was found.
    public var score: Double
    /// The same in the other half; below 0 where it points the other way than it was found to.
    public var heldOut: Double
  }

  /// By split, then score. Patterns that do not occur in the other half, and symptoms, are left out.
  public var checks: [Check]

  package init(checks: [Check]) { self.checks = checks }

  /// Checks whose direction was the same.
  public var agreeing: Int { checks.count { $0.heldOut > 0 } }
  /// Checks whose direction was the opposite, by more than chance explains (1.96 standard deviations).
  public var reversed: Int { checks.count { $0.heldOut <= -1.96 } }

  /// As `episodic learn --validate N --json` shows it.
  public var json: JSON {
    [
      "checks": .array(
        checks.map { check in
          [
            "split": .integer(Int64(check.split)), "pattern": .string(check.key.text),
            "direction": .string(check.direction.rawValue), "score": JSON(rounded: check.score),
            "held_out": JSON(rounded: check.heldOut),
          ]
        }), "agreeing": .integer(Int64(agreeing)), "reversed": .integer(Int64(reversed)),
    ]
  }
}
