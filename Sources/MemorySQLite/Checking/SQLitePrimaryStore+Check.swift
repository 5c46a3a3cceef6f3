public import EpisodicMemory
import GRDB
import Logging
import SQLiteStorage

extension SQLitePrimaryStore {
  /// A database in which this finds damage takes no more writes, of this process and of those that open it later, until
  /// it finds none.
  public func check() async throws(MemoryError) -> [Check] {
    var checks = try await readRows { [database] db in
      // What cannot be read for damage is one finding, and keeps no other check from telling what it finds.
      func run(_ name: String, _ check: () throws -> Check) throws -> Check {
        do {
          return try check()
        } catch {
          let error = MemoryError(storage: error, path: database.path)
          guard error.code == .corrupted else { throw error }
          return Check(name, .damaged(error.message))
        }
      }
      return [
        try run("integrity of the database") { try StructureCheck.integrity(db) },
        try run("schema") { try StructureCheck.schema(db, database) },
        try run("rows without an owner") { try StructureCheck.orphans(db) },
        try run("change feed") { try ChangeFeed.check(db) },
        try run("rows of other programs") { try RowCheck.run(db) },
        try run("vectors") { try VectorCheck.run(db) },
      ]
    }
    if checks.allSatisfy({ !$0.isDamage }) {
      for text in TextIndexComparison.all { checks.append(try await check(text)) }
    }
    await keep(checks.first(where: \.isDamage))
    return checks
  }

  /// Holds one full-text index against its table.
  ///
  /// FTS5 compares them fast and says only whether they agree; for that it needs to write, as far as SQLite is concerned,
  /// so other writers wait for it. Who may not write, and who has to know which rows disagree, compares them here.
  func check(_ text: TextIndexComparison) async throws(MemoryError) -> Check {
    let agrees: Bool?
    do {
      agrees = try await database.write(despiteDamage: true) { db in try text.agrees(db) }
    } catch {
      // FTS5 could not be asked, where nothing may be written or another process writes: the rows alone are compared.
      agrees = nil
    }
    if agrees == true { return Check(text.name, .passed) }
    let tokenizers = tokenizers
    return try await readRows { db in
      Check(text.name, try text.compare(db, tokenizers, isRefuted: agrees == false))
    }
  }

  /// What is known of a database that is opened, and keeps it from being written; `nil` where nothing is.
  static func reasonToRefuseWrites(_ db: Database) throws -> String? {
    if try DamageMark.isSet(db) {
      return "check found damage in it; restore a backup, or run check again when it has been mended"
    }
    let sequence = try Int64.fetchOne(db, sql: "SELECT max(seq) FROM sqlite_sequence WHERE name = 'changes'")
    return ChangeFeed.exhaustion(sequence ?? 0)
  }

  /// Makes this process, and those that open the database later, refuse writes while there is damage.
  private func keep(_ damage: Check?) async {
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
      // Who may not write here, or cannot any more, leaves it to those who can; in this process the refusal stands.
      logger.warning(
        "the result of a check could not be kept in \(database.path)", metadata: ["error": "\(error)"])
    }
  }
}

/// What a check that found damage leaves in the database's header, so that a later process writes nothing either. A backup
/// that is put back does not have it.
enum DamageMark {
  /// `PRAGMA user_version`: "DAMG".
  static let value: Int64 = 0x4441_4D47

  static func isSet(_ db: Database) throws -> Bool {
    try Int64.fetchOne(db, sql: "PRAGMA user_version") == value
  }
}

extension Check {
  var isDamage: Bool {
    if case .damaged = outcome { true } else { false }
  }
}
