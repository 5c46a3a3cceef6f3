public import StoreValues

extension Ledger {
  /// Claims the next tasks: by priority, then age, then the earliest `notBefore`.
  ///
  /// First takes back what the leases of others have run out on, so nothing waits for a sweep. One commit for all of them.
  ///
  /// - Parameter worker: Who claims; registered before.
  /// - Parameter count: At most so many.
  /// - Parameter types: Only of these; empty for any.
  /// - Parameter domain: Only of this domain; `nil` for any.
  /// - Parameter lease: How long the claimant may be silent.
  /// - Returns: In the order in which they are to be worked on; empty if there is nothing to do now.
  /// - Throws: `.notFound` if the worker is not registered; `.invalid`.
  public func claim(
    by worker: Worker.ID, count: Int = 1, of types: [String] = [], in domain: String? = nil,
    lease: Duration = .seconds(60)
  ) async throws(MemoryError) -> [Task] {
    let input = database.input
    try input.identifier(worker, "the worker's id")
    try input.name(domain, "the domain")
    for type in types { try input.name(type, "a task's type") }
    guard (1...10_000).contains(count) else {
      throw MemoryError(.invalid, "count is \(count); claim 1 to 10000 tasks at once")
    }
    let claim = TaskClaim(
      worker: worker, count: count, types: types.sorted(), domain: domain?.canonicallyComposed,
      lease: try input.lease(lease))
    return try await database.write(grows: false) { db, now in try TaskQueue(db, now).claim(claim) }
  }

  /// Keeps a claimed task for another lease.
  ///
  /// - Returns: `.stop` if it was cancelled: it has ended with this call, and nothing more need be said of it.
  /// - Throws: `.conflict` if it is no longer the worker's: stop working on it; `.notFound`.
  @discardableResult
  public func heartbeat(
    _ id: Task.ID, by worker: Worker.ID, lease: Duration = .seconds(60)
  ) async throws(MemoryError) -> Task.Instruction {
    let lease = try database.input.lease(lease)
    return try await database.write(grows: false) { db, now in
      try TaskQueue(db, now).heartbeat(id, by: worker, lease: lease)
    }
  }

  /// Ends a claimed task as completed, with its result and what is to be delivered of it in one commit.
  ///
  /// - Parameter result: What came of it; `nil` for nothing to keep.
  /// - Parameter message: Put into the outbox; `nil` for none.
  /// - Throws: `.conflict` if the task is not the worker's; `.notFound`; `.invalid`.
  @discardableResult
  public func complete(
    _ id: Task.ID, by worker: Worker.ID, with result: TaskResult.Draft? = nil,
    deliver message: OutboxMessage.Draft? = nil
  ) async throws(MemoryError) -> Task {
    let ending = try TaskEnding(result: result, message: message, database.input)
    return try await database.write { db, now in try TaskQueue(db, now).complete(id, by: worker, ending) }
  }

  /// Says that an attempt at a claimed task failed: it is tried again after a wait that doubles with each failure, until its
  /// limit; then it has failed for good.
  ///
  /// - Parameter mayRetry: False: it has failed for good.
  /// - Parameter result: Kept with the task; its success is false.
  /// - Throws: `.conflict` if the task is not the worker's; `.notFound`.
  @discardableResult
  public func fail(
    _ id: Task.ID, by worker: Worker.ID, error: String, mayRetry: Bool = true, with result: TaskResult.Draft? = nil,
    deliver message: OutboxMessage.Draft? = nil
  ) async throws(MemoryError) -> Task {
    try database.input.text(error, "the error")
    let ending = try TaskEnding(result: result, message: message, database.input)
    return try await database.write { db, now in
      try TaskQueue(db, now).fail(id, by: worker, error: error, mayRetry: mayRetry, ending)
    }
  }
}

extension Ledger.Task {
  /// What a heartbeat tells a claimant.
  public enum Instruction: String, Hashable, Sendable, Codable {
    /// The task is kept for another lease.
    case goOn = "go_on"
    /// It was cancelled, and has ended so.
    case stop
  }
}

extension LedgerInput {
  /// Milliseconds of a lease.
  func lease(_ lease: Duration) throws(MemoryError) -> Int64 {
    try milliseconds(lease, "the lease", atLeast: .milliseconds(1)) ?? 0
  }
}
