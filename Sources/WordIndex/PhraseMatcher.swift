import LMDB

/// A document of a segment that meets a requirement of a query.
struct RequiredMatch {
  var ordinal: UInt32
  /// How often the phrase occurs, or tokens with the prefix; at least 1.
  var frequency: UInt32
}

/// Finds the documents of a slice that contain tokens at consecutive positions.
enum PhraseMatcher {
  /// The rarest token proposes documents, the others skip to them; positions are read if all of them meet.
  ///
  /// - Parameter phrase: At least one term, shortened as by `Key.term`.
  /// - Returns: Documents that are alive, by ordinal.
  static func matches(
    of phrase: [[UInt8]], in slice: FieldSlice, _ snapshot: Snapshot
  ) throws(LMDBError) -> [RequiredMatch] {
    let reader = slice.reader
    var lists: [(place: Int, list: PostingList)] = []
    for (place, token) in phrase.enumerated() {
      guard let list = try reader.find(token, snapshot) else { return [] }
      lists.append((place, list))
    }
    lists.sort { $0.list.documents < $1.list.documents }
    let memory = CursorMemory(lists.count)
    let cursors = UnsafeMutableBufferPointer<PostingCursor>.allocate(capacity: lists.count)
    defer { cursors.deallocate() }
    for (index, entry) in lists.enumerated() {
      cursors.initializeElement(at: index, to: PostingCursor(entry.list, in: slice, buffer: memory.buffer(index)))
    }
    let matcher = PositionMatcher(places: lists.map(\.place))
    var matches: [RequiredMatch] = []
    try cursors[0].nextOrdinal()
    search: while !cursors[0].isAtEnd {
      let ordinal = cursors[0].ordinal
      for index in 1..<cursors.count {
        try cursors[index].advance(toOrdinal: ordinal)
        let found = cursors[index].ordinal
        if found == ordinal { continue }
        if cursors[index].isAtEnd { break search }
        try cursors[0].advance(toOrdinal: found)
        continue search
      }
      let frequency = cursors.count == 1 ? cursors[0].frequency : try matcher.count(cursors, snapshot)
      if frequency > 0, try !reader.isDead(ordinal, snapshot) {
        matches.append(RequiredMatch(ordinal: ordinal, frequency: frequency))
      }
      try cursors[0].nextOrdinal()
    }
    withExtendedLifetime((memory, matcher, reader)) {}
    return matches
  }
}

/// Counts how often the tokens of a phrase follow each other in a document.
private final class PositionMatcher {
  private let positions: UnsafeMutableBufferPointer<PostingPositions>
  private let places: [UInt32]

  /// - Parameter places: The place in the phrase of each cursor's token.
  init(places: [Int]) {
    self.places = places.map { UInt32(truncatingIfNeeded: $0) }
    positions = .allocate(capacity: places.count)
    positions.initialize(repeating: PostingPositions())
  }

  deinit {
    for position in positions { position.free() }
    positions.deallocate()
  }

  /// - Parameter cursors: All at the same document.
  func count(
    _ cursors: UnsafeMutableBufferPointer<PostingCursor>, _ snapshot: Snapshot
  ) throws(LMDBError) -> UInt32 {
    let first = try positions[0].read(&cursors[0], snapshot)
    // Overwrites the positions with where the phrase would begin.
    var count = 0
    for position in first where position >= places[0] {
      first[count] = position &- places[0]
      count &+= 1
    }
    for index in 1..<cursors.count {
      if count == 0 { return 0 }
      let starts = UnsafeMutableBufferPointer(rebasing: first[0..<count])
      count = try positions[index].keep(starts, at: places[index], &cursors[index], snapshot)
    }
    return UInt32(truncatingIfNeeded: count)
  }
}
