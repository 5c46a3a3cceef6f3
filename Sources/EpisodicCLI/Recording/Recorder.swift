import Episodic

/// Puts what a command did into an episode that other recorders may be writing to at the same moment.
struct Recorder {
  /// Tries before giving up on an episode that others keep changing; each of them gets its turn between two tries.
  private static let maximumTries = 100

  let memory: Memory

  /// The episode to record into, before the command runs.
  ///
  /// - Parameter id: `nil` begins a new one.
  /// - Parameter draft: What to begin; `nil` where only an existing one will do.
  /// - Returns: Its id, and whether it was begun here.
  /// - Throws: `.invalid` where there is no such episode and nothing to begin it with, or it is of another domain (I8).
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
        .invalid, "no episode \"\(id?.rawValue ?? "")\" to go on with; give --task and --domain to begin it")
    }
    do throws(MemoryError) {
      return (try await memory.begin(draft).id, true)
    } catch let error where error.code == .conflict {
      // Another recorder was faster with the same id; what it began may be of another domain.
      guard id != nil else { throw error }
      return try await prepare(id, draft)
    }
  }

  /// Takes back an episode whose command could not be started, unless somebody else has gone on with it.
  func withdraw(_ id: Episode.ID) async throws(MemoryError) {
    if let episode = try await memory.episode(id), episode.steps.isEmpty { try await memory.delete(id) }
  }

  /// Appends a step and ends the episode by its success, or leaves it open.
  ///
  /// An episode that has ended, before or meanwhile, is opened again: the last command decides how it ends.
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
    for _ in 1..<Self.maximumTries {
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
