extension Memory {
  /// The verbs that write, in one transaction that `Memory.write` lends to its body. It cannot leave the body.
  public struct Batch: ~Copyable {
    private let transaction: any PrimaryTransaction
    private let scope: Query.Scope
    private let validation: Validation
    private let clock: any WallClock
    private let effects: Effects

    /// What is to be done after the commit.
    final class Effects {
      struct Value: Sendable {
        /// Rows for the index, approximately.
        var changes = 0
        /// Whether the next query would find the index too far behind.
        var isBulk = false
        var ended: [Versioned<Episode>] = []
      }

      var value = Value()
    }

    init(
      _ transaction: any PrimaryTransaction, scope: Query.Scope, validation: Validation, clock: any WallClock,
      effects: Effects
    ) {
      self.effects = effects
      self.transaction = transaction
      self.scope = scope
      self.validation = validation
      self.clock = clock
    }
  }
}

// MARK: - Episodes

extension Memory.Batch {
  /// As `Memory.begin(_:)`.
  @discardableResult
  public func begin(_ draft: Episode.Draft, idempotencyKey key: String? = nil) throws(MemoryError) -> Episode {
    try validation.draft(draft)
    let request = try validation.request(draft, key)
    effects.value.changes += 1
    return try transaction.begin(Episode(draft, at: clock.now()), request)
  }

  /// As `Memory.append(_:to:)` for one step.
  @discardableResult
  public func append(
    _ step: Step.Draft, to id: Episode.ID, idempotencyKey key: String? = nil
  ) throws(MemoryError) -> Step {
    try append([step], to: id, idempotencyKey: key).only(of: id)
  }

  /// As `Memory.append(_:to:)` for several steps.
  @discardableResult
  public func append(
    _ drafts: [Step.Draft], to id: Episode.ID, idempotencyKey key: String? = nil
  ) throws(MemoryError) -> [Step] {
    let steps = try validation.steps(drafts)
    let request = try validation.request(drafts, to: id, key)
    let appended = try transaction.append(steps, to: id, at: clock.now(), request)
    effects.value.changes += appended.count
    return appended
  }

  /// As `Memory.complete(_:successRate:)`.
  @discardableResult
  public func complete(_ id: Episode.ID, successRate: Double? = nil) throws(MemoryError) -> Episode {
    try apply(.complete(successRate: successRate), to: id)
  }

  /// As `Memory.fail(_:successRate:)`.
  @discardableResult
  public func fail(_ id: Episode.ID, successRate: Double? = nil) throws(MemoryError) -> Episode {
    try apply(.fail(successRate: successRate), to: id)
  }

  /// As `Memory.archive(_:)`.
  @discardableResult
  public func archive(_ id: Episode.ID) throws(MemoryError) -> Episode { try apply(.archive, to: id) }

  /// As `Memory.reopen(_:)`.
  @discardableResult
  public func reopen(_ id: Episode.ID) throws(MemoryError) -> Episode { try apply(.reopen, to: id) }

  private func apply(_ transition: Episode.Transition, to id: Episode.ID) throws(MemoryError) -> Episode {
    try validation.transition(transition)
    let changed = try transaction.apply(transition, to: id, at: clock.now())
    effects.value.changes += 1
    if transition.endsEpisode { effects.value.ended.append(changed) }
    return changed.value
  }

  /// As `Memory.update(_:with:)`.
  @discardableResult
  public func update(_ id: Episode.ID, with change: Episode.Change) throws(MemoryError) -> Episode {
    try validation.change(change)
    effects.value.changes += 1
    return try transaction.update(id, with: change)
  }

  /// As `Memory.delete(_:)`.
  @discardableResult
  public func delete(_ id: Episode.ID) throws(MemoryError) -> Bool {
    effects.value.changes += 1
    return try transaction.delete(id)
  }

  /// As `Memory.insert(_:embeddings:existing:)`.
  @discardableResult
  public func insert(
    _ episodes: [Episode], embeddings drafts: [Embedding.Draft] = [], existing: Episode.ExistingPolicy = .fail
  ) throws(MemoryError) -> InsertionReport {
    try validation.insertion(of: episodes, embeddings: drafts, in: scope)
    let now = clock.now()
    effects.value.changes += episodes.count
    if episodes.count >= Memory.bulk { effects.value.isBulk = true }
    return try transaction.insert(episodes, embeddings: drafts.map { Embedding($0, at: now) }, existing: existing)
  }

  /// The episode with its steps, as this batch has written it so far; `nil` if there is none.
  public func episode(_ id: Episode.ID) throws(MemoryError) -> Episode? { try transaction.episode(id) }
}

// MARK: - Patterns

extension Memory.Batch {
  /// As `Memory.record(_:)`.
  @discardableResult
  public func record(_ draft: Pattern.Draft) throws(MemoryError) -> Pattern {
    try validation.draft(draft)
    return try transaction.record(Pattern(draft, at: clock.now()), earlierHash: draft.data.earlierHash, from: nil)
  }

  /// Records a pattern and links it to an episode. Checks the episode first, so that a refusal has written nothing.
  func record(_ draft: Pattern.Draft, from episode: Episode.ID) throws(MemoryError) -> Pattern {
    try validation.draft(draft)
    if let domain = draft.domain, !scope.includes(domain) {
      throw MemoryError(
        .invalid, "the pattern is of the domain \"\(domain)\"; record it through a handle of that domain")
    }
    return try transaction.record(
      Pattern(draft, at: clock.now()), earlierHash: draft.data.earlierHash, from: episode)
  }

  /// As `Memory.link(_:to:)`.
  @discardableResult
  public func link(_ pattern: Pattern.ID, to episode: Episode.ID) throws(MemoryError) -> Bool {
    try transaction.link(pattern, to: episode)
  }

  /// As `Memory.unlink(_:from:)`.
  @discardableResult
  public func unlink(_ pattern: Pattern.ID, from episode: Episode.ID) throws(MemoryError) -> Bool {
    try transaction.unlink(pattern, from: episode)
  }

  /// As `Memory.markUsed(_:succeeded:)`.
  @discardableResult
  public func markUsed(_ id: Pattern.ID, succeeded: Bool? = nil) throws(MemoryError) -> Pattern {
    try transaction.markUsed(id, succeeded: succeeded, at: clock.now())
  }

  /// As `Memory.delete(pattern:)`.
  @discardableResult
  public func delete(pattern id: Pattern.ID) throws(MemoryError) -> Bool { try transaction.delete(id) }
}

// MARK: - Embeddings

extension Memory.Batch {
  /// As `Memory.embed(_:replacing:)` for one vector.
  @discardableResult
  public func embed(_ draft: Embedding.Draft, replacing: Bool = false) throws(MemoryError) -> Embedding {
    try validation.draft(draft)
    let embedding = Embedding(draft, at: clock.now())
    try transaction.insert([embedding], replacing: replacing)
    effects.value.changes += 1
    return embedding
  }

  /// As `Memory.embed(_:replacing:)` for several vectors.
  @discardableResult
  public func embed(_ drafts: [Embedding.Draft], replacing: Bool = false) throws(MemoryError) -> [Embedding] {
    try validation.drafts(drafts)
    let now = clock.now()
    let embeddings = drafts.map { Embedding($0, at: now) }
    try transaction.insert(embeddings, replacing: replacing)
    effects.value.changes += embeddings.count
    if !embeddings.isEmpty { effects.value.isBulk = true }
    return embeddings
  }

  /// As `Memory.delete(embedding:)`.
  @discardableResult
  public func delete(embedding id: Embedding.ID) throws(MemoryError) -> Bool {
    effects.value.changes += 1
    return try transaction.delete(id)
  }
}
