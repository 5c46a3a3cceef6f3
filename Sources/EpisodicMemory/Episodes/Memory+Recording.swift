import FileLocks

extension Memory {
  /// Begins an episode, which is active until it is completed, failed or archived.
  ///
  /// - Throws: `.invalid`; `.conflict` if the draft names an id that exists.
  public func begin(_ draft: Episode.Draft) async throws(MemoryError) -> Episode {
    try validation.draft(draft)
    let now = clock.now()
    let episode = Episode(
      id: draft.id ?? .generate(at: now), taskType: draft.taskType, domain: draft.domain, session: draft.session,
      context: draft.context, createdAt: now, metadata: draft.metadata)
    try await primary.insert(episode)
    follower.noteChanges(1)
    return episode
  }

  /// Appends a step to an active episode and gives it the next number, unless the draft has one.
  ///
  /// Calls that arrive while a commit runs share the next one.
  ///
  /// - Throws: `.invalid`; `.notFound`; `.conflict` if the episode is not active or the number exists.
  @discardableResult
  public func append(_ step: Step.Draft, to id: Episode.ID) async throws(MemoryError) -> Step {
    let steps = try await append([step], to: id)
    guard let appended = steps.first else {
      throw MemoryError(.corrupted, "the primary acknowledged a step of \(id) without returning it; run check")
    }
    return appended
  }

  /// Appends steps in order and in one transaction: all of them or none.
  ///
  /// - Throws: As for one step.
  @discardableResult
  public func append(_ steps: [Step.Draft], to id: Episode.ID) async throws(MemoryError) -> [Step] {
    try validation.steps(steps)
    let appended = try await primary.append(steps, to: id, at: clock.now())
    follower.noteChanges(appended.count)
    return appended
  }

  /// Completes an active episode.
  ///
  /// - Parameter successRate: 0...1; `nil` sets the share of steps that succeeded, or 1 if no step has a result.
  /// - Throws: `.invalid`; `.notFound`; `.conflict` if the episode is not active.
  @discardableResult
  public func complete(_ id: Episode.ID, successRate: Double? = nil) async throws(MemoryError) -> Episode {
    try validation.rate(successRate)
    return try await end(id, .complete(successRate: successRate))
  }

  /// Ends an active episode as failed.
  ///
  /// - Parameter successRate: 0...1; `nil` sets the share of steps that succeeded, or 0 if no step has a result.
  /// - Throws: `.invalid`; `.notFound`; `.conflict` if the episode is not active.
  @discardableResult
  public func fail(_ id: Episode.ID, successRate: Double? = nil) async throws(MemoryError) -> Episode {
    try validation.rate(successRate)
    return try await end(id, .fail(successRate: successRate))
  }

  private func end(_ id: Episode.ID, _ transition: Episode.Transition) async throws(MemoryError) -> Episode {
    let ended = try await primary.apply(transition, to: id, at: clock.now())
    follower.noteChanges(1)
    if prefetchesEnded { await reads.prefetch(ended) }
    return ended.value
  }

  /// Archives an episode: it is recalled only if a query names this status.
  ///
  /// - Throws: `.notFound`; `.conflict` if it is archived.
  @discardableResult
  public func archive(_ id: Episode.ID) async throws(MemoryError) -> Episode {
    let archived = try await primary.apply(.archive, to: id, at: clock.now())
    follower.noteChanges(1)
    return archived.value
  }

  /// Makes an episode active again and clears its completion time and success rate.
  ///
  /// - Throws: `.notFound`; `.conflict` if it is active.
  @discardableResult
  public func reopen(_ id: Episode.ID) async throws(MemoryError) -> Episode {
    let reopened = try await primary.apply(.reopen, to: id, at: clock.now())
    follower.noteChanges(1)
    return reopened.value
  }

  /// Changes fields of an episode in any status.
  ///
  /// - Throws: `.invalid`; `.notFound`.
  @discardableResult
  public func update(_ id: Episode.ID, with change: Episode.Change) async throws(MemoryError) -> Episode {
    try validation.change(change)
    let updated = try await primary.update(id, with: change)
    follower.noteChanges(1)
    return updated
  }

  /// Deletes an episode with its steps, embeddings and links; patterns stay.
  ///
  /// - Returns: Whether it existed.
  @discardableResult
  public func delete(_ id: Episode.ID) async throws(MemoryError) -> Bool {
    let isDeleted = try await primary.delete(id)
    follower.noteChanges(1)
    return isDeleted
  }

  /// From this many episodes on, an insertion returns only after the index has followed it.
  private static let bulk = 64

  /// Inserts whole episodes with their vectors in one transaction: all of them or none.
  ///
  /// An episode that replaces another keeps its place in lists, its links to patterns, and those vectors whose source text is
  /// unchanged: the context, the step, or all text of the episode for a vector whose content is neither.
  ///
  /// - Parameter embeddings: Vectors of these episodes; those of a skipped episode are skipped.
  /// - Throws: `.invalid`; `.conflict` if an id exists and the policy is `fail`.
  @discardableResult
  public func insert(
    _ episodes: [Episode], embeddings: [Embedding.Draft] = [], existing: Episode.ExistingPolicy = .fail
  ) async throws(MemoryError) -> InsertionReport {
    let validation = validation
    let validate: @Sendable () throws(MemoryError) -> Void = { () throws(MemoryError) in
      for episode in episodes { try validation.episode(episode) }
      for embedding in embeddings { try validation.draft(embedding) }
      try validation.belonging(embeddings, to: episodes)
    }
    // Validating megabytes of text takes milliseconds.
    if episodes.count >= Self.bulk { try await BlockingWork.shared.run(validate) } else { try validate() }
    let now = clock.now()
    let inserted = try await primary.insert(
      episodes, embeddings: embeddings.map { Embedding($0, at: now) }, existing: existing)
    // Otherwise the next query would find the index too far behind to catch up.
    if episodes.count >= Self.bulk { await follower.followAfterWrite() } else { follower.noteChanges(episodes.count) }
    return inserted
  }
}
