import EpisodicMemory
import GRDB

/// A step filter as SQL.
///
/// An episode passes if it has a step that meets every condition. Two ways to find such episodes: from the steps, if one of
/// the conditions leaves few of them (`rows`); or from the episodes, asking for each whether it passes (`exists`).
struct StepConditions {
  /// Steps from which episodes are looked up. Each costs 2 to 5 us.
  static let maximumSteps = 4096
  /// How much more a step costs whose text must be looked up by its row: 75 us.
  private static let textCost = 16

  private let tools: [String]
  private let success: Bool?
  /// The full-text expression of what text and phrase require.
  private let expression: String?

  /// - Parameter keyed: Of an encrypted domain.
  /// - Throws: `.invalid` for a text or a phrase without a word, and for a phrase of several in an encrypted domain.
  init(_ filter: Step.Filter, _ keyed: KeyedTerms? = nil) throws {
    // As SQLite compares: by bytes. The engine keeps a tool's name as it is given.
    let spellings = filter.tool.map(PatternTerms.spellings) ?? []
    tools = spellings + (try keyed.map { keyed in try spellings.map { try keyed.column(ofTool: $0) } } ?? [])
    success = filter.success
    let terms = try filter.terms()
    guard let keyed, let terms else {
      expression = terms?.fullTextExpression
      return
    }
    if filter.phrase != nil { try keyed.requireWords(terms) }
    let digests = try terms.phrases.map { try keyed.expression($0) }.joined(separator: " AND ")
    expression = "(\(terms.fullTextExpression)) OR (\(digests))"
  }

  /// On `steps s`, but for the text. The literal lets SQLite use an index on failed steps.
  private var clauses: [String] {
    var clauses: [String] = []
    switch tools.count {
    case 0: break
    case 1: clauses.append("s.tool = ?")
    default: clauses.append("s.tool IN (\(tools.map { _ in "?" }.joined(separator: ", ")))")
    }
    if let success { clauses.append("s.success = \(success ? 1 : 0)") }
    return clauses
  }

  private var arguments: StatementArguments { StatementArguments(tools) }

  // MARK: From the episodes

  /// Whether `episodes e` passes: one look into an index for a tool, or for failed steps; a full-text query over the rows of
  /// the episode for words.
  var exists: (clause: String, arguments: StatementArguments) {
    let steps = stepsOfEpisode
    return ("EXISTS (SELECT 1 FROM \(steps.tables) WHERE \(steps.conditions))", steps.arguments)
  }

  /// The steps `s` of `episodes e` that meet the conditions.
  var stepsOfEpisode: (tables: String, conditions: String, arguments: StatementArguments) {
    let own = clauses.map { " AND " + $0 }.joined()
    guard let expression else { return ("steps s", "s.episode_id = e.id\(own)", arguments) }
    return (
      "steps_text CROSS JOIN steps s ON s.seq = steps_text.rowid",
      """
      steps_text MATCH ? AND s.episode_id = e.id\(own)
      AND steps_text.rowid >= (SELECT min(seq) FROM steps WHERE episode_id = e.id)
      AND steps_text.rowid <= (SELECT max(seq) FROM steps WHERE episode_id = e.id)
      """, [expression] + arguments
    )
  }

  // MARK: From the steps

  /// A condition that may leave few steps.
  private struct Source {
    /// Counts its steps, up to one more than the maximum.
    let count: String
    /// FROM and WHERE for its steps `s` that meet all conditions.
    let steps: String
    let countArguments: StatementArguments
    let arguments: StatementArguments
    /// Of a step, relative to others.
    var cost = 1
  }

  private var sources: [Source] {
    func count(_ steps: String) -> String {
      "SELECT count(*) FROM (SELECT 1 FROM \(steps) LIMIT \(Self.maximumSteps + 1))"
    }
    let own = clauses.joined(separator: " AND ")
    let text = expression.map { _ in
      " AND EXISTS (SELECT 1 FROM steps_text WHERE steps_text MATCH ? AND steps_text.rowid = s.seq)"
    }
    let all = arguments + (expression.map { [$0] } ?? [])
    var sources: [Source] = []
    if let expression {
      sources.append(
        Source(
          count: count("steps_text WHERE steps_text MATCH ?"),
          steps: """
            FROM steps_text CROSS JOIN steps s ON s.seq = steps_text.rowid WHERE steps_text MATCH ?\
            \(clauses.map { " AND " + $0 }.joined())
            """, countArguments: [expression], arguments: [expression] + arguments))
    }
    if let tool = clauses.first, !tools.isEmpty {
      sources.append(
        Source(
          count: count("steps s WHERE \(tool)"), steps: "FROM steps s WHERE \(own)\(text ?? "")",
          countArguments: arguments, arguments: all,
          cost: expression == nil ? 1 : Self.textCost))
    }
    if success == false {
      sources.append(
        Source(
          count: count("steps s WHERE s.success = 0"), steps: "FROM steps s WHERE \(own)\(text ?? "")",
          countArguments: [], arguments: all,
          cost: expression == nil ? 1 : Self.textCost))
    }
    return sources
  }

  /// Rows of the episodes that pass and meet other conditions, ascending; `nil` if every condition leaves too many
  /// steps.
  func rows(_ conditions: Conditions, _ db: Database) throws -> [Int64]? {
    var cheapest: (source: Source, cost: Int)?
    for source in sources {
      let statement = try db.cachedStatement(sql: source.count)
      let cost = try source.cost * (Int.fetchOne(statement, arguments: source.countArguments) ?? 0)
      if cost <= Self.maximumSteps, cost < cheapest?.cost ?? .max { cheapest = (source, cost) }
    }
    guard let source = cheapest?.source else { return nil }
    let statement = try db.cachedStatement(sql: Self.episodes(of: source.steps, conditions))
    return try Int64.fetchAll(statement, arguments: source.arguments + conditions.arguments).sorted()
  }

  private static func episodes(of steps: String, _ conditions: Conditions) -> String {
    """
    SELECT e.seq FROM (SELECT DISTINCT s.episode_id AS id \(steps)) f CROSS JOIN episodes e ON e.id = f.id
    \(conditions.whereClause)
    """
  }

  /// The statements of `rows`, for tests of their plans.
  func statements(
    _ conditions: Conditions
  ) -> [(count: String, countArguments: StatementArguments, rows: String, arguments: StatementArguments)] {
    sources.map { source in
      (
        source.count, source.countArguments, Self.episodes(of: source.steps, conditions),
        source.arguments + conditions.arguments
      )
    }
  }
}

extension Conditions {
  /// Adds that an episode passes a step filter.
  mutating func add(_ steps: StepConditions) {
    let exists = steps.exists
    add(exists.clause, arguments: exists.arguments)
  }

  /// Adds that an episode is one of these rows.
  mutating func add(rows: [Int64]) {
    add("e.seq IN (SELECT value FROM json_each(?))", rows.jsonText)
  }
}

extension [Int64] {
  /// As a JSON array, for `json_each`.
  var jsonText: String { "[" + map(String.init).joined(separator: ",") + "]" }
}
