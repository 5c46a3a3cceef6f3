package import EpisodicMemory
import FileLocks
import GRDB
import SQLiteStorage
import StoreRows

/// What a diagnosis wants to know of a primary, beside what a check finds: read in one snapshot, in milliseconds but for the
/// scan of the feed.
package struct PrimaryInspection: Sendable {
  /// A row of the table `settings`.
  package struct Setting: Sendable {
    package let name: String
    /// `nil` if it cannot be read.
    package let value: JSON?
    package let changedAt: Timestamp
  }

  package let sqliteVersion: String
  /// Whether two connections that write and checkpoint at the same moment can corrupt a database in WAL mode: 3.7.0 to 3.51.2.
  package let hasLogResetFault: Bool
  /// Features of SQLite that the store needs and this SQLite lacks.
  package var missingFeatures: [String]
  package let schemaVersion: Int
  /// Bytes of pages that hold nothing, and of all pages.
  package let freeBytes: Int64
  package let bytes: Int64
  /// Whether free pages can be given back without writing the file again.
  package let givesPagesBack: Bool
  /// Whether a check found damage before.
  package let isMarkedDamaged: Bool
  /// Triggers and UNIQUE indexes of other programs on the tables of the schema.
  package let foreignTriggers: [String]
  /// Tables and views of other programs.
  package let foreignTables: [String]
  package let settings: [Setting]
  /// Erasures whose traces may be left in the files.
  package let unfinishedErasures: Int
  /// Deleted episodes of which rows are left.
  package let unfinishedDeletions: Int
  package let maintenance: [MaintenanceRecord]
  /// When the store was made; `nil` if it cannot be told.
  package let createdAt: Timestamp?
  /// The latest time that the engine wrote from its clock.
  package let newestTime: Timestamp?
  package let episodes: Int
  /// Revisions that are missing between the first and the last of the feed.
  package let missingRevisions: Int64

  init(_ db: Database) throws {
    sqliteVersion = try String.fetchOne(db, sql: "SELECT sqlite_version()") ?? "unknown"
    hasLogResetFault = Self.hasLogResetFault(sqliteVersion)
    let modules = Set(try String.fetchAll(db, sql: "SELECT name FROM pragma_module_list"))
    let functions = Set(try String.fetchAll(db, sql: "SELECT name FROM pragma_function_list"))
    missingFeatures =
      ["fts5", "fts5vocab"].filter { !modules.contains($0) } + ["json_valid"].filter { !functions.contains($0) }
    func pragma(_ name: String) throws -> Int64 { try Int64.fetchOne(db, sql: "PRAGMA \(name)") ?? 0 }
    let pageSize = try pragma("page_size")
    freeBytes = try pragma("freelist_count").multipliedReportingOverflow(by: pageSize).partialValue
    bytes = try pragma("page_count").multipliedReportingOverflow(by: pageSize).partialValue
    givesPagesBack = try pragma("auto_vacuum") != 0
    isMarkedDamaged = try DamageMark.isSet(db)
    (foreignTriggers, foreignTables) = try Self.foreignObjects(db)
    let applied = try Row.fetchOne(
      db, sql: "SELECT max(version), min(applied_at) FROM schema_version WHERE typeof(version) = 'integer'")
    let version: Int? = try applied?.value(0)
    let created: Int64? = try applied?.value(1)
    schemaVersion = version ?? 0
    createdAt = created.map { Timestamp(milliseconds: $0) }
    settings = try Row.fetchAll(db, sql: "SELECT name, value, changed_at FROM settings ORDER BY name").map { row in
      Setting(
        name: try row.value(0), value: Self.json(try row.value(1)),
        changedAt: Timestamp(milliseconds: try row.value(2)))
    }
    unfinishedErasures = try Int.fetchOne(db, sql: "SELECT count(*) FROM erasures WHERE cleaned_at IS NULL") ?? 0
    unfinishedDeletions = try DeletedEpisodes.count(db)
    maintenance = try MaintenanceRow.all(db)
    // Times of rows may be given by an import; those in the ids of steps, and of maintenance, come from the clock.
    let newest = try Int64.fetchOne(db, sql: "SELECT max(started_at) FROM maintenance")
    let step = try String.fetchOne(db, sql: "SELECT id FROM steps ORDER BY seq DESC LIMIT 1")
    newestTime = [newest, created, step.flatMap(Self.time)].compactMap(\.self).max().map { Timestamp(milliseconds: $0) }
    episodes = try Int.fetchOne(db, sql: "SELECT count(*) FROM episodes") ?? 0
    let feed = try Row.fetchOne(db, sql: "SELECT count(*), min(revision), max(revision) FROM changes")
    if let feed, let first: Int64 = try feed.value(1), let last: Int64 = try feed.value(2) {
      let count: Int64 = try feed.value(0)
      missingRevisions = last - first + 1 - count
    } else {
      missingRevisions = 0
    }
  }

  /// The objects that the migrations did not make.
  private static func foreignObjects(_ db: Database) throws -> (triggers: [String], tables: [String]) {
    let own = try Migration.objectNames(madeBy: Schema.migrations)
    var (triggers, tables): ([String], [String]) = ([], [])
    for row in try Row.fetchAll(db, sql: "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name") {
      let (kind, name, table): (String, String, String) = (try row.value(0), try row.value(1), try row.value(2))
      let sql: String? = try row.value(3)
      guard !own.contains(name), !name.hasPrefix("sqlite_"), name != "schema_version" else { continue }
      switch kind {
      case "table", "view": tables.append("\(kind) \(name)")
      default:
        guard own.contains(table), kind == "trigger" || sql?.hasPrefix("CREATE UNIQUE ") == true else { continue }
        triggers.append("\(kind) \(name) on \(table)")
      }
    }
    return (triggers, tables)
  }

  /// The milliseconds in a UUID of version 7; `nil` for another id.
  private static func time(of id: String) -> Int64? {
    let digits = id.utf8.filter { $0 != UInt8(ascii: "-") }
    guard id.utf8.count == 36, digits.count == 32, digits[12] == UInt8(ascii: "7") else { return nil }
    return Int64(String(decoding: digits.prefix(12), as: UTF8.self), radix: 16)
  }

  private static func json(_ text: String) -> JSON? {
    do throws(MemoryError) { return try JSON(text: text) } catch { return nil }
  }

  static func hasLogResetFault(_ version: String) -> Bool {
    let parts = version.split(separator: ".").compactMap { Int($0) }
    guard parts.count >= 3 else { return false }
    return (parts[0], parts[1], parts[2]) >= (3, 7, 0) && (parts[0], parts[1], parts[2]) < (3, 51, 3)
  }
}

/// Why a primary cannot be opened, as far as it can be told.
package enum PrimaryFault: Hashable, Sendable {
  case missing
  /// Another program's file, or no database at all.
  case foreign
  case newer(version: Int)
  case older(version: Int)
  case damaged
  case symbolicLink
  case hardLinks
  case locked
  /// Trying again may help: permissions, a disk, a file that is being replaced.
  case unavailable
}

extension MemoryError {
  /// Of an error that opening a primary threw.
  package var primaryFault: PrimaryFault {
    switch cause {
    case StorageError.newer(_, let version, _)?: return .newer(version: version)
    case StorageError.older(_, let version, _)?: return .older(version: version)
    case StorageError.severalNames?: return .hardLinks
    case StorageError.missing?: return .missing
    case let error as FileError where error.code == .link: return .symbolicLink
    default: break
    }
    return switch code {
    case .notAStore: .foreign
    case .corrupted: .damaged
    case .busy: .locked
    default: .unavailable
    }
  }
}
