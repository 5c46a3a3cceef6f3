import Dispatch
import Synchronization

/// Truncates a log that has grown, once nobody has committed for some seconds.
///
/// While commits come, a file of the length that the log reaches between two checkpoints saves the disk from making it again.
final class QuietLog: Sendable {
  private struct State {
    var isArmed = false
    /// Commits at the last look.
    var seen = 0
    var isRetired = false
    var shrink: @Sendable () -> Void = {}
  }

  static let patience = DispatchTimeInterval.seconds(5)
  /// Frames of a log that is worth it: those of `FileMaintenance.shortLog`.
  private static let frames = 1024

  private let queue = DispatchQueue(label: "episodic.quiet-log", qos: .utility)
  private let state = Mutex(State())
  private let commits = Atomic(0)
  private let longest = Atomic(0)

  /// - Parameter shrink: Called on a queue of its own. The timer must not keep what it shrinks.
  func onQuiet(_ shrink: @escaping @Sendable () -> Void) { state.withLock { $0.shrink = shrink } }

  /// Called after each commit, with the frames that are in the log.
  func committed(frames: Int) {
    commits.add(1, ordering: .relaxed)
    if frames > longest.load(ordering: .relaxed) { longest.store(frames, ordering: .relaxed) }
    guard longest.load(ordering: .relaxed) >= Self.frames else { return }
    let arms = state.withLock { state in
      guard !state.isArmed, !state.isRetired else { return false }
      state.isArmed = true
      state.seen = commits.load(ordering: .relaxed)
      return true
    }
    if arms { look() }
  }

  func retire() { state.withLock { $0.isRetired = true } }

  private func look() {
    queue.asyncAfter(deadline: .now() + Self.patience) { [weak self] in self?.shrinkIfQuiet() }
  }

  private func shrinkIfQuiet() {
    let now = commits.load(ordering: .relaxed)
    let isQuiet = state.withLock { state in
      defer { state.seen = now }
      return state.seen == now
    }
    guard isQuiet else { return look() }
    longest.store(0, ordering: .relaxed)
    let shrink = state.withLock { state in
      state.isArmed = false
      return state.isRetired ? nil : state.shrink
    }
    shrink?()
  }
}
