import StoreValues

extension Ledger {
  /// How long a ledger keeps what has ended, by topic. It is stored in the ledger, for all its processes.
  ///
  /// Nothing goes that something living refers to: a task with messages that are not delivered, with a run that is no episode
  /// yet or with an open subtask; a result whose message is kept; a notice whose message may still be sent; samples, events and
  /// tasks in the window of an alert rule.
  public struct Retention: Hashable, Sendable {
    /// What is kept for a time of its own.
    public enum Topic: String, CaseIterable, Hashable, Sendable, Codable {
      /// Messages, from their delivery on. Dead letters stay.
      case messages
      /// Results of tasks that have ended, from their creation on.
      case results
      /// Tasks that were completed, from the delivery of their results on; their results go with them.
      case completedTasks = "completed_tasks"
      /// Tasks that have ended, from their end on; then they move to the archive.
      case archivedTasks = "archived_tasks"
      /// The log of deliveries.
      case deliveries
      /// Samples; a series goes with its last one, unless an alert rule names it.
      case samples
      /// Events of the levels debug and info.
      case infoEvents = "info_events"
      /// Events of the levels warning, error and critical.
      case errorEvents = "error_events"
      /// Notices that were sent or have failed.
      case notices
      /// The feed of changes.
      case changes
      /// Cached pages, from their expiry on.
      case pages
      /// Logins, from their expiry on.
      case logins
    }

    /// `nil`: it is kept without a bound.
    var ages: [Topic: Duration]

    /// The defaults: messages, results, completed tasks and changes 7 days, deliveries 14, samples and info events 30, error
    /// events and notices 90; tasks a year until they are archived; pages and logins not beyond their expiry.
    public init() {
      func days(_ count: Int) -> Duration { .seconds(count * 86_400) }
      ages = [
        .messages: days(7), .results: days(7), .completedTasks: days(7), .archivedTasks: days(365),
        .deliveries: days(14),
        .samples: days(30), .infoEvents: days(30), .errorEvents: days(90), .notices: days(90), .changes: days(7),
        .pages: .zero, .logins: .zero,
      ]
    }

    /// How long it is kept; `nil`: without a bound.
    public subscript(topic: Topic) -> Duration? {
      get { ages[topic] }
      set { ages[topic] = newValue }
    }
  }

  /// What retention did, or would do.
  public struct RetentionReport: Hashable, Sendable {
    /// Rows that went, or would go, by topic; of the archive, tasks that moved there. Topics without any are left out.
    public internal(set) var counts: [Retention.Topic: Int] = [:]
    /// Whether nothing was changed.
    public internal(set) var isDryRun: Bool
    /// Why some rules judge by an earlier time than that of the clock; `nil` if none does.
    public internal(set) var clockDoubt: String?
  }
}

extension Ledger.Retention: Codable {
  /// By topic, in milliseconds; `null`: without a bound. Topics that are left out have their defaults.
  public init(from decoder: any Decoder) throws {
    let values = try [String: Int64?](from: decoder)
    self.init()
    for (name, value) in values {
      guard let topic = Topic(rawValue: name) else {
        throw DecodingError.dataCorrupted(
          .init(codingPath: decoder.codingPath, debugDescription: "no topic of retention \"\(name)\""))
      }
      self[topic] = value.map { .milliseconds($0) }
    }
  }

  public func encode(to encoder: any Encoder) throws {
    try Dictionary(uniqueKeysWithValues: Topic.allCases.map { ($0.rawValue, self[$0]?.milliseconds) }).encode(
      to: encoder)
  }
}

extension Ledger.Retention {
  static let setting = "retention"

  var json: JSON {
    .object(
      JSON.Object(
        Topic.allCases.map { ($0.rawValue, self[$0].map { .integer($0.milliseconds) } ?? .null) }))
  }

  /// - Throws: `.corrupted` for what `json` does not write.
  init(stored: JSON) throws(MemoryError) {
    self.init()
    guard let members = stored.members else { throw Self.damaged(stored) }
    for (name, value) in members {
      // A topic of a later version says nothing here.
      guard let topic = Topic(rawValue: name) else { continue }
      switch value {
      case .null: self[topic] = nil
      case .integer(let milliseconds) where milliseconds >= 0: self[topic] = .milliseconds(milliseconds)
      default: throw Self.damaged(stored)
      }
    }
  }

  private static func damaged(_ stored: JSON) -> MemoryError {
    MemoryError(
      .corrupted,
      "the setting \(setting) is \(stored.canonicalText.shortened(to: 60)), which is no retention: another program changed "
        + "it; set it again")
  }

  /// - Throws: `.invalid` for a time below nothing or beyond ten years.
  func validate(_ input: LedgerInput) throws(MemoryError) {
    for topic in Topic.allCases { _ = try input.milliseconds(self[topic], "the retention of \(topic.rawValue)") }
  }
}
