import GRDB
import StoreRows
import StoreValues

/// The rate limits of tiers: the defaults, and what is set in the ledger.
enum TierLimits {
  /// Of a tier that has no limit of its own that of `free` holds.
  static func limit(
    _ kind: Ledger.RateLimitKind, of tier: Ledger.Person.Tier, _ db: Database
  ) throws -> Ledger.RateLimit {
    let all = try limits(kind, db)
    return all[tier] ?? all[.free] ?? Ledger.RateLimit(nil, per: .seconds(3600))
  }

  static func limits(
    _ kind: Ledger.RateLimitKind, _ db: Database
  ) throws -> [Ledger.Person.Tier: Ledger.RateLimit] {
    var limits = defaults(kind)
    for (tier, value) in try Setting.value(setting(kind), db)?.members ?? [:] {
      guard case .integer(let window)? = value["window_ms"], window > 0 else { continue }
      var count: Int?
      if case .integer(let value)? = value["count"] { count = Int(exactly: value) }
      limits[Ledger.Person.Tier(rawValue: tier)] = Ledger.RateLimit(count, per: .milliseconds(window))
    }
    return limits
  }

  /// - Parameter limit: `nil` for the default again.
  static func set(
    _ kind: Ledger.RateLimitKind, of tier: Ledger.Person.Tier, to limit: Ledger.RateLimit?, at now: Timestamp,
    _ db: Database
  ) throws {
    var members = try Setting.value(setting(kind), db)?.members ?? [:]
    members[tier.composed.rawValue] = limit.map { limit in
      .object([
        "window_ms": .integer(limit.window.milliseconds),
        "count": limit.count.map { .integer(Int64($0)) } ?? .null,
      ])
    }
    try Setting.set(setting(kind), to: .object(members), at: now, db)
  }

  private static func setting(_ kind: Ledger.RateLimitKind) -> String { "rate_limits_\(kind.rawValue)" }

  private static func defaults(_ kind: Ledger.RateLimitKind) -> [Ledger.Person.Tier: Ledger.RateLimit] {
    switch kind {
    case .requests:
      [
        .free: .init(100, per: .seconds(3600)), .premium: .init(1000, per: .seconds(3600)),
        .enterprise: .init(10_000, per: .seconds(3600)),
      ]
    case .notices:
      [
        .free: .init(20, per: .seconds(3600)), .premium: .init(100, per: .seconds(3600)),
        .enterprise: .init(1000, per: .seconds(3600)),
      ]
    }
  }
}
