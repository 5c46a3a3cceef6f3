public import StoreValues

extension Ledger {
  /// When people are to be told that something is amiss.
  public struct AlertRule: Hashable, Sendable, Codable {
    /// By which it is known; no two have the same.
    public var name: String
    /// What it looks at.
    public var condition: Condition
    /// What the condition is restricted to, an object of texts: see `Condition`.
    public var labels: JSON
    /// Whether it fires above the threshold or below it; at it, it does not.
    public var comparison: Comparison
    /// In the unit of the condition.
    public var threshold: Double
    /// The time up to now that it looks at.
    public var window: Duration
    /// Of its notices.
    public var level: Notice.Level
    /// By which the recipients are told; none for those that each prefers.
    public var channels: [Notice.Channel]
    /// Who is told; those who are not there any more are left out.
    public var recipients: [Person.ID]
    /// Whether it is looked at.
    public var isEnabled: Bool
    /// It does not fire again before this has passed.
    public var cooldown: Duration
    /// When it fired last.
    public var lastTriggered: Timestamp?

    /// What a rule looks at. An open set: every other name is that of a series of samples.
    public struct Condition: OpenName {
      /// The name as it is stored.
      public let rawValue: String
      /// One of the application's own.
      public init(rawValue: String) { self.rawValue = rawValue }

      /// The share, 0...1, of tasks that failed among those that completed or failed. Labels: `domain`, `type`.
      public static let errorRate = Condition(rawValue: "error_rate")
      /// The mean time of tasks that completed, from the first claim, in milliseconds. Labels: `domain`, `type`.
      public static let responseTime = Condition(rawValue: "response_time")
      /// How many tasks were added. Labels: `domain`, `type`.
      public static let usage = Condition(rawValue: "usage")
      /// How many events of level error or critical there were. Labels: `component`, `error_type`, `kind`.
      public static let errors = Condition(rawValue: "errors")
      /// The mean of the samples of a name. Labels: those that a series must have.
      public static func sample(_ name: String) -> Condition { Condition(rawValue: name) }
    }

    /// On which side of the threshold a rule fires.
    public enum Comparison: String, Hashable, Sendable, Codable, CaseIterable {
      /// More than the threshold.
      case above
      /// Less than the threshold.
      case below
    }

    /// A rule to be saved.
    public struct Draft: Hashable, Sendable {
      /// By which it is known; a rule of the same name is replaced.
      public var name: String
      /// What it looks at.
      public var condition: Condition
      /// What the condition is restricted to, an object of texts: see `Condition`.
      public var labels: JSON = [:]
      /// Whether it fires above the threshold or below it.
      public var comparison = Comparison.above
      /// In the unit of the condition; finite.
      public var threshold: Double
      /// The time up to now that it looks at.
      public var window: Duration
      /// Of its notices.
      public var level = Notice.Level.warning
      /// By which the recipients are told; none for those that each prefers.
      public var channels: [Notice.Channel] = []
      /// Who is told.
      public var recipients: [Person.ID] = []
      /// Whether it is looked at.
      public var isEnabled = true
      /// It does not fire again before this has passed.
      public var cooldown = Duration.seconds(3600)

      /// A warning above a threshold, an hour apart.
      public init(
        _ name: String, _ condition: Condition, above threshold: Double, over window: Duration,
        level: Notice.Level = .warning, to recipients: [Person.ID] = [], by channels: [Notice.Channel] = []
      ) {
        (self.name, self.condition, self.threshold, self.window) = (name, condition, threshold, window)
        (self.level, self.recipients, self.channels) = (level, recipients, channels)
      }
    }
  }

  /// A rule that fired.
  public struct Alert: Hashable, Sendable, Codable {
    /// The rule's name.
    public let rule: String
    /// What it found in its window.
    public let value: Double
    /// When it fired.
    public let createdAt: Timestamp

    enum CodingKeys: String, CodingKey {
      case rule, value
      case createdAt = "created_at"
    }
  }
}

extension Ledger.AlertRule {
  enum CodingKeys: String, CodingKey {
    case name, condition, labels, comparison, threshold
    case window = "window_ms"
    case level, channels, recipients
    case isEnabled = "enabled"
    case cooldown = "cooldown_ms"
    case lastTriggered = "last_triggered"
  }

  /// Durations are milliseconds.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    name = try container.decode(String.self, forKey: .name)
    condition = try container.decode(Condition.self, forKey: .condition)
    labels = try container.decode(JSON.self, forKey: .labels)
    comparison = try container.decode(Comparison.self, forKey: .comparison)
    threshold = try container.decode(Double.self, forKey: .threshold)
    window = .milliseconds(try container.decode(Int64.self, forKey: .window))
    level = try container.decode(Ledger.Notice.Level.self, forKey: .level)
    channels = try container.decode([Ledger.Notice.Channel].self, forKey: .channels)
    recipients = try container.decode([Ledger.Person.ID].self, forKey: .recipients)
    isEnabled = try container.decode(Bool.self, forKey: .isEnabled)
    cooldown = .milliseconds(try container.decode(Int64.self, forKey: .cooldown))
    lastTriggered = try container.decodeIfPresent(Timestamp.self, forKey: .lastTriggered)
  }

  /// Durations are milliseconds.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(name, forKey: .name)
    try container.encode(condition, forKey: .condition)
    try container.encode(labels, forKey: .labels)
    try container.encode(comparison, forKey: .comparison)
    try container.encode(threshold, forKey: .threshold)
    try container.encode(window.milliseconds, forKey: .window)
    try container.encode(level, forKey: .level)
    try container.encode(channels, forKey: .channels)
    try container.encode(recipients, forKey: .recipients)
    try container.encode(isEnabled, forKey: .isEnabled)
    try container.encode(cooldown.milliseconds, forKey: .cooldown)
    try container.encodeIfPresent(lastTriggered, forKey: .lastTriggered)
  }
}
