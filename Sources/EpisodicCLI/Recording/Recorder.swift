import Episodic

/// Records a command into an episode that other recorders may be writing to at the same time.
struct Recorder {
  /// Attempts before an error, if other recorders keep ending the episode.
  private static let maximumAttempts = 100

  let memory: Memory

  /// The episode to record into, before the command runs.
  ///
  /// - Parameter id: `nil` begins a new one.
  /// - Parameter draft: The episode to begin; `nil` if it must exist.
  /// - Returns: Its id, and whether this call began it.
  /// - Throws: `.invalid` if the episode does not exist and there is no draft, or if it is of another domain (I8).
  func prepare(_ id: Episode.ID?, _ draft: Episode.Draft?) async throws(MemoryError) -> (id: Episode.ID, isNew: Bool) {
    if let id, let episode = try await memory.episode(id) {
      guard draft == nil || draft?.domain == episode.domain else {
        throw MemoryError(
          .invalid,
          "episode \"\(id)\" belongs to another domain; leave --task and --domain out, or record elsewhere")
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
      return try await prepare(id, draft)
    }
  }

  /// Deletes an episode whose command could not be started, unless another recorder has added a step.
  func withdraw(_ id: Episode.ID) async throws(MemoryError) {
    if let episode = try await memory.episode(id), episode.steps.isEmpty { try await memory.delete(id) }
  }

  /// Appends a step and ends the episode by its success, or leaves it open.
  ///
  /// An episode that has ended, before or meanwhile, is reopened: the last command decides its status.
  func record(
    _ draft: Step.Draft, in id: Episode.ID, succeeded: Bool, keepOpen: Bool
  ) async throws(MemoryError) -> (step: Step, episode: Episode) {
    let step = try await whileActive(id) { memory async throws(MemoryError) in try await memory.append(draft, to: id) }
    if keepOpen {
      guard let episode = try await memory.episode(id) else {
        throw MemoryError(.notFound, "episode \"\(id)\" was deleted while it was recorded")
      }
      return (step, episode)
    }
    let episode = try await whileActive(id) { memory async throws(MemoryError) in
      succeeded ? try await memory.complete(id) : try await memory.fail(id)
    }
    return (step, episode)
  }

  private func whileActive<Value>(
    _ id: Episode.ID, _ change: (Memory) async throws(MemoryError) -> Value
  ) async throws(MemoryError) -> Value {
    for _ in 1..<Self.maximumAttempts {
      do throws(MemoryError) {
        return try await change(memory)
      } catch let error where error.code == .conflict {
        do throws(MemoryError) {
          _ = try await memory.reopen(id)
        } catch let error where error.code == .conflict {
          // Active again already: another recorder opened it.
        }
      }
    }
    return try await change(memory)
  }
}
