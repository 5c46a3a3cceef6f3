import GRDB
import Synchronization

/// Work on the writer's connection outside of a transaction, such as a checkpoint, in the order of its arrival.
///
/// The writer takes a piece of it after each commit, so that neither waits for the other without a bound.
final class ExclusiveWork: Sendable {
  struct Piece: Sendable {
    let run: @Sendable (Database, BusyHandler) -> Void
    let fail: @Sendable (any Error) -> Void
  }

  private let pieces = Mutex<[Piece]>([])
  private let count = Atomic(0)

  func add(_ piece: Piece) {
    pieces.withLock { $0.append(piece) }
    count.add(1, ordering: .releasing)
  }

  /// Costs an atomic read if there is none.
  func take() -> Piece? {
    guard count.load(ordering: .acquiring) > 0 else { return nil }
    return pieces.withLock { pieces in
      guard !pieces.isEmpty else { return nil }
      count.subtract(1, ordering: .releasing)
      return pieces.removeFirst()
    }
  }
}
