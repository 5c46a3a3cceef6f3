import LMDB

/// Counts where the tokens of a phrase follow each other in a document.
final class PositionMatcher {
  private let positions: UnsafeMutableBufferPointer<PostingPositions>
  private let places: [UInt32]

  /// - Parameter places: Where in the phrase the token of each cursor stands.
  init(places: [Int]) {
    self.places = places.map { UInt32(truncatingIfNeeded: $0) }
    positions = .allocate(capacity: places.count)
    positions.initialize(repeating: PostingPositions())
  }

  deinit {
    for position in positions { position.free() }
    positions.deallocate()
  }

  /// How often the phrase is in the document at which all cursors stand.
  func count(_ cursors: UnsafeMutableBufferPointer<PostingCursor>) throws(LMDBError) -> UInt32 {
    let first = try positions[0].read(&cursors[0])
    var count = 0
    // From here on where the phrase would begin, in the memory of the positions.
    for position in first where position >= places[0] {
      first[count] = position &- places[0]
      count &+= 1
    }
    for index in 1..<cursors.count {
      if count == 0 { return 0 }
      let starts = UnsafeMutableBufferPointer(rebasing: first[0..<count])
      count = try positions[index].keep(starts, at: places[index], &cursors[index])
    }
    return UInt32(truncatingIfNeeded: count)
  }
}
