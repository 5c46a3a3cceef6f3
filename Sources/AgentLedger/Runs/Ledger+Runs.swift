import GRDB
import StoreRows
public import StoreValues

extension Ledger {
  /// Starts a run.
  ///
  /// - Throws: `.notFound` if its agent, parent or task is not there; `.conflict` if the id is taken; `.invalid`,
  ///   `.limitExceeded`.
  @discardableResult
  public func start(_ draft: Run.Draft) async throws(MemoryError) -> Run {
    let new = try NewRun(draft, database.input)
    return try await database.write { db, now in try RunRow.stored(new.insert(at: now, db), db) }
  }

  /// The run with an id; `nil` if there is none.
  public func run(_ id: Run.ID) async throws(MemoryError) -> Run? {
    try await database.read { db in try RunRow.find(id, db) }
  }

  /// Runs by filter, those started last first.
  ///
  /// - Parameter last: The last one of the page before; `nil` for the first page.
  /// - Parameter limit: 1 to `limits.results`.
  /// - Throws: `.notFound` if the last one is not there any more.
  public func runs(
    _ filter: Run.Filter = .init(), after last: Run.ID? = nil, limit: Int = 50
  ) async throws(MemoryError) -> [Run] {
    try database.input.page(limit)
    return try await database.read { db in
      var conditions = RunRow.conditions(filter)
      if let last { conditions.add("(started_at, seq) < (?, ?)", try RunRow.place(of: last, db)) }
      return try Row.fetchAll(db, sql: RunRow.list(conditions), arguments: conditions.arguments + [limit])
        .map(RunRow.run)
    }
  }

  /// A run with all below it: each before those that it started, these in the order of their start.
  ///
  /// - Throws: `.notFound`; `.limitExceeded` beyond `limits.batchElements` runs.
  public func tree(of root: Run.ID) async throws(MemoryError) -> [Run.Node] {
    let limit = database.limits.batchElements
    return try await database.read { db in try RunTree.nodes(of: root, limit: limit, db) }
  }

  // MARK: Living

  /// Says that a run lives.
  ///
  /// - Returns: The run; one that was cancelled stops.
  /// - Throws: `.notFound`.
  @discardableResult
  public func heartbeat(run id: Run.ID) async throws(MemoryError) -> Run {
    try await database.write(grows: false) { db, now in
      let run = try RunRow.stored(id, db)
      guard !run.status.isEnded else { return run }
      try RunRow.noteHeartbeat(of: id, at: now, db)
      return try RunRow.stored(id, db)
    }
  }

  /// Says what a run is doing; `finish` ends it.
  ///
  /// - Throws: `.conflict` if that may not follow what it is doing (`Run.Status.next`); `.notFound`; `.invalid` for the end.
  @discardableResult
  public func set(_ status: Run.Status, of id: Run.ID) async throws(MemoryError) -> Run {
    guard !status.isEnded else {
      throw MemoryError(.invalid, "a run is not set to \(status.rawValue); end it with finish(run:as:)")
    }
    return try await database.write(grows: false) { db, now in try RunEnding(db, now).set(status, of: id) }
  }

  // MARK: Ending

  /// Ends a run, and with it each of its prompts that waits for a response: as failed with a run that failed, as cancelled
  /// otherwise, with what had come of the response.
  ///
  /// - Parameter status: One that ends: completed (of a run that executes or is reviewed), failed or cancelled.
  /// - Parameter successRate: 0...1; `nil` if it is not known.
  /// - Parameter time: For a run that is recorded later; `nil` for now.
  /// - Throws: `.conflict` if that may not follow what it is doing; `.notFound`; `.invalid`.
  @discardableResult
  public func finish(
    run id: Run.ID, as status: Run.Status = .completed, successRate: Double? = nil, error: String? = nil,
    at time: Timestamp? = nil
  ) async throws(MemoryError) -> Run {
    let input = database.input
    try input.number(successRate, "the run's successRate", in: 0...1)
    try input.text(error, "the run's error")
    try input.time(time, "the run's end")
    guard status.isEnded else {
      throw MemoryError(
        .invalid,
        "\(status.rawValue) does not end a run; finish it as completed, failed or cancelled, or use set(_:of:)")
    }
    return try await database.write(grows: false) { db, now in
      try RunEnding(db, now).finish(id, as: status, successRate: successRate, error: error, at: time)
    }
  }

  /// Cancels a run and all below it, in one commit; those that have ended stay as they are.
  ///
  /// - Returns: Those that are cancelled now.
  /// - Throws: `.notFound`.
  @discardableResult
  public func cancel(run id: Run.ID) async throws(MemoryError) -> [Run.ID] {
    try await database.write(grows: false) { db, now in try RunEnding(db, now).cancel(id) }
  }

  /// Fails the runs that have been silent for so long: their processes are taken for dead.
  ///
  /// - Parameter silence: Longer than the longest time between two signs of life of a run.
  /// - Returns: Those that have failed now, the longest silent first.
  @discardableResult
  public func failAbandoned(after silence: Duration) async throws(MemoryError) -> [Run.ID] {
    let silence = try database.input.milliseconds(silence, "the silence", atLeast: .milliseconds(1)) ?? 0
    var failed: [Run.ID] = []
    while true {
      // So many a commit: other writers wait for each.
      let limit = 1000
      let some = try await database.write(grows: false) { db, now in
        try RunEnding(db, now).failAbandoned(silentSince: now.advanced(by: .milliseconds(-silence)), limit: limit)
      }
      failed += some
      if some.count < limit { return failed }
    }
  }
}
