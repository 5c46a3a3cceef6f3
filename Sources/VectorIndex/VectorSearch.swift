import Heaps
import LMDB
import Synchronization
import Vectors

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Finds the vectors nearest to a query among those that pass a filter, in one snapshot of the table.
///
/// A cascade; each stage reads more of fewer vectors: the first words of the sign bits of all; all sign bits of the best
/// percent; a byte a component of the best few hundred; and, by the caller, float32 of the last few. How many vectors pass a
/// stage depends on how many entered the search and on how many are wanted, so a narrow filter makes a search faster and
/// never its result shorter. Every stage counts exactly, ties included: the result does not depend on how vectors are spread
/// over slabs.
///
/// Sign bits compare directions. If lengths matter to the metric and differ, or a vector has too few components for its
/// signs to rank it, the bytes of all are compared instead.
///
/// Filters — `VectorSearch+Filtering`; sign bits — `VectorSearch+Cascade`; bytes — `VectorSearch+Bytes`.
struct VectorSearch {
  let query: CodeQuery
  let metric: Metric
  let queryNorm: Double
  let filter: AttributeFilter
  let generation: UInt64
  let instructions = InstructionSet.best

  /// A slab and the numbers of its vectors among those of all slabs.
  struct Segment {
    let slab: SlabView
    let start: Int
    /// A byte a vector, in the scratch memory of the search; `nil` if all pass the filter.
    let mask: UnsafeBufferPointer<UInt8>?
    /// Vectors that pass the filter.
    let admitted: Int

    var end: Int { start + slab.count }
    var base: UInt32 { UInt32(truncatingIfNeeded: start) }
  }

  /// The vectors that pass the filter and may be among the nearest.
  ///
  /// - Parameter wanted: How many of the nearest the caller needs; finds several times as many, to be compared exactly.
  func candidates(
    _ slabs: [SlabView], lengthsDiffer: Bool, wanted: Int, _ scratch: VectorScratch
  ) -> VectorCandidates {
    let all = slabs.reduce(0) { $0 + $1.count }
    scratch.reserve(all)
    let segments = segments(slabs, scratch)
    let total = segments.reduce(0) { $0 + $1.admitted }
    let budget = SearchBudget(total: total, wanted: wanted)
    let comparesDirections = metric == .cosine || !lengthsDiffer
    let count =
      if total <= budget.rows {
        list(segments, scratch)
      } else if comparesDirections && query.layout.dimensions >= Self.fewDimensions {
        cascade(segments, budget, total: total, of: all, scratch)
      } else {
        scanBytes(segments, budget, scratch)
      }
    let rows = UnsafeBufferPointer(rebasing: scratch.rows[..<count])
    return VectorCandidates(estimates(rows, segments, scratch), self, segments, areAll: count == total)
  }

  /// With fewer dimensions, sign bits are too few to rank by.
  private static let fewDimensions = 128

  /// Calls `body` for each segment with the places in `rows`, which ascend, that belong to it.
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

/// How many vectors pass the stages of a search.
///
/// Measured on sentence embeddings: with two thirds of these numbers a search finds 499 of 500 of the nearest among *n*,
/// whether 10 or 100 are wanted.
struct SearchBudget {
  /// Of those compared by their first sign bits, how many are compared by all.
  let refined: Int
  /// Of those, how many are compared by their bytes.
  let rows: Int

  init(total: Int, wanted: Int) {
    let total = Double(total) / 100_000
    let wanted = max(1, Double(wanted) / 10)
    refined = Int(max(2500, 3000 * pow(total, 0.78)) * pow(wanted, 0.5))
    rows = Int(max(256, 300 * pow(total, 0.7)) * pow(wanted, 0.65))
  }
}

/// Vectors that may be among the nearest, best estimate first. Each is read when it is taken out: the exact comparison
/// usually needs few of them.
///
/// Points into the slabs: valid until the transaction that found them ends.
struct VectorCandidates {
  /// A candidate and its similarity as its bytes have it.
  struct Candidate {
    let id: Int64
    let group: Int64
    let estimate: Double
    /// The estimate is off by less than this in all but one of thousands of cases.
    let margin: Double
  }

  /// Whether they are all vectors that pass the filter.
  let areAll: Bool
  private let search: VectorSearch
  private let segments: [VectorSearch.Segment]
  private var rest: BestFirst<VectorSearch.Estimate>

  init(
    _ estimates: [VectorSearch.Estimate], _ search: VectorSearch, _ segments: [VectorSearch.Segment], areAll: Bool
  ) {
    rest = BestFirst(estimates)
    self.search = search
    self.segments = segments
    self.areAll = areAll
  }

  /// Takes out the best.
  ///
  /// - Throws: `.damaged` if its bytes are not what was stored.
  mutating func next() throws(LMDBError) -> Candidate? {
    guard let best = rest.popFirst() else { return nil }
    guard let segment = segments.last(where: { $0.base <= best.row }) else { throw VectorTable.damaged }
    let slot = Int(best.row - segment.base)
    let row = segment.slab.row(slot)
    let id = segment.slab.columns.id(slot)
    guard row.isIntact(id, generation: search.generation) else { throw VectorTable.damaged }
    return Candidate(
      id: id, group: segment.slab.columns.group(slot), estimate: best.similarity,
      margin: search.margin(of: row, estimate: best.similarity))
  }
}

/// Memory that searches reuse: mapping and clearing megabytes for each would cost as much as the scan.
final class VectorScratch {
  private(set) var masks = UnsafeMutableBufferPointer<UInt8>(start: nil, count: 0)
  private(set) var distances = UnsafeMutableBufferPointer<UInt16>(start: nil, count: 0)
  private(set) var rows = UnsafeMutableBufferPointer<UInt32>(start: nil, count: 0)
  private(set) var values = UnsafeMutableBufferPointer<UInt32>(start: nil, count: 0)
  private(set) var shorts = UnsafeMutableBufferPointer<UInt16>(start: nil, count: 0)
  private(set) var places = UnsafeMutableBufferPointer<UnsafeRawPointer?>(start: nil, count: 0)

  /// Makes room for `count` vectors; the contents are undefined. Pages that are never written take no memory.
  func reserve(_ count: Int) {
    guard count > masks.count else { return }
    free()
    let room = count + count / 4
    masks = .allocate(capacity: room)
    distances = .allocate(capacity: room)
    rows = .allocate(capacity: room)
    values = .allocate(capacity: room)
    shorts = .allocate(capacity: room)
    places = .allocate(capacity: room)
  }

  private func free() {
    masks.deallocate()
    distances.deallocate()
    rows.deallocate()
    values.deallocate()
    shorts.deallocate()
    places.deallocate()
  }

  deinit { free() }

  /// Scratch memory that no search uses.
  // Unchecked because each is lent to one search at a time, under the lock.
  final class Pool: Sendable {
    private struct Free: @unchecked Sendable { var scratches: [VectorScratch] = [] }
    private let free = Mutex(Free())

    func withScratch<Result, Failure>(_ body: (VectorScratch) throws(Failure) -> Result) throws(Failure) -> Result {
      let taken = free.withLock { $0.scratches.popLast().map { Free(scratches: [$0]) } }
      let scratch = taken?.scratches.first ?? VectorScratch()
      defer {
        let back = Free(scratches: [scratch])
        free.withLock { $0.scratches += back.scratches }
      }
      return try body(scratch)
    }
  }
}
