public import StoreValues

extension Ledger {
  /// How much a person of a tier may have in a time.
  public struct RateLimit: Hashable, Sendable, Codable {
    /// At most so many in a window; `nil` for any number.
    public var count: Int?
    /// From the first one that it counts.
    public var window: Duration

    /// So many in a window.
    public init(_ count: Int?, per window: Duration) { (self.count, self.window) = (count, window) }

    enum CodingKeys: String, CodingKey {
      case count
      case window = "window_ms"
    }

    /// The window is in milliseconds.
    public init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      self.init(
        try container.decodeIfPresent(Int.self, forKey: .count),
        per: .milliseconds(try container.decode(Int64.self, forKey: .window)))
    }

    /// The window is in milliseconds.
    public func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encodeIfPresent(count, forKey: .count)
      try container.encode(window.milliseconds, forKey: .window)
    }
  }

  /// What a rate limit is of.
  public enum RateLimitKind: String, Hashable, Sendable, Codable, CaseIterable {
    /// Requests of a person, which are refused beyond it. A window begins with a request.
    case requests
    /// Notices to a person by each channel, which wait beyond it unless they are critical: no window of this length has more,
    /// wherever it begins.
    case notices
  }

  /// Whether a request is allowed.
  public struct RequestDecision: Hashable, Sendable, Codable {
    /// Whether it may be served; then it is counted.
    public let isAllowed: Bool
    /// Requests that the running window still allows; `nil` for any number.
    public let remaining: Int?
    /// When a request is allowed again; `nil` if this one was.
    public let retryAt: Timestamp?

    enum CodingKeys: String, CodingKey {
      case isAllowed = "is_allowed"
      case remaining
      case retryAt = "retry_at"
    }
  }
}
