/// What is kept of a domain, and for how long. A rule that is `nil` does nothing; a policy without a rule keeps everything.
///
/// Ages count from an episode's end: `completedAt`, or `createdAt` for one that was archived without an end. So the time to
/// deletion includes the time to archiving, and an old episode that is archived by hand may be deleted at once.
public struct RetentionPolicy: Hashable, Sendable {
  /// Archives completed and failed episodes this long after their end: recall leaves them out, until they are reopened.
  public var archiveAfter: Duration?
  /// Deletes archived episodes this long after their end. Not less than `archiveAfter`.
  public var deleteArchivedAfter: Duration?
  /// Fails episodes that are active and got no step for this long, such as those of a recorder that was killed. Their
  /// metadata says so under `abandoned`, unless it has that already.
  public var abandonAfter: Duration?
  /// Deletes the oldest episodes beyond this number: first archived ones, then completed and failed ones, never active ones.
  public var maximumEpisodes: Int?
  /// Deletes the oldest episodes, in the same order, while they take more bytes than this by an estimate: UTF-8 of their texts
  /// and metadata, the numbers of their vectors, and 100 bytes for each episode, step and vector. With its indexes the file
  /// is two to three times as large.
  public var maximumBytes: Int64?
  /// Whether episodes stay as they are that are linked to a pattern which was used. They count for the limits.
  public var keepsLinked: Bool

  /// A policy of the rules that are given.
  public init(
    archiveAfter: Duration? = nil, deleteArchivedAfter: Duration? = nil, abandonAfter: Duration? = nil,
    maximumEpisodes: Int? = nil, maximumBytes: Int64? = nil, keepsLinked: Bool = true
  ) {
    self.archiveAfter = archiveAfter
    self.deleteArchivedAfter = deleteArchivedAfter
    self.abandonAfter = abandonAfter
    self.maximumEpisodes = maximumEpisodes
    self.maximumBytes = maximumBytes
    self.keepsLinked = keepsLinked
  }

  fileprivate var ages: [Duration] { [archiveAfter, deleteArchivedAfter, abandonAfter].compactMap(\.self) }
  var hasLimits: Bool { maximumEpisodes != nil || maximumBytes != nil }

  private static let longest = Duration.seconds(9000 * 365 * 86_400)

  /// - Throws: `.invalid` for a rule that makes no sense, or two that contradict each other, with fields and values.
  func validate() throws(MemoryError) {
    let ages = [
      ("archiveAfter", archiveAfter), ("deleteArchivedAfter", deleteArchivedAfter), ("abandonAfter", abandonAfter),
    ]
    for (field, age) in ages {
      guard let age else { continue }
      guard age >= .seconds(1), age <= Self.longest else {
        throw MemoryError(
          .invalid, "\(field) is \(age.inWholeUnits); give a time from 1 second to 9,000 years, or leave it out")
      }
    }
    if let archiveAfter, let deleteArchivedAfter, deleteArchivedAfter < archiveAfter {
      throw MemoryError(
        .invalid,
        "deleteArchivedAfter is \(deleteArchivedAfter.inWholeUnits) and archiveAfter is \(archiveAfter.inWholeUnits); both count from the end of an "
          + "episode, so delete no earlier than it is archived")
    }
    if let maximumEpisodes, maximumEpisodes < 1 {
      throw MemoryError(.invalid, "maximumEpisodes is \(maximumEpisodes); give a number from 1 on, or leave it out")
    }
    if let maximumBytes, maximumBytes < 1 {
      throw MemoryError(.invalid, "maximumBytes is \(maximumBytes); give a number from 1 on, or leave it out")
    }
  }
}

/// The policies of a store: one for each domain that has its own, and one for all others.
public struct RetentionPolicies: Hashable, Sendable {
  /// The name of the setting that keeps them.
  package static let setting = "retention"

  /// Of the domains without a policy of their own, each by itself; `nil`: everything of them is kept.
  public var standard: RetentionPolicy?
  /// Takes the place of the standard one as a whole.
  public var domains: [String: RetentionPolicy]

  /// The policies that are given.
  public init(standard: RetentionPolicy? = nil, domains: [String: RetentionPolicy] = [:]) {
    self.standard = standard
    self.domains = domains
  }

  /// What holds for a domain.
  public subscript(domain: String) -> RetentionPolicy? { domains[domain.canonicallyComposed] ?? standard }

  /// Of the rules that may hold in a scope.
  func ages(in scope: Query.Scope) -> [Duration] {
    switch scope {
    case .everything: all.flatMap(\.ages)
    case .domain(let name): self[name]?.ages ?? []
    }
  }

  var all: [RetentionPolicy] { [standard].compactMap(\.self) + domains.values }
}

// MARK: - As JSON

extension RetentionPolicy {
  private static func seconds(_ duration: Duration?) -> JSON? { duration.map { .integer($0.components.seconds) } }

  /// With whole seconds; rules that are `nil` are left out.
  public var json: JSON {
    var members: JSON.Object = [:]
    members["archive_after_seconds"] = Self.seconds(archiveAfter)
    members["delete_archived_after_seconds"] = Self.seconds(deleteArchivedAfter)
    members["abandon_after_seconds"] = Self.seconds(abandonAfter)
    members["maximum_episodes"] = maximumEpisodes.map { .integer(Int64($0)) }
    members["maximum_bytes"] = maximumBytes.map(JSON.integer)
    members["keeps_linked"] = .bool(keepsLinked)
    return .object(members)
  }

  /// - Throws: `.corrupted` for what `json` does not write: a rule that is not understood must not be left out.
  package init(json: JSON) throws(MemoryError) {
    guard let members = json.members else { throw Self.unreadable(json.canonicalText) }
    self.init()
    for member in members {
      switch (member.name, member.value) {
      case ("archive_after_seconds", .integer(let seconds)): archiveAfter = .seconds(seconds)
      case ("delete_archived_after_seconds", .integer(let seconds)): deleteArchivedAfter = .seconds(seconds)
      case ("abandon_after_seconds", .integer(let seconds)): abandonAfter = .seconds(seconds)
      case ("maximum_episodes", .integer(let count)): maximumEpisodes = Int(clamping: count)
      case ("maximum_bytes", .integer(let count)): maximumBytes = count
      case ("keeps_linked", .bool(let keeps)): keepsLinked = keeps
      default: throw Self.unreadable("\(member.name): \(member.value.canonicalText)")
      }
    }
    do throws(MemoryError) {
      try validate()
    } catch {
      throw MemoryError(
        .corrupted,
        "the policy of retention makes no sense (\(error.message)): another program changed it; use a newer build, or "
          + "remove all policies", cause: error)
    }
  }

  fileprivate static func unreadable(_ what: String) -> MemoryError {
    MemoryError(
      .corrupted,
      "the policy of retention has \(what.shortened(to: 60)), which this version does not know; use a newer build, or "
        + "remove all policies"
    )
  }
}

extension RetentionPolicies {
  /// The value of the setting.
  public var json: JSON {
    var members: JSON.Object = [:]
    members["standard"] = standard?.json
    members["domains"] = .object(
      JSON.Object(domains.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map { ($0.key, $0.value.json) })
    )
    return .object(members)
  }

  package init(json: JSON?) throws(MemoryError) {
    self.init()
    guard let json else { return }
    guard let members = json.members else { throw RetentionPolicy.unreadable(json.canonicalText) }
    for member in members {
      switch member.name {
      case "standard": standard = try RetentionPolicy(json: member.value)
      case "domains":
        for domain in member.value.members ?? [:] { domains[domain.name] = try RetentionPolicy(json: domain.value) }
      default: throw RetentionPolicy.unreadable(member.name)
      }
    }
  }
}

/// In the form of `json`.
extension RetentionPolicy: Codable {
  public func encode(to encoder: any Encoder) throws { try json.encode(to: encoder) }
  public init(from decoder: any Decoder) throws { try self.init(json: try JSON(from: decoder)) }
}

/// In the form of `json`.
extension RetentionPolicies: Codable {
  public func encode(to encoder: any Encoder) throws { try json.encode(to: encoder) }
  public init(from decoder: any Decoder) throws { try self.init(json: try JSON(from: decoder)) }
}
