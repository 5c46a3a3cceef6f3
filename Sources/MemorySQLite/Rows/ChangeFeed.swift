import ByteCoding
import EpisodicMemory
import GRDB
import SQLiteStorage
import StoreRows

/// The table `changes`: one row per committed change, written by triggers, read by what follows the primary.
enum ChangeFeed {
  /// The last change in the transaction's snapshot.
  static func watermark(_ db: Database) throws -> Watermark {
    let statement = try db.cachedStatement(sql: "SELECT revision, nonce FROM changes ORDER BY revision DESC LIMIT 1")
    let rows = try Row.fetchCursor(statement)
    guard let row = try rows.next() else { return .beginning }
    return Watermark(revision: try row.value(0), nonce: try row.value(1))
  }

  static func changes(after watermark: Watermark?, limit: Int, _ db: Database) throws -> ChangeBatch {
    let end = try Self.watermark(db)
    guard let watermark, try isInHistory(watermark, db) else {
      return ChangeBatch(asked: watermark, continues: false, changes: [], end: end, isComplete: true)
    }
    var rows = try RawStatement(changesAfter, db)
    try rows.bind(watermark.revision)
    try rows.bind(Int64(limit))
    var changes: [Change] = []
    var domain = RepeatedText()
    var last = watermark
    while try rows.step() {
      last = Watermark(revision: rows.integer(0), nonce: rows.integer(1))
      changes.append(
        Change(
          revision: last.revision, subject: try subject(rows.text(2), of: last.revision), key: rows.text(3),
          domain: rows.isNull(4) ? nil : domain.text(rows.bytes(4)), finished: rows.integer(5) != 0,
          row: rows.isNull(6) ? nil : rows.integer(6), step: rows.isNull(7) ? nil : rows.integer(7)))
    }
    return ChangeBatch(asked: watermark, continues: true, changes: changes, end: last, isComplete: last == end)
  }

  static let changesAfter = """
    SELECT revision, nonce, subject, key, domain, finished, row, step FROM changes
    WHERE revision > ? ORDER BY revision LIMIT ?
    """

  private static func subject(_ text: String, of revision: Int64) throws -> Change.Subject {
    guard let subject = Change.Subject(rawValue: text) else {
      throw MemoryError(.corrupted, "change \(revision) has the unknown subject \"\(text)\"; use a newer build")
    }
    return subject
  }

  /// Whether the feed still holds everything after `watermark` and belongs to the history `watermark` was read from.
  static func isInHistory(_ watermark: Watermark, _ db: Database) throws -> Bool {
    if watermark == .beginning {
      let first = try Int64.fetchOne(db.cachedStatement(sql: "SELECT min(revision) FROM changes"))
      return first == nil || first == 1
    }
    let statement = try db.cachedStatement(sql: "SELECT nonce FROM changes WHERE revision = ?")
    return try Int64.fetchOne(statement, arguments: [watermark.revision]) == watermark.nonce
  }

  /// Rows of the episodes that may have been changed after a snapshot, with what belongs to them; `nil` if the feed does not
  /// tell.
  static func episodes(changedAfter watermark: Watermark, _ db: Database) throws -> Set<Int64>? {
    guard try isInHistory(watermark, db) else { return nil }
    var episodes: Set<Int64> = []
    // A change of an embedding is one of its episode, too.
    var rows = try RawStatement("SELECT row FROM changes WHERE revision > ? AND subject = 'episode'", db)
    try rows.bind(watermark.revision)
    while try rows.step() {
      if rows.isNull(0) { return nil }
      episodes.insert(rows.integer(0))
    }
    return episodes
  }

  // MARK: Watching

  /// Up to `limit` rows of the feed, without those that are not told to watchers.
  ///
  /// - Parameter position: `nil` for the end of the feed.
  static func watched(
    after position: Watermark?, in scope: Query.Scope, of store: StoreIdentity, limit: Int, _ db: Database
  ) throws -> WatchedChanges {
    let end = try watermark(db)
    guard let position else { return WatchedChanges(gap: nil, changes: [], end: end, isComplete: true) }
    let gap = try gap(after: position, db)
    var last = gap == nil ? position : .beginning
    var rows = try RawStatement(watchedAfter, db)
    try rows.bind(last.revision)
    try rows.bind(Int64(limit))
    let only = scope.onlyDomain
    let deleted = Array(Validation.reservedDomain.utf8)
    // What stands in the place of the domain if that was erased; computed if a change needs it.
    var hidden: String?
    var changes: [MemoryChange] = []
    while try rows.step() {
      last = Watermark(revision: rows.integer(0), nonce: rows.integer(1))
      if let only, rows.isNull(4) || !rows.bytes(4).elementsEqual(only.utf8) {
        guard !rows.isNull(4), !rows.isNull(8), FeedNames.isHidden(rows.text(4)) else { continue }
        let name = try hidden ?? FeedNames.hidden(only, by: ErasureDigests(db))
        hidden = name
        guard rows.bytes(4).elementsEqual(name.utf8) else { continue }
      }
      // It was deleted when it was moved there.
      if !rows.isNull(4), rows.bytes(4).elementsEqual(deleted) { continue }
      guard let change = change(rows, only, cursor: MemoryChange.Cursor(last, of: store)) else { continue }
      changes.append(change)
    }
    return WatchedChanges(gap: gap, changes: changes, end: last, isComplete: last.revision >= end.revision)
  }

  static let watchedAfter = """
    SELECT revision, nonce, subject, key, domain, kind, step, step_number, erased FROM changes
    WHERE revision > ? ORDER BY revision LIMIT ?
    """

  /// - Returns: `nil` for a row that only caches and indexes follow.
  ///
  /// - Parameter only: The domain that is watched; `nil` for all.
  private static func change(
    _ row: borrowing RawStatement, _ only: String?, cursor: MemoryChange.Cursor
  ) -> MemoryChange? {
    let (key, kind) = (row.text(3), row.isNull(5) ? nil : row.text(5))
    // A change without a subject makes the feed end at the highest revision.
    guard kind != "implied" else { return nil }
    let domain = row.isNull(4) ? nil : row.text(4)
    if !row.isNull(8) {
      let digest = Erasure.Digest(rawValue: row.bytes(8).hexadecimal)
      let subject: Erasure.Subject = row.text(2) == "pattern" ? .pattern : .episode
      // Who watches an erased domain knows its name; others are not told it.
      let told = only ?? domain.flatMap { FeedNames.isHidden($0) ? nil : $0 }
      return MemoryChange(subject: .erased(subject, digest), kind: .deleted, domain: told, cursor: cursor)
    }
    guard !key.isEmpty else { return nil }
    let subject: MemoryChange.Subject
    switch row.text(2) {
    case "episode":
      let id = Episode.ID(composed: key)
      subject =
        row.isNull(6) || row.integer(6) == Change.allSteps
        ? .episode(id)
        : .step(of: id, number: row.isNull(7) ? nil : Int(truncatingIfNeeded: row.integer(7)))
    case "pattern":
      // `type:hash`, then `:domain` if the pattern has one. The hash is hexadecimal, so the last colon before it ends the type.
      let name = key.utf8.dropLast(domain.map { $0.utf8.count + 1 } ?? 0)
      let colon = name.lastIndex(of: UInt8(ascii: ":")) ?? name.startIndex
      subject = .pattern(
        PatternType(rawValue: String(Substring(name[..<colon]))),
        dataHash: String(Substring(name[colon...].dropFirst())))
    default: subject = .embedding(Embedding.ID(composed: key))
    }
    return MemoryChange(
      subject: subject, kind: kind.flatMap(MemoryChange.Kind.init(rawValue:)), domain: domain, cursor: cursor)
  }

  /// Why changes may be missing after a position; `nil` if none is.
  private static func gap(after position: Watermark, _ db: Database) throws -> MemoryChange.Gap? {
    if try isInHistory(position, db) { return nil }
    let first = try Int64.fetchOne(db.cachedStatement(sql: "SELECT min(revision) FROM changes"))
    return first.map { position.revision < $0 } ?? false ? .pruned : .otherHistory
  }

  // MARK: Maintenance

  /// Revisions only grow, even if the newest rows are deleted: a follower would take a reused revision for one it has
  /// applied.
  static func check(_ db: Database) throws -> MemoryCheck {
    let sequence = try highestRevision(db)
    if let exhaustion = exhaustion(sequence) { return MemoryCheck("change feed", .damaged(exhaustion)) }
    let last = try watermark(db).revision
    return MemoryCheck(
      "change feed",
      last >= sequence
        ? .passed : .failed("it ends at revision \(last), but \(sequence) were given out: call rebuild()"))
  }

  /// Appends a change without a subject if the newest rows were deleted, so that the feed ends at the highest revision.
  ///
  /// Rows before a gap are deleted, so that a follower that stands there begins again instead of missing what is gone.
  static func repair(_ db: Database) throws {
    if try check(db).outcome != .passed {
      try db.execute(sql: "INSERT INTO changes (subject, key) VALUES ('pattern', '')")
    }
    try db.execute(
      sql: """
        DELETE FROM changes WHERE revision < (
            SELECT max(c.revision) FROM changes c
            WHERE c.revision > (SELECT min(revision) FROM changes)
              AND NOT EXISTS (SELECT 1 FROM changes p WHERE p.revision = c.revision - 1))
        """)
  }

  /// The highest revision given out; 0 before the first.
  static func highestRevision(_ db: Database) throws -> Int64 {
    try Int64.fetchOne(db, sql: "SELECT max(seq) FROM sqlite_sequence WHERE name = 'changes'") ?? 0
  }

  /// Why no revision can be given out any more; `nil` while at least 2^40 are left.
  static func exhaustion(_ sequence: Int64) -> String? {
    guard sequence > Int64.max - 1 << 40 else { return nil }
    return """
      another program set sqlite_sequence of changes to \(sequence), so no revision is left; execute UPDATE sqlite_sequence \
      SET seq = (SELECT max(revision) FROM changes) WHERE name = 'changes'
      """
  }
}
