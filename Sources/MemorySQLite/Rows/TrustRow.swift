import EpisodicMemory
import GRDB
import SQLiteStorage
import StoreRows

/// How far rows are trusted: what they say themselves, and what follows for what was made of them.
enum TrustRow {
  /// SQL for what a row says of its own trust; NULL if it says nothing.
  static func level(_ alias: String) -> String {
    let levels = Provenance.Source.allCases.map { "WHEN '\($0.rawValue)' THEN \($0.defaultTrust.level)" }
    return "coalesce(\(alias).trust, CASE \(alias).source \(levels.joined(separator: " ")) END)"
  }

  /// Lowers an episode, and everything in its domain that is derived from it, to a level at most.
  ///
  /// A child in another domain stays as it is: its trust would tell that domain what was decided in this one (I8).
  ///
  /// - Returns: How many episodes and patterns were lowered.
  @discardableResult
  static func lower(_ episode: Episode.ID, to level: Int, _ db: Database) throws -> TrustReport {
    var report = TrustReport()
    var pending = [episode.rawValue]
    while let id = pending.popLast() {
      try db.cachedStatement(sql: "UPDATE episodes SET least_trust = ?1 WHERE id = ?2 AND least_trust > ?1")
        .execute(arguments: [level, id])
      report.episodes += db.changesCount
      try lowerPatterns(of: id, to: level, &report, db)
      let children = try db.cachedStatement(
        sql: """
          SELECT c.id FROM episode_parents p JOIN episodes e ON e.id = p.parent_id
              JOIN episodes c ON c.id = p.child_id AND c.domain = e.domain
          WHERE p.parent_id = ?1 AND c.least_trust > ?2
          """)
      pending += try String.fetchAll(children, arguments: [id, level])
    }
    return report
  }

  private static func lowerPatterns(
    of episode: String, to level: Int, _ report: inout TrustReport, _ db: Database
  ) throws {
    try db.cachedStatement(
      sql: """
        UPDATE patterns SET least_trust = ?2 WHERE least_trust > ?2
            AND id IN (SELECT pattern_id FROM episode_patterns WHERE episode_id = ?1)
        """
    ).execute(arguments: [episode, level])
    report.patterns += db.changesCount
  }

  /// Lowers new episodes to the least of those that they are derived from, as far as these are there.
  static func inherit(_ episodes: [Episode], _ db: Database) throws {
    for episode in episodes where !episode.parents.isEmpty {
      let statement = try db.cachedStatement(
        sql: """
          SELECT min(e.least_trust) FROM episode_parents p JOIN episodes e ON e.id = p.parent_id
          WHERE p.child_id = ? AND e.domain = ?
          """)
      guard let least = try Int?.fetchOne(statement, arguments: [episode.id.rawValue, episode.domain]) ?? nil else {
        continue
      }
      try lower(episode.id, to: least, db)
    }
  }

  /// Lowers what names a new episode already: children that were imported before it, or were derived from the one that it
  /// replaces, and the patterns of that one.
  static func passOn(_ episode: Episode.ID, _ db: Database) throws {
    let statement = try db.cachedStatement(
      sql: """
        SELECT least_trust FROM episodes WHERE id = ?1 AND (
            EXISTS (SELECT 1 FROM episode_parents WHERE parent_id = ?1)
            OR EXISTS (SELECT 1 FROM episode_patterns WHERE episode_id = ?1))
        """)
    guard let least = try Int?.fetchOne(statement, arguments: [episode.rawValue]) ?? nil else { return }
    try lower(episode, to: least, db)
  }

  /// Lowers a pattern to the level of an episode that it is linked to.
  static func inherit(_ pattern: Pattern.ID, from episode: Episode.ID, _ db: Database) throws {
    try db.cachedStatement(
      sql: """
        UPDATE patterns AS p SET least_trust = e.least_trust FROM episodes e
        WHERE p.id = ?1 AND e.id = ?2 AND p.least_trust > e.least_trust
        """
    ).execute(arguments: [pattern.rawValue, episode.rawValue])
  }

  /// Lowers the episodes that steps were appended to, if the steps are trusted less.
  static func inherit(_ steps: [(episode: Episode.ID, step: Step)], _ db: Database) throws {
    var least: [Episode.ID: Trust] = [:]
    for (episode, step) in steps {
      guard let level = step.provenance.level else { continue }
      least[episode] = min(least[episode] ?? level, level)
    }
    for (episode, trust) in least { try lower(episode, to: trust.level, db) }
  }

  /// Gives patterns that lost episodes to an erasure the least trust of those that are left.
  static func recompute(patterns ids: some Sequence<String>, _ db: Database) throws {
    for id in ids {
      try db.cachedStatement(
        sql: """
          UPDATE patterns AS p SET least_trust = min(coalesce(p.trust, \(Trust.trusted.level)), coalesce((
              SELECT min(e.least_trust) FROM episode_patterns l JOIN episodes e ON e.id = l.episode_id
              WHERE l.pattern_id = p.id), \(Trust.verified.level)))
          WHERE id = ?
          """
      ).execute(arguments: [id])
    }
  }
}

extension Trust {
  /// Reads a stored level. An unknown one, which only a program that disabled CHECK constraints can write, is quarantined.
  init(stored level: Int64) { self = Int(exactly: level).flatMap(Trust.init(level:)) ?? .quarantined }
}

extension Provenance {
  /// - Parameter first: The column of the source; source id, actor and trust follow.
  init(_ row: Row, from first: Int) throws {
    let source: String? = try row.value(first)
    let trust: Int64? = try row.value(first + 3)
    self.init(
      source.flatMap(Source.init(rawValue:)), id: try row.value(first + 1), actor: try row.value(first + 2),
      trust: trust.map(Trust.init(stored:)))
  }
}

extension RawStatement {
  /// Source, source id, actor and trust.
  mutating func bind(_ provenance: Provenance) throws {
    try bind(provenance.source?.rawValue)
    try bind(provenance.sourceID)
    try bind(provenance.actor)
    try bind((provenance.trust?.level).map(Int64.init))
  }
}
