/// Which steps of an episode to read: an episode may have 100,000.
///
/// An episode read in part says so (`Episode.omittedSteps`) and cannot be inserted: the steps left out would be lost.
public enum StepSelection: Hashable, Sendable {
  /// Every step.
  case all
  /// No step; of the steps only their number is known.
  case none
  /// The last so many by number, in order; 0 or more.
  case last(Int)

  /// How many of the last steps to read at most; `nil` for all.
  package var limit: Int? {
    switch self {
    case .all: nil
    case .none: 0
    case .last(let count): count
    }
  }
}

extension Episode {
  /// The episode with the selected ones of its steps.
  ///
  /// - Complexity: Decodes only the steps that are kept.
  package func keeping(_ selection: StepSelection) -> Episode {
    guard let limit = selection.limit, limit < stepCount - omittedSteps else { return self }
    var part = self
    part.keepSteps(last: limit)
    return part
  }
}

extension Step {
  /// A part of the steps of an episode, in the order of their numbers.
  public struct Page: Hashable, Sendable {
    /// The steps of this part, by number.
    public let elements: [Step]
    /// The number after which the next page begins; `nil` after the last page.
    public let next: Int?

    /// A value as a store returns it; for doubles in tests.
    public init(elements: [Step], next: Int?) {
      self.elements = elements
      self.next = next
    }
  }
}
