import ByteCoding
import GRDB

/// The tables, indexes, triggers and views of a database, as `sqlite_schema` lists them.
///
/// What ANALYZE keeps (`sqlite_stat1`, `sqlite_stat4`) is left out: it changes no answer.
struct SchemaObjects {
  struct Object: Equatable {
    let kind: String
    let name: String
    /// The table, or view, that an index or a trigger is of; its own name for others.
    let table: String
    /// The statement that created it; `nil` for the indexes that SQLite makes for UNIQUE and PRIMARY KEY.
    let sql: String?

    /// `trigger steps_text_insert on steps`.
    var description: String { kind == "index" || kind == "trigger" ? "\(kind) \(name) on \(table)" : "\(kind) \(name)" }
  }

  /// By name, in bytewise order.
  private(set) var objects: [Object] = []
  /// SHA-256 over all of it, as 64 hexadecimal digits.
  let digest: String

  /// Cost: 0.1 ms for a hundred objects.
  init(_ db: Database) throws {
    var hash = SHA256()
    var rows = try RawStatement(Self.listing, db)
    while try rows.step() {
      for column in 0..<4 as Range<Int32> {
        hash.update(rows.bytes(column))
        withUnsafeBytes(of: UInt8(0)) { hash.update($0) }
      }
      objects.append(
        Object(kind: rows.text(0), name: rows.text(1), table: rows.text(2), sql: rows.isNull(3) ? nil : rows.text(3)))
    }
    digest = hash.finalized().hexadecimal
  }

  /// What migrations make of an empty database.
  init(madeBy migrations: some Collection<Migration>) throws {
    self = try DatabaseQueue().writeWithoutTransaction { db in
      try Migrator.makeTable(db)
      for migration in migrations { try migration.run(db) }
      return try SchemaObjects(db)
    }
  }

  private static let listing =
    "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT GLOB 'sqlite_stat[0-9]' ORDER BY name, type"

  var isEmpty: Bool { objects.isEmpty }

  /// How this schema differs from the expected one.
  ///
  /// Views, tables, indexes that are not UNIQUE, and triggers on other tables than those of the schema are left out: other
  /// programs may add them, and they change no row of it.
  func differences(from expected: SchemaObjects) -> [SchemaDifference] {
    let present = Dictionary(objects.map { ($0.name, $0) }) { first, _ in first }
    let wanted = Dictionary(expected.objects.map { ($0.name, $0) }) { first, _ in first }
    let missing = expected.objects.filter { present[$0.name] == nil }.map(SchemaDifference.missing)
    let changed = expected.objects.compactMap { object -> SchemaDifference? in
      guard let found = present[object.name], !found.isSame(as: object) else { return nil }
      return .changed(object)
    }
    let tables = Set(expected.objects.map(\.table))
    let extra = objects.filter { object in
      guard wanted[object.name] == nil, tables.contains(object.table) else { return false }
      return object.kind == "trigger" || (object.kind == "index" && object.isUnique)
    }
    let all = missing + changed + extra.map(SchemaDifference.extra)
    // A changed table changes its indexes and triggers too: it is named first.
    return all.filter(\.isOfTable) + all.filter { !$0.isOfTable }
  }
}

extension SchemaObjects.Object {
  fileprivate var isUnique: Bool {
    // SQLite keeps the text from the name on as it was written, and what comes before it in its own words.
    sql?.hasPrefix("CREATE UNIQUE ") ?? true
  }

  /// Whether they mean the same: comments and white space do not count.
  fileprivate func isSame(as other: Self) -> Bool {
    guard kind == other.kind, table == other.table else { return false }
    return sql == other.sql || sql.map(Self.tokens) == other.sql.map(Self.tokens)
  }

  /// Cuts SQL into strings, words and signs, without comments.
  private static func tokens(_ sql: String) -> [Substring] {
    let bytes = sql.utf8
    var tokens: [Substring] = []
    var at = bytes.startIndex
    func end(after first: String.Index, _ isPart: (UInt8) -> Bool) -> String.Index {
      bytes[first...].firstIndex { !isPart($0) } ?? bytes.endIndex
    }
    while at < bytes.endIndex {
      let rest = bytes[at...]
      let next: String.Index
      switch bytes[at] {
      case UInt8(ascii: " "), 9...13:
        at = bytes.index(after: at)
        continue
      case UInt8(ascii: "-") where rest.starts(with: "--".utf8):
        at = end(after: at) { $0 != UInt8(ascii: "\n") }
        continue
      case UInt8(ascii: "/") where rest.starts(with: "/*".utf8):
        at = bytes[at...].firstRange(of: "*/".utf8)?.upperBound ?? bytes.endIndex
        continue
      case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "`"):
        // A doubled quote begins another string beside this one: all the same for comparing.
        let quote = bytes[at]
        let close = end(after: bytes.index(after: at)) { $0 != quote }
        next = close < bytes.endIndex ? bytes.index(after: close) : close
      case let byte where isWord(byte): next = end(after: at, isWord)
      default: next = bytes.index(after: at)
      }
      tokens.append(sql[at..<next])
      at = next
    }
    return tokens
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "_"), 0x80...:
      true
    default: false
    }
  }
}

/// One difference between a schema and the one that its migrations make.
enum SchemaDifference {
  case missing(SchemaObjects.Object)
  case changed(SchemaObjects.Object)
  /// A trigger, or a UNIQUE index, on a table of the schema.
  case extra(SchemaObjects.Object)

  /// An index that is not UNIQUE: it only makes queries fast, and can be made again.
  var plainIndex: SchemaObjects.Object? {
    switch self {
    case .missing(let object), .changed(let object):
      object.kind == "index" && object.sql != nil && !object.isUnique ? object : nil
    case .extra: nil
    }
  }

  private var object: SchemaObjects.Object {
    switch self {
    case .missing(let object), .changed(let object), .extra(let object): object
    }
  }

  /// Whether it concerns the table of migrations alone.
  var isOfSchemaVersion: Bool { object.table == "schema_version" }
  fileprivate var isOfTable: Bool { object.kind == "table" }

  /// What is wrong and what to do.
  var problem: String {
    switch self {
    case .missing(let object):
      "the \(object.description) is missing: another program dropped it; export what is left into another store, or "
        + "restore a backup"
    case .changed(let object):
      "the \(object.description) is not as this schema has it: another program changed it; export what is left into "
        + "another store, or restore a backup"
    case .extra(let object):
      "the \(object.description) is not of this schema and may change what is written: drop it"
    }
  }
}

extension Migration {
  /// The names of what migrations make of an empty database.
  package static func objectNames(madeBy migrations: [Migration]) throws -> Set<String> {
    Set(try SchemaObjects(madeBy: migrations).objects.map(\.name))
  }
}
