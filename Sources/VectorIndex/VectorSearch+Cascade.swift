import Vectors

extension VectorSearch {
  /// If less than 1 of 8 vectors pass the filter, reading those alone is cheaper than scanning all.
  private static let sparse = 8

  /// Adjacent rows in each piece of the sample.
  private static let sampledRows = 64

  /// Writes the rows that pass to `scratch.rows`.
  ///
  /// - Returns: Their count.
  func list(_ segments: [Segment], _ scratch: VectorScratch) -> Int {
    segments.reduce(0) { count, segment in
      let free = UnsafeMutableBufferPointer(rebasing: scratch.rows[count...])
      guard let mask = segment.mask else {
        for slot in 0..<segment.slab.count { free[slot] = segment.base &+ UInt32(truncatingIfNeeded: slot) }
        return count + segment.slab.count
      }
      return count + instructions.selectMasked(mask, base: segment.base, into: free)
    }
  }

  /// Writes to `scratch.rows` the best by all sign bits among the best by the first words of them.
  ///
  /// - Parameter total: Vectors that pass the filter.
  /// - Parameter all: Vectors, whether they pass or not.
  /// - Returns: How many were written.
  func cascade(
    _ segments: [Segment], _ budget: SearchBudget, total: Int, of all: Int, _ scratch: VectorScratch
  ) -> Int {
    let layout = query.layout
    var count: Int
    if total < all / Self.sparse {
      count = list(segments, scratch)
    } else if layout.prefixWords < layout.words {
      count = scanGroups(segments, budget.refined, total: total, scratch)
    } else {
      return scanGroups(segments, budget.rows, total: total, scratch)
    }
    let rows = UnsafeBufferPointer(rebasing: scratch.rows[..<count])
    Self.forEachSegment(segments, rows) { segment, places in
      for place in places {
        scratch.places[place] = segment.slab.code(Int(rows[place] &- segment.base)).baseAddress
      }
    }
    instructions.codeDistances(
      UnsafeBufferPointer(rebasing: scratch.places[..<count]), words: layout.words, to: query.code,
      into: scratch.values)
    count = Self.keepNearest(budget.rows, of: count, scratch.rows, scratch.values)
    return count
  }

  /// Writes to `scratch.rows` the best `wanted` by the first words, which lie in groups.
  private func scanGroups(_ segments: [Segment], _ wanted: Int, total: Int, _ scratch: VectorScratch) -> Int {
    var limit = sampledLimit(segments, wanted, total: total, scratch)
    while true {
      var count = 0
      for segment in segments {
        let distances = UnsafeMutableBufferPointer(rebasing: scratch.distances[..<segment.slab.count])
        instructions.groupDistances(
          segment.slab.groups, words: query.layout.prefixWords, to: query.prefix, into: distances)
        count += instructions.selectAtMost(
          limit, of: UnsafeBufferPointer(distances), mask: segment.mask, base: segment.base,
          into: UnsafeMutableBufferPointer(rebasing: scratch.rows[count...]),
          values: UnsafeMutableBufferPointer(rebasing: scratch.shorts[count...]))
      }
      if count >= min(wanted, total) || limit == .max {
        return Self.keepNearest(wanted, of: count, scratch.rows, scratch.shorts)
      }
      limit = limit > .max - limit / 8 - 1 ? .max : limit + limit / 8 + 1
    }
  }

  /// A distance within which slightly more than `wanted` vectors are to be expected, from a sample of a few thousand.
  private func sampledLimit(_ segments: [Segment], _ wanted: Int, total: Int, _ scratch: VectorScratch) -> UInt16 {
    let words = query.layout.prefixWords
    var histogram = [Int](repeating: 0, count: 7 * 64 * words + 1)
    var count = 0
    let step = Self.sampledRows * max(8, total / 8192)
    var first = 0
    for segment in segments {
      let slab = segment.slab
      var start = first
      while start < slab.count {
        let end = min(start + Self.sampledRows, slab.count)
        let distances = UnsafeMutableBufferPointer(rebasing: scratch.distances[..<(end - start)])
        instructions.groupDistances(
          UnsafeRawBufferPointer(rebasing: slab.groups[slab.layout.code.groupOffset(ofWord: 0, row: start)...]),
          words: words, to: query.prefix, into: distances)
        for slot in start..<end where segment.mask?[slot] ?? 1 != 0 {
          histogram[Int(distances[slot - start])] += 1
          count += 1
        }
        start += step
      }
      // The next piece keeps its distance across slabs, in whole groups, so that many small slabs are not sampled at their
      // starts alone.
      first = (start - slab.count + CodeLayout.groupRows - 1) / CodeLayout.groupRows * CodeLayout.groupRows
    }
    let expected = Double(wanted) / Double(total) * Double(count)
    let enough = Int(expected + 3 * expected.squareRoot()) + 1
    var limit = 0
    var sum = histogram[0]
    while sum < enough, limit < histogram.count - 1 {
      limit += 1
      sum += histogram[limit]
    }
    return UInt16(truncatingIfNeeded: limit)
  }

  /// Keeps the `wanted` nearest of the first `count` rows, and all that are as near as the last of them, in their order.
  ///
  /// - Returns: How many are kept.
  private static func keepNearest<Distance: FixedWidthInteger & UnsignedInteger>(
    _ wanted: Int, of count: Int, _ rows: UnsafeMutableBufferPointer<UInt32>,
    _ distances: UnsafeMutableBufferPointer<Distance>
  ) -> Int {
    guard count > wanted, let most = distances[..<count].max() else { return count }
    let limit = withUnsafeTemporaryAllocation(of: UInt32.self, capacity: Int(most) + 1) { histogram in
      histogram.initialize(repeating: 0)
      for place in 0..<count { histogram[Int(distances[place])] &+= 1 }
      var limit = 0
      var sum = Int(histogram[0])
      while sum < wanted {
        limit += 1
        sum += Int(histogram[limit])
      }
      return Distance(truncatingIfNeeded: limit)
    }
    var kept = 0
    for place in 0..<count {
      // Writes rows that are not kept, too: no branch to mispredict.
      rows[kept] = rows[place]
      kept += distances[place] <= limit ? 1 : 0
    }
    return kept
  }
}
