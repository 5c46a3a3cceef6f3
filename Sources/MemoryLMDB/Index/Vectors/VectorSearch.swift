import LMDB
import Vectors

/// Finds the vectors nearest to a query among those that pass a filter, in one snapshot of the index.
///
/// A cascade, each stage reading more of fewer vectors: the first words of the sign bits of all; all sign bits of the best
/// percent; a byte a component of the best few hundred; and, by the caller, float32 of the last few. How many pass a stage
/// depends on how many came in and on how many are wanted, so that a narrow filter makes a search faster and never its
/// answer shorter. Everything is counted exactly, ties included: the answer does not depend on how vectors are spread over
/// slabs.
///
/// Sign bits compare directions. Where lengths matter to the metric and differ, or a vector has too few components for its
/// signs to tell much, the bytes of all are compared instead.
///
/// What passes — `VectorSearch+Filtering`; which rows — `VectorSearch+Cascade`; how alike — `VectorSearch+Bytes`.
struct VectorSearch {
  let query: CodeQuery
  let metric: Metric
  let queryNorm: Double
  let filter: AttributeFilter
  let epoch: UInt64
  let instructions = InstructionSet.best

  /// A slab and where its vectors lie among those of all slabs.
  struct Segment {
    let slab: SlabView
    let start: Int
    /// A byte a vector, in the scratch memory of the search; `nil` where all pass the filter.
    let mask: UnsafeBufferPointer<UInt8>?
    /// Of its vectors, how many pass the filter.
    let admitted: Int

    var end: Int { start + slab.count }
    var base: UInt32 { UInt32(truncatingIfNeeded: start) }
  }

  /// The vectors that pass, as far as they may be among the nearest.
  ///
  /// - Parameter wanted: How many of the nearest the caller needs; finds several times as many, to be compared exactly.
  func candidates(
    _ slabs: [SlabView], lengthsDiffer: Bool, wanted: Int, _ scratch: VectorScratch
  ) -> VectorCandidates {
    let all = slabs.reduce(0) { $0 + $1.count }
    scratch.reserve(all)
    let segments = segments(slabs, scratch)
    let total = segments.reduce(0) { $0 + $1.admitted }
    let effort = Effort(total: total, wanted: wanted)
    let comparesDirections = metric == .cosine || !lengthsDiffer
    let count =
      if total <= effort.rows {
        list(segments, scratch)
      } else if comparesDirections && query.layout.dimensions >= Self.fewDimensions {
        cascade(segments, effort, total: total, of: all, scratch)
      } else {
        scanBytes(segments, effort, scratch)
      }
    let rows = UnsafeBufferPointer(rebasing: scratch.rows[..<count])
    return VectorCandidates(estimates(rows, segments, scratch), self, segments, areAll: count == total)
  }

  /// Below that, sign bits are too few to rank by.
  private static let fewDimensions = 128

  /// Calls `body` with the places in `rows`, which ascend, that belong to each segment.
  static func forEachSegment(
    _ segments: [Segment], _ rows: UnsafeBufferPointer<UInt32>, _ body: (Segment, Range<Int>) -> Void
  ) {
    var place = 0
    for segment in segments {
      let start = place
      while place < rows.count, Int(rows[place]) < segment.end { place += 1 }
      if place > start { body(segment, start..<place) }
    }
  }
}
