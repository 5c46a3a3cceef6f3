import Synchronization

/// Counts snapshots that were older than the index, one after another.
final class Refusals: Sendable {
  /// So many, of which each but those that waited together began after the one before.
  private static let enough = 8

  private struct State {
    var revision: Int64 = -1
    var count = 0
  }

  private let state = Mutex(State())

  /// Whether there have been enough at that revision of the index, which has not moved meanwhile.
  func isLast(at revision: Int64) -> Bool {
    state.withLock { state in
      state = State(revision: revision, count: state.revision == revision ? state.count + 1 : 1)
      guard state.count >= Self.enough else { return false }
      state.count = 0
      return true
    }
  }
}
