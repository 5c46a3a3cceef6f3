import Heaps
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
  private var rest: BestFirst<VectorSearch.Estimate>

  init(
    _ estimates: [VectorSearch.Estimate], _ search: VectorSearch, _ segments: [VectorSearch.Segment], areAll: Bool
  ) {
    rest = BestFirst(estimates)
    self.search = search
    self.segments = segments
    self.areAll = areAll
  }

  var count: Int { rest.count }

  /// Takes out the best.
  ///
  /// - Throws: `.damaged` if its bytes are not what was stored.
  mutating func next() throws(LMDBError) -> Candidate? {
    guard let best = rest.popFirst() else { return nil }
    guard let segment = segments.last(where: { $0.base <= best.row }) else { throw VectorTable.damaged }
    let slot = Int(best.row - segment.base)
    let row = segment.slab.row(slot)
    let vector = segment.slab.columns.vector(slot)
    guard row.isIntact(vector, epoch: search.epoch) else { throw VectorTable.damaged }
    return Candidate(
      vector: vector, episode: segment.slab.columns.episode(slot), estimate: best.similarity,
      margin: search.margin(of: row, estimate: best.similarity))
  }
}
