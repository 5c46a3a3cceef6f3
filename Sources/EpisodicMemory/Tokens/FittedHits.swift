/// The hits of a query, cut to a number of tokens.
public struct FittedHits: Hashable, Sendable {
  /// A hit and its part of the tokens.
  public struct Element: Hashable, Sendable {
    /// Its episode has the steps that fit, in the order of their numbers (`Episode.omittedSteps` counts the others); a text
    /// that is too long has its beginning and its end, with a line between them that counts what is left out.
    public let hit: Hit
    /// By `TokenEstimate`, with a line of what the episode is.
    public let tokens: Int

    /// A value as a store returns it; for doubles in tests.
    public init(hit: Hit, tokens: Int) {
      self.hit = hit
      self.tokens = tokens
    }
  }

  /// What the query found that did not fit.
  public struct Omitted: Hashable, Sendable {
    /// Whole hits.
    public var hits: Int
    /// Steps of all hits.
    public var steps: Int
    /// Of all that is left out, texts that are cut included; of the steps that were read.
    public var tokens: Int

    /// Nothing, unless said otherwise.
    public init(hits: Int = 0, steps: Int = 0, tokens: Int = 0) {
      self.hits = hits
      self.steps = steps
      self.tokens = tokens
    }
  }

  /// Best first.
  public let elements: [Element]
  /// What did not fit.
  public let omitted: Omitted

  /// A value as a store returns it; for doubles in tests.
  public init(elements: [Element], omitted: Omitted) {
    self.elements = elements
    self.omitted = omitted
  }

  /// The hits that fit.
  public var hits: [Hit] { elements.map(\.hit) }

  /// The estimate for all of them.
  public var tokens: Int { elements.reduce(0) { $0 + $1.tokens } }
}

/// How a hit is written, which decides what it costs.
package struct HitRendering: Sendable {
  package let head: @Sendable (Episode) -> String
  package let context: @Sendable (Episode) -> String
  package let step: @Sendable (Step) -> String

  package init(
    head: @escaping @Sendable (Episode) -> String, context: @escaping @Sendable (Episode) -> String,
    step: @escaping @Sendable (Step) -> String
  ) {
    (self.head, self.context, self.step) = (head, context, step)
  }

  /// The fields with a word of what they are.
  package static let plain = HitRendering(
    head: { "\($0.status.rawValue), \($0.taskType.rawValue), \($0.createdAt), id \($0.id.rawValue)\n" },
    context: { "task: \($0.context)\n" },
    step: { step in
      let outcome = step.success.map { $0 ? ", succeeded" : ", failed" } ?? ""
      let action = "step \(step.number) (\(step.tool ?? "")\(outcome)): \(step.action)\n"
      return step.result.map { "\(action)result: \($0)\n" } ?? action
    })
}
