// A requirement has no default arguments: these verbs are the same with fewer.

extension AgentMemory {
  /// Begins an episode with a new id.
  @discardableResult
  public func begin(
    _ taskType: TaskType, context: String, session: String? = nil, metadata: JSON = [:]
  ) async throws(MemoryError) -> Episode {
    try await begin(
      taskType, context: context, session: session, metadata: metadata, id: nil, idempotencyKey: nil)
  }

  /// Begins an episode with metadata of literals and variables.
  @_disfavoredOverload @discardableResult
  public func begin(
    _ taskType: TaskType, context: String, session: String? = nil, metadata: [String: (any JSONConvertible)?],
    id: Episode.ID? = nil, idempotencyKey: String? = nil
  ) async throws(MemoryError) -> Episode {
    try await begin(
      taskType, context: context, session: session, metadata: JSON(metadata), id: id, idempotencyKey: idempotencyKey)
  }

  /// Appends a step, without a key.
  @discardableResult
  public func append(_ step: Step.Draft, to id: Episode.ID) async throws(MemoryError) -> Step {
    try await append(step, to: id, idempotencyKey: nil)
  }

  /// Appends steps in one commit, without a key.
  @discardableResult
  public func append(_ steps: [Step.Draft], to id: Episode.ID) async throws(MemoryError) -> [Step] {
    try await append(steps, to: id, idempotencyKey: nil)
  }

  /// Completes an active episode with the success rate of its steps.
  @discardableResult
  public func complete(_ id: Episode.ID) async throws(MemoryError) -> Episode {
    try await complete(id, successRate: nil)
  }

  /// Ends an active episode as failed, with the success rate of its steps.
  @discardableResult
  public func fail(_ id: Episode.ID) async throws(MemoryError) -> Episode { try await fail(id, successRate: nil) }

  /// The episode with all of its steps; `nil` if there is none.
  public func episode(_ id: Episode.ID) async throws(MemoryError) -> Episode? { try await episode(id, steps: .all) }

  /// The episodes that match a text, best first.
  public func recall(_ text: String, limit: Int = 10) async throws(MemoryError) -> [Hit] {
    try await recall(text, filter: Episode.Filter(), limit: limit)
  }
}
