import FileLocks

extension Memory {
  /// Begins an episode, which is active until it is completed, failed or archived.
  ///
  /// - Throws: `.invalid`; `.conflict` if the draft names an id that exists.
  public func begin(_ draft: Episode.Draft) async throws(MemoryError) -> Episode {
    try await begin(draft, key: nil, in: .everything)
  }

  /// Begins an episode, or returns the one that the same request began before.
  ///
  /// A request that is repeated, because its answer was lost, writes nothing and gets the first answer: the episode as it was
  /// begun. That holds in every process for at least 7 days.
  ///
  /// - Parameter key: 1 to 128 bytes, chosen by the caller for this request; one request of its domain has it. `nil`: none.
  /// - Throws: As without a key; `.conflict` if the key was used for another request; `.notFound` if the episode was deleted
  ///   since, so that a repetition does not bring it back.
  @discardableResult
  public func begin(_ draft: Episode.Draft, idempotencyKey key: String?) async throws(MemoryError) -> Episode {
    try await begin(draft, key: key, in: .everything)
  }

  func begin(_ draft: Episode.Draft, key: String?, in scope: Query.Scope) async throws(MemoryError) -> Episode {
    try await span("begin", scope) { () async throws(MemoryError) in
      try validation.draft(draft)
      let request = try validation.request(draft, key)
      let episode = Episode(draft, at: clock.now())
      return try await write(in: scope) { transaction throws(MemoryError) in try transaction.begin(episode, request) }
    }
  }

  /// Appends a step to an active episode and gives it the next number, unless the draft has one.
  ///
  /// Calls that arrive while a commit runs share the next one.
  ///
  /// - Throws: `.invalid`; `.notFound`; `.conflict` if the episode is not active or the number exists.
  @discardableResult
  public func append(_ step: Step.Draft, to id: Episode.ID) async throws(MemoryError) -> Step {
    try await append([step], to: id, key: nil, in: .everything).only(of: id)
  }

  /// Appends a step, or returns the one that the same request appended before; see `begin(_:idempotencyKey:)`.
  ///
  /// - Parameter key: As there; unique in the domain of the episode.
  /// - Throws: As without a key; `.conflict` if the key was used for another request.
  @discardableResult
  public func append(
    _ step: Step.Draft, to id: Episode.ID, idempotencyKey key: String?
  ) async throws(MemoryError) -> Step {
    try await append([step], to: id, key: key, in: .everything).only(of: id)
  }

  /// Appends steps in order and in one transaction: all of them or none.
  ///
  /// - Throws: As for one step.
  @discardableResult
  public func append(_ steps: [Step.Draft], to id: Episode.ID) async throws(MemoryError) -> [Step] {
    try await append(steps, to: id, key: nil, in: .everything)
  }

  /// Appends steps, or returns those that the same request appended before; see `begin(_:idempotencyKey:)`.
  ///
  /// - Parameter key: As there; unique in the domain of the episode.
  /// - Throws: As without a key; `.conflict` if the key was used for another request.
  @discardableResult
  public func append(
    _ steps: [Step.Draft], to id: Episode.ID, idempotencyKey key: String?
  ) async throws(MemoryError) -> [Step] {
    try await append(steps, to: id, key: key, in: .everything)
  }

  func append(
    _ drafts: [Step.Draft], to id: Episode.ID, key: String?, in scope: Query.Scope
  ) async throws(MemoryError) -> [Step] {
    try await span("append", scope) { () async throws(MemoryError) in
      let steps = try validation.steps(drafts)
      let now = clock.now()
      let appended: [Step]
      if let request = try validation.request(drafts, to: id, key) {
        appended = try await primary.write(in: scope) { transaction throws(MemoryError) in
          try transaction.append(steps, to: id, at: now, request)
        }
      } else {
        appended = try await primary.append(steps, to: id, at: now, in: scope)
      }
      follower.noteChanges(appended.count)
      observer.appended?(appended.count)
      return appended
    }
  }

  /// Completes an active episode.
  ///
  /// - Parameter successRate: 0...1; `nil` sets the share of steps that succeeded, or 1 if no step has a result.
  /// - Throws: `.invalid`; `.notFound`; `.conflict` if the episode is not active.
  @discardableResult
  public func complete(_ id: Episode.ID, successRate: Double? = nil) async throws(MemoryError) -> Episode {
    try await apply(.complete(successRate: successRate), to: id, in: .everything)
  }

  /// Ends an active episode as failed.
  ///
  /// - Parameter successRate: 0...1; `nil` sets the share of steps that succeeded, or 0 if no step has a result.
  /// - Throws: `.invalid`; `.notFound`; `.conflict` if the episode is not active.
  @discardableResult
  public func fail(_ id: Episode.ID, successRate: Double? = nil) async throws(MemoryError) -> Episode {
    try await apply(.fail(successRate: successRate), to: id, in: .everything)
  }

  /// Archives an episode: it is recalled only if a query names this status.
  ///
  /// - Throws: `.notFound`; `.conflict` if it is archived.
  @discardableResult
  public func archive(_ id: Episode.ID) async throws(MemoryError) -> Episode {
    try await apply(.archive, to: id, in: .everything)
  }

  /// Makes an episode active again and clears its completion time and success rate.
  ///
  /// - Throws: `.notFound`; `.conflict` if it is active.
  @discardableResult
  public func reopen(_ id: Episode.ID) async throws(MemoryError) -> Episode {
    try await apply(.reopen, to: id, in: .everything)
  }

  func apply(
    _ transition: Episode.Transition, to id: Episode.ID, in scope: Query.Scope
  ) async throws(MemoryError) -> Episode {
    try await span(transition.verb, scope) { () async throws(MemoryError) in
      try validation.transition(transition)
      let now = clock.now()
      let changed = try await write(in: scope) { transaction throws(MemoryError) in
        try transaction.apply(transition, to: id, at: now)
      }
      if transition.endsEpisode, prefetchesEnded { await reads.prefetch(changed) }
      return changed.value
    }
  }

  /// Changes fields of an episode in any status.
  ///
  /// - Throws: `.invalid`; `.notFound`.
  @discardableResult
  public func update(_ id: Episode.ID, with change: Episode.Change) async throws(MemoryError) -> Episode {
    try await update(id, with: change, in: .everything)
  }

  func update(
    _ id: Episode.ID, with change: Episode.Change, in scope: Query.Scope
  ) async throws(MemoryError) -> Episode {
    try await span("update", scope) { () async throws(MemoryError) in
      try validation.change(change)
      return try await write(in: scope) { transaction throws(MemoryError) in try transaction.update(id, with: change) }
    }
  }

  /// Deletes an episode with its steps, embeddings and links; patterns stay.
  ///
  /// - Returns: Whether it existed.
  @discardableResult
  public func delete(_ id: Episode.ID) async throws(MemoryError) -> Bool {
    try await delete(id, in: .everything)
  }

  func delete(_ id: Episode.ID, in scope: Query.Scope) async throws(MemoryError) -> Bool {
    try await span("delete", scope) { () async throws(MemoryError) in
      try await write(in: scope) { transaction throws(MemoryError) in try transaction.delete(id) }
    }
  }

  /// From this many episodes on, an insertion returns only after the index has followed it.
  static let bulk = 64

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
    try await insert(episodes, embeddings: embeddings, existing: existing, in: .everything)
  }

  func insert(
    _ episodes: [Episode], embeddings drafts: [Embedding.Draft], existing: Episode.ExistingPolicy, in scope: Query.Scope
  ) async throws(MemoryError) -> InsertionReport {
    try await span("insert", scope) { () async throws(MemoryError) in
      let validation = validation
      let validate: @Sendable () throws(MemoryError) -> Void = { () throws(MemoryError) in
        try validation.insertion(of: episodes, embeddings: drafts, in: scope)
      }
      // Validating megabytes of text takes milliseconds.
      if episodes.count >= Self.bulk { try await BlockingWork.shared.run(validate) } else { try validate() }
      let now = clock.now()
      let embeddings = drafts.map { Embedding($0, at: now) }
      let inserted = try await primary.write(in: scope) { transaction throws(MemoryError) in
        try transaction.insert(episodes, embeddings: embeddings, existing: existing)
      }
      // Otherwise the next query would find the index too far behind to catch up.
      if episodes.count >= Self.bulk { await follower.followAfterWrite() } else { follower.noteChanges(episodes.count) }
      return inserted
    }
  }

  /// Runs one verb in a transaction.
  func write<Value: Sendable>(
    in scope: Query.Scope, _ verb: @escaping @Sendable (any PrimaryTransaction) throws(MemoryError) -> Value
  ) async throws(MemoryError) -> Value {
    let value = try await primary.write(in: scope, verb)
    follower.noteChanges(1)
    return value
  }
}

extension Episode {
  init(_ draft: Draft, at now: Timestamp) {
    self.init(
      id: draft.id ?? .generate(at: now), taskType: draft.taskType, domain: draft.domain, session: draft.session,
      context: draft.context, createdAt: now, metadata: draft.metadata, provenance: draft.provenance,
      parents: draft.parents)
  }
}

extension [Step] {
  /// The step that was appended alone.
  func only(of id: Episode.ID) throws(MemoryError) -> Step {
    guard let step = first else {
      throw MemoryError(.corrupted, "the primary acknowledged a step of \(id) without returning it; call check()")
    }
    return step
  }
}
