import EpisodicMemory
import GRDB
import SQLiteStorage
import StoreRows

extension SQLiteSnapshot {
  func rows(of ids: [Episode.ID], in scope: Query.Scope) throws(MemoryError) -> [Episode.ID: Int64] {
    try reading {
      let conditions = Conditions(Episode.Filter(), scope)
      let statement = try db.cachedStatement(sql: "SELECT e.seq FROM episodes e WHERE e.id = ?\(conditions.andClause)")
      var rows: [Episode.ID: Int64] = [:]
      for id in ids {
        rows[id] = try Int64.fetchOne(statement, arguments: [id.rawValue] + conditions.arguments)
      }
      return rows
    }
  }

  func hasEpisodes(trusted: ClosedRange<Trust>) throws(MemoryError) -> Bool {
    try reading {
      var rows = try RawStatement(
        "SELECT 1 FROM episodes INDEXED BY episodes_by_trust WHERE least_trust < 3 AND least_trust BETWEEN ? AND ? LIMIT 1",
        db)
      try rows.bind(Int64(trusted.lowerBound.level))
      try rows.bind(Int64(trusted.upperBound.level))
      return try rows.step()
    }
  }

  func hasNamedSources() throws(MemoryError) -> Bool {
    try reading {
      var rows = try RawStatement(
        "SELECT 1 FROM episodes INDEXED BY episodes_by_source_id WHERE source_id IS NOT NULL LIMIT 1", db)
      return try rows.step()
    }
  }

  func origin(of row: Int64) throws(MemoryError) -> EpisodeOrigin? {
    try reading {
      var rows = try RawStatement("SELECT domain, source, source_id, context FROM episodes WHERE seq = ?", db)
      try rows.bind(row)
      guard try rows.step(), !rows.isNull(2) else { return nil }
      let kind = rows.isNull(1) ? "" : rows.text(1)
      return EpisodeOrigin(source: "\(rows.text(0))\u{0}\(kind)\u{0}\(rows.text(2))", context: rows.text(3))
    }
  }

  func searchHits(_ ranked: [RankedEpisode]) throws(MemoryError) -> [SearchHit] {
    try reading {
      var rows = try RawStatement("SELECT id FROM episodes WHERE seq = ?", db)
      var hits: [SearchHit] = []
      for episode in ranked {
        guard let id = try lazy.ids[episode.row] ?? id(episode.row, &rows) else { continue }
        hits.append(
          SearchHit(
            id: Episode.ID(composed: id), score: episode.score, shares: episode.shares,
            steps: try episode.steps.compactMap { step in try stepNumber(step) }))
      }
      return hits
    }
  }

  private func stepNumber(_ row: Int64) throws(MemoryError) -> Int? {
    try reading {
      var rows = try RawStatement("SELECT step_number FROM steps WHERE seq = ?", db)
      try rows.bind(row)
      return try rows.step() ? Int(rows.integer(0)) : nil
    }
  }

  private func id(_ row: Int64, _ rows: inout RawStatement) throws -> String? {
    try rows.bind(row)
    guard try rows.step() else { return nil }
    defer { rows.reset() }
    return rows.text(0)
  }

  func hits(_ ranked: [RankedEpisode], _ request: RecallRequest) throws(MemoryError) -> [Hit] {
    try reading { try ranked.compactMap { episode in try hit(episode, request) } }
  }

  private func hit(_ ranked: RankedEpisode, _ request: RecallRequest) throws -> Hit? {
    guard let episode = try EpisodeRow.fetch(db, row: ranked.row, steps: request.steps) else { return nil }
    let terms = request.excerpts ? request.terms : nil
    var matches: [Hit.Match] = []
    if ranked.contextMatches {
      matches.append(Hit.Match(step: nil, excerpt: try excerpt(of: ranked.row, in: "episodes_text", terms)))
    }
    for step in ranked.steps {
      guard let number = try stepNumber(step) else { continue }
      matches.append(Hit.Match(step: number, excerpt: try excerpt(of: step, in: "steps_text", terms)))
    }
    if let filter = request.filter.step {
      let terms = request.excerpts ? try filter.terms() : nil
      let passing = try steps(
        of: ranked.row, passing: filter, in: request.scope, atMost: max(1, request.stepsPerEpisode))
      for step in passing where !ranked.steps.contains(step.row) {
        matches.append(Hit.Match(step: step.number, excerpt: try excerpt(of: step.row, in: "steps_text", terms)))
      }
    }
    var hit = Hit(episode: episode, score: ranked.score, shares: ranked.shares, matches: matches)
    hit.copies = ranked.copies
    return hit
  }

  /// The texts of a row that is encrypted; `nil` of another.
  private func sealedTexts(of row: Int64, isEpisode: Bool) throws -> [String]? {
    guard try KeySession.storeHasKeys(db) else { return nil }
    let statement = try db.cachedStatement(
      sql: isEpisode
        ? "SELECT sealed, id, domain, 0 FROM episodes WHERE seq = ?"
        : "SELECT sealed, id, episode_id, step_number FROM steps WHERE seq = ?")
    guard let found = try Row.fetchOne(statement, arguments: [row]), let sealed = try found.bytes(0) else { return nil }
    let (id, owner): (String, String) = (try found.value(1), try found.value(2))
    if isEpisode { return [try EpisodeTexts.open(sealed, of: Episode.ID(composed: id), in: owner, db).context] }
    let place = StepTexts.place(id, of: owner, number: try found.value(3))
    let texts = try StepTexts.open(sealed, at: place, in: nil, db)
    return [texts.action, texts.result, texts.tool].compactMap(\.self)
  }

  /// Quotes a text of the row, never the words added to it.
  private func excerpt(of row: Int64, in index: String, _ terms: SearchTerms?) throws -> String? {
    guard let terms else { return nil }
    let isEpisode = index == "episodes_text"
    if let texts = try sealedTexts(of: row, isEpisode: isEpisode) {
      return terms.excerpt(of: texts) ?? texts.first.map(SearchTerms.beginning)
    }
    let statement = try db.cachedStatement(
      sql: "SELECT snippet(\(index), -1, '‹', '›', '…', 16) FROM \(index) WHERE \(index) MATCH ? AND rowid = ?")
    let columns = isEpisode ? "{context}" : "{action result tool}"
    let arguments: StatementArguments = ["\(columns) : (\(terms.fullTextExpression))", row]
    if let excerpt = try String.fetchOne(statement, arguments: arguments) { return excerpt }
    // It matches by the words added to its texts, or by its labels.
    var rows = try RawStatement(
      isEpisode ? "SELECT context FROM episodes WHERE seq = ?" : "SELECT action, result, tool FROM steps WHERE seq = ?",
      db)
    try rows.bind(row)
    guard try rows.step() else { return nil }
    let texts = (isEpisode ? 0...0 : 0...2 as ClosedRange<Int32>).filter { !rows.isNull($0) }.map { rows.text($0) }
    if let excerpt = terms.excerpt(of: texts) { return excerpt }
    let beginning = try db.cachedStatement(
      sql: "SELECT snippet(\(index), 0, '‹', '›', '…', 16) FROM \(index) WHERE rowid = ?")
    return try String.fetchOne(beginning, arguments: [row])
  }
}
