import Synchronization

/// How many changes one step of following tries to take in.
///
/// What the rows behind a change weigh is known only when they are read. A batch that turns out too heavy is given up and
/// taken in parts; the next steps begin with what fitted, so that not each of them reads too much first.
final class AdaptiveBatchSize: Sendable {
  let most: Int
  private let current: Atomic<Int>

  init(most: Int) {
    self.most = most
    current = Atomic(most)
  }

  var count: Int { current.load(ordering: .relaxed) }

  /// Told of a batch that was taken in.
  ///
  /// - Parameter share: How much it took of what a step may take: 0 for nothing, 1 for all of it.
  /// - Parameter wasCut: Whether it is a part of one that did not fit.
  func fitted(_ count: Int, share: Double, wasCut: Bool) {
    let next = wasCut ? count : share < 0.25 ? self.count * 2 : self.count
    current.store(min(max(next, 1), most), ordering: .relaxed)
  }

  /// The size to try after one that did not fit.
  ///
  /// - Parameter taken: Rows that fitted, of `rows` that the batch names.
  static func smaller(than count: Int, taken: Int, of rows: Int) -> Int {
    let share = Double(taken) / Double(max(rows, 1))
    return max(1, min(count / 2, Int((Double(count) * share * 0.75).rounded(.down))))
  }
}
