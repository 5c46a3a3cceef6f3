/// What an agent does with its memory, in one domain: a runtime that takes `any AgentMemory` can be tested with a double.
///
/// `DomainMemory` conforms to it and documents the verbs. Its `write` is not among them: what it lends exists in a store only, so
/// a test of that uses a store.
public protocol AgentMemory: Sendable {
  /// The domain.
  var name: String { get }

  // MARK: Record

  @discardableResult
  func begin(
    _ taskType: TaskType, context: String, session: String?, metadata: JSON, id: Episode.ID?, idempotencyKey: String?
  ) async throws(MemoryError) -> Episode
  @discardableResult
  func append(_ step: Step.Draft, to id: Episode.ID, idempotencyKey: String?) async throws(MemoryError) -> Step
  @discardableResult
  func append(_ steps: [Step.Draft], to id: Episode.ID, idempotencyKey: String?) async throws(MemoryError) -> [Step]
  @discardableResult
  func complete(_ id: Episode.ID, successRate: Double?) async throws(MemoryError) -> Episode
  @discardableResult
  func fail(_ id: Episode.ID, successRate: Double?) async throws(MemoryError) -> Episode
  @discardableResult
  func archive(_ id: Episode.ID) async throws(MemoryError) -> Episode
  @discardableResult
  func reopen(_ id: Episode.ID) async throws(MemoryError) -> Episode
  @discardableResult
  func update(_ id: Episode.ID, with change: Episode.Change) async throws(MemoryError) -> Episode
  @discardableResult
  func delete(_ id: Episode.ID) async throws(MemoryError) -> Bool

  // MARK: Read and recall

  func episode(_ id: Episode.ID) async throws(MemoryError) -> Episode?
  func episodes(
    _ filter: Episode.Filter, after cursor: Episode.Page.Cursor?, limit: Int
  ) async throws(MemoryError) -> Episode.Page
  func recall(_ query: Query) async throws(MemoryError) -> [Hit]
  func recall(_ text: String, filter: Episode.Filter, limit: Int) async throws(MemoryError) -> [Hit]
  func search(_ query: Query) async throws(MemoryError) -> [SearchHit]

  // MARK: Patterns

  @discardableResult
  func record(_ draft: Pattern.Draft, from episode: Episode.ID) async throws(MemoryError) -> Pattern
  @discardableResult
  func link(_ pattern: Pattern.ID, to episode: Episode.ID) async throws(MemoryError) -> Bool
  @discardableResult
  func unlink(_ pattern: Pattern.ID, from episode: Episode.ID) async throws(MemoryError) -> Bool
  @discardableResult
  func markUsed(_ id: Pattern.ID, succeeded: Bool?) async throws(MemoryError) -> Pattern
  @discardableResult
  func delete(pattern id: Pattern.ID) async throws(MemoryError) -> Bool
  func pattern(_ type: PatternType, data: JSON) async throws(MemoryError) -> Pattern?
  func patterns(_ filter: Pattern.Filter) async throws(MemoryError) -> [Pattern]
  func patterns(of episode: Episode.ID) async throws(MemoryError) -> [Pattern]

  // MARK: Embeddings

  @discardableResult
  func embed(_ draft: Embedding.Draft, replacing: Bool) async throws(MemoryError) -> Embedding
  @discardableResult
  func embed(_ drafts: [Embedding.Draft], replacing: Bool) async throws(MemoryError) -> [Embedding]
  @discardableResult
  func delete(embedding id: Embedding.ID) async throws(MemoryError) -> Bool
  func embeddings(of episode: Episode.ID) async throws(MemoryError) -> [Embedding]
}
