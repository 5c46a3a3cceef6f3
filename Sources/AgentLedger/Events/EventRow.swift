import GRDB
import SQLiteStorage
import StoreRows
import StoreValues

/// Rows of `events`.
enum EventRow {
  static let columns =
    "seq, level, kind, component, error_type, run_id, task_id, person_id, message, details, created_at"

  static func event(_ row: Row) throws -> Ledger.Event {
    let rank: Int = try row.value(1)
    guard let level = Ledger.Event.Level(rank: rank) else {
      throw MemoryError(
        .corrupted, "the ledger holds an event of level \(rank), which it does not know; restore a backup")
    }
    return Ledger.Event(
      number: try row.value(0), level: level, kind: try row.name(2), component: try row.name(3),
      errorType: try row.name(ifAny: 4), run: try row.id(ifAny: 5), task: try row.id(ifAny: 6),
      person: try row.id(ifAny: 7), message: try row.text(8), details: try row.json(9), createdAt: try row.time(10))
  }

  // MARK: Lists

  /// Newest first; the last parameter is the limit.
  static func list(_ conditions: RowConditions) -> String {
    "SELECT \(columns) FROM events \(conditions.clause) ORDER BY created_at DESC, seq DESC LIMIT ?"
  }

  /// The lists of which the newest together are the page. Each is read along one index: events of a level are, if nothing
  /// narrower is asked for, so that many of one level do not hide few of another.
  static func lists(_ filter: Ledger.Event.Filter, after last: Ledger.Event?) -> [RowConditions] {
    var conditions = RowConditions()
    conditions.add("run_id = ?", filter.run?.rawValue)
    conditions.add("task_id = ?", filter.task?.rawValue)
    conditions.add("person_id = ?", filter.person?.rawValue)
    conditions.add("error_type = ?", filter.errorType?.rawValue.canonicallyComposed)
    let isNarrow = !conditions.conditions.isEmpty
    conditions.add("kind = ?", filter.kind?.rawValue.canonicallyComposed)
    conditions.add("component = ?", filter.component?.rawValue.canonicallyComposed)
    conditions.add("created_at >= ?", filter.since?.milliseconds)
    conditions.add("created_at < ?", filter.until?.milliseconds)
    if let last { conditions.add("(created_at, seq) < (?, ?)", (last.createdAt.milliseconds, last.number)) }
    guard !filter.levels.isEmpty, filter.levels.count < Ledger.Event.Level.allCases.count else { return [conditions] }
    let ranks = filter.levels.map(\.rank).sorted()
    if isNarrow {
      // The sign keeps the index of levels out of it.
      conditions.add("+level IN (\(ranks.map(String.init).joined(separator: ", ")))")
      return [conditions]
    }
    return ranks.map { rank in
      var ofLevel = conditions
      ofLevel.add("level = ?", rank)
      return ofLevel
    }
  }

  static func page(
    _ filter: Ledger.Event.Filter, after last: Ledger.Event?, limit: Int, _ db: Database
  ) throws -> [Ledger.Event] {
    let lists = try lists(filter, after: last).map { conditions in
      try Row.fetchAll(db, sql: list(conditions), arguments: conditions.arguments + [limit]).map(event)
    }
    guard lists.count > 1 else { return lists.first ?? [] }
    let events = lists.flatMap(\.self).sorted { ($0.createdAt, $0.number) > ($1.createdAt, $1.number) }
    return Array(events.prefix(limit))
  }

  // MARK: Inserting

  private static let insertion = RowInsert(
    into: "events", "level, kind, component, error_type, run_id, task_id, person_id, message, details, created_at")

  static func insert(_ events: [NewEvent], at now: Timestamp, _ db: Database) throws {
    try insertion(events, db) { new, row in
      let draft = new.draft
      try row.bind(Int64(draft.level.rank))
      try row.bind(draft.kind.rawValue)
      try row.bind(draft.component.rawValue)
      try row.bind(draft.errorType?.rawValue)
      try row.bind(draft.run?.rawValue)
      try row.bind(draft.task?.rawValue)
      try row.bind(draft.person?.rawValue)
      try row.bind(draft.message)
      try row.bind(new.details)
      try row.bind((draft.at ?? now).milliseconds)
    }
  }
}

/// A draft that has been checked and redacted.
struct NewEvent: Sendable {
  private(set) var draft: Ledger.Event.Draft
  let details: String

  init(_ draft: Ledger.Event.Draft, _ input: LedgerInput) throws(MemoryError) {
    var draft = draft
    draft.kind = .init(rawValue: draft.kind.rawValue.canonicallyComposed)
    draft.component = .init(rawValue: draft.component.rawValue.canonicallyComposed)
    draft.errorType = draft.errorType.map { .init(rawValue: $0.rawValue.canonicallyComposed) }
    try input.name(draft.kind.rawValue, "the event's kind")
    try input.name(draft.component.rawValue, "the event's component")
    try input.name(draft.errorType?.rawValue, "the event's errorType")
    try input.identifier(draft.run, "the event's run")
    try input.identifier(draft.task, "the event's task")
    try input.identifier(draft.person, "the event's person")
    try input.text(draft.message, "the event's message")
    try input.time(draft.at, "the event's time")
    try input.sound(draft.details, "the event's details")
    draft.message = CredentialRedactor.redact(draft.message).text
    details = try input.json(CredentialRedactor.redact(draft.details), "the event's details")
    self.draft = draft
  }

  /// Takes away what is not there.
  mutating func detach(from references: EventReferences) {
    if references.lacksRun { draft.run = nil }
    if references.lacksTask { draft.task = nil }
    if references.lacksPerson { draft.person = nil }
  }
}

/// What an event refers to and is not there.
struct EventReferences {
  let lacksRun: Bool
  let lacksTask: Bool
  let lacksPerson: Bool
}
