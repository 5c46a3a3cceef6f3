import Episodic

/// Records a command into an episode that other recorders may be writing to at the same time.
struct Recorder {
  let memory: Memory

  /// The episode to record into, before the command runs.
  ///
  /// - Parameter id: `nil` begins a new one.
  /// - Parameter draft: The episode to begin; `nil` if it must exist.
  /// - Parameter describes: Whether the call has a context or a session, which an episode that exists would ignore.
  /// - Returns: Its id, and whether this call began it.
  /// - Throws: `.invalid` if the episode does not exist and there is no draft, or if it is of another domain (I8).
  func prepare(
    _ id: Episode.ID?, _ draft: Episode.Draft?, describes: Bool = false
  ) async throws(MemoryError) -> (id: Episode.ID, isNew: Bool) {
    if let id, let episode = try await memory.episode(id) {
      guard draft == nil || draft?.domain == episode.domain else {
        throw MemoryError(
          .invalid,
          "episode \"\(id)\" belongs to another domain; leave --task and --domain out, or record elsewhere")
      }
      guard !describes else {
        throw MemoryError(
          .invalid,
          "episode \"\(id)\" exists and keeps its context and session; leave --context and --session out, or use update"
        )
      }
      return (id, false)
    }
    guard let draft else {
      throw MemoryError(
        .invalid, "no episode \"\(id?.rawValue ?? "")\" to continue; give --task and --domain to begin it")
    }
    do throws(MemoryError) {
      return (try await memory.begin(draft).id, true)
    } catch let error where error.code == .conflict {
      // Another recorder began the same id first, perhaps in another domain.
      guard id != nil else { throw error }
      return try await prepare(id, draft, describes: describes)
    }
  }

  /// Deletes an episode whose command could not be started, unless another recorder has added a step.
  func withdraw(_ id: Episode.ID) async throws(MemoryError) {
    if let episode = try await memory.episode(id), episode.steps.isEmpty { try await memory.delete(id) }
  }

  /// Appends a step and ends the episode by its success, or leaves it open, in one commit.
  ///
  /// An episode that has ended, before or meanwhile, is reopened: the last command decides its status.
  ///
  /// - Parameter facts: Where the command ran, for the metadata.
  func record(
    _ draft: Step.Draft, in id: Episode.ID, succeeded: Bool, keepOpen: Bool, facts: JSON?
  ) async throws(MemoryError) -> (step: Step, episode: Episode) {
    try await memory.write { batch in
      guard let before = try batch.episode(id) else {
        throw MemoryError(.notFound, "episode \"\(id)\" was deleted while it was recorded")
      }
      if before.status != .active { _ = try batch.reopen(id) }
      let step = try batch.append(draft, to: id)
      var episode: Episode?
      if let facts, case .object(var metadata) = before.metadata, RecordEnvironment.maySet(metadata) {
        metadata[RecordEnvironment.member] = facts
        episode = try batch.update(id, with: Episode.Change(metadata: .object(metadata)))
      }
      if !keepOpen { episode = succeeded ? try batch.complete(id) : try batch.fail(id) }
      if episode == nil { episode = try batch.episode(id) }
      return (step, episode ?? before)
    }
  }
}
