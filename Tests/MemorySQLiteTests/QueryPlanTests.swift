import EpisodicMemory
import GRDB
import Logging
import TestSupport
import Testing

@testable import MemorySQLite

/// One index per named query, and each query uses its own.
@Suite struct `Query plans` {
  static let listings: [(name: String, filter: Episode.Filter, scope: Query.Scope, index: String)] = [
    ("recent episodes", .init(), .everything, "USING INDEX episodes_by_creation"),
    ("recent episodes of a domain", .init(), .domain("d"), "USING INDEX episodes_by_domain (domain=?)"),
    (
      "recent episodes of a status", .init(statuses: [.failed]), .everything,
      "USING INDEX episodes_by_status (status=?)"
    ),
    (
      "recent episodes of a task type", .init(taskType: .testing), .everything,
      "USING INDEX episodes_by_task_type (task_type=?)"
    ),
    ("episodes of a session", .init(session: "s"), .everything, "USING INDEX episodes_by_session (session=?)"),
    (
      "episodes of a domain in a span of time",
      .init(after: Timestamp(milliseconds: 1), before: Timestamp(milliseconds: 2)), .domain("d"),
      "USING INDEX episodes_by_domain (domain=? AND created_at>? AND created_at<?)"
    ),
  ]

  @Test(arguments: listings.indices) func `a listing scans its own index and sorts nothing`(_ index: Int) async throws {
    let listing = Self.listings[index]
    let conditions = Conditions(listing.filter, listing.scope)
    let plan = try await plan(SQLitePrimaryStore.listing(conditions), conditions.arguments)
    #expect(plan.contains { $0.contains(listing.index) }, "\(listing.name): \(plan)")
    #expect(!plan.contains { $0.contains("TEMP B-TREE") || $0 == "SCAN e" }, "\(listing.name): \(plan)")
  }

  /// With one domain, one model and few values of every other kind, for which an index seems to be of little use.
  @Test func `what maintenance tells the planner changes no plan`() async throws {
    let store = try await SQLitePrimaryStore(inMemoryWith: Logger(label: "test"))
    try await store.writeRows { db in
      try db.execute(
        sql: """
          WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
          INSERT INTO episodes (id, task_type, domain, session, context, status, created_at)
              SELECT 'e' || i, 'testing', 'd', 's', 'x', iif(i % 2, 'active', 'failed'), i FROM n;
          WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4)
          INSERT INTO steps (id, episode_id, step_number, action, tool, success, timestamp)
              SELECT e.id || '/' || i, e.id, i, 'x', 'bash', i % 2, 1 FROM episodes e, n;
          """)
    }
    func plans() async throws -> [[String]] {
      try await store.readRows { db in
        var plans: [[String]] = []
        for listing in Self.listings {
          let conditions = Conditions(listing.filter, listing.scope)
          plans.append(
            try Self.plan("\(SQLitePrimaryStore.listing(conditions)) LIMIT 51", conditions.arguments, db))
        }
        for lookup in Self.lookups { plans.append(try Self.plan(lookup.sql, [], db)) }
        plans.append(try Self.plan(RetentionRow.page(measuringBytes: true), [0, nil, 10], db))
        plans.append(try Self.plan(FeedPruning.pruning, [5], db))
        return plans
      }
    }
    let before = try await plans()
    var table = 0
    while try await !store.maintain(.statistics(table: table), amount: 1, at: Timestamp(milliseconds: 0)).isComplete {
      table += 1
    }
    // One connection, which has the new statistics.
    #expect(try await store.readRows { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_stat1") } ?? 0 > 10)
    // Tables without an index would be read as a whole.
    let examined = try await store.readRows { db in try Set(String.fetchAll(db, sql: "SELECT tbl FROM sqlite_stat1")) }
    #expect(examined.isSuperset(of: ["episodes", "steps"]), "\(examined)")
    #expect(!examined.contains("changes") && !examined.contains { $0.contains("_text_") }, "\(examined)")
    #expect(try await plans() == before)
  }

  private static func plan(_ sql: String, _ arguments: StatementArguments, _ db: Database) throws -> [String] {
    try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN \(sql)", arguments: arguments).map { $0["detail"] }
  }

  static let lookups: [(name: String, sql: String, index: String)] = [
    (
      "records of the audit of a domain", AuditRow.pageOfDomain.replacing("?", with: "1"),
      "audit_by_domain (domain=? AND rowid>?)"
    ),
    ("an episode", "SELECT * FROM episodes WHERE id = 'x'", "INDEX sqlite_autoindex_episodes_1 (id=?)"),
    (
      "the steps of an episode", "SELECT * FROM steps WHERE episode_id = 'x' ORDER BY step_number",
      "INDEX sqlite_autoindex_steps_2 (episode_id=?)"
    ),
    (
      "patterns of a type by success", "SELECT * FROM patterns WHERE pattern_type = 'x' ORDER BY success_rate DESC",
      "INDEX patterns_by_success (pattern_type=?)"
    ),
    ("patterns by usage", "SELECT * FROM patterns ORDER BY usage_count DESC", "INDEX patterns_by_usage"),
    (
      "a pattern by its data", "SELECT * FROM patterns WHERE pattern_type = 'x' AND data_hash = 'y'",
      "INDEX sqlite_autoindex_patterns_2 (pattern_type=? AND data_hash=?)"
    ),
    (
      "the episodes of a pattern", "SELECT * FROM episode_patterns WHERE pattern_id = 'x'",
      "INDEX episode_patterns_by_pattern (pattern_id=?)"
    ),
    (
      "the embeddings of an episode", "SELECT * FROM embeddings WHERE episode_id = 'x'",
      "INDEX embeddings_by_episode (episode_id=?)"
    ),
    (
      "the vectors of a space", "SELECT * FROM embeddings WHERE model_name = 'x' AND dimensions = 3",
      "INDEX embeddings_by_space (model_name=? AND dimensions=?)"
    ),
    (
      "the next space",
      "SELECT model_name, dimensions FROM embeddings WHERE (model_name, dimensions) > ('x', 3) ORDER BY 1, 2 LIMIT 1",
      "COVERING INDEX embeddings_by_space"
    ),
    ("patterns of a domain", "SELECT * FROM patterns WHERE domain = 'x'", "INDEX patterns_by_domain (domain=?)"),
    (
      "the last steps of an episode", "SELECT * FROM steps WHERE episode_id = 'x' ORDER BY step_number DESC LIMIT 3",
      "INDEX sqlite_autoindex_steps_2 (episode_id=?)"
    ),
    (
      "the steps after a number",
      "SELECT * FROM steps WHERE episode_id = 'x' AND step_number > 7 ORDER BY step_number LIMIT 3",
      "INDEX sqlite_autoindex_steps_2 (episode_id=? AND step_number>?)"
    ),
    (
      "the number of steps of an episode", "SELECT count(*) FROM steps WHERE episode_id = 'x'",
      "COVERING INDEX sqlite_autoindex_steps_2 (episode_id=?)"
    ),
    (
      "the domains", SQLitePrimaryStore.countsByDomain,
      "SCAN e USING COVERING INDEX episodes_by_domain_and_status"
    ),
    ("deleted episodes", DeletedEpisodes.first, "(domain=?)"),
    (
      "the last steps of an episode", DeletedEpisodes.lastSteps.replacing("?", with: "1"),
      "INDEX sqlite_autoindex_steps_2 (episode_id=?)"
    ),
    (
      "an old idempotency key", IdempotencyKeys.isDue.replacing("?", with: "1"),
      "idempotency_keys_by_age (created_at<?)"
    ),
    (
      "the last completion in a domain", SQLitePrimaryStore.lastCompletion.replacing("?", with: "'x'"),
      "COVERING INDEX episodes_by_domain_and_completion (domain=? AND completed_at>?)"
    ),
    (
      "the sessions of a domain",
      SQLitePrimaryStore.newestOfSessions(Conditions(.init(), .domain("d"))).replacing("?", with: "'d'"),
      "SEARCH n USING COVERING INDEX episodes_by_domain_and_session (domain=? AND session=? AND created_at>?)"
    ),
    (
      "the sessions of all domains", SQLitePrimaryStore.newestOfSessions(Conditions(.init(), .everything)),
      "SCAN e USING INDEX episodes_by_creation"
    ),
    (
      "the counts of a session", SQLitePrimaryStore.countsOfSession.replacing("?", with: "'x'"),
      "INDEX episodes_by_domain_and_session (domain=? AND session=?)"
    ),
    (
      "the neighbours in a session",
      SQLitePrimaryStore.session(Conditions(.init(session: "s"), .domain("d")), .after).replacing("?", with: "'d'"),
      "INDEX episodes_by_domain_and_session (domain=? AND session=?)"
    ),
    (
      "the episode before one in its session", session(SessionNeighbors.previous(includingActive: false)),
      "INDEX episodes_by_domain_and_session (domain=? AND session=? AND created_at<?)"
    ),
    (
      "the episode after one in its session", session(SessionNeighbors.next(includingActive: true)),
      "INDEX episodes_by_domain_and_session (domain=? AND session=? AND created_at=? AND rowid>?)"
    ),
    (
      "the lengths of a domain's contexts", CorpusTotals.contexts("e.domain = 'd' AND \(Conditions.isInactive)"),
      "SEARCH d USING INTEGER PRIMARY KEY (rowid=?)"
    ),
    (
      "the lengths of a domain's steps", CorpusTotals.steps("e.domain = 'd'"),
      "SEARCH s USING COVERING INDEX sqlite_autoindex_steps_2 (episode_id=?)"
    ),
    (
      "the first episode",
      SQLitePrimaryStore.firstCreation(Conditions(.init(before: time), .everything)).replacing("?", with: "'d'"),
      "INDEX episodes_by_creation (created_at<?)"
    ),
    (
      "the first episode of a domain",
      SQLitePrimaryStore.firstCreation(Conditions(.init(before: time), .domain("d"))).replacing("?", with: "'d'"),
      "COVERING INDEX episodes_by_domain (domain=? AND created_at<?)"
    ),
    (
      "the episodes of a time",
      SQLitePrimaryStore.episodesOfTime(Conditions(.init(after: time, before: time), .everything)).replacing(
        "?", with: "'d'"),
      "INDEX episodes_by_creation (created_at>? AND created_at<?)"
    ),
    (
      "the episodes of a domain in a time",
      SQLitePrimaryStore.episodesOfTime(Conditions(.init(after: time, before: time), .domain("d"))).replacing(
        "?", with: "'d'"),
      "INDEX episodes_by_domain (domain=? AND created_at>? AND created_at<?)"
    ),
    (
      "the steps of the episodes of a time",
      SQLitePrimaryStore.stepsOfTime(Conditions(.init(after: time, before: time), .domain("d"))).replacing(
        "?", with: "'d'"),
      "SEARCH s USING INDEX sqlite_autoindex_steps_2 (episode_id=?)"
    ),
    (
      "the patterns of a domain in use", session(SQLitePrimaryStore.patternsUsed(.domain("d"))),
      "INDEX patterns_by_domain (domain=?)"
    ),
    (
      "what the cache answered in a time", SQLitePrimaryStore.cacheHoursOfTime.replacing("?", with: "'d'"),
      "SEARCH cache_hours USING PRIMARY KEY (hour>? AND hour<?)"
    ),
    ("the last change", "SELECT revision, nonce FROM changes ORDER BY revision DESC LIMIT 1", "SCAN changes"),
    (
      "changes since", "SELECT * FROM changes WHERE revision > 5 ORDER BY revision LIMIT 9",
      "INTEGER PRIMARY KEY (rowid>?)"
    ),
  ]

  private static let time = Timestamp(milliseconds: 1)

  /// The failed steps of one episode are sorted by their numbers.
  @Test func `the first failed step is found among the failed steps of its episode`() async throws {
    let plan = try await plan(SQLitePrimaryStore.firstFailedStep, ["x"])
    #expect(plan.contains { $0.contains("steps_failed (episode_id=?)") }, "\(plan)")
  }

  @Test func `links of a time are found from its episodes`() async throws {
    let conditions = Conditions(.init(after: Self.time, before: Self.time), .domain("d"))
    let plan = try await plan(SQLitePrimaryStore.linksOfTime(conditions), conditions.arguments)
    #expect(plan.contains { $0.contains("SEARCH l USING PRIMARY KEY (episode_id=?)") }, "\(plan)")
  }

  private static func session(_ sql: String) -> String {
    ["'d'", "'s'", "5", "7"].enumerated().reduce(sql) { $0.replacing("?\($1.offset + 1)", with: $1.element) }
  }

  @Test(arguments: lookups.indices) func `a lookup uses its own index and sorts nothing`(_ index: Int) async throws {
    let lookup = Self.lookups[index]
    let plan = try await plan(lookup.sql, [])
    #expect(plan.contains { $0.contains(lookup.index) }, "\(lookup.name): \(plan)")
    #expect(!plan.contains { $0.contains("TEMP B-TREE") }, "\(lookup.name): \(plan)")
  }

  @Test func `searches start from the full-text index and look up the rest by key`() async throws {
    let conditions = Conditions(.init(statuses: [.completed]), .domain("d"))
    let arguments = conditions.arguments + ["x"] + conditions.arguments
    let context = try await plan(WordMatches.contextSearch(conditions, conditions), arguments)
    #expect(context.first?.contains("SCAN episodes_text VIRTUAL TABLE") == true, "\(context)")
    #expect(context.dropFirst().first?.contains("SEARCH e USING INTEGER PRIMARY KEY") == true, "\(context)")
    let steps = try await plan(WordMatches.stepSearch(conditions, conditions), arguments)
    #expect(steps.first?.contains("SCAN steps_text VIRTUAL TABLE") == true, "\(steps)")
    #expect(steps.dropFirst().first?.contains("SEARCH s USING INTEGER PRIMARY KEY") == true, "\(steps)")
    #expect(steps.last?.contains("SEARCH e USING INDEX sqlite_autoindex_episodes_1 (id=?)") == true, "\(steps)")
  }

  static let indexing: [(name: String, sql: String?, steps: [String])] = [
    ("an episode by row", IndexedRows.episodes.one, ["SEARCH e USING INTEGER PRIMARY KEY (rowid=?)"]),
    ("episodes behind a row", IndexedRows.episodes.following, ["SEARCH e USING INTEGER PRIMARY KEY (rowid>?)"]),
    (
      "a step by row", IndexedRows.steps.one,
      [
        "SEARCH s USING INTEGER PRIMARY KEY (rowid=?)",
        "SEARCH e USING INDEX sqlite_autoindex_episodes_1 (id=?)",
      ]
    ),
    (
      "steps behind a row", IndexedRows.steps.following,
      [
        "SEARCH s USING INTEGER PRIMARY KEY (rowid>?)",
        "SEARCH e USING INDEX sqlite_autoindex_episodes_1 (id=?)",
      ]
    ),
    (
      "the steps of an episode by its row", IndexedRows.steps.ofEpisode,
      [
        "SEARCH e USING INTEGER PRIMARY KEY (rowid=?)",
        "SEARCH s USING COVERING INDEX sqlite_autoindex_steps_2 (episode_id=?)",
      ]
    ),
    (
      "a vector by row", IndexedRows.vectors.one,
      ["SEARCH m USING INTEGER PRIMARY KEY (rowid=?)", "SEARCH e USING INDEX sqlite_autoindex_episodes_1 (id=?)"]
    ),
    (
      "vectors behind a row", IndexedRows.vectors.following,
      ["SEARCH m USING INTEGER PRIMARY KEY (rowid>?)", "SEARCH e USING INDEX sqlite_autoindex_episodes_1 (id=?)"]
    ),
    (
      "the vectors of an episode by its row", IndexedRows.vectors.ofEpisode,
      [
        "SEARCH e USING INTEGER PRIMARY KEY (rowid=?)",
        "SEARCH m USING COVERING INDEX embeddings_by_episode (episode_id=?)",
      ]
    ),
    (
      "the components of a vector", SQLiteSnapshot.components, ["SEARCH embeddings USING INTEGER PRIMARY KEY (rowid=?)"]
    ),
    (
      "the components of an episode's vectors", SQLiteSnapshot.componentsOfEpisode,
      ["SEARCH e USING INTEGER PRIMARY KEY (rowid=?)", "SEARCH m USING INDEX embeddings_by_episode (episode_id=?)"]
    ),
    ("changes since", ChangeFeed.changesAfter, ["SEARCH changes USING INTEGER PRIMARY KEY (rowid>?)"]),
    ("watched changes", ChangeFeed.watchedAfter, ["SEARCH changes USING INTEGER PRIMARY KEY (rowid>?)"]),
  ]

  @Test(arguments: indexing.indices) func `rows for the indexes are looked up by row number alone`(
    _ index: Int
  ) async throws {
    let lookup = Self.indexing[index]
    let sql = try #require(lookup.sql).replacing("?", with: "1")
    #expect(try await plan(sql, []) == lookup.steps, "\(lookup.name)")
  }

  static let stepFilters: [(filter: Step.Filter, exists: [String], sources: [String])] = [
    (
      .init(tool: "bash"), ["SEARCH s USING COVERING INDEX steps_by_tool (tool=? AND episode_id=?)"],
      ["SEARCH s USING COVERING INDEX steps_by_tool (tool=?)"]
    ),
    (
      .init(success: false), ["SEARCH s USING COVERING INDEX steps_failed (episode_id=?)"],
      ["SCAN s USING COVERING INDEX steps_failed"]
    ),
    (
      .init(tool: "bash", success: true),
      ["SEARCH s USING COVERING INDEX steps_by_tool (tool=? AND episode_id=? AND success=?)"],
      ["SEARCH s USING COVERING INDEX steps_by_tool (tool=?)"]
    ),
    (
      .init(text: "swift"), ["VIRTUAL TABLE INDEX 0:M4", "SEARCH s USING INTEGER PRIMARY KEY (rowid=?)"],
      ["VIRTUAL TABLE INDEX 0:M4"]
    ),
  ]

  @Test(arguments: stepFilters.indices) func `a filter by steps finds them by an index, from either side`(
    _ index: Int
  ) async throws {
    let (filter, exists, sources) = Self.stepFilters[index]
    let steps = try StepConditions(filter)
    var conditions = Conditions(.init(), .domain("d"))
    for (statement, source) in zip(steps.statements(conditions), sources) {
      let rows = try await plan(statement.rows, statement.arguments)
      #expect(rows.contains { $0.contains(source) }, "\(filter): \(rows)")
      #expect(rows.last { $0.hasPrefix("SEARCH e") }?.contains("sqlite_autoindex_episodes_1 (id=?)") == true, "\(rows)")
      let count = try await plan(statement.count, statement.countArguments)
      #expect(!count.contains { $0 == "SCAN s" || $0 == "SCAN steps" }, "\(filter): \(count)")
    }
    #expect(steps.statements(conditions).count == sources.count)
    conditions.add(steps)
    let listing = try await plan(SQLitePrimaryStore.listing(conditions), conditions.arguments)
    #expect(listing.contains { $0.contains("USING INDEX episodes_by_domain (domain=?)") }, "\(listing)")
    for line in exists { #expect(listing.contains { $0.contains(line) }, "\(filter): \(listing)") }
    #expect(!listing.contains { $0.contains("TEMP B-TREE") }, "\(listing)")
  }

  private func plan(_ sql: String, _ arguments: StatementArguments) async throws -> [String] {
    let directory = try TemporaryDirectory()
    let primary = try await SQLitePrimaryStore(path: directory.file("memory.sqlite"), logger: Logger(label: "test"))
    return try await primary.readRows { db in
      try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN " + sql, arguments: arguments).map { $0["detail"] as String }
    }
  }
}

@Suite struct `Triggers` {
  private func inspect(_ statements: [String]) async throws -> (outcomes: [MemoryCheck.Outcome], changes: [String]) {
    let directory = try TemporaryDirectory()
    let primary = try await SQLitePrimaryStore(path: directory.file("memory.sqlite"), logger: Logger(label: "test"))
    let memory = Memory(primary: primary, cache: NoCache(because: "a test of the primary"))
    try await memory.insert([
      .sample("a", context: "first words", steps: ["alpha", "beta"]), .sample("b", context: "second words"),
    ])
    let before = try await primary.statistics().watermark
    for statement in statements {
      _ = try await primary.writeRows { db in try db.execute(sql: statement) }
    }
    let changes = try await primary.changes(after: before, limit: 100)
    return (try await memory.check().map(\.outcome), changes.changes.map { "\($0.subject) \($0.key)" })
  }

  @Test(arguments: [
    "INSERT OR REPLACE INTO episodes (id, task_type, domain, context, created_at) VALUES ('a', 't', 'd', 'third', 1)",
    "INSERT OR REPLACE INTO episodes (seq, id, task_type, domain, context, created_at) VALUES (1, 'c', 't', 'd', 'third', 1)",
    "INSERT OR IGNORE INTO episodes (id, task_type, domain, context, created_at) VALUES ('a', 't', 'd', 'third', 1)",
    "INSERT INTO episodes (id, task_type, domain, context, created_at) VALUES ('a', 't', 'd', 'third', 1) ON CONFLICT (id) DO UPDATE SET context = 'fourth'",
    "UPDATE episodes SET context = context || ' more' WHERE id = 'a'",
    "UPDATE episodes SET domain = 'elsewhere' WHERE id = 'a'",
    "DELETE FROM episodes WHERE id = 'a'",
    "INSERT OR REPLACE INTO steps (id, episode_id, step_number, action, timestamp) VALUES ('new', 'a', 1, 'gamma', 1)",
    "INSERT OR REPLACE INTO steps (id, episode_id, step_number, action, timestamp) VALUES ('a/1', 'a', 2, 'gamma', 1)",
    "INSERT OR IGNORE INTO steps (id, episode_id, step_number, action, timestamp) VALUES ('a/1', 'a', 9, 'gamma', 1)",
    "UPDATE steps SET result = 'delta' WHERE id = 'a/1'",
    "DELETE FROM steps WHERE id = 'a/1'",
  ])
  func `whatever SQL does to a row, the text index follows and the feed names the episode`(_ sql: String) async throws {
    let (outcomes, changes) = try await inspect([sql])
    #expect(outcomes.allSatisfy { $0 == .passed }, "\(outcomes)")
    #expect(changes.contains("episode a"))
  }

  @Test func `an ignored insert leaves nothing that makes a later one fail`() async throws {
    let (outcomes, _) = try await inspect([
      "INSERT OR IGNORE INTO episodes (id, task_type, domain, context, created_at) VALUES ('a', 't', 'd', 'third', 1)",
      "DELETE FROM episodes WHERE id = 'a'",
      "INSERT INTO episodes (id, task_type, domain, context, created_at) VALUES ('a', 't', 'd', 'fifth', 1)",
      "PRAGMA recursive_triggers = ON",
      "INSERT OR REPLACE INTO episodes (id, task_type, domain, context, created_at) VALUES ('b', 't', 'd', 'sixth', 1)",
    ])
    #expect(outcomes.allSatisfy { $0 == .passed }, "\(outcomes)")
  }

  @Test(arguments: [
    "UPDATE OR REPLACE steps SET step_number = 1 WHERE id = 'a/2'",
    "INSERT INTO steps (seq, id, episode_id, step_number, action, timestamp) VALUES (-1, 'x', 'a', 9, 'gamma', 1)",
    "INSERT INTO episodes (seq, id, task_type, domain, context, created_at) VALUES (-1, 'x', 't', 'd', 'gamma', 1)",
    "UPDATE episodes SET metadata = '[1]'", "UPDATE episodes SET metadata = '{'",
  ])
  func `what would break an index or a reader is refused by the schema`(_ sql: String) async throws {
    await #expect(throws: MemoryError.self) { try await inspect([sql]) }
  }

  @Test(arguments: ["episodes", "steps"]) func `an id never changes`(_ table: String) async throws {
    await #expect(throws: MemoryError.self) { try await inspect(["UPDATE \(table) SET id = 'z' WHERE id LIKE 'a%'"]) }
  }
}
