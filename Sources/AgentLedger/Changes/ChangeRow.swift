import GRDB
import StoreRows
import StoreValues

/// Rows of `changes`, which triggers write.
enum ChangeRow {
  /// A section of the feed.
  struct Section: Sendable {
    /// Before the changes; then they begin with the oldest that is kept.
    let gap: Ledger.Change.Gap?
    let changes: [Ledger.Change]
    /// The last revision that was examined.
    let end: Int64
    /// Whether it ends at the last commit.
    let isComplete: Bool
  }

  /// A thing that is gone has no id here. A number that another thing has got since tells that one again.
  static let after = """
    SELECT c.revision, c.kind, coalesce(t.id, r.id, o.id, n.id, w.id), coalesce(t.domain, r.domain), c.application, c.name
    FROM changes c
    LEFT JOIN tasks t ON c.kind = 'task' AND t.seq = c.thing
    LEFT JOIN runs r ON c.kind = 'run' AND r.seq = c.thing
    LEFT JOIN outbox o ON c.kind = 'outbox' AND o.seq = c.thing
    LEFT JOIN notices n ON c.kind = 'notice' AND n.seq = c.thing
    LEFT JOIN workers w ON c.kind = 'worker' AND w.seq = c.thing
    WHERE c.revision > ?1 ORDER BY c.revision LIMIT ?2
    """

  /// - Parameter cursor: `nil`: nothing, but the place after the last commit.
  static func section(
    after cursor: Ledger.Change.Cursor?, of ledger: String, limit: Int, _ db: Database
  ) throws -> Section {
    let last = try lastRevision(db)
    guard let cursor else { return Section(gap: nil, changes: [], end: last, isComplete: true) }
    let pruned = try prunedRevision(db)
    var (start, gap): (Int64, Ledger.Change.Gap?) = (cursor.revision, nil)
    if let of = cursor.ledger, of != ledger || cursor.revision > last {
      (start, gap) = (pruned, .otherHistory)
    } else if cursor.revision < pruned {
      (start, gap) = (pruned, .pruned)
    }
    let rows = try Row.fetchAll(db.cachedStatement(sql: after), arguments: [start, limit])
    let changes = try rows.compactMap { row in try change(row, of: ledger) }
    let end: Int64 = try rows.last.map { try $0.value(0) } ?? start
    return Section(gap: gap, changes: changes, end: end, isComplete: rows.count < limit)
  }

  /// - Returns: `nil` for what is gone.
  private static func change(_ row: Row, of ledger: String) throws -> Ledger.Change? {
    let kind: Ledger.Change.Kind = try row.closed(1)
    let id: String? = try row.value(2)
    let subject: Ledger.Change.Subject
    if kind == .state {
      subject = .state(application: try row.text(4), name: try row.text(5))
    } else {
      guard let id else { return nil }
      subject =
        switch kind {
        case .task: .task(Identifier(composed: id))
        case .run: .run(Identifier(composed: id))
        case .outbox: .message(Identifier(composed: id))
        case .notice: .notice(Identifier(composed: id))
        case .worker, .state: .worker(Identifier(composed: id))
        }
    }
    return Ledger.Change(
      subject: subject, domain: try row.value(3), cursor: Ledger.Change.Cursor(try row.value(0), of: ledger))
  }

  static func lastRevision(_ db: Database) throws -> Int64 {
    try Int64.fetchOne(db.cachedStatement(sql: "SELECT seq FROM sqlite_sequence WHERE name = 'changes'")) ?? 0
  }

  // MARK: Pruning

  static let prunedSetting = "changes.pruned"
  static let marksSetting = "changes.marks"

  /// The last revision that is not kept.
  static func prunedRevision(_ db: Database) throws -> Int64 {
    guard case .integer(let revision)? = try Setting.value(prunedSetting, db) else { return 0 }
    return revision
  }

  static let oldest = "SELECT revision FROM changes WHERE revision <= ?1 ORDER BY revision LIMIT ?2"

  /// - Returns: How many rows went.
  static func prune(upTo revision: Int64, limit: Int, at now: Timestamp, _ db: Database) throws -> Int {
    let rows = try Int64.fetchAll(db.cachedStatement(sql: oldest), arguments: [revision, limit])
    guard let last = rows.last else { return 0 }
    try db.execute(sql: "DELETE FROM changes WHERE revision <= ?", arguments: [last])
    try Setting.set(prunedSetting, to: .integer(last), at: now, db)
    return rows.count
  }
}

/// Where the feed was at some times: its rows have none, since a trigger knows no clock.
struct ChangeMarks {
  private struct Mark {
    let time: Int64
    let revision: Int64
  }

  private var marks: [Mark]
  private static let interval: Int64 = 3_600_000
  private static let most = 1000

  init(_ db: Database) throws {
    guard case .array(let stored)? = try Setting.value(ChangeRow.marksSetting, db) else {
      marks = []
      return
    }
    marks = stored.compactMap { mark in
      guard case .array(let pair) = mark, pair.count == 2, case .integer(let time) = pair[0],
        case .integer(let revision) = pair[1]
      else { return nil }
      return Mark(time: time, revision: revision)
    }
  }

  /// The last revision that was there at a time; 0 if that is not known.
  func revision(at time: Int64) -> Int64 { marks.filter { $0.time <= time }.map(\.revision).max() ?? 0 }

  /// Notes where the feed is now, at most once an hour, and forgets what is pruned.
  mutating func note(_ revision: Int64, prunedUpTo pruned: Int64, at now: Timestamp, _ db: Database) throws {
    marks.removeAll { $0.revision <= pruned }
    let isDue = marks.last.map { last in
      let (age, overflow) = now.milliseconds.subtractingReportingOverflow(last.time)
      return last.revision < revision && (overflow || age >= Self.interval || age < 0)
    }
    if isDue ?? (revision > pruned) { marks.append(Mark(time: now.milliseconds, revision: revision)) }
    // Fewer marks only prune later.
    if marks.count > Self.most { marks = marks.enumerated().filter { !$0.offset.isMultiple(of: 2) }.map(\.element) }
    try Setting.set(
      ChangeRow.marksSetting, to: .array(marks.map { [.integer($0.time), .integer($0.revision)] }), at: now, db)
  }
}
