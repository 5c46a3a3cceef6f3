import EpisodicMemory
import GRDB
import SQLiteStorage
import StoreRows

/// Maps `Episode` to a row of `episodes`.
enum EpisodeRow {
  /// In the order in which `decode` reads them.
  static let columns = """
    e.seq, e.id, e.task_type, e.domain, e.session, e.context, e.status, e.success_rate, e.created_at, e.completed_at, \
    e.metadata, e.embedding_version, e.source, e.source_id, e.actor, e.trust, e.derived_from, e.least_trust, e.sealed
    """

  static func fetch(
    _ db: Database, id: Episode.ID, in scope: Query.Scope = .everything, steps: StepSelection = .all
  ) throws -> Episode? {
    guard let domain = scope.onlyDomain else {
      return try fetch(db, where: "e.id = ? AND \(DeletedEpisodes.excluded)", [id.rawValue], steps)
    }
    return try fetch(db, where: "e.id = ? AND e.domain = ?", [id.rawValue, domain], steps)
  }

  static func fetch(_ db: Database, row: Int64, steps: StepSelection) throws -> Episode? {
    try fetch(db, where: "e.seq = ? AND \(DeletedEpisodes.excluded)", [row], steps)
  }

  private static func fetch(
    _ db: Database, where condition: String, _ arguments: StatementArguments, _ steps: StepSelection
  ) throws -> Episode? {
    let statement = try db.cachedStatement(sql: "SELECT \(columns) FROM episodes e WHERE \(condition)")
    let rows = try Row.fetchCursor(statement, arguments: arguments)
    guard let row = try rows.next() else { return nil }
    return try decode(row, db, steps: steps)
  }

  /// The episode with the selected ones of its steps.
  static func decode(_ row: Row, _ db: Database, steps selection: StepSelection = .all) throws -> Episode {
    let id = Episode.ID(composed: try row.value(1))
    let completedAt: Int64? = try row.value(9)
    let domain: String = try row.value(3)
    let owner = StepRow.Owner(id, row: try row.value(0), in: domain)
    let (context, metadata): (String, String)
    if let sealed = try row.bytes(18) {
      (context, metadata) = try EpisodeTexts.open(sealed, of: id, in: domain, db)
    } else {
      try KeySession.requirePlain(EpisodeTexts.place(id), in: domain, db)
      (context, metadata) = (try row.value(5), try row.value(10))
    }
    let steps = try selection.limit.map { try owner.last($0, db) } ?? owner.all(db)
    var episode = Episode(
      id: id, taskType: TaskType(try row.value(2)), domain: domain, session: try row.value(4),
      context: context, status: Episode.Status(stored: try row.value(6)), successRate: try row.value(7),
      createdAt: Timestamp(milliseconds: try row.value(8)),
      completedAt: completedAt.map(Timestamp.init(milliseconds:)),
      metadata: JSON(storedObject: metadata), provenance: try Provenance(row, from: 12),
      parents: try parents(row.value(16)), trust: Trust(stored: try row.value(17)), embeddingVersion: try row.value(11),
      steps: steps)
    // Fewer than the limit are all.
    if let limit = selection.limit, steps.count == limit {
      episode.omittedSteps = try max(0, owner.count(db) - limit)
    }
    return episode
  }

  private static func parents(_ text: String?) -> [Episode.ID] {
    guard let text else { return [] }
    guard case .array(let ids) = JSON(stored: text) else { return [] }
    return ids.compactMap { id in
      if case .string(let id) = id { Episode.ID(composed: id) } else { nil }
    }
  }

  /// What an episode was derived from as the column has it.
  static func column(parents: [Episode.ID]) -> String? {
    parents.isEmpty ? nil : JSON.array(parents.map { .string($0.rawValue) }).canonicalText
  }

  private static let insertion = RowInsert(
    into: "episodes",
    """
    seq, id, task_type, domain, session, context, status, success_rate, created_at, completed_at, metadata, added, labels, \
    source, source_id, actor, trust, derived_from, least_trust, sealed
    """)

  /// Inserts episodes with their steps.
  ///
  /// - Parameter episodes: Each with the row number of the episode it replaces, so that it keeps its place in a list; `nil`
  ///   for a new one. Those with a row number come first, or a new one might take it.
  static func insert(_ episodes: [(episode: Episode, row: Int64?)], _ db: Database) throws {
    try insertion(episodes, db) { entry, row in
      let episode = entry.episode
      let texts = try EpisodeTexts(episode, db)
      try row.bind(entry.row)
      try row.bind(episode.id.rawValue)
      try row.bind(episode.taskType.rawValue)
      try row.bind(episode.domain)
      try row.bind(episode.session?.canonicallyComposed)
      try row.bind(texts.context)
      try row.bind(episode.status.rawValue)
      try row.bind(episode.successRate)
      try row.bind(episode.createdAt.milliseconds)
      try row.bind(episode.completedAt?.milliseconds)
      try row.bind(texts.metadata)
      try row.bind(texts.added)
      try row.bind(texts.labels)
      try row.bind(episode.provenance)
      try row.bind(column(parents: episode.parents))
      try row.bind(Int64(episode.ownTrust.level))
      try row.bind(blob: texts.sealed)
    }
    try StepRow.insert(episodes.flatMap { entry in entry.episode.steps.map { (entry.episode.id, $0) } }, db)
  }

  /// What the steps and vectors of an episode are sealed with; `nil` if its domain is not encrypted.
  static func cipher(of id: Episode.ID, _ db: Database) throws -> DomainCipher? {
    guard try KeySession.storeHasKeys(db) else { return nil }
    let statement = try db.cachedStatement(sql: "SELECT domain FROM episodes WHERE id = ?")
    return try KeySession.cipher(for: try String.fetchOne(statement, arguments: [id.rawValue]), db)
  }

  /// Finds the rows of episodes by their ids, with one statement.
  struct Lookup: ~Copyable {
    private var rows: RawStatement

    init(_ db: Database) throws { rows = try RawStatement("SELECT seq FROM episodes WHERE id = ?", db) }

    mutating func row(of id: Episode.ID) throws -> Int64? {
      try rows.bind(id.rawValue)
      guard try rows.step() else { return nil }
      defer { rows.reset() }
      return rows.integer(0)
    }
  }

  static func exists(_ id: Episode.ID, in scope: Query.Scope, _ db: Database) throws -> Bool {
    let statement = try db.cachedStatement(
      sql: "SELECT 1 FROM episodes e WHERE id = ?1 AND (?2 IS NULL OR domain = ?2) AND \(DeletedEpisodes.excluded)")
    return try Int.fetchOne(statement, arguments: [id.rawValue, scope.onlyDomain]) != nil
  }
}

/// Scope and filter, but for its steps, as SQL conditions on `episodes e`; see `StepConditions`.
struct Conditions {
  private(set) var clauses: [String] = []
  private(set) var arguments = StatementArguments()

  init(_ filter: Episode.Filter, _ scope: Query.Scope) {
    if let domain = scope.onlyDomain { add("e.domain = ?", domain) } else { add(DeletedEpisodes.excluded) }
    if let session = filter.session { add("e.session = ?", session.canonicallyComposed) }
    if let taskType = filter.taskType { add("e.task_type = ?", taskType.rawValue) }
    if let statuses = filter.statuses?.map(\.rawValue).sorted(), statuses.count < Episode.Status.allCases.count {
      clauses.append("e.status IN (\(statuses.map { _ in "?" }.joined(separator: ", ")))")
      arguments += StatementArguments(statuses)
    }
    if let after = filter.after { add("e.created_at >= ?", after.milliseconds) }
    if let before = filter.before { add("e.created_at < ?", before.milliseconds) }
    if let trust = filter.trust, trust != Trust.quarantined...Trust.verified {
      add("e.least_trust BETWEEN ? AND ?", trust.lowerBound.level, trust.upperBound.level)
    }
  }

  mutating func add(_ clause: String, _ values: (any DatabaseValueConvertible)...) {
    add(clause, arguments: StatementArguments(values))
  }

  mutating func add(_ clause: String, arguments: StatementArguments) {
    clauses.append(clause)
    self.arguments += arguments
  }

  var whereClause: String { clauses.isEmpty ? "" : "WHERE " + clauses.joined(separator: " AND ") }
  /// Appended to other conditions.
  var andClause: String { clauses.map { " AND " + $0 }.joined() }
}

extension Query.Scope {
  /// The only domain it includes, as stored; `nil` if it includes all.
  var onlyDomain: String? {
    switch self {
    // Nothing is in the domain '', and no scope names deleted episodes.
    case .domain(let domain): domain == Validation.reservedDomain ? "" : domain.canonicallyComposed
    case .everything: nil
    }
  }
}

extension Episode.Status {
  /// Reads a stored status. An unknown one, which only a program that disabled CHECK constraints can write, is read as
  /// archived: the episode is listed and exported, but not recalled by default.
  init(stored text: String) { self = Self(rawValue: text) ?? .archived }
}
