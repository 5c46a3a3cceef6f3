public import StoreValues

// MARK: - Tasks

extension DomainLedger {
  /// As `Ledger.add(_:)` for one task.
  ///
  /// - Throws: `.invalid` also if its domain is another one; `.notFound` also if its parent is of another one.
  @discardableResult
  public func add(_ draft: Ledger.Task.Draft) async throws(MemoryError) -> Ledger.Task.Added {
    try await requireOwn([draft])
    return try await ledger.add(draft)
  }

  /// As `Ledger.add(_:)` for several tasks.
  ///
  /// - Throws: As for one.
  @discardableResult
  public func add(_ drafts: [Ledger.Task.Draft]) async throws(MemoryError) -> [Ledger.Task.Added] {
    try await requireOwn(drafts)
    return try await ledger.add(drafts)
  }

  /// As `Ledger.task(_:)`.
  public func task(_ id: Ledger.Task.ID) async throws(MemoryError) -> Ledger.Task? {
    guard let task = try await ledger.task(id), task.domain == name else { return nil }
    return task
  }

  /// As `Ledger.tasks(_:after:limit:)`.
  ///
  /// - Parameter filter: Lists this domain if it names none, and nothing if it names another one.
  public func tasks(
    _ filter: Ledger.Task.Filter = .init(), after last: Ledger.Task.ID? = nil, limit: Int = 50
  ) async throws(MemoryError) -> [Ledger.Task] {
    guard includes(filter.domain) else { return [] }
    var filter = filter
    filter.domain = name
    if let last { try await require(last) }
    return try await ledger.tasks(filter, after: last, limit: limit)
  }

  /// As `Ledger.claim(by:count:of:in:lease:)`.
  @discardableResult
  public func claim(
    by worker: Ledger.Worker.ID, count: Int = 1, of types: [String] = [], lease: Duration = .seconds(60)
  ) async throws(MemoryError) -> [Ledger.Task] {
    try await ledger.claim(by: worker, count: count, of: types, in: name, lease: lease)
  }

  /// As `Ledger.heartbeat(_:by:lease:)`.
  public func heartbeat(
    _ id: Ledger.Task.ID, by worker: Ledger.Worker.ID, lease: Duration = .seconds(60)
  ) async throws(MemoryError) -> Ledger.Task.Instruction {
    try await require(id)
    return try await ledger.heartbeat(id, by: worker, lease: lease)
  }

  /// As `Ledger.complete(_:by:with:deliver:)`.
  @discardableResult
  public func complete(
    _ id: Ledger.Task.ID, by worker: Ledger.Worker.ID, with result: Ledger.TaskResult.Draft? = nil,
    deliver message: Ledger.OutboxMessage.Draft? = nil
  ) async throws(MemoryError) -> Ledger.Task {
    try await require(id)
    return try await ledger.complete(id, by: worker, with: result, deliver: message)
  }

  /// As `Ledger.fail(_:by:error:mayRetry:with:deliver:)`.
  @discardableResult
  public func fail(
    _ id: Ledger.Task.ID, by worker: Ledger.Worker.ID, error: String, mayRetry: Bool = true,
    with result: Ledger.TaskResult.Draft? = nil, deliver message: Ledger.OutboxMessage.Draft? = nil
  ) async throws(MemoryError) -> Ledger.Task {
    try await require(id)
    return try await ledger.fail(id, by: worker, error: error, mayRetry: mayRetry, with: result, deliver: message)
  }

  /// As `Ledger.cancel(_:)`.
  @discardableResult
  public func cancel(_ id: Ledger.Task.ID) async throws(MemoryError) -> Ledger.Task {
    try await require(id)
    return try await ledger.cancel(id)
  }

  /// As `Ledger.retry(_:)`.
  @discardableResult
  public func retry(_ id: Ledger.Task.ID) async throws(MemoryError) -> Ledger.Task {
    try await require(id)
    return try await ledger.retry(id)
  }

  /// As `Ledger.results(of:)`.
  public func results(of task: Ledger.Task.ID) async throws(MemoryError) -> [Ledger.TaskResult] {
    guard try await self.task(task) != nil else { return [] }
    return try await ledger.results(of: task)
  }

  /// - Throws: `.notFound` if there is no such task in this domain.
  func require(_ id: Ledger.Task.ID) async throws(MemoryError) {
    guard try await task(id) != nil else { throw MemoryError.noTask(id) }
  }

  /// Whether a filter by domain leaves anything of this one.
  func includes(_ domain: String?) -> Bool { domain.map { $0.canonicallyComposed == name } ?? true }

  /// A parent may be one of the drafts before it.
  private func requireOwn(_ drafts: [Ledger.Task.Draft]) async throws(MemoryError) {
    var known: Set<Ledger.Task.ID> = []
    for draft in drafts {
      try require(draft.domain, "the task")
      if let parent = draft.parent, known.insert(parent).inserted { try await require(parent) }
      if let id = draft.id { known.insert(id) }
    }
  }
}

// MARK: - Signals

extension DomainLedger {
  /// As `Ledger.record(_:)` for one signal.
  ///
  /// - Throws: `.invalid` also if its domain is another one; `.notFound` also if its task is of another one.
  public func record(_ signal: Ledger.Signal.Draft) async throws(MemoryError) { try await record([signal]) }

  /// As `Ledger.record(_:)` for several signals.
  ///
  /// - Throws: As for one.
  public func record(_ signals: [Ledger.Signal.Draft]) async throws(MemoryError) {
    for signal in signals { try require(signal.domain, "the signal") }
    for task in Set(signals.compactMap(\.task)) { try await require(task) }
    try await ledger.record(signals)
  }

  /// As `Ledger.selectorRates(in:since:until:limit:)`.
  public func selectorRates(
    since: Timestamp? = nil, until: Timestamp? = nil, limit: Int = 100
  ) async throws(MemoryError) -> [Ledger.Signal.Rate] {
    try await ledger.selectorRates(in: name, since: since, until: until, limit: limit)
  }

  /// As `Ledger.selectorRate(of:type:in:since:until:)`.
  public func selectorRate(
    of selector: String, type: Ledger.Signal.SelectorType, since: Timestamp? = nil, until: Timestamp? = nil
  ) async throws(MemoryError) -> Ledger.Signal.Rate? {
    try await ledger.selectorRate(of: selector, type: type, in: name, since: since, until: until)
  }

  /// As `Ledger.signals(of:after:limit:)`, without those of a task of this domain that were recorded in another one.
  public func signals(
    of task: Ledger.Task.ID, after number: Int64? = nil, limit: Int = 100
  ) async throws(MemoryError) -> [Ledger.Signal] {
    guard try await self.task(task) != nil else { return [] }
    return try await ledger.signals(of: task, after: number, limit: limit).filter { $0.domain == name }
  }
}
