extension Memory {
  /// Inserts the episode that a run has become, in one transaction with the run's id, which the episode has.
  ///
  /// - Throws: `.invalid`; `.conflict` if an episode that is no run's has this id.
  package func consolidate(_ episode: Episode) async throws(MemoryError) -> Consolidation.Outcome {
    try validation.insertion(of: [episode], embeddings: [], in: .everything)
    let outcome = try await primary.write(in: .everything) { transaction throws(MemoryError) in
      try transaction.consolidate(episode)
    }
    if outcome == .inserted { follower.noteChanges(1) }
    return outcome
  }
}
