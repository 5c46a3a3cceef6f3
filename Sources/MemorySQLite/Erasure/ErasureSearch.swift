import EpisodicMemory
import GRDB
import SQLiteStorage
import StoreRows

/// Finds the rows that a selection names within a scope.
struct ErasureSearch {
  let selection: Erasure.Selection
  let scope: Query.Scope
  let db: Database
  private let matcher: TextMatcher?

  init(_ request: ErasureRequest, _ db: Database) {
    (selection, scope, self.db) = (request.selection, request.scope, db)
    matcher = request.matcher
  }

  /// Everything that matches by itself: without the patterns that lose their last episode.
  func run() throws -> ErasedRows {
    try rows(with: try episodes())
  }

  /// What `earlier` found in a snapshot at `watermark`, corrected by what was changed since.
  func run(after earlier: ErasedRows, asOf watermark: Watermark) throws -> ErasedRows {
    if try ChangeFeed.watermark(db) == watermark { return earlier }
    guard let changed = try ChangeFeed.episodes(changedAfter: watermark, db) else { return try run() }
    var episodes = earlier.episodes.filter { !changed.contains($0.key) }
    for row in changed { episodes.merge(try self.episodes(only: row)) { first, _ in first } }
    return try rows(with: episodes)
  }

  /// Episodes, and what matches beside them.
  private func rows(with episodes: [Int64: String]) throws -> ErasedRows {
    var found = ErasedRows()
    found.episodes = episodes
    found.patterns = try patterns()
    found.idempotencyKeys = try idempotencyKeys(of: episodes.values)
    found.orphans = try orphans(of: Set(episodes.values))
    return found
  }

  // MARK: Episodes

  /// Ids by row.
  ///
  /// - Parameter row: The only one to examine; `nil` for all.
  private func episodes(only row: Int64? = nil) throws -> [Int64: String] {
    var conditions = Conditions(.init(), scope)
    if let row { conditions.add("e.seq = ?", row) }
    switch selection {
    case .episodes(let ids):
      let wanted = ids.map(\.rawValue)
      conditions.add("e.id IN (SELECT value FROM json_each(?))", JSON.array(wanted.map(JSON.string)).canonicalText)
    case .session(let session): conditions.add("e.session = ?", session)
    case .domain(let domain): conditions.add("e.domain = ?", domain)
    case .created(let range):
      conditions.add("e.created_at >= ?", range.lowerBound.milliseconds)
      conditions.add("e.created_at < ?", range.upperBound.milliseconds)
    case .metadata(let path, let value): return try episodes(conditions, whoseMetadataHave: value, at: path)
    case .source(let source, let since):
      let found = try SourceRows.episodes(of: source, since: since, in: scope, db)
      let all = found.merging(try SourceRows.descendants(of: found.values, in: scope, db)) { first, _ in first }
      guard let row else { return all }
      return all.filter { $0.key == row }
    case .text: return try episodesWithText(conditions)
    case .everything: break
    }
    var found: [Int64: String] = [:]
    var rows = try RawStatement(
      "SELECT e.seq, e.id FROM episodes e \(conditions.whereClause)", conditions.arguments, db)
    while try rows.step() { found[rows.integer(0)] = rows.text(1) }
    return found
  }

  private func episodes(
    _ conditions: Conditions, whoseMetadataHave wanted: JSON, at path: [String]
  ) throws -> [Int64: String] {
    var found: [Int64: String] = [:]
    var rows = try RawStatement(
      "SELECT e.seq, e.id, e.metadata, e.sealed, e.domain FROM episodes e \(conditions.whereClause)",
      conditions.arguments, db)
    while try rows.step() {
      let metadata =
        rows.isNull(3)
        ? rows.text(2)
        : try EpisodeTexts.open(
          Array(rows.bytes(3)), of: Episode.ID(composed: rows.text(1)), in: rows.text(4), db
        ).metadata
      var value: JSON? = JSON(storedObject: metadata).canonicallyComposed
      for name in path { value = value?[name] }
      if value == wanted { found[rows.integer(0)] = rows.text(1) }
    }
    return found
  }

  private func episodesWithText(_ conditions: Conditions) throws -> [Int64: String] {
    guard let matcher else { return [:] }
    var found: [Int64: String] = [:]
    let queries: [(columns: String, tables: String, json: Int32?)] = [
      ("e.id, e.context, e.session, e.task_type, e.domain, e.metadata", "episodes e", 7),
      ("s.id, s.action, s.result, s.tool", "steps s CROSS JOIN episodes e ON e.id = s.episode_id", nil),
      ("m.id, m.content, m.model_name", "embeddings m CROSS JOIN episodes e ON e.id = m.episode_id", nil),
    ]
    for (columns, tables, json) in queries {
      var rows = try RawStatement(
        "SELECT e.seq, e.id, \(columns) FROM \(tables) \(conditions.whereClause)", conditions.arguments, db)
      let last = Int32(2 + columns.split(separator: ",").count)
      while try rows.step() {
        let row = rows.integer(0)
        guard found[row] == nil else { continue }
        for column in 2..<last {
          let bytes = rows.bytes(column)
          let isFound =
            column == json ? matcher.isFound(inJSON: bytes, JSON.init(stored:)) : matcher.isFound(in: bytes)
          if isFound {
            found[row] = rows.text(1)
            break
          }
        }
      }
    }
    try addSealedEpisodesWithText(conditions, matcher, &found)
    return found
  }

  /// Adds those whose rows are encrypted.
  ///
  /// - Throws: `.keyMissing` in a copy, which is read without a key: it may have the text.
  private func addSealedEpisodesWithText(
    _ conditions: Conditions, _ matcher: TextMatcher, _ found: inout [Int64: String]
  ) throws {
    func isFound(_ text: String) -> Bool { text.withContiguousUTF8 { matcher.isFound(in: $0) } }
    let statement = try db.cachedStatement(
      sql: "SELECT \(EpisodeRow.columns) FROM episodes e WHERE e.sealed IS NOT NULL\(conditions.andClause)")
    let rows = try Row.fetchCursor(statement, arguments: conditions.arguments)
    let vectors = try db.cachedStatement(
      sql: "SELECT \(EmbeddingRow.columns) FROM embeddings m WHERE m.sealed IS NOT NULL AND m.episode_id = ?")
    while let row = try rows.next() {
      let episode = try EpisodeRow.decode(row, db)
      let texts = [episode.context] + episode.steps.flatMap { [$0.action, $0.result ?? "", $0.tool ?? ""] }
      let isInMetadata = episode.metadata.canonicalText.withContiguousUTF8 {
        matcher.isFound(inJSON: $0, JSON.init(stored:))
      }
      let isInVectors = try Row.fetchAll(vectors, arguments: [episode.id.rawValue])
        .contains { isFound(try EmbeddingRow.decode($0, db).content) }
      if isInMetadata || isInVectors || texts.contains(where: isFound) { found[try row.value(0)] = episode.id.rawValue }
    }
  }

  // MARK: What belongs to no episode

  /// Patterns of a domain, or with a text. In a domain only its own: a shared one is seen by others (I8).
  private func patterns() throws -> [Int64: ErasedRows.PatternName] {
    let domain: String?
    switch selection {
    case .domain(let name):
      if let only = scope.onlyDomain, only != name { return [:] }
      domain = name
    case .everything, .text: domain = scope.onlyDomain
    default: return [:]
    }
    var found: [Int64: ErasedRows.PatternName] = [:]
    var rows = try RawStatement(
      """
      SELECT p.seq, p.id, \(Self.patternKey), p.pattern_type, p.domain, p.pattern_data, p.metadata,
        p.sealed FROM patterns p
      WHERE ?1 IS NULL OR p.domain = ?1
      """, [domain], db)
    while try rows.step() {
      if let matcher {
        var isSealedFound = false
        if !rows.isNull(7) {
          let texts = try PatternTexts.open(
            Array(rows.bytes(7)), at: PatternTexts.place(rows.text(1), rows.text(3)), in: rows.text(4), db)
          isSealedFound = [texts.data, texts.metadata].contains { text in
            text.withContiguousUTF8 { matcher.isFound(inJSON: $0, JSON.init(stored:)) }
          }
        }
        let isFound =
          isSealedFound || ([1, 3, 4] as [Int32]).contains { matcher.isFound(in: rows.bytes($0)) }
          || (5..<7).contains { matcher.isFound(inJSON: rows.bytes($0), JSON.init(stored:)) }
        guard isFound else { continue }
      }
      found[rows.integer(0)] = ErasedRows.PatternName(id: rows.text(1), key: rows.text(2))
    }
    return found
  }

  /// Patterns that are linked to erased episodes and to no others.
  func patternsWithoutEvidence(but erased: ErasedRows) throws -> [Int64: ErasedRows.PatternName] {
    var links: [String: Int] = [:]
    var linked = try RawStatement("SELECT pattern_id FROM episode_patterns WHERE episode_id = ?", db)
    for id in erased.episodes.values {
      try id.withContiguousUTF8 { try linked.bind(text: $0) }
      while try linked.step() { links[linked.text(0), default: 0] += 1 }
    }
    var found: [Int64: ErasedRows.PatternName] = [:]
    var rows = try RawStatement(Self.patternWithLinks, db)
    for (id, count) in links {
      try id.withContiguousUTF8 { try rows.bind(text: $0) }
      if try rows.step() {
        let isWithin = scope.onlyDomain.map { $0.utf8.elementsEqual(rows.bytes(3)) } ?? true
        if isWithin, rows.integer(4) == Int64(count) {
          found[rows.integer(0)] = ErasedRows.PatternName(id: rows.text(1), key: rows.text(2))
        }
      }
      rows.reset()
    }
    return found
  }

  static let patternWithLinks = """
    SELECT p.seq, p.id, \(patternKey), p.domain, (SELECT count(*) FROM episode_patterns l WHERE l.pattern_id = p.id)
    FROM patterns p WHERE p.id = ?
    """

  /// As the triggers name a pattern in the feed.
  static let patternKey = "p.pattern_type || ':' || p.data_hash || iif(p.domain = '', '', ':' || p.domain)"

  /// Keys of erased episodes, also of those that were deleted before; those with a text; those of an erased domain.
  private func idempotencyKeys(of episodes: some Collection<String>) throws -> Set<IdempotencyKeyName> {
    var found: Set<IdempotencyKeyName> = []
    func add(_ condition: String, _ arguments: StatementArguments, if isWanted: (borrowing RawStatement) -> Bool) throws
    {
      var rows = try RawStatement(
        "SELECT domain, key FROM idempotency_keys WHERE \(condition)", arguments, db)
      while try rows.step() {
        if isWanted(rows) { found.insert(IdempotencyKeyName(domain: rows.text(0), key: rows.text(1))) }
      }
    }
    let only = scope.onlyDomain
    switch selection {
    case .domain(let name) where only == nil || only == name: try add("domain = ?", [name]) { _ in true }
    case .everything: try add("?1 IS NULL OR domain = ?1", [only]) { _ in true }
    case .text:
      guard let matcher else { break }
      try add("?1 IS NULL OR domain = ?1", [only]) { row in
        matcher.isFound(in: row.bytes(0)) || matcher.isFound(in: row.bytes(1))
      }
    case .episodes(let ids):
      for id in ids { try add("episode_id = ?1 AND (?2 IS NULL OR domain = ?2)", [id.rawValue, only]) { _ in true } }
    default: break
    }
    for id in episodes { try add("episode_id = ?", [id]) { _ in true } }
    return found
  }

  /// Rows without an owner belong to no domain any more, so only the whole store erases them.
  private func orphans(of episodes: Set<String>) throws -> Set<Int64> {
    guard scope.onlyDomain == nil else { return [] }
    var wanted = episodes
    if case .episodes(let ids) = selection { wanted.formUnion(ids.map(\.rawValue)) }
    var found: Set<Int64> = []
    var rows = try RawStatement("SELECT seq, content FROM orphans_kept", db)
    while try rows.step() {
      let isFound: Bool
      if case .everything = selection {
        isFound = true
      } else if matcher?.isFound(inJSON: rows.bytes(1), JSON.init(stored:)) == true {
        isFound = true
      } else if case .string(let owner)? = JSON(stored: rows.text(1))["episode_id"] {
        isFound = wanted.contains(owner)
      } else {
        isFound = false
      }
      if isFound { found.insert(rows.integer(0)) }
    }
    return found
  }
}

extension ErasureRequest {
  /// Of a selection by text.
  var matcher: TextMatcher? {
    if case .text(let text, let ignoringCase) = selection { TextMatcher(text, ignoringCase: ignoringCase) } else { nil }
  }
}

extension String {
  /// Lends the UTF-8.
  func withContiguousUTF8<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    var text = self
    return try text.withUTF8 { try body(UnsafeRawBufferPointer($0)) }
  }
}
