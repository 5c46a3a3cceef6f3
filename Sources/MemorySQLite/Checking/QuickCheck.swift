import EpisodicMemory
import GRDB
import SQLiteStorage
import StoreRows

/// Checks that take a bounded time, whatever the size of the store.
enum QuickCheck {
  /// A database up to this size is checked at one go, with its free list.
  private static let smallDatabase: Int64 = 256 << 20
  /// How long to go on with the next table of a larger one.
  private static let patience = Duration.seconds(10)

  /// The pages of the tables, without comparing them with their indexes.
  ///
  /// - Throws: `DatabaseError` if a page cannot be read, as `StructureCheck.integrity`.
  static func structure(_ db: Database) throws -> MemoryCheck {
    let name = StructureCheck.integrityName
    let pages = try Int64.fetchOne(db, sql: "PRAGMA page_count") ?? 0
    let pageSize = try Int64.fetchOne(db, sql: "PRAGMA page_size") ?? 0
    if pages.multipliedReportingOverflow(by: pageSize).partialValue <= smallDatabase {
      return MemoryCheck(name, try StructureCheck.outcome(try String.fetchAll(db, sql: "PRAGMA quick_check(5)")))
    }
    let start = ContinuousClock.now
    // Small tables first: with them the schema, the feed's position and the settings are known to be readable.
    let tables = try String.fetchAll(
      db,
      sql: """
        SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND sql NOT LIKE 'CREATE VIRTUAL%'
        ORDER BY name IN ('steps', 'embeddings', 'episodes', 'changes') OR name GLOB '*_data', name
        """)
    for table in tables where ContinuousClock.now - start < patience {
      let problems = try String.fetchAll(db, sql: "PRAGMA quick_check('\(table.replacing("'", with: "''"))')")
      let outcome = try StructureCheck.outcome(problems)
      if outcome != .passed { return MemoryCheck(name, outcome) }
    }
    return MemoryCheck(name, .passed)
  }

  /// Whether each full-text index has as many rows as its table.
  static func counts(_ db: Database) throws -> MemoryCheck {
    for comparison in TextIndexComparison.all {
      let rows = try Int.fetchOne(db, sql: "SELECT count(*) FROM \(comparison.table)") ?? 0
      let indexed = try Int.fetchOne(db, sql: "SELECT count(*) FROM \(comparison.index)_docsize") ?? 0
      guard rows == indexed else {
        return MemoryCheck(
          comparison.name, .failed("the index has \(indexed) rows and its table \(rows); call rebuild()"))
      }
    }
    return MemoryCheck("rows of the full-text indexes", .passed)
  }
}

/// Checks that every setting can be read.
enum SettingsCheck {
  static let name = "settings"

  static func run(_ db: Database) throws -> MemoryCheck {
    for row in try Row.fetchAll(db, sql: "SELECT name, value FROM settings ORDER BY name") {
      let setting: String = try row.value(0)
      let value: String = try row.value(1)
      do throws(MemoryError) {
        _ = try JSON(text: value)
      } catch {
        return MemoryCheck(
          name, .failed("the setting \"\(setting)\" cannot be read (\(error.message)); set it again, or remove it"))
      }
    }
    return MemoryCheck(name, .passed)
  }
}
