import EpisodicMemory
import GRDB
import StoreRows

/// Inserts episodes, batching rows of one table into few statements.
struct EpisodeInsertion: ~Copyable {
  private let existing: Episode.ExistingPolicy
  private let embeddings: [Episode.ID: [Embedding]]
  private let scope: Query.Scope
  private let verb: String
  private let audit: AuditLog?
  private let db: Database
  private var lookup: EpisodeRow.Lookup
  private var lengths: VectorLengths
  /// Not inserted yet: those that replace an episode, with the row number they take over, and new ones.
  private var replacements: [(episode: Episode, row: Int64?)] = []
  private var additions: [(episode: Episode, row: Int64?)] = []
  private var pending: Set<Episode.ID> = []
  /// Rows to carry over to the replacements.
  private var replaced: [Episode.ID: ReplacedEpisode] = [:]
  private var report = InsertionReport()

  /// - Parameter embeddings: Inserted with their episodes.
  /// - Parameter verb: By which the audit names it.
  init(
    existing: Episode.ExistingPolicy, embeddings: [Episode.ID: [Embedding]] = [:], _ scope: Query.Scope, _ verb: String,
    _ audit: AuditLog?, _ db: Database
  ) throws {
    (self.verb, self.audit) = (verb, audit)
    self.existing = existing
    self.embeddings = embeddings
    self.scope = scope
    self.db = db
    lookup = try EpisodeRow.Lookup(db)
    lengths = VectorLengths(scope, db)
  }

  /// - Throws: `.conflict` if the id is taken and the policy is to fail.
  mutating func add(_ episode: Episode) throws {
    if pending.contains(episode.id) { try insertPending() }
    var row = try lookup.row(of: episode.id)
    if row != nil, try DeletedEpisodes.deleteRest(of: episode.id, db) { row = nil }
    if row != nil {
      switch existing {
      case .fail: throw Self.taken(episode.id)
      case .skip:
        // Skipping says that the episode is there.
        if scope.onlyDomain != nil { try requireDomain(of: episode) }
        return
      case .replace:
        try requireDomain(of: episode)
        replaced[episode.id] = try ReplacedEpisode(episode.id, db)
        try db.cachedStatement(sql: "DELETE FROM episodes WHERE id = ?").execute(arguments: [episode.id.rawValue])
      }
      replacements.append((episode, row))
    } else {
      additions.append((episode, nil))
    }
    pending.insert(episode.id)
  }

  /// A replacement stays in the domain of the episode it replaces: a writer of one domain must not change another (I8).
  ///
  /// - Throws: `.conflict`, without the name of the other domain; for a writer of one domain in the words of any id that is
  ///   taken.
  private func requireDomain(of episode: Episode) throws {
    let statement = try db.cachedStatement(sql: "SELECT domain = ? FROM episodes WHERE id = ?")
    guard try Bool.fetchOne(statement, arguments: [episode.domain, episode.id.rawValue]) != true else { return }
    guard scope.onlyDomain == nil else { throw Self.taken(episode.id) }
    throw MemoryError(
      .conflict, "the episode id \"\(episode.id)\" is taken in another domain; choose another, or delete that episode")
  }

  private static func taken(_ id: Episode.ID) -> MemoryError {
    MemoryError(.conflict, "the episode id \"\(id)\" is taken; choose another, skip or replace")
  }

  consuming func finish() throws -> InsertionReport {
    try insertPending()
    return report
  }

  private mutating func insertPending() throws {
    let episodes = replacements + additions
    try EpisodeRow.insert(episodes, db)
    try TrustRow.inherit(episodes.map(\.episode), db)
    for (id, old) in replaced {
      try old.insertDecisions(on: id, db)
      try old.insertLinks(of: id, db)
    }
    for (episode, _) in episodes { try TrustRow.passOn(episode.id, db) }
    var kept: [Embedding] = []
    for (episode, _) in replacements {
      guard let old = replaced[episode.id] else { continue }
      let vectors = old.vectors(keptBy: episode, beside: embeddings[episode.id] ?? [])
      kept += vectors.kept
      report.droppedVectors += vectors.dropped
    }
    // Before the new ones, whose lengths are compared with theirs (I6).
    try EmbeddingRow.insert(kept, db)
    let vectors = episodes.flatMap { embeddings[$0.episode.id] ?? [] }
    for vector in vectors { try lengths.require(vector) }
    try EmbeddingRow.insert(vectors, db)
    if let audit {
      for (episode, _) in episodes {
        audit.noteWritten(episode, verb)
        audit.note(verb, in: episode.domain, ["vectors": embeddings[episode.id]?.count ?? 0])
      }
      // What was decided on the trust of the replaced one was carried over after the insert.
      for (episode, _) in replacements { try audit.noteChanged(episode.id, verb, counts: false, db) }
    }
    report.episodes += episodes.count
    report.steps += episodes.reduce(0) { $0 + $1.episode.steps.count }
    report.vectors += vectors.count
    report.keptVectors += kept.count
    replacements = []
    additions = []
    replaced = [:]
    pending = []
  }
}

/// The rows that survive when an episode is replaced: links to patterns, and vectors whose text did not change.
///
/// Computing a vector takes a model, which costs more than the rest of an import.
struct ReplacedEpisode {
  private let embeddings: [Embedding]
  /// Empty if the episode has no vectors, as are `steps`.
  private let context: String
  private let steps: [Step]
  private let patterns: [String]
  private let decisions: [Row]
  /// The last column is the number of the step.
  private let stepDecisions: [Row]

  /// Reads the rows before they are deleted.
  init(_ id: Episode.ID, _ db: Database) throws {
    let vectors = try db.cachedStatement(
      sql: "SELECT \(EmbeddingRow.columns) FROM embeddings m WHERE m.episode_id = ? ORDER BY m.seq")
    embeddings = try Row.fetchAll(vectors, arguments: [id.rawValue]).map { row in try EmbeddingRow.decode(row, db) }
    let links = try db.cachedStatement(sql: "SELECT pattern_id FROM episode_patterns WHERE episode_id = ?")
    patterns = try String.fetchAll(links, arguments: [id.rawValue])
    let decisions = try db.cachedStatement(
      sql: "SELECT trust, before, actor, reason, decided_at FROM trust_decisions WHERE episode_id = ? ORDER BY number")
    self.decisions = try Row.fetchAll(decisions, arguments: [id.rawValue])
    let ofSteps = try db.cachedStatement(
      sql: """
        SELECT d.trust, d.before, d.actor, d.reason, d.decided_at, s.step_number
        FROM steps s JOIN trust_decisions d ON d.step_id = s.id WHERE s.episode_id = ? ORDER BY d.number
        """)
    stepDecisions = try Row.fetchAll(ofSteps, arguments: [id.rawValue])
    if embeddings.isEmpty {
      (context, steps) = ("", [])
    } else {
      let episode = try EpisodeRow.fetch(db, id: id)
      (context, steps) = (episode?.context ?? "", episode?.steps ?? [])
    }
  }

  /// The vectors that the new episode keeps, and the number of those dropped because their text changed.
  ///
  /// - Parameter given: The vectors inserted with it; older ones of the same models are neither kept nor counted.
  func vectors(keptBy episode: Episode, beside given: [Embedding]) -> (kept: [Embedding], dropped: Int) {
    guard !embeddings.isEmpty else { return ([], 0) }
    let comparison = TextComparison(old: (context, steps), new: episode)
    let renewed = Set(given.filter { $0.stepID == nil }.map(\.model))
    var kept: [Embedding] = []
    var dropped = 0
    for embedding in embeddings where embedding.stepID != nil || !renewed.contains(embedding.model) {
      if let successor = comparison.successor(of: embedding) { kept.append(successor) } else { dropped += 1 }
    }
    return (kept, dropped)
  }

  func insertLinks(of id: Episode.ID, _ db: Database) throws {
    for pattern in patterns {
      try db.cachedStatement(sql: "INSERT INTO episode_patterns (episode_id, pattern_id) VALUES (?, ?)")
        .execute(arguments: [id.rawValue, pattern])
    }
  }

  /// What was decided on the trust of the old episode and its steps holds for the new one, which may only be trusted less. A
  /// decision on a step is one on the step of its number; if there is none, it goes with the step.
  func insertDecisions(on id: Episode.ID, _ db: Database) throws {
    for row in decisions { try insert(row, column: "episode_id", id.rawValue, db) }
    if let last = decisions.last {
      let level: Int = try last.value(0)
      try db.cachedStatement(
        sql: "UPDATE episodes AS e SET trust = ?1 WHERE id = ?2 AND coalesce(\(TrustRow.level("e")), 3) > ?1"
      ).execute(arguments: [level, id.rawValue])
      try TrustRow.lower(id, to: level, db)
    }
    guard !stepDecisions.isEmpty else { return }
    let step = try db.cachedStatement(sql: "SELECT id FROM steps WHERE episode_id = ? AND step_number = ?")
    var levels: [String: Int] = [:]
    for row in stepDecisions {
      let number: Int64 = try row.value(5)
      guard let step = try String.fetchOne(step, arguments: [id.rawValue, number]) else { continue }
      try insert(row, column: "step_id", step, db)
      levels[step] = try row.value(0)
    }
    for (step, level) in levels.sorted(by: { $0.key < $1.key }) {
      try db.cachedStatement(
        sql: "UPDATE steps AS s SET trust = ?1 WHERE id = ?2 AND coalesce(\(TrustRow.level("s")), 3) > ?1"
      ).execute(arguments: [level, step])
      try TrustRow.lower(id, to: level, db)
    }
  }

  private func insert(_ row: Row, column: String, _ id: String, _ db: Database) throws {
    try db.cachedStatement(
      sql: """
        INSERT INTO trust_decisions (\(column), trust, before, actor, reason, decided_at) VALUES (?, ?, ?, ?, ?, ?)
        """
    ).execute(arguments: [id] + StatementArguments(row.databaseValues.prefix(5)))
  }
}

/// Which texts of a replaced episode are equal, byte for byte, in the new one.
private struct TextComparison {
  private let context: String
  private let contextIsKept: Bool
  private let everythingIsKept: Bool
  private let oldSteps: [Step.ID: Step]
  private let newSteps: [Int: Step]

  init(old: (context: String, steps: [Step]), new: Episode) {
    context = old.context
    oldSteps = Dictionary(old.steps.map { ($0.id, $0) }) { first, _ in first }
    newSteps = Dictionary(new.steps.map { ($0.number, $0) }) { first, _ in first }
    contextIsKept = old.context.hasSameBytes(as: new.context)
    let byNumber = newSteps
    everythingIsKept =
      contextIsKept && old.steps.count == new.steps.count
      && old.steps.allSatisfy { step in byNumber[step.number].map { step.hasSameTexts(as: $0) } ?? false }
  }

  /// The vector with the step id of the new episode; `nil` if the text it was computed from changed.
  ///
  /// Content that is neither the context nor a text of the step was composed by the caller from unknown texts of the
  /// episode: then all of them must be unchanged.
  func successor(of embedding: Embedding) -> Embedding? {
    guard let id = embedding.stepID else {
      let isOfContext = embedding.content.hasSameBytes(as: context)
      return (isOfContext ? contextIsKept : everythingIsKept) ? embedding : nil
    }
    guard let old = oldSteps[id], let new = newSteps[old.number], old.hasSameTexts(as: new) else { return nil }
    let isOfStep = [old.action, old.result, old.tool].contains { $0?.hasSameBytes(as: embedding.content) ?? false }
    guard isOfStep || everythingIsKept else { return nil }
    return Embedding(
      id: embedding.id, episodeID: embedding.episodeID, stepID: new.id, content: embedding.content,
      vector: embedding.vector, model: embedding.model, createdAt: embedding.createdAt)
  }
}

extension Step {
  fileprivate func hasSameTexts(as other: Step) -> Bool {
    func same(_ a: String?, _ b: String?) -> Bool {
      guard let a, let b else { return a == nil && b == nil }
      return a.hasSameBytes(as: b)
    }
    return same(action, other.action) && same(result, other.result) && same(tool, other.tool)
  }
}
