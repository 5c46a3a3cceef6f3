public import StoreValues

// MARK: - Runs

extension DomainLedger {
  /// As `Ledger.start(_:)`, in this domain if the draft names none.
  ///
  /// - Throws: `.invalid` also if its domain is another one; `.notFound` also if its parent or its task is of another one.
  @discardableResult
  public func start(_ draft: Ledger.Run.Draft) async throws(MemoryError) -> Ledger.Run {
    try require(draft.domain ?? name, "the run")
    if let task = draft.task { try await require(task) }
    if let parent = draft.parent { try await require(parent) }
    var draft = draft
    draft.domain = name
    return try await ledger.start(draft)
  }

  /// As `Ledger.run(_:)`.
  public func run(_ id: Ledger.Run.ID) async throws(MemoryError) -> Ledger.Run? {
    guard let run = try await ledger.run(id), run.domain == name else { return nil }
    return run
  }

  /// As `Ledger.runs(_:after:limit:)`.
  ///
  /// - Parameter filter: Lists this domain if it names none, and nothing if it names another one.
  public func runs(
    _ filter: Ledger.Run.Filter = .init(), after last: Ledger.Run.ID? = nil, limit: Int = 50
  ) async throws(MemoryError) -> [Ledger.Run] {
    guard includes(filter.domain) else { return [] }
    var filter = filter
    filter.domain = name
    if let last { try await require(last) }
    return try await ledger.runs(filter, after: last, limit: limit)
  }

  /// As `Ledger.tree(of:)`, without runs of other domains.
  public func tree(of root: Ledger.Run.ID) async throws(MemoryError) -> [Ledger.Run.Node] {
    try await require(root)
    return try await ledger.tree(of: root).filter { $0.run.domain == name }
  }

  /// As `Ledger.heartbeat(run:)`.
  @discardableResult
  public func heartbeat(run id: Ledger.Run.ID) async throws(MemoryError) -> Ledger.Run {
    try await require(id)
    return try await ledger.heartbeat(run: id)
  }

  /// As `Ledger.set(_:of:)`.
  @discardableResult
  public func set(_ status: Ledger.Run.Status, of id: Ledger.Run.ID) async throws(MemoryError) -> Ledger.Run {
    try await require(id)
    return try await ledger.set(status, of: id)
  }

  /// As `Ledger.finish(run:as:successRate:error:at:)`.
  @discardableResult
  public func finish(
    run id: Ledger.Run.ID, as status: Ledger.Run.Status = .completed, successRate: Double? = nil, error: String? = nil,
    at time: Timestamp? = nil
  ) async throws(MemoryError) -> Ledger.Run {
    try await require(id)
    return try await ledger.finish(run: id, as: status, successRate: successRate, error: error, at: time)
  }

  /// As `Ledger.cancel(run:)`; runs of other domains go on.
  @discardableResult
  public func cancel(run id: Ledger.Run.ID) async throws(MemoryError) -> [Ledger.Run.ID] {
    try await require(id)
    let name = name
    return try await ledger.database.write(grows: false) { db, now in try RunEnding(db, now).cancel(id, in: name) }
  }

  /// - Throws: `.notFound` if there is no such run in this domain.
  private func require(_ id: Ledger.Run.ID) async throws(MemoryError) {
    guard try await run(id) != nil else { throw MemoryError.noRun(id) }
  }
}

// MARK: - Prompts and tool calls

extension DomainLedger {
  /// As `Ledger.add(_:to:)` for a prompt.
  @discardableResult
  public func add(_ draft: Ledger.Prompt.Draft, to run: Ledger.Run.ID) async throws(MemoryError) -> Ledger.Prompt {
    try await require(run)
    return try await ledger.add(draft, to: run)
  }

  /// As `Ledger.add(_:to:)` for a tool call.
  @discardableResult
  public func add(_ draft: Ledger.ToolCall.Draft, to run: Ledger.Run.ID) async throws(MemoryError) -> Ledger.ToolCall {
    try await require(run)
    return try await ledger.add(draft, to: run)
  }

  /// As `Ledger.add(_:to:)` for prompts and tool calls in their order.
  @discardableResult
  public func add(_ drafts: [Ledger.Entry.Draft], to run: Ledger.Run.ID) async throws(MemoryError) -> [Ledger.Entry] {
    try await require(run)
    return try await ledger.add(drafts, to: run)
  }

  /// As `Ledger.entries(of:after:limit:)`.
  public func entries(
    of run: Ledger.Run.ID, after position: Int = 0, limit: Int = 100
  ) async throws(MemoryError) -> [Ledger.Entry] {
    guard try await self.run(run) != nil else { return [] }
    return try await ledger.entries(of: run, after: position, limit: limit)
  }

  /// As `Ledger.prompts(of:after:limit:)`.
  public func prompts(
    of run: Ledger.Run.ID, after position: Int = 0, limit: Int = 100
  ) async throws(MemoryError) -> [Ledger.Prompt] {
    guard try await self.run(run) != nil else { return [] }
    return try await ledger.prompts(of: run, after: position, limit: limit)
  }

  /// As `Ledger.toolCalls(of:after:limit:)`.
  public func toolCalls(
    of run: Ledger.Run.ID, after position: Int = 0, limit: Int = 100
  ) async throws(MemoryError) -> [Ledger.ToolCall] {
    guard try await self.run(run) != nil else { return [] }
    return try await ledger.toolCalls(of: run, after: position, limit: limit)
  }

  /// As `Ledger.prompt(_:)`.
  public func prompt(_ id: Ledger.Prompt.ID) async throws(MemoryError) -> Ledger.Prompt? {
    guard let prompt = try await ledger.prompt(id), try await run(prompt.run) != nil else { return nil }
    return prompt
  }

  /// As `Ledger.toolCall(_:)`.
  public func toolCall(_ id: Ledger.ToolCall.ID) async throws(MemoryError) -> Ledger.ToolCall? {
    guard let call = try await ledger.toolCall(id), try await run(call.run) != nil else { return nil }
    return call
  }

  /// As `Ledger.beginResponse(to:)`.
  @discardableResult
  public func beginResponse(to prompt: Ledger.Prompt.ID) async throws(MemoryError) -> Ledger.Prompt {
    try await require(prompt)
    return try await ledger.beginResponse(to: prompt)
  }

  /// As `Ledger.append(_:toResponseOf:)`.
  public func append(_ part: String, toResponseOf prompt: Ledger.Prompt.ID) async throws(MemoryError) {
    try await require(prompt)
    try await ledger.append(part, toResponseOf: prompt)
  }

  /// As `Ledger.response(to:)`.
  public func response(to prompt: Ledger.Prompt.ID) async throws(MemoryError) -> String? {
    guard try await self.prompt(prompt) != nil else { return nil }
    return try await ledger.response(to: prompt)
  }

  /// As `Ledger.finish(prompt:as:with:error:)`.
  @discardableResult
  public func finish(
    prompt id: Ledger.Prompt.ID, as status: Ledger.Prompt.Status = .completed,
    with outcome: Ledger.Prompt.Outcome = .init(), error: String? = nil
  ) async throws(MemoryError) -> Ledger.Prompt {
    try await require(id)
    return try await ledger.finish(prompt: id, as: status, with: outcome, error: error)
  }

  private func require(_ id: Ledger.Prompt.ID) async throws(MemoryError) {
    guard try await prompt(id) != nil else { throw MemoryError.noPrompt(id) }
  }
}
