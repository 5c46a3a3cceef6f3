public import StoreValues

extension Ledger {
  /// Somebody whom agents work for.
  public struct Person: Hashable, Sendable, Codable, Identifiable {
    /// Identifies a person.
    public typealias ID = Identifier<Person>

    /// A UUID of version 7 unless the caller gave another.
    /// 1 to 128 bytes.
    public let id: ID
    /// The name by which the person is known; no two have the same.
    public var handle: String
    /// What the person pays for.
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
    /// One address, if there is one.
    public var email: String?
    /// Whether a password is set.
    public var hasPassword: Bool
    /// Name of the IANA database, `Europe/Berlin`: quiet hours are of its clock.
    public var zone: String
    /// When the person was added.
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
    /// The name as it is stored.
    public let rawValue: String
    /// One of the application's own.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Who pays nothing.
    public static let free = Tier(rawValue: "free")
    /// Who pays for more.
    public static let premium = Tier(rawValue: "premium")
    /// Who belongs to an organisation that pays.
    public static let enterprise = Tier(rawValue: "enterprise")
  }

  /// A person to be added.
  public struct Draft: Hashable, Sendable {
    /// `nil`: the ledger makes one.
    public var id: ID?
    /// The name by which the person is known; not empty, and nobody else's.
    public var handle: String
    /// What the person pays for.
    public var tier: Tier
    /// One address.
    public var email: String?
    /// Name of the IANA database, `Europe/Berlin`.
    public var zone: String
    /// Requests that a window of the rate limit allows; `nil` for the tier's.
    public var rateLimit: Int?
    /// Which notices the person gets, and how.
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
    /// Another handle, which nobody has.
    public var handle: String?
    /// Another tier.
    public var tier: Tier?
    /// Another time zone.
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
    /// How many were added on it.
    public let added: Int
    /// All people at its end, without those that were removed since.
    public let total: Int
  }

  /// How many tasks a person has.
  public struct PersonTasks: Hashable, Sendable, Codable {
    /// Whose tasks they are.
    public let person: Person
    /// How many there are.
    public let tasks: Int
  }
}
