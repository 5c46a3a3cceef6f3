import EpisodicMemory
import GRDB
import SQLiteStorage

extension SQLiteTransaction {
  /// A batch that replaces deletes only rows that existed before it; all of its own vectors are inserted.
  func insert(_ embeddings: [Embedding], replacing: Bool) throws(MemoryError) {
    try perform(grows: true) {
      try requireOwners(of: embeddings)
      if replacing { try deletePredecessors(of: embeddings) }
      var lengths = VectorLengths(scope, db)
      for embedding in embeddings { try lengths.require(embedding) }
      try EmbeddingRow.insert(embeddings, db)
      guard let audit else { return }
      for (episode, vectors) in Dictionary(grouping: embeddings, by: \.episodeID).sorted(by: {
        $0.key.rawValue < $1.key.rawValue
      }) {
        let domain = try auditDomain(of: episode)
        audit.noteNamed(.episode, episode.rawValue, AuditVerb.embed, in: domain)
        audit.note(AuditVerb.embed, in: domain, ["vectors": vectors.count])
      }
    }
  }

  func delete(_ id: Embedding.ID) throws(MemoryError) -> Bool {
    try perform {
      let owner = try audit.flatMap { _ in
        try String.fetchOne(
          db.cachedStatement(sql: "SELECT episode_id FROM embeddings WHERE id = ?"), arguments: [id.rawValue])
      }
      try db.cachedStatement(
        sql: """
          DELETE FROM embeddings WHERE id = ?1 AND (?2 IS NULL OR EXISTS (
              SELECT 1 FROM episodes e WHERE e.id = embeddings.episode_id AND e.domain = ?2))
          """
      ).execute(arguments: [id.rawValue, scope.onlyDomain])
      guard db.changesCount > 0 else { return false }
      if let audit, let owner {
        let domain = try auditDomain(of: Episode.ID(composed: owner))
        audit.noteNamed(.episode, owner, AuditVerb.deleteEmbedding, in: domain)
        audit.note(AuditVerb.deleteEmbedding, in: domain, ["vectors": 1])
      }
      return true
    }
  }

  /// Deletes the embeddings with the same episode, step and model.
  private func deletePredecessors(of embeddings: [Embedding]) throws {
    var deletion = try RawStatement(
      "DELETE FROM embeddings WHERE episode_id = ? AND step_id IS ? AND model_name = ?", db)
    for embedding in embeddings {
      try deletion.bind(embedding.episodeID.rawValue)
      try deletion.bind(embedding.stepID?.rawValue)
      try deletion.bind(embedding.model)
      try deletion.execute()
    }
  }

  /// - Throws: `.notFound` if an episode, or the step in it, does not exist.
  private func requireOwners(of embeddings: [Embedding]) throws {
    var episodes: Set<Episode.ID> = []
    var owners: [Step.ID: String?] = [:]
    for embedding in embeddings {
      if episodes.insert(embedding.episodeID).inserted, try !EpisodeRow.exists(embedding.episodeID, in: scope, db) {
        throw MemoryError.noEpisode(embedding.episodeID)
      }
      guard let step = embedding.stepID else { continue }
      let owner = try owners[step] ?? StepRow.episode(of: step, db)
      owners[step] = owner
      guard owner == embedding.episodeID.rawValue else {
        throw MemoryError(.notFound, "episode \"\(embedding.episodeID)\" has no step \"\(step)\"")
      }
    }
  }
}
