import EpisodicMemory
import Synchronization
import VectorIndex

/// Bounds of one step of building or following.
///
/// In bytes, since a row may have ten or a million. A step holds its input about five times before it commits: in arrays
/// that grew by doubling, as sorted postings, as the encoded segment, and in LMDB's dirty pages. So 8 MiB of input stay
/// below 64 MiB.
struct StepBudget: Sendable {
  /// Of episodes or steps; with the bytes a bound of the time that a step takes.
  var rows = 8192
  var vectors = VectorTable.slabCapacity
  /// Of tokens, terms and encoded vectors, see `IndexBatch.byteCount`. A single row may be larger.
  var bytes = LMDBSearchIndex.stepBytes

  /// For a single change, which cannot be divided.
  static let unlimited = StepBudget(rows: .max, vectors: .max, bytes: .max)

  func limit(for table: IndexedTable) -> Int { table == .vectors ? vectors : rows }
}

/// How many changes the next step of following reads.
///
/// The size of the rows behind a change is known only when they are read. A batch that exceeds the budget is cut; later
/// steps begin with the count that fitted, so that not each of them reads too much first.
final class AdaptiveBatchSize: Sendable {
  let maximum: Int
  private let current: Atomic<Int>

  init(maximum: Int) {
    self.maximum = maximum
    current = Atomic(maximum)
  }

  var count: Int { current.load(ordering: .relaxed) }

  /// Adapts to a batch that was applied.
  ///
  /// - Parameter share: The part of the budget that it used, 0...1.
  /// - Parameter wasCut: Whether it is a part of a batch that did not fit.
  func fitted(_ count: Int, share: Double, wasCut: Bool) {
    let next = wasCut ? count : share < 0.25 ? self.count * 2 : self.count
    current.store(min(max(next, 1), maximum), ordering: .relaxed)
  }

  /// The size to try after one that did not fit.
  ///
  /// - Parameter fitting: Rows that fitted, of `rows` that the batch has.
  static func smaller(than count: Int, fitting: Int, of rows: Int) -> Int {
    let share = Double(fitting) / Double(max(rows, 1))
    return max(1, min(count / 2, Int((Double(count) * share * 0.75).rounded(.down))))
  }
}
