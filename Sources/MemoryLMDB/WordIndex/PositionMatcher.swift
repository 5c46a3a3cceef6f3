import LMDB

/// Counts where tokens follow each other in a document.
final class PositionMatcher {
  private let positions: UnsafeMutableBufferPointer<PostingPositions>

  init(_ count: Int) {
    positions = .allocate(capacity: count)
    _ = positions.initialize(from: (0..<count).map { _ in PostingPositions() })
  }

  deinit {
    for position in positions { position.free() }
    positions.deallocate()
  }

  func count(_ cursors: UnsafeMutableBufferPointer<PostingCursor>) throws(LMDBError) -> UInt32 {
    let first = try positions[0].read(&cursors[0])
    if cursors.count == 2 {
      var count: UInt32 = 0
      Self.forEachFollowed(first, by: try positions[1].read(&cursors[1]), at: 1) { _ in count &+= 1 }
      return count
    }
    var starts = Array(first)
    for index in 1..<cursors.count {
      let others = try positions[index].read(&cursors[index])
      var kept: [UInt32] = []
      starts.withUnsafeBufferPointer { starts in
        Self.forEachFollowed(starts, by: others, at: UInt64(index)) { kept.append($0) }
      }
      if kept.isEmpty { return 0 }
      starts = kept
    }
    return UInt32(truncatingIfNeeded: starts.count)
  }

  /// Visits those of some positions that have one of `others` so far behind them. Both ascend.
  @inline(__always)
  private static func forEachFollowed(
    _ positions: UnsafeBufferPointer<UInt32>, by others: UnsafeBufferPointer<UInt32>, at distance: UInt64,
    _ visit: (UInt32) -> Void
  ) {
    var other = 0
    for position in positions {
      let wanted = UInt64(position) + distance
      while other < others.count, UInt64(others[other]) < wanted { other &+= 1 }
      if other == others.count { return }
      if UInt64(others[other]) == wanted { visit(position) }
    }
  }
}
