/// What an agent does with its memory, in one domain: a runtime that takes `any AgentMemory` can be tested with a double.
///
/// `DomainMemory` conforms to it and documents the verbs. Not among them are `write`, whose batch exists in a store only, and
/// `changes`: a test of those uses a store in memory.
public protocol AgentMemory: Sendable {
  /// The domain.
  var name: String { get }

  // MARK: Record

  /// As the verb of this name of `DomainMemory`.
  @discardableResult
  func begin(
    _ taskType: TaskType, context: String, session: String?, metadata: JSON, id: Episode.ID?, idempotencyKey: String?
  ) async throws(MemoryError) -> Episode
  /// As the verb of this name of `DomainMemory`.
  @discardableResult
  func append(_ step: Step.Draft, to id: Episode.ID, idempotencyKey: String?) async throws(MemoryError) -> Step
  /// As the verb of this name of `DomainMemory`.
  @discardableResult
  func append(_ steps: [Step.Draft], to id: Episode.ID, idempotencyKey: String?) async throws(MemoryError) -> [Step]
  /// As the verb of this name of `DomainMemory`.
  @discardableResult
  func complete(_ id: Episode.ID, successRate: Double?) async throws(MemoryError) -> Episode
  /// As the verb of this name of `DomainMemory`.
  @discardableResult
  func fail(_ id: Episode.ID, successRate: Double?) async throws(MemoryError) -> Episode
  /// As the verb of this name of `DomainMemory`.
  @discardableResult
  func archive(_ id: Episode.ID) async throws(MemoryError) -> Episode
  /// As the verb of this name of `DomainMemory`.
  @discardableResult
  func reopen(_ id: Episode.ID) async throws(MemoryError) -> Episode
  /// As the verb of this name of `DomainMemory`.
  @discardableResult
  func update(_ id: Episode.ID, with change: Episode.Change) async throws(MemoryError) -> Episode
  /// As the verb of this name of `DomainMemory`.
  @discardableResult
  func delete(_ id: Episode.ID) async throws(MemoryError) -> Bool

  // MARK: Read and recall

  /// As the verb of this name of `DomainMemory`.
  func episode(_ id: Episode.ID, steps selection: StepSelection) async throws(MemoryError) -> Episode?
  /// As the verb of this name of `DomainMemory`.
  func episodes(_ ids: [Episode.ID], steps selection: StepSelection) async throws(MemoryError) -> [Episode]
  /// As the verb of this name of `DomainMemory`.
  func episodes(
    _ filter: Episode.Filter, after cursor: Episode.Page.Cursor?, limit: Int, steps selection: StepSelection
  ) async throws(MemoryError) -> Episode.Page
  /// As the verb of this name of `DomainMemory`.
  func steps(of id: Episode.ID, after number: Int?, limit: Int) async throws(MemoryError) -> Step.Page
  /// As the verb of this name of `DomainMemory`.
  func recall(_ query: Query) async throws(MemoryError) -> [Hit]
  /// As the verb of this name of `DomainMemory`.
  func recall(_ text: String, filter: Episode.Filter, limit: Int) async throws(MemoryError) -> [Hit]
  /// As the verb of this name of `DomainMemory`.
  func search(_ query: Query) async throws(MemoryError) -> [SearchHit]

  // MARK: Patterns

  /// As the verb of this name of `DomainMemory`.
  @discardableResult
  func record(_ draft: Pattern.Draft, from episode: Episode.ID) async throws(MemoryError) -> Pattern
  /// As the verb of this name of `DomainMemory`.
  @discardableResult
  func link(_ pattern: Pattern.ID, to episode: Episode.ID) async throws(MemoryError) -> Bool
  /// As the verb of this name of `DomainMemory`.
  @discardableResult
  func unlink(_ pattern: Pattern.ID, from episode: Episode.ID) async throws(MemoryError) -> Bool
  /// As the verb of this name of `DomainMemory`.
  @discardableResult
  func markUsed(_ id: Pattern.ID, succeeded: Bool?) async throws(MemoryError) -> Pattern
  /// As the verb of this name of `DomainMemory`.
  @discardableResult
  func delete(pattern id: Pattern.ID) async throws(MemoryError) -> Bool
  /// As the verb of this name of `DomainMemory`.
  func pattern(_ type: PatternType, data: JSON) async throws(MemoryError) -> Pattern?
  /// As the verb of this name of `DomainMemory`.
  func patterns(_ filter: Pattern.Filter) async throws(MemoryError) -> [Pattern]
  /// As the verb of this name of `DomainMemory`.
  func patterns(of episode: Episode.ID) async throws(MemoryError) -> [Pattern]

  // MARK: Embeddings

  /// As the verb of this name of `DomainMemory`.
  @discardableResult
  func embed(_ draft: Embedding.Draft, replacing: Bool) async throws(MemoryError) -> Embedding
  /// As the verb of this name of `DomainMemory`.
  @discardableResult
  func embed(_ drafts: [Embedding.Draft], replacing: Bool) async throws(MemoryError) -> [Embedding]
  /// As the verb of this name of `DomainMemory`.
  @discardableResult
  func delete(embedding id: Embedding.ID) async throws(MemoryError) -> Bool
  /// As the verb of this name of `DomainMemory`.
  func embeddings(of episode: Episode.ID) async throws(MemoryError) -> [Embedding]
}
