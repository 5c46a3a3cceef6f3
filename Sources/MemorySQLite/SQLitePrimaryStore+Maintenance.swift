package import EpisodicMemory
import GRDB
import Logging
import SQLiteStorage
import StoreRows

extension SQLitePrimaryStore {
  package func statistics() async throws(MemoryError) -> PrimaryStatistics {
    let bytes = database.bytesOnDisk
    return try await readRows { db in
      func count(_ sql: String) throws -> Int { try Int.fetchOne(db, sql: "SELECT \(sql)") ?? 0 }
      var episodes: [Episode.Status: Int] = [:]
      for row in try Row.fetchAll(
        db, sql: "SELECT status, count(*) FROM episodes e WHERE \(DeletedEpisodes.excluded) GROUP BY status")
      {
        episodes[Episode.Status(stored: try row.value(0)), default: 0] += try row.value(1)
      }
      // Rows of episodes that are deleted and not yet swept are few or none: they are counted apart.
      let ofDeleted = "episode_id IN (SELECT e.id FROM episodes e WHERE e.domain = \(DeletedEpisodes.domain))"
      let spaces = try Row.fetchAll(
        db,
        sql: """
          SELECT model_name, dimensions, sum(n) FROM (
              SELECT model_name, dimensions, count(*) AS n FROM embeddings GROUP BY model_name, dimensions
              UNION ALL SELECT model_name, dimensions, -1 FROM embeddings WHERE \(ofDeleted))
          GROUP BY model_name, dimensions HAVING sum(n) > 0
          """)
      return PrimaryStatistics(
        episodes: episodes,
        steps: try count("(SELECT count(*) FROM steps) - (SELECT count(*) FROM steps WHERE \(ofDeleted))"),
        patterns: try count("count(*) FROM patterns"),
        domains: try count("count(DISTINCT domain) FROM episodes e WHERE \(DeletedEpisodes.excluded)"),
        spaces: try spaces.map { row in
          .init(model: try row.value(0), dimensions: try row.value(1), vectors: try row.value(2))
        }, bytes: bytes, watermark: try ChangeFeed.watermark(db),
        // 0 if another program dropped the table, which `check` reports.
        schemaVersion: try db.tableExists("schema_version")
          ? count("max(version) FROM schema_version WHERE typeof(version) = 'integer'") : 0)
    }
  }

  /// Words are added to rows that other programs wrote, first. If this finds damage, the database takes no more writes, in this process and in those that open it later, until a
  /// check finds none.
  package func check(_ depth: MemoryCheck.Depth) async throws(MemoryError) -> [MemoryCheck] {
    guard depth == .full else { return try await quickCheck() }
    await analyseRowsOfOthers()
    var checks = try await readRows { [database] db in
      func run(_ name: String, _ check: () throws -> MemoryCheck) throws -> MemoryCheck {
        try Self.run(name, database.path, check)
      }
      return [
        try run("integrity of the database") { try StructureCheck.integrity(db) },
        try run("schema") { try StructureCheck.schema(db, database) },
        try run("rows without an owner") { try StructureCheck.orphans(db) },
        try run("change feed") { try ChangeFeed.check(db) },
        try run("rows of other programs") { try RowCheck.run(db) },
        try run("vectors") { try VectorCheck.run(db) },
        try run("words of patterns") { try PatternWordsCheck.run(db) },
        try run("words added to texts") { try AnalysisCheck.run(db) },
        try run(SettingsCheck.name) { try SettingsCheck.run(db) },
        try run(AuditCheck.name) { try AuditCheck.run(db) },
      ]
    }
    if checks.allSatisfy({ !$0.isDamage }) {
      for comparison in TextIndexComparison.all { checks.append(try await check(comparison)) }
    }
    await setDamageMark(checks.first(where: \.isDamage))
    return checks
  }

  /// As `check`, in a bounded time. Damage that was found before stays known: only a full check finds that there is none.
  private func quickCheck() async throws(MemoryError) -> [MemoryCheck] {
    let checks = try await readRows { [database] db in
      func run(_ name: String, _ check: () throws -> MemoryCheck) throws -> MemoryCheck {
        try Self.run(name, database.path, check)
      }
      return [
        try run(StructureCheck.integrityName) { try QuickCheck.structure(db) },
        try run("schema") { try StructureCheck.schema(db, database) },
        try run("rows without an owner") { try StructureCheck.orphans(db) },
        try run("change feed") { try ChangeFeed.check(db) },
        try run(SettingsCheck.name) { try SettingsCheck.run(db) },
        try run("rows of the full-text indexes") { try QuickCheck.counts(db) },
      ]
    }
    if let damage = checks.first(where: \.isDamage) { await setDamageMark(damage) }
    return checks
  }

  /// Damage that stops one check from reading is that check's result; the other checks still run.
  private static func run(
    _ name: String, _ path: String, _ check: () throws -> MemoryCheck
  ) throws -> MemoryCheck {
    do {
      return try check()
    } catch {
      let error = MemoryError(storage: error, path: path)
      guard error.code == .corrupted else { throw error }
      return MemoryCheck(name, .damaged(error.message))
    }
  }

  /// Compares one full-text index with its table.
  ///
  /// FTS5 compares them fast and returns only whether they agree; SQLite counts that as a write, so other writers wait.
  /// The slower comparison by rows runs if the file cannot be written, or if FTS5 found a difference, to name the rows.
  private func check(_ comparison: TextIndexComparison) async throws(MemoryError) -> MemoryCheck {
    let agrees: Bool?
    do {
      agrees = try await database.write(despiteDamage: true) { db in try comparison.agrees(db) }
    } catch {
      // FTS5's comparison could not run, because nothing may be written or another process writes: only rows are compared.
      agrees = nil
    }
    if agrees == true { return MemoryCheck(comparison.name, .passed) }
    let tokenizers = tokenizers
    return try await readRows { db in
      MemoryCheck(comparison.name, try comparison.compare(db, tokenizers, isRefuted: agrees == false))
    }
  }

  /// Makes this process, and those that open the database later, refuse writes while there is damage.
  private func setDamageMark(_ damage: MemoryCheck?) async {
    let mark: Int64 = damage == nil ? 0 : DamageMark.value
    if case .damaged(let reason)? = damage?.outcome {
      database.refuseWrites(because: reason)
    } else {
      database.acceptWrites()
    }
    do {
      try await database.write(despiteDamage: true) { db in
        guard try DamageMark.isSet(db) != (mark != 0) else { return }
        try db.execute(sql: "PRAGMA user_version = \(mark)")
      }
    } catch {
      // Without permission to write, the mark is left to a process that has it; this process refuses writes anyway.
      logger.warning(
        "the result of a check could not be kept in \(database.path)",
        metadata: ["event": "primary.check_not_kept", "path": "\(database.path)", "error": "\(error)"])
    }
  }

  /// Why a database that is being opened must not be written; `nil` if it may be.
  static func reasonToRefuseWrites(_ db: Database) throws -> String? {
    if try DamageMark.isSet(db) {
      return "check() found damage in it; restore a backup, or call check() again when it has been mended"
    }
    return ChangeFeed.exhaustion(try ChangeFeed.highestRevision(db))
  }

  /// Also moves rows without an owner to `orphans_kept`, and recreates indexes that another program dropped.
  package func rebuildTextIndexes(acceptingTexts: Bool) async throws(MemoryError) {
    if !acceptingTexts {
      for comparison in TextIndexComparison.all {
        guard case .damaged(let reason) = try await check(comparison).outcome else { continue }
        throw MemoryError(.corrupted, "\(database.path): \(reason)")
      }
    }
    do {
      try await database.write(despiteDamage: acceptingTexts) { [database, audit] db in
        let log = try audit.begin(db)
        log?.note(AuditVerb.rebuild, in: nil)
        try database.restoreIndexes(db)
        // They hold a copy of the texts that are accepted.
        if acceptingTexts { try db.execute(sql: "REINDEX steps_by_tool; REINDEX steps_failed") }
        try db.execute(
          sql: """
            DELETE FROM orphans;
            INSERT INTO episodes_text (episodes_text) VALUES ('rebuild');
            INSERT INTO steps_text (steps_text) VALUES ('rebuild');
            """)
        try PatternWordsCheck.rebuild(db)
        try db.execute(sql: "INSERT INTO patterns_text (patterns_text) VALUES ('rebuild')")
        try ChangeFeed.repair(db)
        try log?.write(db)
      }
      try await correctAddedWords(despiteDamage: acceptingTexts)
    } catch {
      throw MemoryError(storage: error, path: database.path)
    }
  }

  /// Fills the words added to rows that other programs wrote, in slices. What cannot be written is left to be reported.
  private func analyseRowsOfOthers() async {
    do {
      while try await database.read({ db in try Analysis.isNeeded(db) }) {
        _ = try await database.write { db in try Analysis.analyse(limit: Analysis.rowsAtOnce, db) }
      }
    } catch {
      logger.debug(
        "rows of other programs were not analysed",
        metadata: ["event": "primary.rows_not_analysed", "path": "\(database.path)", "error": "\(error)"])
    }
  }

  /// In slices, so that other writers wait for some ten milliseconds.
  private func correctAddedWords(despiteDamage: Bool) async throws {
    for table in Analysis.Table.allCases {
      var after: Int64? = 0
      while let row = after {
        after = try await database.write(despiteDamage: despiteDamage) { db in
          try Analysis.correct(table, after: row, db)
        }
      }
    }
  }

  package func optimizeTextIndexes() async throws(MemoryError) {
    try await writeAudited { db, log in
      log?.note(AuditVerb.optimize, in: nil)
      try db.execute(
        sql: """
          INSERT INTO episodes_text (episodes_text) VALUES ('optimize');
          INSERT INTO steps_text (steps_text) VALUES ('optimize');
          INSERT INTO patterns_text (patterns_text) VALUES ('optimize');
          """)
    }
  }
}

extension MemoryCheck {
  fileprivate var isDamage: Bool {
    if case .damaged = outcome { true } else { false }
  }
}
