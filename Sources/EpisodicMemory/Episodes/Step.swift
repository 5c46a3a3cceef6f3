/// One action in an episode, with its result.
public struct Step: Identifiable, Hashable, Sendable {
  public typealias ID = Identifier<Step>

  public let id: ID
  /// Unique in its episode, counted from 1; gaps are allowed.
  public let number: Int
  /// What was done; searched by words.
  public var action: String
  /// What came of it; searched by words. `nil` if nothing was recorded.
  public var result: String?
  /// Name of the tool used.
  public var tool: String?
  /// Whole milliseconds, not negative.
  public var duration: Duration?
  /// `nil` if unknown.
  public var success: Bool?
  /// When it was done.
  public var timestamp: Timestamp
  /// Where it came from; empty: from where its episode did.
  public var provenance: Provenance

  /// A value as a store returns it; for doubles in tests.
  public init(
    id: ID, number: Int, action: String, result: String? = nil, tool: String? = nil, duration: Duration? = nil,
    success: Bool? = nil, timestamp: Timestamp, provenance: Provenance = Provenance()
  ) {
    self.id = id
    self.number = number
    self.action = action
    self.result = result
    self.tool = tool
    self.duration = duration
    self.success = success
    self.timestamp = timestamp
    self.provenance = provenance
  }

  /// What becomes of an action or a result that is longer than `Memory.Limits.fieldBytes`.
  public enum Overlong: Hashable, Sendable {
    /// The step is refused with `.limitExceeded`.
    case refuse
    /// Beginning and end are kept, with a line between them that counts what is left out. The episode's metadata name the step
    /// and its whole length: `"cut_steps": {"3": {"result_bytes": 5242880}}`.
    case cut
  }

  /// The whole lengths of the fields that were cut, in bytes.
  package struct CutLengths: Hashable, Sendable {
    package var action: Int?
    package var result: Int?

    package init() {}
  }

  /// The caller's part of a step; the engine adds the rest.
  public struct Draft: Hashable, Sendable {
    /// What was done; searched by words.
    public var action: String
    /// What came of it; searched by words.
    public var result: String?
    /// Name of the tool used; searched by words.
    public var tool: String?
    /// Truncated to whole milliseconds.
    public var duration: Duration?
    /// `nil` if unknown.
    public var success: Bool?
    /// `nil`: one more than the highest in the episode.
    public var number: Int?
    /// `nil`: now.
    public var timestamp: Timestamp?
    /// Where it came from, such as a page that was read; less trust than the episode has lowers that. Empty: from where the episode
    /// did.
    public var provenance: Provenance
    /// What becomes of an action or a result that is too long.
    public var overlong: Overlong
    /// Set when the draft is validated; `nil` if nothing was cut.
    package var cutLengths: CutLengths?

    /// What the caller knows; the engine adds the rest.
    public init(
      _ action: String, result: String? = nil, tool: String? = nil, duration: Duration? = nil, success: Bool? = nil,
      number: Int? = nil, timestamp: Timestamp? = nil, provenance: Provenance = Provenance(),
      overlong: Overlong = .refuse
    ) {
      self.provenance = provenance
      self.overlong = overlong
      self.action = action
      self.result = result
      self.tool = tool
      self.duration = duration
      self.success = success
      self.number = number
      self.timestamp = timestamp
    }
  }
}
