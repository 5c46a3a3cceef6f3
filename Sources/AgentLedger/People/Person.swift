public import StoreValues

extension Ledger {
  /// Somebody whom agents work for.
  public struct Person: Hashable, Sendable, Codable, Identifiable {
    /// Identifies a person.
    public typealias ID = Identifier<Person>

    /// A UUID of version 7 unless the caller gave another.
    public let id: ID
    /// The name by which the person is known; no two have the same.
    public var handle: String
    public var tier: Tier
    /// Requests that were allowed, in all.
    public var requests: Int
    /// Requests that were allowed in this month of UTC.
    public var requestsThisMonth: Int
    /// Requests that a window of the rate limit allows; `nil` for the tier's.
    public var rateLimit: Int?
    /// When the running window of the rate limit ends.
    public var rateLimitResetsAt: Timestamp?
    /// The last request that was allowed, or log-in.
    public var lastActive: Timestamp?
    public var email: String?
    public var hasPassword: Bool
    /// Name of the IANA database, `Europe/Berlin`: quiet hours are of its clock.
    public var zone: String
    public var createdAt: Timestamp

    enum CodingKeys: String, CodingKey {
      case id, handle, tier, requests
      case requestsThisMonth = "requests_this_month"
      case rateLimit = "rate_limit"
      case rateLimitResetsAt = "rate_limit_resets_at"
      case lastActive = "last_active"
      case email
      case hasPassword = "has_password"
      case zone
      case createdAt = "created_at"
    }
  }
}

extension Ledger.Person {
  /// What a person pays for; rate limits are of a tier. An open set.
  public struct Tier: OpenName {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    public static let free = Tier(rawValue: "free")
    public static let premium = Tier(rawValue: "premium")
    public static let enterprise = Tier(rawValue: "enterprise")
  }

  /// A person to be added.
  public struct Draft: Hashable, Sendable {
    /// `nil`: the ledger makes one.
    public var id: ID?
    public var handle: String
    public var tier: Tier
    public var email: String?
    public var zone: String
    public var rateLimit: Int?
    public var preferences = Ledger.NoticePreferences()

    /// A person of the free tier in UTC.
    public init(
      _ handle: String, tier: Tier = .free, email: String? = nil, zone: String = "UTC", rateLimit: Int? = nil,
      id: ID? = nil
    ) {
      (self.handle, self.tier, self.email, self.zone) = (handle, tier, email, zone)
      (self.rateLimit, self.id) = (rateLimit, id)
    }
  }

  /// What to change of a person; a property that is not set stays as it is.
  public struct Changes: Hashable, Sendable {
    public var handle: String?
    public var tier: Tier?
    public var zone: String?
    /// `.some(nil)` removes it.
    public var email: String??
    /// `.some(nil)`: that of the tier again.
    public var rateLimit: Int??

    /// No change.
    public init(
      handle: String? = nil, tier: Tier? = nil, zone: String? = nil, email: String?? = nil, rateLimit: Int?? = nil
    ) {
      (self.handle, self.tier, self.zone, self.email, self.rateLimit) = (handle, tier, zone, email, rateLimit)
    }
  }

  /// Which people a list has.
  public enum Filter: Hashable, Sendable {
    /// Everybody, those added last first.
    case all
    /// Those of a tier, those added last first.
    case tier(Tier)
    /// Those who were active at a time or later, the last active first.
    case activeSince(Timestamp)
  }
}

extension Ledger {
  /// People that were added on a day of UTC.
  public struct PeopleGrowth: Hashable, Sendable, Codable {
    /// Its beginning.
    public let day: Timestamp
    public let added: Int
    /// All people at its end, without those that were removed since.
    public let total: Int
  }

  /// How many tasks a person has.
  public struct PersonTasks: Hashable, Sendable, Codable {
    public let person: Person
    public let tasks: Int
  }
}
