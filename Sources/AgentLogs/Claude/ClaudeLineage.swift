import ByteCoding
import EpisodicMemory

/// Which records of a log of Claude Code lead to its end.
///
/// Records form a tree: a conversation that is taken back to an earlier place goes on from there, and what had followed stays
/// in the log as a branch that leads nowhere.
struct ClaudeLineage {
  private var parents: [UInt64: UInt64] = [:]
  private var last: UInt64?
  private var live: Set<UInt64> = []
  /// Of records that are not live: whether their line begins at one that is.
  private var branches: [UInt64: Bool] = [:]

  /// Notes a line of the log.
  mutating func note(_ line: [UInt8]) {
    guard
      let values = LineMembers.values(["uuid", "parentUuid", "logicalParentUuid", "type", "isSidechain"], in: line),
      let id = values[0].map(Self.digest)
    else { return }
    // `null` is no parent, and not the name of one.
    if let parent = [values[1], values[2]].compactMap({ $0 }).first(where: { $0 != "null" }) {
      parents[id] = Self.digest(parent)
    }
    if values[3] == "user" || values[3] == "assistant", values[4] != "true" { last = id }
  }

  /// After the last line.
  mutating func close() {
    var next = last
    while let id = next, live.insert(id).inserted { next = parents[id] }
  }

  /// Whether a record is on a branch that was left: it comes from a record that leads to the end, and does not lead there. What
  /// has lost its origin, as in a log that was cut, is not.
  mutating func isAbandoned(_ uuid: String) -> Bool {
    var path: [UInt64] = []
    var next: UInt64? = Self.digest(uuid)
    var isBranch = false
    while let id = next {
      if live.contains(id) {
        isBranch = !path.isEmpty
        break
      }
      if let known = branches[id] {
        isBranch = known
        break
      }
      // So that a circle ends.
      branches[id] = false
      path.append(id)
      next = parents[id]
    }
    for id in path { branches[id] = isBranch }
    return isBranch
  }

  private static func digest(_ uuid: String) -> UInt64 { Checksum.of(uuid, seed: 0) }
}
