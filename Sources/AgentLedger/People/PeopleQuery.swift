import GRDB
import StoreRows
import StoreValues

/// Lists of people, and reports about them.
struct PeopleQuery {
  private let filter: Ledger.Person.Filter

  init(_ filter: Ledger.Person.Filter) { self.filter = filter }

  /// - Throws: `.notFound` if the last one of the page before has left the list.
  func page(
    after last: Ledger.Person.ID?, limit: Int, at now: Timestamp, _ db: Database
  ) throws -> [Ledger.Person] {
    // A page begins after the place of the one before; the first after a place that nobody has.
    var (time, seq) = (Int64.max, Int64.max)
    if let last {
      let sql = "SELECT \(timeColumn), seq FROM people WHERE id = ? AND \(timeColumn) IS NOT NULL"
      guard let row = try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [last.rawValue]) else {
        throw MemoryError.noPerson(last)
      }
      (time, seq) = (try row.value(0), try row.value(1))
    }
    let (sql, first): (String, any DatabaseValueConvertible) =
      switch filter {
      case .all: (Self.all, 0)
      case .tier(let tier): (Self.byTier, tier.composed.rawValue)
      case .activeSince(let start): (Self.byActivity, start.milliseconds)
      }
    return try Row.fetchAll(db.cachedStatement(sql: sql), arguments: [first, time, seq, limit])
      .map { try PersonRow.person($0, at: now) }
  }

  private var timeColumn: String {
    if case .activeSince = filter { "last_active" } else { "created_at" }
  }

  static let all = """
    SELECT \(PersonRow.columns) FROM people WHERE ?1 = 0 AND (created_at, seq) < (?2, ?3)
    ORDER BY created_at DESC, seq DESC LIMIT ?4
    """
  static let byTier = """
    SELECT \(PersonRow.columns) FROM people WHERE tier = ?1 AND (created_at, seq) < (?2, ?3)
    ORDER BY created_at DESC, seq DESC LIMIT ?4
    """
  static let byActivity = """
    SELECT \(PersonRow.columns) FROM people WHERE last_active >= ?1 AND (last_active, seq) < (?2, ?3)
    ORDER BY last_active DESC, seq DESC LIMIT ?4
    """

  // MARK: Reports

  static func growth(since start: Timestamp?, limit: Int, _ db: Database) throws -> [Ledger.PeopleGrowth] {
    let day = start.map { $0.milliseconds.flooredDivision(by: dayLength).quotient * dayLength } ?? .min
    let before =
      try Int.fetchOne(db.cachedStatement(sql: addedBefore), arguments: [day]) ?? 0
    var (growth, total, next) = ([Ledger.PeopleGrowth](), before, day)
    // A day's people are a range of the index; to group all of them SQLite would sort them.
    while growth.count < limit,
      let first = try Int64.fetchOne(db.cachedStatement(sql: firstSince), arguments: [next])
    {
      let day = first.flooredDivision(by: dayLength).quotient
      let (end, overflow) = (day + 1).multipliedReportingOverflow(by: dayLength)
      guard !overflow, day > Int64.min / dayLength else { break }
      let begin = day * dayLength
      let added = try Int.fetchOne(db.cachedStatement(sql: addedByDay), arguments: [begin, end]) ?? 0
      total += added
      growth.append(Ledger.PeopleGrowth(day: Timestamp(milliseconds: begin), added: added, total: total))
      next = end
    }
    return growth
  }

  private static let dayLength: Int64 = 86_400_000

  static let addedBefore = "SELECT count(*) FROM people WHERE created_at < ?"
  static let firstSince = "SELECT min(created_at) FROM people WHERE created_at >= ?"
  /// Parameters: the day's beginning, and its end, which is not of it.
  static let addedByDay = "SELECT count(*) FROM people WHERE created_at >= ?1 AND created_at < ?2"

  static func top(
    since start: Timestamp?, limit: Int, at now: Timestamp, _ db: Database
  ) throws -> [Ledger.PersonTasks] {
    try Row.fetchAll(
      db.cachedStatement(sql: mostTasks), arguments: [start?.milliseconds ?? .min, limit]
    ).map { row in
      let id: Ledger.Person.ID = try row.id(0)
      return Ledger.PersonTasks(person: try PersonRow.require(id, at: now, db), tasks: try row.value(1))
    }
  }

  static let mostTasks = """
    SELECT person_id, count(*) AS tasks FROM tasks WHERE person_id IS NOT NULL AND created_at >= ?1 GROUP BY person_id
    ORDER BY tasks DESC, (SELECT seq FROM people WHERE id = person_id) LIMIT ?2
    """
}
