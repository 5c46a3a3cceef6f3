/// How far something is trusted, from the least on.
///
/// Recall by default returns no quarantined episode, and none that is less than trusted above one that is.
public enum Trust: String, CaseIterable, Hashable, Sendable, Codable, JSONConvertible {
  /// Set aside: recalled only if a query asks for it by `Query.minimumTrust`.
  case quarantined
  /// What a stranger may have written.
  case untrusted
  /// Nobody vouches for it, such as the output of a tool.
  case unverified
  /// The default: recorded by the agent itself, or for its user.
  case trusted
  /// A person has looked at it.
  case verified
}

extension Trust: Comparable {
  /// 0 for the least.
  package var level: Int {
    switch self {
    case .quarantined: 0
    case .untrusted: 1
    case .unverified: 2
    case .trusted: 3
    case .verified: 4
    }
  }

  package init?(level: Int) {
    guard Self.allCases.indices.contains(level) else { return nil }
    self = Self.allCases[level]
  }

  public static func < (left: Trust, right: Trust) -> Bool { left.level < right.level }
}

/// In the bytes of cache and index.
extension Trust {
  /// 0 for the trust of most: what was encoded before there was any has it.
  package var code: UInt8 {
    switch self {
    case .trusted: 0
    case .verified: 1
    case .unverified: 2
    case .untrusted: 3
    case .quarantined: 4
    }
  }

  package init?(code: UInt8) {
    guard let trust = Self.allCases.first(where: { $0.code == code }) else { return nil }
    self = trust
  }
}

/// Where an episode or a step came from, as far as it was told.
public struct Provenance: Hashable, Sendable {
  /// The kind of source.
  public enum Source: String, CaseIterable, Hashable, Sendable, Codable, JSONConvertible {
    /// A person said it.
    case user
    /// The output of a tool.
    case tool
    /// The agent itself.
    case agent
    /// A file of another system.
    case imported = "import"
    /// A page, a mail, or another text that a stranger may have written.
    case web
    /// A run of a ledger.
    case ledger

    /// How far it is trusted if nobody says otherwise.
    public var defaultTrust: Trust {
      switch self {
      case .user, .agent, .ledger: .trusted
      case .tool, .imported: .unverified
      case .web: .untrusted
      }
    }
  }

  /// The kind of source; `nil` if it was not told.
  public var source: Source?
  /// Which one of its kind, such as an address, the name of a file, or of a server: 1 to 1,024 bytes. By it sources are counted, and
  /// erased by `Erasure.Selection.source`.
  public var sourceID: String?
  /// Who recorded it, 1 to 1,024 bytes.
  public var actor: String?
  /// What somebody said of its trust; `nil`: the source decides, and without one an episode is trusted, and a step as much as its
  /// episode.
  public var trust: Trust?

  /// What is not told is `nil`.
  public init(_ source: Source? = nil, id sourceID: String? = nil, actor: String? = nil, trust: Trust? = nil) {
    self.source = source
    self.sourceID = sourceID?.canonicallyComposed
    self.actor = actor?.canonicallyComposed
    self.trust = trust
  }

  /// What it says of trust; `nil` if nothing.
  package var level: Trust? { trust ?? source?.defaultTrust }
  package var isEmpty: Bool { self == Provenance() }

  /// The same provenance, with no more trust than `most`.
  public func trusted(atMost most: Trust) -> Provenance {
    var limited = self
    if (level ?? .trusted) > most { limited.trust = most }
    return limited
  }
}
