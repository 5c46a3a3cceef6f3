import GRDB
import SQLiteStorage
import StoreRows
import StoreValues

/// Rows of `signals`.
enum SignalRow {
  static let columns =
    "seq, selector, selector_type, success, context, error, duration_ms, task_id, domain, created_at"

  private static let insertion = RowInsert(
    into: "signals", "selector, selector_type, success, context, error, duration_ms, task_id, domain, created_at")

  static func insert(_ signals: [NewSignal], at now: Timestamp, _ db: Database) throws {
    try insertion(signals, db) { new, row in
      try row.bind(new.draft.selector)
      try row.bind(new.draft.selectorType.rawValue)
      try row.bind(new.draft.success ? 1 : 0 as Int64)
      try row.bind(new.context)
      try row.bind(new.draft.error)
      try row.bind(new.milliseconds)
      try row.bind(new.draft.task?.rawValue)
      try row.bind(new.draft.domain)
      try row.bind(now.milliseconds)
    }
  }

  /// The signs keep SQLite from reading the window by its time, and then sorting it. Parameters: the domain, the window's
  /// beginning and end, how many.
  static let rates = """
    SELECT selector, selector_type, count(*), sum(success) FROM signals
    WHERE domain = ?1 AND +created_at >= ?2 AND +created_at < ?3
    GROUP BY domain, selector_type, selector ORDER BY count(*) DESC, selector_type, selector LIMIT ?4
    """

  /// Parameters: the domain, type and text of the selector, the window's beginning and end.
  static let rate = """
    SELECT selector, selector_type, count(*), sum(success) FROM signals
    WHERE domain = ?1 AND selector_type = ?2 AND selector = ?3 AND created_at >= ?4 AND created_at < ?5
    GROUP BY domain, selector_type, selector
    """

  static func rate(_ row: Row) throws -> Ledger.Signal.Rate {
    Ledger.Signal.Rate(
      selector: try row.text(0), selectorType: try row.closed(1), count: try row.value(2), successes: try row.value(3))
  }

  /// Parameters: the task, the number of the last one of the page before, how many.
  static let ofTask = "SELECT \(columns) FROM signals WHERE task_id = ? AND seq > ? ORDER BY seq LIMIT ?"
}

/// A draft that has been checked.
struct NewSignal: Sendable {
  let draft: Ledger.Signal.Draft
  let context: String
  let milliseconds: Int64?

  init(_ draft: Ledger.Signal.Draft, _ input: LedgerInput) throws(MemoryError) {
    var draft = draft
    draft.domain = draft.domain.canonicallyComposed
    draft.selector = draft.selector.canonicallyComposed
    try input.name(draft.selector, "the selector")
    try input.name(draft.domain, "the signal's domain")
    try input.text(draft.error, "the signal's error")
    try input.identifier(draft.task, "the signal's task")
    context = try input.object(draft.context, "the signal's context")
    milliseconds = try input.milliseconds(draft.duration, "the signal's duration")
    self.draft = draft
  }
}

/// A request to record signals.
struct SignalAppend: Sendable {
  let signals: [NewSignal]

  /// Requests that share a commit share its INSERT statements. One for a task that is not there fails alone.
  static func perform(
    _ appends: [SignalAppend], _ db: Database, _ now: Timestamp
  ) throws -> [Result<Void, any Error>] {
    var present: Set<Ledger.Task.ID> = []
    let results = try appends.map { append in
      do {
        for task in Set(append.signals.compactMap(\.draft.task)) where !present.contains(task) {
          guard try TaskRow.find(task, db) != nil else { throw MemoryError.noTask(task) }
          present.insert(task)
        }
        return Result<Void, any Error>.success(())
      } catch let error as MemoryError where error.code == .notFound {
        return .failure(error)
      }
    }
    let accepted = zip(appends, results).flatMap { append, result in
      if case .success = result { append.signals } else { [NewSignal]() }
    }
    try SignalRow.insert(accepted, at: now, db)
    return results
  }
}
