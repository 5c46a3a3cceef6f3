package import EpisodicMemory

/// A coding agent whose events and logs are known; the raw value is its name in episodes.
package enum AgentClient: String, CaseIterable, Sendable {
  case claude = "claude-code"
  case codex

  /// Bytes from which on the id of a turn names it by itself, as a UUID does.
  private static let uniqueBytes = 32

  /// The id of the episode of a turn: the same for an event that is delivered twice, and for the log of the same turn.
  ///
  /// - Parameter turn: What the client calls the turn or the prompt. A log that is copied for a new session keeps it.
  package func episode(session: String, turn: String) -> Episode.ID {
    let names: JSON =
      turn.utf8.count >= Self.uniqueBytes
      ? [.string(rawValue), .string(turn)] : [.string(rawValue), .string(session), .string(turn)]
    return Episode.ID("turn-" + names.canonicalHash.prefix(24))
  }

  /// The metadata of episodes. Learning counts by the member `agent`.
  package static func metadata(agent: String, directory: String?) -> JSON.Object {
    var members: JSON.Object = ["agent": .string(agent)]
    members["cwd"] = directory.map { .string($0.cut(toBytes: 4096)) }
    return members
  }
}
