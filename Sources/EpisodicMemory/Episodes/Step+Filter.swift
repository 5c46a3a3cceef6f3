extension Step {
  /// What one step of an episode must be like for the episode to pass; by default any step is.
  public struct Filter: Hashable, Sendable {
    /// Name of the tool, as it was recorded.
    public var tool: String?
    /// Whether it succeeded; `nil` for any outcome.
    public var success: Bool?
    /// Words, never query syntax. A step has all of them in its action, result and tool, in any order; after stemming, as
    /// in `Query.text`.
    public var text: String?
    /// Words that a step has as they stand, side by side in one of those texts: a command with its options. What is between
    /// them does not count, `--filter Login` is `filter login`.
    public var phrase: String?

    /// What is left out does not restrict.
    public init(tool: String? = nil, success: Bool? = nil, text: String? = nil, phrase: String? = nil) {
      self.tool = tool
      self.success = success
      self.text = text
      self.phrase = phrase
    }
  }
}
