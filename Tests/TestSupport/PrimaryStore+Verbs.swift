package import EpisodicMemory

/// The verbs of a transaction, each in one of its own.
extension PrimaryStore {
  package func insert(_ episode: Episode) async throws(MemoryError) {
    _ = try await insert([episode], embeddings: [], existing: .fail)
  }

  package func insert(
    _ episodes: [Episode], embeddings: [Embedding], existing: Episode.ExistingPolicy
  ) async throws(MemoryError) -> InsertionReport {
    try await write(in: .everything) { transaction throws(MemoryError) in
      try transaction.insert(episodes, embeddings: embeddings, existing: existing)
    }
  }

  package func append(_ steps: [Step.Draft], to id: Episode.ID, at now: Timestamp) async throws(MemoryError) -> [Step] {
    try await append(steps, to: id, at: now, in: .everything)
  }

  package func apply(
    _ transition: Episode.Transition, to id: Episode.ID, at now: Timestamp
  ) async throws(MemoryError) -> Versioned<Episode> {
    try await write(in: .everything) { transaction throws(MemoryError) in
      try transaction.apply(transition, to: id, at: now)
    }
  }

  package func delete(_ id: Episode.ID) async throws(MemoryError) -> Bool {
    try await write(in: .everything) { transaction throws(MemoryError) in try transaction.delete(id) }
  }

  package func record(_ pattern: Pattern) async throws(MemoryError) -> Pattern {
    try await write(in: .everything) { transaction throws(MemoryError) in
      try transaction.record(pattern, earlierHash: nil, from: nil)
    }
  }

  package func link(_ pattern: Pattern.ID, to episode: Episode.ID) async throws(MemoryError) -> Bool {
    try await write(in: .everything) { transaction throws(MemoryError) in try transaction.link(pattern, to: episode) }
  }

  package func insert(_ embeddings: [Embedding], replacing: Bool) async throws(MemoryError) {
    try await write(in: .everything) { transaction throws(MemoryError) in
      try transaction.insert(embeddings, replacing: replacing)
    }
  }

  package func embeddings(of episode: Episode.ID) async throws(MemoryError) -> [Embedding] {
    try await embeddings(of: episode, in: .everything)
  }

  package func patterns(of episode: Episode.ID) async throws(MemoryError) -> [Pattern] {
    try await patterns(of: episode, in: .everything)
  }
}
