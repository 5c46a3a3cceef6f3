package import EpisodicMemory
import GRDB
import SQLiteStorage
import StoreRows

/// The rows that figures are counted from: episodes by creation, their steps by episode, one failed step of a failed episode.
extension SQLitePrimaryStore {
  package func analytics(_ request: AnalyticsRequest) async throws(MemoryError) -> Analytics {
    try await readRows { db in
      let since = try request.since ?? Self.firstCreation(request, db)
      var builder = try AnalyticsBuilder(request, since: since)
      let conditions = Conditions(request.filter(since: since), request.scope)
      let episodes = try Self.addEpisodes(conditions, to: &builder, db)
      try Self.addSteps(conditions, of: episodes.rows, to: &builder, db)
      try Self.addFailures(episodes.failed, to: &builder, db)
      let patterns = try Self.patternUses(request, since, conditions, db)
      return builder.finish(
        patterns: patterns.shown, otherPatterns: patterns.others,
        cache: request.scope.onlyDomain == nil ? try Self.cacheHours(since, request.until, db) : [])
    }
  }

  /// When the first episode of the scope began; without one, a day before the end.
  private static func firstCreation(_ request: AnalyticsRequest, _ db: Database) throws -> Timestamp {
    let conditions = Conditions(Episode.Filter(before: request.until), request.scope)
    let statement = try db.cachedStatement(sql: firstCreation(conditions))
    let first = try Int64.fetchOne(statement, arguments: conditions.arguments)
    let earliest = Timestamp.accepted.lowerBound.milliseconds
    return Timestamp(milliseconds: max(earliest, first ?? request.until.milliseconds - 86_400_000))
  }

  static func firstCreation(_ conditions: Conditions) -> String {
    "SELECT min(e.created_at) FROM episodes e \(conditions.whereClause)"
  }

  // MARK: Episodes

  private static func addEpisodes(
    _ conditions: Conditions, to builder: inout AnalyticsBuilder, _ db: Database
  ) throws -> (rows: [Int64: Int], failed: [(id: String, createdAt: Timestamp)]) {
    var rows: [Int64: Int] = [:]
    var failed: [(id: String, createdAt: Timestamp)] = []
    var domains = RepeatedText(isComposed: true)
    var tasks = RepeatedText()
    var statuses = RepeatedText()
    var statement = try RawStatement(episodesOfTime(conditions), conditions.arguments, db)
    while try statement.step() {
      let createdAt = Timestamp(milliseconds: statement.integer(1))
      let status = Episode.Status(stored: statuses.text(statement.bytes(4)))
      rows[statement.integer(0)] = builder.episodeCount
      builder.addEpisode(
        domain: domains.text(statement.bytes(2)), taskType: tasks.text(statement.bytes(3)), status: status,
        successRate: statement.isNull(5) ? nil : statement.double(5), createdAt: createdAt)
      if status == .failed { failed.append((statement.text(6), createdAt)) }
    }
    return (rows, failed)
  }

  static func episodesOfTime(_ conditions: Conditions) -> String {
    """
    SELECT e.seq, e.created_at, e.domain, e.task_type, e.status, e.success_rate, e.id FROM episodes e
    \(conditions.whereClause)
    """
  }

  // MARK: Steps

  private static func addSteps(
    _ conditions: Conditions, of episodes: [Int64: Int], to builder: inout AnalyticsBuilder, _ db: Database
  ) throws {
    var tools = RepeatedText()
    var (row, episode) = (Int64.min, 0)
    var statement = try RawStatement(stepsOfTime(conditions), conditions.arguments, db)
    while try statement.step() {
      if statement.integer(0) != row {
        row = statement.integer(0)
        guard let number = episodes[row] else { continue }
        episode = number
      }
      let tool: String?
      if statement.isNull(4) {
        tool = statement.isNull(1) ? nil : tools.text(statement.bytes(1))
      } else {
        tool = try StepTexts.open(statement, 4, db).tool
      }
      builder.addStep(
        ofEpisode: episode, tool: tool,
        milliseconds: statement.isNull(2) ? nil : statement.integer(2),
        success: statement.isNull(3) ? nil : statement.integer(3) != 0)
    }
  }

  /// The steps of an episode come together: it is the outer loop.
  static func stepsOfTime(_ conditions: Conditions) -> String {
    """
    SELECT e.seq, s.tool, s.duration_ms, s.success, s.sealed, s.id, s.episode_id, s.step_number FROM episodes e CROSS JOIN steps s ON s.episode_id = e.id
    \(conditions.whereClause)
    """
  }

  // MARK: Failures

  private static func addFailures(
    _ failed: [(id: String, createdAt: Timestamp)], to builder: inout AnalyticsBuilder, _ db: Database
  ) throws {
    var statement = try RawStatement(firstFailedStep, db)
    for episode in failed {
      try statement.bind(episode.id)
      var step: (tool: String?, result: String?)?
      if try statement.step() {
        step =
          try statement.isNull(2)
          ? (
            statement.isNull(0) ? nil : String(storedName: statement.bytes(0)),
            statement.isNull(1) ? nil : statement.text(1)
          ) : StepTexts.failure(statement, 2, db)
      }
      statement.reset()
      builder.addFailure(of: Episode.ID(composed: episode.id), createdAt: episode.createdAt, step: step)
    }
  }

  /// Argument: the id of an episode. The sign keeps SQLite from reading its steps in order, results included, up to the first
  /// that failed.
  static let firstFailedStep = """
    SELECT s.tool, substr(s.result, 1, 512), s.sealed, s.id, s.episode_id, s.step_number FROM steps s INDEXED BY steps_failed WHERE s.episode_id = ? AND s.success = 0
    ORDER BY +s.step_number LIMIT 1
    """

  // MARK: Patterns

  /// Patterns that belong to an episode of the time, or were used in it; most used first.
  private static func patternUses(
    _ request: AnalyticsRequest, _ since: Timestamp, _ conditions: Conditions, _ db: Database
  ) throws -> (shown: [Analytics.PatternUse], others: Int) {
    var linked: [String: Int] = [:]
    var links = try RawStatement(linksOfTime(conditions), conditions.arguments, db)
    while try links.step() { linked[links.text(0)] = Int(links.integer(1)) }
    var uses: [(id: String, count: Int64, episodes: Int)] = []
    let count = try db.cachedStatement(sql: "SELECT usage_count FROM patterns WHERE id = ?")
    let used = try Row.fetchAll(db, sql: patternsUsed(request.scope), arguments: patternArguments(request, since))
    for row in used {
      let id: String = try row.value(0)
      uses.append((id, try row.value(1), linked.removeValue(forKey: id) ?? 0))
    }
    for (id, episodes) in linked {
      guard let usage = try Int64.fetchOne(count, arguments: [id]) else { continue }
      uses.append((id, usage, episodes))
    }
    uses.sort { ($1.count, $1.episodes, $0.id) < ($0.count, $0.episodes, $1.id) }
    let shown = try uses.prefix(Analytics.mostRows).compactMap { use in
      try PatternRow.fetch(db, id: Pattern.ID(composed: use.id)).map {
        Analytics.PatternUse(pattern: $0, episodes: use.episodes)
      }
    }
    return (shown, uses.count - shown.count)
  }

  static func linksOfTime(_ conditions: Conditions) -> String {
    """
    SELECT l.pattern_id, count(*) FROM episodes e CROSS JOIN episode_patterns l ON l.episode_id = e.id
    \(conditions.whereClause) GROUP BY l.pattern_id
    """
  }

  /// Those of a domain: its own, and shared ones that are linked to one of its episodes (I8).
  static func patternsUsed(_ scope: Query.Scope) -> String {
    let times = "p.last_used >= ?1 AND p.last_used < ?2"
    guard scope.onlyDomain != nil else {
      return "SELECT p.id, p.usage_count FROM patterns p WHERE \(times)"
    }
    return """
      SELECT p.id, p.usage_count FROM patterns p WHERE p.domain = ?3 AND \(times)
      UNION ALL SELECT p.id, p.usage_count FROM patterns p WHERE p.domain = '' AND \(times) AND EXISTS (
          SELECT 1 FROM episode_patterns l JOIN episodes e ON e.id = l.episode_id
          WHERE l.pattern_id = p.id AND e.domain = ?3)
      """
  }

  private static func patternArguments(_ request: AnalyticsRequest, _ since: Timestamp) -> StatementArguments {
    var arguments: StatementArguments = [since.milliseconds, request.until.milliseconds]
    if let domain = request.scope.onlyDomain { arguments += [domain] }
    return arguments
  }

  // MARK: The cache

  private static let hour: Int64 = 3_600_000

  private static func cacheHours(
    _ since: Timestamp, _ until: Timestamp, _ db: Database
  ) throws -> [Analytics.CacheHour] {
    let statement = try db.cachedStatement(sql: cacheHoursOfTime)
    return try Row.fetchAll(statement, arguments: [hours(since), hours(until)]).map { row in
      Analytics.CacheHour(
        start: Timestamp(milliseconds: try row.value(0) * hour), kind: try row.value(1), hits: try row.value(2),
        misses: try row.value(3))
    }
  }

  /// Arguments: the first hour and the last.
  static let cacheHoursOfTime = """
    SELECT hour, kind, hits, misses FROM cache_hours WHERE hour BETWEEN ? AND ? ORDER BY hour, kind
    """

  /// Hours since 1970, rounded down.
  private static func hours(_ time: Timestamp) -> Int64 {
    (time.milliseconds - (time.milliseconds < 0 ? hour - 1 : 0)) / hour
  }

  package func addCacheReads(_ reads: CacheReads, at now: Timestamp) async throws(MemoryError) {
    try await writeRows { db in
      let last = try Setting.value(CacheReads.setting, db).flatMap(CacheReads.init(json:))
      let hour = Self.hours(now)
      let statement = try db.cachedStatement(sql: Self.addToHour)
      for (kind, counts) in reads.increase(since: last).kinds where counts.hits > 0 || counts.misses > 0 {
        try statement.execute(arguments: [hour, kind.name, counts.hits, counts.misses])
      }
      let kept = reads.furthest(last)
      if kept != last {
        try Setting.set(CacheReads.setting, to: kept.json, at: now, db)
      }
      try db.execute(sql: "DELETE FROM cache_hours WHERE hour < ?", arguments: [hour - CacheReads.hoursKept])
    }
  }

  private static let addToHour = """
    INSERT INTO cache_hours (hour, kind, hits, misses) VALUES (?, ?, ?, ?)
    ON CONFLICT (hour, kind) DO UPDATE SET hits = hits + excluded.hits, misses = misses + excluded.misses
    """
}
