import GRDB
import StoreRows
public import StoreValues

extension Ledger {
  /// Whether a selector found its element on a page.
  public struct Signal: Hashable, Sendable, Codable {
    /// Later signals have greater numbers.
    public let number: Int64
    /// As it was given to the browser.
    public let selector: String
    /// The language of the selector.
    public let selectorType: SelectorType
    /// Whether it found its element.
    public let success: Bool
    /// Where: URL, title.
    public let context: JSON
    /// Why it did not.
    public let error: String?
    private let durationMilliseconds: Int64?
    /// For which task.
    public let task: Task.ID?
    /// The privacy boundary: selectors are counted within it.
    public let domain: String
    /// When it was recorded.
    public let createdAt: Timestamp

    /// How long the search took.
    public var duration: Duration? { durationMilliseconds.map { .milliseconds($0) } }

    init(_ row: Row) throws {
      number = try row.value(0)
      selector = try row.text(1)
      selectorType = try row.closed(2)
      success = try row.value(3)
      context = try row.json(4)
      error = try row.value(5)
      durationMilliseconds = try row.value(6)
      task = try row.id(ifAny: 7)
      domain = try row.text(8)
      createdAt = try row.time(9)
    }

    enum CodingKeys: String, CodingKey {
      case number, selector
      case selectorType = "selector_type"
      case success, context, error
      case durationMilliseconds = "duration_ms"
      case task = "task_id"
      case domain
      case createdAt = "created_at"
    }
  }
}

extension Ledger.Signal {
  /// The language of a selector.
  public enum SelectorType: String, Hashable, Sendable, Codable, CaseIterable {
    /// In which language the selector is written.
    case css, xpath, id, name
  }

  /// A signal to be recorded.
  public struct Draft: Hashable, Sendable {
    /// As it was given to the browser.
    public var selector: String
    /// The language of the selector.
    public var selectorType: SelectorType
    /// Whether it found its element.
    public var success: Bool
    /// The privacy boundary.
    public var domain: String
    /// An object: URL, title.
    public var context: JSON
    /// Why it did not.
    public var error: String?
    /// How long the search took.
    public var duration: Duration?
    /// For which task.
    public var task: Ledger.Task.ID?

    /// That a selector found its element, or did not.
    public init(
      _ selector: String, type: SelectorType, success: Bool, domain: String, context: JSON = [:], error: String? = nil,
      duration: Duration? = nil, task: Ledger.Task.ID? = nil
    ) {
      (self.selector, self.selectorType, self.success) = (selector, type, success)
      (self.domain, self.context, self.error) = (domain, context, error)
      (self.duration, self.task) = (duration, task)
    }
  }

  /// How often a selector found its element.
  public struct Rate: Hashable, Sendable, Codable {
    /// As it was given to the browser.
    public let selector: String
    /// The language of the selector.
    public let selectorType: SelectorType
    /// Signals of it in the window.
    public let count: Int
    /// Those in which it found its element.
    public let successes: Int

    /// 0...1.
    public var successRate: Double { Double(successes) / Double(max(count, 1)) }

    enum CodingKeys: String, CodingKey {
      case selector
      case selectorType = "selector_type"
      case count, successes
    }
  }
}
