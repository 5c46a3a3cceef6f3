import GRDB
import StoreRows
public import StoreValues

extension Ledger {
  /// Records a signal.
  ///
  /// - Throws: `.invalid`, `.limitExceeded`; `.notFound` if its task is.
  public func record(_ signal: Signal.Draft) async throws(MemoryError) { try await record([signal]) }

  /// Records signals in one commit, or none of them; calls at the same time share it.
  public func record(_ signals: [Signal.Draft]) async throws(MemoryError) {
    let input = database.input
    try input.batch(signals.count, "signals")
    let new = try signals.map { (draft) throws(MemoryError) in try NewSignal(draft, input) }
    try await database.write(SignalAppend(signals: new), in: appends.signals)
  }

  /// How often the selectors of a domain found their elements, the most used first.
  ///
  /// Cost: reads each signal of the domain, in the window or not, about 0.1 µs each.
  ///
  /// - Parameter since: The window's beginning; `nil` for all that is kept.
  /// - Parameter until: The window's end, not in it; `nil` for now.
  /// - Parameter limit: 1 to `limits.results`.
  public func selectorRates(
    in domain: String, since: Timestamp? = nil, until: Timestamp? = nil, limit: Int = 100
  ) async throws(MemoryError) -> [Signal.Rate] {
    try database.input.name(domain, "the domain")
    try database.input.page(limit)
    return try await database.read { db in
      try Row.fetchAll(
        db, sql: SignalRow.rates,
        arguments: [
          domain.canonicallyComposed, since?.milliseconds ?? Int64.min, until?.milliseconds ?? Int64.max, limit,
        ]
      ).map(SignalRow.rate)
    }
  }

  /// How often a selector of a domain found its element; `nil` if there is no signal of it in the window.
  public func selectorRate(
    of selector: String, type: Signal.SelectorType, in domain: String, since: Timestamp? = nil,
    until: Timestamp? = nil
  ) async throws(MemoryError) -> Signal.Rate? {
    try database.input.name(domain, "the domain")
    try database.input.name(selector, "the selector")
    return try await database.read { db in
      try Row.fetchOne(
        db, sql: SignalRow.rate,
        arguments: [
          domain.canonicallyComposed, type.rawValue, selector.canonicallyComposed, since?.milliseconds ?? Int64.min,
          until?.milliseconds ?? Int64.max,
        ]
      ).map(SignalRow.rate)
    }
  }

  /// The signals of a task, oldest first.
  ///
  /// - Parameter number: Of the last one of the page before; `nil` for the first page.
  public func signals(
    of task: Task.ID, after number: Int64? = nil, limit: Int = 100
  ) async throws(MemoryError) -> [Signal] {
    try database.input.page(limit)
    return try await database.read { db in
      try Row.fetchAll(db, sql: SignalRow.ofTask, arguments: [task.rawValue, number ?? 0, limit]).map(Signal.init)
    }
  }
}
