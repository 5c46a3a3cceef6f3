extension Memory {
  /// The embedding spaces of the store, by model and length.
  package func embeddingSpaces() async throws(MemoryError) -> [EmbeddingSpace] {
    try await primary.read { snapshot throws(MemoryError) in try snapshot.spaces() }
  }

  /// Adds the vector of an episode or of one of its steps.
  ///
  /// - Parameter replacing: Whether to delete earlier vectors of the same episode, step and model.
  /// - Throws: `.invalid` for a vector that is empty, all zero, or not finite; `.notFound` if the episode, or the step in it,
  ///   does not exist; `.dimensionMismatch` if the model's other vectors have another length (I6).
  @discardableResult
  public func embed(_ draft: Embedding.Draft, replacing: Bool = false) async throws(MemoryError) -> Embedding {
    try await embed(draft, replacing: replacing, in: .everything)
  }

  func embed(_ draft: Embedding.Draft, replacing: Bool, in scope: Query.Scope) async throws(MemoryError) -> Embedding {
    try await span("embed", scope) { () async throws(MemoryError) in
      try validation.draft(draft)
      let embedding = Embedding(draft, at: clock.now())
      return try await write(in: scope) { transaction throws(MemoryError) in
        try transaction.insert([embedding], replacing: replacing)
        return embedding
      }
    }
  }

  /// Adds vectors in one transaction: all of them or none. Returns after the index has followed, or after 200 ms of waiting
  /// for another process that holds the index.
  ///
  /// - Parameter replacing: Whether to delete earlier vectors of the same episodes, steps and models.
  /// - Throws: As for one.
  @discardableResult
  public func embed(
    _ drafts: [Embedding.Draft], replacing: Bool = false
  ) async throws(MemoryError) -> [Embedding] {
    try await embed(drafts, replacing: replacing, in: .everything)
  }

  func embed(
    _ drafts: [Embedding.Draft], replacing: Bool, in scope: Query.Scope
  ) async throws(MemoryError) -> [Embedding] {
    try await span("embed", scope) { () async throws(MemoryError) in
      try validation.drafts(drafts)
      let now = clock.now()
      let embeddings = drafts.map { Embedding($0, at: now) }
      guard !embeddings.isEmpty else { return [] }
      try await primary.write(in: scope) { transaction throws(MemoryError) in
        try transaction.insert(embeddings, replacing: replacing)
      }
      await follower.followAfterWrite()
      return embeddings
    }
  }

  /// Deletes a vector.
  ///
  /// - Returns: Whether it existed.
  @discardableResult
  public func delete(embedding id: Embedding.ID) async throws(MemoryError) -> Bool {
    try await delete(embedding: id, in: .everything)
  }

  func delete(embedding id: Embedding.ID, in scope: Query.Scope) async throws(MemoryError) -> Bool {
    try await write(in: scope) { transaction throws(MemoryError) in try transaction.delete(id) }
  }

  /// The vectors of an episode and its steps, in the order of insertion.
  public func embeddings(of episode: Episode.ID) async throws(MemoryError) -> [Embedding] {
    try await primary.embeddings(of: episode, in: .everything)
  }

  /// The vectors of a space in the order of insertion; pass the id of the last one to continue.
  ///
  /// - Parameter limit: 1...1,000.
  public func embeddings(
    in space: EmbeddingSpace, scope: Query.Scope, after id: Embedding.ID? = nil, limit: Int = 100
  ) async throws(MemoryError) -> [Embedding] {
    try validation.limit(limit, most: limits.results)
    return try await primary.embeddings(in: space, scope: scope, after: id, limit: limit)
  }
}

extension Embedding {
  init(_ draft: Draft, at now: Timestamp) {
    self.init(
      id: .generate(at: now), episodeID: draft.episodeID, stepID: draft.stepID, content: draft.content,
      vector: draft.vector, model: draft.model.canonicallyComposed, createdAt: now)
  }
}
