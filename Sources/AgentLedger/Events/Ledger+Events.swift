import StoreRows
public import StoreValues

extension Ledger {
  /// Writes an event. Credentials of known shapes in its message and its details are replaced.
  ///
  /// - Throws: `.notFound` if its run, task or person is not there; `.invalid`, `.limitExceeded`.
  public func log(_ event: Event.Draft) async throws(MemoryError) { try await log([event]) }

  /// Writes events in one commit, or none of them.
  ///
  /// Cost: 32 rows a statement; concurrent calls share a commit.
  public func log(_ events: [Event.Draft]) async throws(MemoryError) {
    let input = database.input
    try input.batch(events.count, "events")
    let new = try events.map { (event) throws(MemoryError) in try NewEvent(event, input) }
    try await database.write(EventAppend(events: new, isLenient: false), in: appends.events)
  }

  /// Events by filter, newest first.
  ///
  /// - Parameter last: The last one of the page before; `nil` for the first page.
  /// - Parameter limit: 1 to `limits.results`.
  public func events(
    _ filter: Event.Filter = .init(), after last: Event? = nil, limit: Int = 100
  ) async throws(MemoryError) -> [Event] {
    try database.input.page(limit)
    return try await database.read { db in try EventRow.page(filter, after: last, limit: limit, db) }
  }
}
