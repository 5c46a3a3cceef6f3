extension DomainMemory {
  /// The verbs of a domain that write, in one transaction that `DomainMemory.write` lends to its body. It cannot leave the body.
  public struct Batch: ~Copyable {
    private let batch: Memory.Batch
    private let domain: String

    init(_ batch: consuming Memory.Batch, domain: String) {
      self.batch = batch
      self.domain = domain
    }
  }
}

// MARK: - Episodes

extension DomainMemory.Batch {
  /// As `DomainMemory.begin`.
  @discardableResult
  public func begin(
    _ taskType: TaskType, context: String, session: String? = nil, metadata: JSON = [:], id: Episode.ID? = nil,
    idempotencyKey key: String? = nil
  ) throws(MemoryError) -> Episode {
    try batch.begin(
      Episode.Draft(taskType, domain: domain, context: context, session: session, metadata: metadata, id: id),
      idempotencyKey: key)
  }

  /// As `DomainMemory.begin` of an episode that says where it comes from.
  @discardableResult
  public func begin(
    _ taskType: TaskType, context: String, from provenance: Provenance, parents: [Episode.ID] = [],
    session: String? = nil, metadata: JSON = [:], id: Episode.ID? = nil, idempotencyKey key: String? = nil
  ) throws(MemoryError) -> Episode {
    let draft = Episode.Draft(
      taskType, domain: domain, context: context, session: session, metadata: metadata, id: id, provenance: provenance,
      parents: parents)
    return try batch.begin(draft, idempotencyKey: key)
  }

  /// As `DomainMemory.append(_:to:)` for one step.
  @discardableResult
  public func append(
    _ step: Step.Draft, to id: Episode.ID, idempotencyKey key: String? = nil
  ) throws(MemoryError) -> Step {
    try batch.append(step, to: id, idempotencyKey: key)
  }

  /// As `DomainMemory.append(_:to:)` for several steps.
  @discardableResult
  public func append(
    _ steps: [Step.Draft], to id: Episode.ID, idempotencyKey key: String? = nil
  ) throws(MemoryError) -> [Step] {
    try batch.append(steps, to: id, idempotencyKey: key)
  }

  /// As `DomainMemory.complete(_:successRate:)`.
  @discardableResult
  public func complete(_ id: Episode.ID, successRate: Double? = nil) throws(MemoryError) -> Episode {
    try batch.complete(id, successRate: successRate)
  }

  /// As `DomainMemory.fail(_:successRate:)`.
  @discardableResult
  public func fail(_ id: Episode.ID, successRate: Double? = nil) throws(MemoryError) -> Episode {
    try batch.fail(id, successRate: successRate)
  }

  /// As `DomainMemory.archive(_:)`.
  @discardableResult
  public func archive(_ id: Episode.ID) throws(MemoryError) -> Episode { try batch.archive(id) }

  /// As `DomainMemory.reopen(_:)`.
  @discardableResult
  public func reopen(_ id: Episode.ID) throws(MemoryError) -> Episode { try batch.reopen(id) }

  /// As `DomainMemory.update(_:with:)`.
  @discardableResult
  public func update(_ id: Episode.ID, with change: Episode.Change) throws(MemoryError) -> Episode {
    try batch.update(id, with: change)
  }

  /// As `DomainMemory.delete(_:)`.
  @discardableResult
  public func delete(_ id: Episode.ID) throws(MemoryError) -> Bool { try batch.delete(id) }

  /// As `DomainMemory.insert(_:embeddings:existing:)`.
  @discardableResult
  public func insert(
    _ episodes: [Episode], embeddings: [Embedding.Draft] = [], existing: Episode.ExistingPolicy = .fail
  ) throws(MemoryError) -> InsertionReport {
    try batch.insert(episodes, embeddings: embeddings, existing: existing)
  }

  /// The episode with its steps, as this batch has written it so far; `nil` if there is none.
  public func episode(_ id: Episode.ID) throws(MemoryError) -> Episode? { try batch.episode(id) }
}

// MARK: - Patterns and embeddings

extension DomainMemory.Batch {
  /// As `DomainMemory.record(_:from:)`.
  @discardableResult
  public func record(_ draft: Pattern.Draft, from episode: Episode.ID) throws(MemoryError) -> Pattern {
    try batch.record(draft, from: episode)
  }

  /// As `DomainMemory.link(_:to:)`.
  @discardableResult
  public func link(_ pattern: Pattern.ID, to episode: Episode.ID) throws(MemoryError) -> Bool {
    try batch.link(pattern, to: episode)
  }

  /// As `DomainMemory.unlink(_:from:)`.
  @discardableResult
  public func unlink(_ pattern: Pattern.ID, from episode: Episode.ID) throws(MemoryError) -> Bool {
    try batch.unlink(pattern, from: episode)
  }

  /// As `DomainMemory.markUsed(_:succeeded:)`.
  @discardableResult
  public func markUsed(_ id: Pattern.ID, succeeded: Bool? = nil) throws(MemoryError) -> Pattern {
    try batch.markUsed(id, succeeded: succeeded)
  }

  /// As `DomainMemory.delete(pattern:)`.
  @discardableResult
  public func delete(pattern id: Pattern.ID) throws(MemoryError) -> Bool { try batch.delete(pattern: id) }

  /// As `DomainMemory.embed(_:replacing:)` for one vector.
  @discardableResult
  public func embed(_ draft: Embedding.Draft, replacing: Bool = false) throws(MemoryError) -> Embedding {
    try batch.embed(draft, replacing: replacing)
  }

  /// As `DomainMemory.embed(_:replacing:)` for several vectors.
  @discardableResult
  public func embed(_ drafts: [Embedding.Draft], replacing: Bool = false) throws(MemoryError) -> [Embedding] {
    try batch.embed(drafts, replacing: replacing)
  }

  /// As `DomainMemory.delete(embedding:)`.
  @discardableResult
  public func delete(embedding id: Embedding.ID) throws(MemoryError) -> Bool { try batch.delete(embedding: id) }
}
