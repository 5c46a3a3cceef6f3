// MARK: - Erasure

extension DomainMemory {
  /// As `Memory.forget(_:in:patterns:dryRun:progress:)`; `.everything` is all of this domain.
  @discardableResult
  public func forget(
    _ selection: Erasure.Selection, patterns: Erasure.PatternPolicy = .eraseWithoutEvidence, dryRun: Bool = false,
    progress: @escaping @Sendable (Erasure.Progress) -> Void = { _ in }
  ) async throws(MemoryError) -> ErasureReceipt {
    try await memory.forget(selection, in: scope, patterns: patterns, dryRun: dryRun, progress: progress)
  }
}

// MARK: - Episodes

extension DomainMemory {
  /// Begins an episode of this domain; see `Memory.begin(_:)` and `Memory.begin(_:idempotencyKey:)`.
  ///
  /// - Throws: `.invalid`; `.conflict` if the id is taken, in whatever domain.
  @discardableResult
  public func begin(
    _ taskType: TaskType, context: String, session: String? = nil, metadata: JSON = [:], id: Episode.ID? = nil,
    idempotencyKey key: String? = nil
  ) async throws(MemoryError) -> Episode {
    try await memory.begin(
      Episode.Draft(taskType, domain: name, context: context, session: session, metadata: metadata, id: id), key: key,
      in: scope)
  }

  /// Begins an episode of this domain that says where it comes from, or what it is derived from.
  ///
  /// - Throws: As `begin` without these.
  @discardableResult
  public func begin(
    _ taskType: TaskType, context: String, from provenance: Provenance, parents: [Episode.ID] = [],
    session: String? = nil, metadata: JSON = [:], id: Episode.ID? = nil, idempotencyKey key: String? = nil
  ) async throws(MemoryError) -> Episode {
    let draft = Episode.Draft(
      taskType, domain: name, context: context, session: session, metadata: metadata, id: id, provenance: provenance,
      parents: parents)
    return try await memory.begin(draft, key: key, in: scope)
  }

  /// As `Memory.append(_:to:)` for one step.
  @discardableResult
  public func append(
    _ step: Step.Draft, to id: Episode.ID, idempotencyKey key: String? = nil
  ) async throws(MemoryError) -> Step {
    try await memory.append([step], to: id, key: key, in: scope).only(of: id)
  }

  /// As `Memory.append(_:to:)` for several steps.
  @discardableResult
  public func append(
    _ steps: [Step.Draft], to id: Episode.ID, idempotencyKey key: String? = nil
  ) async throws(MemoryError) -> [Step] {
    try await memory.append(steps, to: id, key: key, in: scope)
  }

  /// As `Memory.complete(_:successRate:)`.
  @discardableResult
  public func complete(_ id: Episode.ID, successRate: Double? = nil) async throws(MemoryError) -> Episode {
    try await memory.apply(.complete(successRate: successRate), to: id, in: scope)
  }

  /// As `Memory.fail(_:successRate:)`.
  @discardableResult
  public func fail(_ id: Episode.ID, successRate: Double? = nil) async throws(MemoryError) -> Episode {
    try await memory.apply(.fail(successRate: successRate), to: id, in: scope)
  }

  /// As `Memory.archive(_:)`.
  @discardableResult
  public func archive(_ id: Episode.ID) async throws(MemoryError) -> Episode {
    try await memory.apply(.archive, to: id, in: scope)
  }

  /// As `Memory.reopen(_:)`.
  @discardableResult
  public func reopen(_ id: Episode.ID) async throws(MemoryError) -> Episode {
    try await memory.apply(.reopen, to: id, in: scope)
  }

  /// As `Memory.update(_:with:)`.
  @discardableResult
  public func update(_ id: Episode.ID, with change: Episode.Change) async throws(MemoryError) -> Episode {
    try await memory.update(id, with: change, in: scope)
  }

  /// As `Memory.delete(_:)`.
  @discardableResult
  public func delete(_ id: Episode.ID) async throws(MemoryError) -> Bool { try await memory.delete(id, in: scope) }

  /// As `Memory.insert(_:embeddings:existing:)`.
  ///
  /// - Throws: `.invalid`, also for an episode of another domain; `.conflict` if an id is taken and the policy is `fail`, or by
  ///   an episode of another domain whatever the policy.
  @discardableResult
  public func insert(
    _ episodes: [Episode], embeddings: [Embedding.Draft] = [], existing: Episode.ExistingPolicy = .fail
  ) async throws(MemoryError) -> InsertionReport {
    try await memory.insert(episodes, embeddings: embeddings, existing: existing, in: scope)
  }

  /// Writes with several verbs in one commit, all in this domain; see `Memory.write(_:)`.
  @discardableResult
  public func write<Value: Sendable>(
    _ body: @escaping @Sendable (borrowing Batch) throws -> Value
  ) async throws(MemoryError) -> Value {
    let name = name
    return try await memory.write(
      in: scope, batch: { (batch: consuming Memory.Batch) in try body(Batch(batch, domain: name)) })
  }
}

// MARK: - Patterns and embeddings

extension DomainMemory {
  /// Records a pattern of this domain, also if the draft names none, and links it to the episode in which it occurred, in one commit; see `Memory.record(_:)`.
  ///
  /// - Throws: `.invalid`, also for a pattern of another domain; `.notFound` if the episode does not exist.
  @discardableResult
  public func record(_ draft: Pattern.Draft, from episode: Episode.ID) async throws(MemoryError) -> Pattern {
    try await write { batch in try batch.record(draft, from: episode) }
  }

  /// As `Memory.link(_:to:)`.
  @discardableResult
  public func link(_ pattern: Pattern.ID, to episode: Episode.ID) async throws(MemoryError) -> Bool {
    try await memory.link(pattern, to: episode, in: scope)
  }

  /// As `Memory.unlink(_:from:)`.
  @discardableResult
  public func unlink(_ pattern: Pattern.ID, from episode: Episode.ID) async throws(MemoryError) -> Bool {
    try await memory.unlink(pattern, from: episode, in: scope)
  }

  /// As `Memory.markUsed(_:succeeded:)`.
  ///
  /// - Throws: As it does; `.conflict` for a pattern that all domains share: they would see that this one used it.
  @discardableResult
  public func markUsed(_ id: Pattern.ID, succeeded: Bool? = nil) async throws(MemoryError) -> Pattern {
    try await memory.markUsed(id, succeeded: succeeded, in: scope)
  }

  /// As `Memory.delete(pattern:)`.
  ///
  /// - Throws: `.conflict` for a pattern that all domains share.
  @discardableResult
  public func delete(pattern id: Pattern.ID) async throws(MemoryError) -> Bool {
    try await memory.delete(pattern: id, in: scope)
  }

  /// As `Memory.embed(_:replacing:)` for one vector.
  ///
  /// - Throws: As it does. If the model's vectors have another length, the message does not name it: they may be of another
  ///   domain.
  @discardableResult
  public func embed(_ draft: Embedding.Draft, replacing: Bool = false) async throws(MemoryError) -> Embedding {
    try await memory.embed(draft, replacing: replacing, in: scope)
  }

  /// As `Memory.embed(_:replacing:)` for several vectors.
  @discardableResult
  public func embed(_ drafts: [Embedding.Draft], replacing: Bool = false) async throws(MemoryError) -> [Embedding] {
    try await memory.embed(drafts, replacing: replacing, in: scope)
  }

  /// As `Memory.delete(embedding:)`.
  @discardableResult
  public func delete(embedding id: Embedding.ID) async throws(MemoryError) -> Bool {
    try await memory.delete(embedding: id, in: scope)
  }
}
