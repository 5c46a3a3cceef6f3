public import struct Foundation.TimeZone

extension Memory {
  /// A handle whose every verb stays in one domain: what a runtime hands to an agent (I8). Costs nothing; needs no closing.
  public func domain(_ name: String) -> DomainMemory { DomainMemory(name, of: self) }
}

/// A memory of which only one domain is seen and changed (I8).
///
/// The verbs are those of `Memory`, without a scope. An id of another domain is one that does not exist: the same `nil`, `false`
/// or `.notFound`, in the same words. A verb that writes decides that in the transaction in which it writes.
///
/// Ids are unique in the store. Who begins or inserts an episode under an id that another domain uses is told that the id is
/// taken, as if it were taken in this domain, and nothing more. So name ids that cannot be guessed, or leave them to the engine.
public struct DomainMemory: AgentMemory {
  /// The domain, in Unicode normalisation form C.
  public let name: String
  let memory: Memory
  var scope: Query.Scope { .domain(name) }

  init(_ name: String, of memory: Memory) {
    self.name = name.canonicallyComposed
    self.memory = memory
  }
}

// MARK: - Reading

extension DomainMemory {
  /// As `Memory.episode(_:steps:)`, from the same cache.
  public func episode(
    _ id: Episode.ID, steps selection: StepSelection = .all
  ) async throws(MemoryError) -> Episode? {
    guard let episode = try await memory.episode(id, steps: selection), scope.includes(episode.domain) else {
      return nil
    }
    return episode
  }

  /// As `Memory.episodes(_:steps:)`, from the same cache.
  public func episodes(
    _ ids: [Episode.ID], steps selection: StepSelection = .all
  ) async throws(MemoryError) -> [Episode] {
    try await memory.episodes(ids, steps: selection).filter { scope.includes($0.domain) }
  }

  /// As `Memory.episodes(_:in:after:limit:steps:)`.
  public func episodes(
    _ filter: Episode.Filter = .init(), after cursor: Episode.Page.Cursor? = nil, limit: Int = 50,
    steps selection: StepSelection = .all
  ) async throws(MemoryError) -> Episode.Page {
    try await memory.episodes(filter, in: scope, after: cursor, limit: limit, steps: selection)
  }

  /// As `Memory.steps(of:after:limit:)`.
  public func steps(
    of id: Episode.ID, after number: Int? = nil, limit: Int = 100
  ) async throws(MemoryError) -> Step.Page {
    try await memory.steps(of: id, in: scope, after: number, limit: limit)
  }

  /// As `Memory.recall(_:)`.
  ///
  /// - Parameter query: Searches this domain if its scope is everything, and finds nothing if its scope is another domain.
  public func recall(_ query: Query) async throws(MemoryError) -> [Hit] {
    guard let query = narrowed(query) else { return [] }
    return try await memory.recall(query)
  }

  /// As `Memory.recall(_:neighbors:)`.
  ///
  /// - Parameter query: As for `recall(_:)`.
  public func recall(_ query: Query, neighbors: Int) async throws(MemoryError) -> [Hit] {
    guard let query = narrowed(query) else { return [] }
    return try await memory.recall(query, neighbors: neighbors)
  }

  /// As `Memory.recall(_:tokens:)`.
  ///
  /// - Parameter query: As for `recall(_:)`.
  public func recall(_ query: Query, tokens: Int) async throws(MemoryError) -> FittedHits {
    guard let query = narrowed(query) else { return FittedHits(elements: [], omitted: FittedHits.Omitted()) }
    return try await memory.recall(query, tokens: tokens)
  }

  /// The episodes that match a text, best first.
  public func recall(
    _ text: String, filter: Episode.Filter = .init(), limit: Int = 10
  ) async throws(MemoryError) -> [Hit] {
    try await memory.recall(Query(text: text, scope: scope, filter: filter, limit: limit))
  }

  /// As `Memory.search(_:)`.
  ///
  /// - Parameter query: As for `recall(_:)`.
  public func search(_ query: Query) async throws(MemoryError) -> [SearchHit] {
    guard let query = narrowed(query) else { return [] }
    return try await memory.search(query)
  }

  private func narrowed(_ query: Query) -> Query? {
    guard query.scope.includes(name) else { return nil }
    var query = query
    query.scope = scope
    return query
  }

  /// The pattern of this domain with this type and equal data.
  public func pattern(_ type: PatternType, data: JSON) async throws(MemoryError) -> Pattern? {
    try await memory.pattern(type, data: data, in: name)
  }

  /// As `Memory.patterns(_:in:)`.
  public func patterns(_ filter: Pattern.Filter = .init()) async throws(MemoryError) -> [Pattern] {
    try await memory.patterns(filter, in: scope)
  }

  /// As `Memory.patterns(of:)`.
  public func patterns(of episode: Episode.ID) async throws(MemoryError) -> [Pattern] {
    try await memory.primary.patterns(of: episode, in: scope)
  }

  /// As `Memory.embeddings(of:)`.
  public func embeddings(of episode: Episode.ID) async throws(MemoryError) -> [Embedding] {
    try await memory.primary.embeddings(of: episode, in: scope)
  }

  /// As `Memory.sessions(in:after:limit:)`.
  public func sessions(
    after cursor: Episode.Page.Cursor? = nil, limit: Int = 50
  ) async throws(MemoryError) -> SessionSummary.Page {
    try await memory.sessions(in: scope, after: cursor, limit: limit)
  }

  /// As `Memory.analytics(since:until:by:in:timeZone:)`. The cache serves all domains, so that its figures are left out.
  public func analytics(
    since: Timestamp? = nil, until: Timestamp? = nil, by dimension: Analytics.Dimension? = nil,
    timeZone: TimeZone = .current
  ) async throws(MemoryError) -> Analytics {
    try await memory.analytics(since: since, until: until, by: dimension, in: scope, timeZone: timeZone)
  }

  /// As `Memory.changes(after:in:)`.
  public func changes(after cursor: MemoryChange.Cursor?) -> MemoryChanges { memory.changes(after: cursor, in: scope) }

  /// As `Memory.changeCursor()`. A cursor is a place in the history of the whole store.
  public func changeCursor() async throws(MemoryError) -> MemoryChange.Cursor { try await memory.changeCursor() }

  /// As `Memory.audit(after:in:limit:)`: the records of what was in this domain alone. Between their numbers lie those of others.
  public func audit(after number: Int64 = 0, limit: Int = 100) async throws(MemoryError) -> [AuditRecord] {
    try await memory.audit(after: number, in: scope, limit: limit)
  }

  /// As `Memory.embeddings(in:scope:after:limit:)`.
  public func embeddings(
    in space: EmbeddingSpace, after id: Embedding.ID? = nil, limit: Int = 100
  ) async throws(MemoryError) -> [Embedding] {
    try await memory.embeddings(in: space, scope: scope, after: id, limit: limit)
  }
}
