import LMDB

/// Vectors that may be among the nearest, best estimate first, each made ready when it is asked for: who compares them
/// exactly seldom needs more than a few.
///
/// Reads the slabs: good for as long as the transaction that found them.
struct VectorCandidates {
  /// A candidate, and how like the query its bytes say it is.
  struct Candidate {
    let vector: Int64
    let episode: Int64
    let estimate: Double
    /// The estimate is that close, all but one time in thousands.
    let margin: Double
  }

  /// Whether every vector that passes the filter is among them.
  let areAll: Bool
  private let search: VectorSearch
  private let segments: [VectorSearch.Segment]
  /// A binary heap, the best first.
  private var heap: [VectorSearch.Estimate]

  init(
    _ estimates: [VectorSearch.Estimate], _ search: VectorSearch, _ segments: [VectorSearch.Segment], areAll: Bool
  ) {
    heap = estimates
    self.search = search
    self.segments = segments
    self.areAll = areAll
    for parent in stride(from: heap.count / 2 - 1, through: 0, by: -1) { siftDown(from: parent) }
  }

  var count: Int { heap.count }

  /// Takes out the best.
  ///
  /// - Throws: `.damaged` if its bytes are not what was stored.
  mutating func next() throws(LMDBError) -> Candidate? {
    guard let best = heap.first, let last = heap.popLast() else { return nil }
    if !heap.isEmpty {
      heap[0] = last
      siftDown(from: 0)
    }
    guard let segment = segments.last(where: { $0.base <= best.row }) else { throw VectorTable.damaged }
    let slot = Int(best.row - segment.base)
    let row = segment.slab.row(slot)
    let vector = segment.slab.columns.vector(slot)
    guard row.isIntact(vector, epoch: search.epoch) else { throw VectorTable.damaged }
    return Candidate(
      vector: vector, episode: segment.slab.columns.episode(slot), estimate: best.similarity,
      margin: search.margin(of: row, estimate: best.similarity))
  }

  private mutating func siftDown(from start: Int) {
    heap.withUnsafeMutableBufferPointer { heap in
      var parent = start
      while true {
        var best = 2 * parent + 1
        guard best < heap.count else { return }
        if best + 1 < heap.count, heap[best + 1].similarity > heap[best].similarity { best += 1 }
        guard heap[best].similarity > heap[parent].similarity else { return }
        heap.swapAt(parent, best)
        parent = best
      }
    }
  }
}
