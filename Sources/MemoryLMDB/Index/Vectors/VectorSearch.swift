import LMDB
import Vectors

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Finds the vectors nearest to a query among those that pass a filter, in one snapshot of the index.
///
/// A cascade, each stage reading more of fewer vectors: the first third of the sign bits of all; the other bits of the
/// best few percent; a byte a component of the best few hundred; and, with the caller's help, float32 of the last few. How
/// many pass a stage depends on how many came in and on how many are wanted, so that a narrow filter makes a search faster
/// and never its answer shorter. Everything is counted exactly, ties included: the answer does not depend on how vectors
/// are spread over slabs.
///
/// Sign bits compare directions. Where lengths matter to the metric and differ, or a vector has too few components for its
/// signs to tell much, the bytes of all are compared instead.
struct VectorSearch {
  /// A candidate, and how like the query its bytes say it is.
  struct Candidate {
    let vector: Int64
    let episode: Int64
    let estimate: Double
    /// The estimate is that close, all but one time in thousands.
    let margin: Double
  }

  let query: CodeQuery
  let metric: Metric
  let queryNorm: Double
  let filter: AttributeFilter
  let epoch: UInt64
  let instructions = InstructionSet.best

  /// A slab and where its vectors lie among those of all slabs.
  private struct Segment {
    let slab: SlabView
    let start: Int
    /// Of its vectors, how many pass the filter.
    let admitted: Int
    var range: Range<Int> { start..<start + slab.count }
  }

  /// The vectors that pass, as far as they may be among the nearest, best estimate first.
  ///
  /// - Parameter wanted: How many of the nearest the caller needs; finds several times as many, to be compared exactly.
  /// - Returns: The candidates, and whether they are all that pass.
  func candidates(
    _ slabs: [SlabView], lengthsDiffer: Bool, wanted: Int, _ scratch: VectorScratch
  ) throws(LMDBError) -> (candidates: [Candidate], areAll: Bool) {
    scratch.reserve(slabs.reduce(0) { $0 + $1.count })
    var segments: [Segment] = []
    var start = 0
    for slab in slabs {
      let admitted = mask(
        slab, UnsafeMutableBufferPointer(rebasing: scratch.masks[start..<start + slab.count]), scratch)
      segments.append(Segment(slab: slab, start: start, admitted: admitted))
      start += slab.count
    }
    let total = segments.reduce(0) { $0 + $1.admitted }
    segments.removeAll { $0.admitted == 0 }
    guard let layout = segments.first?.slab.layout else { return ([], true) }
    let effort = Effort(total: total, wanted: wanted)
    let comparesDirections = metric == .cosine || !lengthsDiffer
    let rows: [UInt32]
    if total <= effort.rows {
      rows = list(segments, scratch)
    } else if comparesDirections && layout.dimensions >= Self.fewDimensions {
      rows = cascade(segments, effort, total: total, of: start, scratch)
    } else {
      rows = try scan(segments, effort, scratch)
    }
    return (try estimate(rows, segments).sorted { $0.estimate > $1.estimate }, rows.count == total)
  }

  /// Below that, sign bits are too few to rank by.
  private static let fewDimensions = 128

  // MARK: Filter

  /// Marks the vectors that pass, and counts them.
  private func mask(
    _ slab: SlabView, _ mask: UnsafeMutableBufferPointer<UInt8>, _ scratch: VectorScratch
  ) -> Int {
    func column(_ start: UnsafeRawPointer, _ width: Int) -> UnsafeRawBufferPointer {
      UnsafeRawBufferPointer(start: start, count: width * slab.count)
    }
    let columns = slab.columns
    instructions.maskBits(of: column(slab.statuses, 1), admitted: filter.statuses, into: mask)
    if let domain = filter.domain { instructions.mask(mask, where: column(columns.domains, 4), equals: domain) }
    if let task = filter.task { self.mask(mask, scratch, columns.taskBytes, columns.tasks, slab.count, equals: task) }
    if let session = filter.session {
      self.mask(mask, scratch, columns.sessionBytes, columns.sessions, slab.count, equals: session)
    }
    if filter.created != .min ... .max {
      instructions.mask(mask, where: column(columns.creations, 8), isIn: filter.created)
    }
    return instructions.countMasked(UnsafeBufferPointer(mask))
  }

  /// By the low bytes of the names first: they are a quarter of the memory, and few pass.
  private func mask(
    _ mask: UnsafeMutableBufferPointer<UInt8>, _ scratch: VectorScratch, _ lowBytes: UnsafeRawPointer,
    _ names: UnsafeRawPointer, _ count: Int, equals name: UInt32
  ) {
    instructions.mask(
      mask, where: UnsafeRawBufferPointer(start: lowBytes, count: count), equals: UInt8(truncatingIfNeeded: name))
    let passed = instructions.selectMasked(UnsafeBufferPointer(mask), into: scratch.rows)
    for slot in scratch.rows[..<passed].lazy.map(Int.init)
    where names.loadUnaligned(fromByteOffset: 4 * slot, as: UInt32.self) != name.littleEndian {
      mask[slot] = 0
    }
  }

  // MARK: Which rows

  /// All that pass.
  private func list(_ segments: [Segment], _ scratch: VectorScratch) -> [UInt32] {
    var rows: [UInt32] = []
    for segment in segments {
      let mask = UnsafeBufferPointer(rebasing: scratch.masks[segment.range])
      let count = instructions.selectMasked(mask, base: UInt32(segment.start), into: scratch.rows)
      rows += scratch.rows[..<count]
    }
    return rows
  }

  /// The best by all sign bits among the best by the first of them.
  private func cascade(
    _ segments: [Segment], _ effort: Effort, total: Int, of all: Int, _ scratch: VectorScratch
  ) -> [UInt32] {
    var (rows, distances) =
      total < all / Self.sparse
      ? prefixDistancesOfListed(segments, effort, scratch) : prefixDistances(segments, effort, total, scratch)
    guard let first = segments.first, first.slab.layout.restBytes > 0 else {
      return Self.nearest(effort.rows, rows, distances)
    }
    addRest(&distances, of: rows, segments, scratch)
    return Self.nearest(effort.rows, rows, distances)
  }

  /// Where less than one in so many pass, looking at them alone is cheaper than looking at all.
  private static let sparse = 6

  private func prefixDistancesOfListed(
    _ segments: [Segment], _ effort: Effort, _ scratch: VectorScratch
  ) -> ([UInt32], [UInt32]) {
    var rows: [UInt32] = []
    var distances: [UInt32] = []
    for segment in segments {
      let mask = UnsafeBufferPointer(rebasing: scratch.masks[segment.range])
      let count = instructions.selectMasked(mask, into: scratch.rows)
      let listed = UnsafeBufferPointer(rebasing: scratch.rows[..<count])
      instructions.codeDistances(
        segment.slab.prefixes, words: query.layout.prefixWords, at: listed, to: query.prefix, into: scratch.values)
      rows += listed.lazy.map { $0 &+ UInt32(truncatingIfNeeded: segment.start) }
      distances += scratch.values[..<count]
    }
    return Self.nearestWithDistances(effort.refined, rows, distances)
  }

  private func prefixDistances(
    _ segments: [Segment], _ effort: Effort, _ total: Int, _ scratch: VectorScratch
  ) -> ([UInt32], [UInt32]) {
    for segment in segments {
      instructions.codeDistances(
        segment.slab.prefixes, words: query.layout.prefixWords, to: query.prefix,
        into: UnsafeMutableBufferPointer(rebasing: scratch.distances[segment.range]))
    }
    var limit = sampledLimit(segments, effort, total, scratch)
    while true {
      var count = 0
      for segment in segments {
        count += instructions.selectAtMost(
          limit, of: UnsafeBufferPointer(rebasing: scratch.distances[segment.range]),
          mask: UnsafeBufferPointer(rebasing: scratch.masks[segment.range]), base: UInt32(segment.start),
          into: UnsafeMutableBufferPointer(rebasing: scratch.rows[count...]),
          values: UnsafeMutableBufferPointer(rebasing: scratch.shorts[count...]))
      }
      if count >= min(effort.refined, total) || limit == .max {
        return Self.nearestWithDistances(
          effort.refined, Array(scratch.rows[..<count]), scratch.shorts[..<count].map { UInt32($0) })
      }
      limit = limit > .max - limit / 16 - 1 ? .max : limit + limit / 16 + 1
    }
  }

  /// A distance that somewhat more than enough vectors are within, judged by a few thousand of them.
  private func sampledLimit(
    _ segments: [Segment], _ effort: Effort, _ total: Int, _ scratch: VectorScratch
  ) -> UInt16 {
    var tally = [Int](repeating: 0, count: 7 * 64 * query.layout.prefixWords + 1)
    var count = 0
    let step = max(1, total / 4096) | 1
    for segment in segments {
      var place = segment.start
      while place < segment.range.upperBound {
        if scratch.masks[place] != 0 {
          tally[Int(scratch.distances[place])] += 1
          count += 1
        }
        place += step
      }
    }
    let expected = Double(effort.refined) / Double(total) * Double(count) * 1.1
    let enough = Int(expected + expected.squareRoot()) + 1
    var limit = 0
    var sum = tally[0]
    while sum < enough, limit < tally.count - 1 {
      limit += 1
      sum += tally[limit]
    }
    return UInt16(truncatingIfNeeded: limit)
  }

  /// Adds the distances over the words behind the prefix.
  private func addRest(
    _ distances: inout [UInt32], of rows: [UInt32], _ segments: [Segment], _ scratch: VectorScratch
  ) {
    Self.forEachSegment(segments, rows) { segment, places in
      for place in places { scratch.rows[place] = rows[place] &- UInt32(truncatingIfNeeded: segment.start) }
      instructions.codeDistances(
        segment.slab.rests, words: query.layout.restWords,
        at: UnsafeBufferPointer(rebasing: scratch.rows[places]), to: query.rest,
        into: UnsafeMutableBufferPointer(rebasing: scratch.values[places]))
      for place in places { distances[place] &+= scratch.values[place] }
    }
  }

  // MARK: Bytes

  /// The best by the bytes of all that pass.
  private func scan(_ segments: [Segment], _ effort: Effort, _ scratch: VectorScratch) throws(LMDBError) -> [UInt32] {
    var best = TopK<UInt32>(effort.rows)
    var dots: [Int32] = []
    for segment in segments {
      let slab = segment.slab
      let mask = UnsafeBufferPointer(rebasing: scratch.masks[segment.range])
      let count = instructions.selectMasked(mask, into: scratch.rows)
      dots = Self.dots(slab, at: UnsafeBufferPointer(rebasing: scratch.rows[..<count]), query, instructions)
      for (place, dot) in dots.enumerated() {
        let slot = scratch.rows[place]
        let row = slab.row(Int(slot))
        best.insert(
          UInt32(truncatingIfNeeded: segment.start) &+ slot,
          score: similarity(dot: dot, scale: row.scale, norm: row.norm).estimate)
      }
    }
    return best.ranked().map(\.id).sorted()
  }

  /// How like the query candidates are by their bytes.
  ///
  /// - Throws: `.damaged` for a row that is not what was stored.
  private func estimate(_ rows: [UInt32], _ segments: [Segment]) throws(LMDBError) -> [Candidate] {
    var candidates: [Candidate] = []
    candidates.reserveCapacity(rows.count)
    var isIntact = true
    Self.forEachSegment(segments, rows) { segment, places in
      let slab = segment.slab
      let slots = rows[places].map { $0 &- UInt32(truncatingIfNeeded: segment.start) }
      let dots = slots.withUnsafeBufferPointer { Self.dots(slab, at: $0, query, instructions) }
      for (slot, dot) in zip(slots, dots) {
        let row = slab.row(Int(slot))
        let vector = slab.columns.vector(Int(slot))
        guard row.isIntact(vector, epoch: epoch) else {
          isIntact = false
          continue
        }
        let likeness = similarity(dot: dot, scale: row.scale, norm: row.norm)
        candidates.append(
          Candidate(
            vector: vector, episode: slab.columns.episode(Int(slot)), estimate: likeness.estimate,
            margin: likeness.margin))
      }
    }
    guard isIntact else { throw VectorTable.damaged }
    return candidates
  }

  private static func dots(
    _ slab: SlabView, at slots: UnsafeBufferPointer<UInt32>, _ query: CodeQuery, _ instructions: InstructionSet
  ) -> [Int32] {
    let layout = slab.layout
    let bytes = UnsafeRawBufferPointer(
      start: slab.rows + SlabLayout.rowHeader, count: slab.count * layout.rowBytes - SlabLayout.rowHeader)
    return [Int32](unsafeUninitializedCapacity: slots.count) { dots, count in
      instructions.int8Dots(bytes, stride: layout.rowBytes, at: slots, with: query.components, into: dots)
      count = slots.count
    }
  }

  /// The metric's similarity as the bytes have it. Their rounding is that of many independent ones, each within half a
  /// step: five standard deviations of it are the margin.
  private func similarity(dot: Int32, scale: Float, norm: Float) -> (estimate: Double, margin: Double) {
    let cosine = Double(dot) * Double(query.scale) * Double(scale)
    let margin = 5 * (Double(scale) + Double(query.scale) / 64) / 12.0.squareRoot()
    let norm = Double(norm)
    switch metric {
    case .cosine: return (cosine, margin)
    case .dotProduct: return (cosine * norm * queryNorm, margin * norm * queryNorm)
    case .euclidean:
      let squared = max(0, queryNorm * queryNorm + norm * norm - 2 * queryNorm * norm * cosine)
      let distance = squared.squareRoot()
      let spread = 2 * queryNorm * norm * margin
      // The root is steep near zero: there the margin is that of the square.
      return (-distance, distance > spread.squareRoot() ? spread / distance : spread.squareRoot())
    }
  }

  // MARK: Selecting

  /// Calls `body` with the places in `rows`, which ascend, that belong to each segment.
  private static func forEachSegment(
    _ segments: [Segment], _ rows: [UInt32], _ body: (Segment, Range<Int>) -> Void
  ) {
    var place = 0
    for segment in segments {
      let start = place
      while place < rows.count, Int(rows[place]) < segment.range.upperBound { place += 1 }
      if place > start { body(segment, start..<place) }
    }
  }

  private static func nearest(_ count: Int, _ rows: [UInt32], _ distances: [UInt32]) -> [UInt32] {
    nearestWithDistances(count, rows, distances).0
  }

  /// The `count` nearest and all that are as near as the last of them, in the order in which they stand.
  private static func nearestWithDistances(
    _ count: Int, _ rows: [UInt32], _ distances: [UInt32]
  ) -> ([UInt32], [UInt32]) {
    guard rows.count > count, let most = distances.max() else { return (rows, distances) }
    var tally = [Int](repeating: 0, count: Int(most) + 1)
    for distance in distances { tally[Int(distance)] += 1 }
    var limit = 0
    var sum = tally[0]
    while sum < count {
      limit += 1
      sum += tally[limit]
    }
    var kept: [UInt32] = []
    var keptDistances: [UInt32] = []
    kept.reserveCapacity(sum)
    keptDistances.reserveCapacity(sum)
    for (row, distance) in zip(rows, distances) where distance <= limit {
      kept.append(row)
      keptDistances.append(distance)
    }
    return (kept, keptDistances)
  }
}

/// How many vectors pass the stages of a search.
///
/// Measured on sentence embeddings: of the ten nearest among *n*, all but one in five hundred are among this many.
struct Effort {
  /// Of those compared by their first sign bits, how many are compared by all.
  let refined: Int
  /// Of those, how many are compared by their bytes.
  let rows: Int

  init(total: Int, wanted: Int) {
    let thousands = Double(total) / 100_000
    let want = Swift.max(1, Double(wanted) / 10)
    refined = Swift.max(4096, Int(8000 * pow(thousands, 0.76) * pow(want, 0.5)))
    rows = Swift.max(256, Int(300 * pow(thousands, 0.6) * pow(want, 0.75)))
  }
}
