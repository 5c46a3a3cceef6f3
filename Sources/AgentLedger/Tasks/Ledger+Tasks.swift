import GRDB
import StoreRows
public import StoreValues

extension Ledger {
  /// Queues a task.
  ///
  /// - Returns: The task, or the one that is queued already if the work is to be queued once.
  /// - Throws: `.invalid`, `.limitExceeded`; `.conflict` if the id is taken; `.notFound` if the person or the parent is.
  @discardableResult
  public func add(_ draft: Task.Draft) async throws(MemoryError) -> Task.Added {
    guard let added = try await add([draft]).first else {
      throw MemoryError(.unavailable, "the ledger returned no task; report this")
    }
    return added
  }

  /// Queues tasks in one commit, or none of them.
  ///
  /// - Returns: A task for each draft, in order.
  @discardableResult
  public func add(_ drafts: [Task.Draft]) async throws(MemoryError) -> [Task.Added] {
    let input = database.input
    try input.batch(drafts.count, "tasks")
    let now = database.clock.now()
    let new = try drafts.map { (draft) throws(MemoryError) in try NewTask(draft, at: now, input) }
    return try await database.write { db, now in try TaskQueue(db, now).add(new) }
  }

  /// The task with an id; `nil` if there is none.
  public func task(_ id: Task.ID) async throws(MemoryError) -> Task? {
    try await database.read { db in try TaskRow.find(id, db) }
  }

  /// Tasks by filter, newest first.
  ///
  /// Cost: of one status, domain, session, person or parent, the page alone. By type or worker only, tasks are read from the
  /// newest one on until the page is full.
  ///
  /// - Parameter last: The last one of the page before; `nil` for the first page.
  /// - Parameter limit: 1 to `limits.results`.
  public func tasks(
    _ filter: Task.Filter = .init(), after last: Task.ID? = nil, limit: Int = 50
  ) async throws(MemoryError) -> [Task] {
    try database.input.page(limit)
    return try await database.read { db in try TaskQuery(filter).page(after: last, limit: limit, db) }
  }

  /// Cancels a task: one that waits at once, one that is worked on at its claimant's next heartbeat.
  ///
  /// - Returns: The task as it is now; one that has ended stays as it is.
  /// - Throws: `.notFound`.
  @discardableResult
  public func cancel(_ id: Task.ID) async throws(MemoryError) -> Task {
    try await database.write(grows: false) { db, now in try TaskQueue(db, now).cancel(id) }
  }

  /// Queues a task again that has failed for good, with its attempts and crashes counted anew.
  ///
  /// - Throws: `.notFound`; `.conflict` if it has not failed, or the same work is queued meanwhile.
  @discardableResult
  public func retry(_ id: Task.ID) async throws(MemoryError) -> Task {
    try await database.write(grows: false) { db, now in try TaskQueue(db, now).retry(id) }
  }
}
