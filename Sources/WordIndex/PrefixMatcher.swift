import LMDB

/// Finds the documents of a slice that contain tokens with a prefix.
enum PrefixMatcher {
  /// With fewer postings than one in 64 documents they are sorted; with more, counted in a table of all documents.
  private static let sparse = 64

  /// - Parameter prefix: 1...`Key.longestPrefix` bytes.
  /// - Returns: Documents that are alive, by ordinal.
  /// - Complexity: O(*t* + *p*) for *t* terms with the prefix and their *p* postings; if these are many, also O(*n*) for the
  ///   *n* documents of the slice.
  static func matches(
    of prefix: [UInt8], in slice: FieldSlice, _ snapshot: Snapshot
  ) throws(LMDBError) -> [RequiredMatch] {
    let reader = slice.reader
    let lists = try lists(of: prefix, in: reader, snapshot)
    if lists.isEmpty { return [] }
    let postings = lists.reduce(0) { $0 + $1.documents }
    var matches: [RequiredMatch] = []
    if lists.count > 1, postings >= slice.ordinals.count / sparse {
      matches = try counted(lists, slice)
    } else {
      try forEachPosting(lists, slice) { matches.append(RequiredMatch(ordinal: $0, frequency: $1)) }
      if lists.count > 1 { matches = merged(matches) }
    }
    if reader.facts.dead == 0 { return matches }
    var alive: [RequiredMatch] = []
    alive.reserveCapacity(matches.count)
    for match in matches where try !reader.isDead(match.ordinal, snapshot) { alive.append(match) }
    return alive
  }

  private static func lists(
    of prefix: [UInt8], in reader: FieldReader, _ snapshot: Snapshot
  ) throws(LMDBError) -> [PostingList] {
    var lists: [PostingList] = []
    var iterator = try TermIterator(reader, atOrAfter: prefix, snapshot)
    while let term = iterator.term, term.starts(with: prefix), let list = try iterator.list(snapshot) {
      lists.append(list)
      try iterator.next(snapshot)
    }
    return lists
  }

  private static func forEachPosting(
    _ lists: [PostingList], _ slice: FieldSlice, _ visit: (_ ordinal: UInt32, _ frequency: UInt32) -> Void
  ) throws(LMDBError) {
    let memory = CursorMemory(1)
    for list in lists {
      var cursor = PostingCursor(list, in: slice, buffer: memory.buffer(0))
      try cursor.nextOrdinal()
      while !cursor.isAtEnd {
        guard slice.ordinals.contains(cursor.ordinal) else { throw .damagedWords("a posting list") }
        visit(cursor.ordinal, cursor.frequency)
        try cursor.nextOrdinal()
      }
    }
    withExtendedLifetime((memory, slice.reader)) {}
  }

  private static func counted(_ lists: [PostingList], _ slice: FieldSlice) throws(LMDBError) -> [RequiredMatch] {
    let counts = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: slice.ordinals.count)
    defer { counts.deallocate() }
    counts.initialize(repeating: 0)
    let first = slice.ordinals.lowerBound
    try forEachPosting(lists, slice) { counts[Int($0 - first)] &+= $1 }
    var matches: [RequiredMatch] = []
    for (ordinal, count) in zip(slice.ordinals, counts) where count > 0 {
      matches.append(RequiredMatch(ordinal: ordinal, frequency: count))
    }
    return matches
  }

  /// Sums the frequencies of each document.
  private static func merged(_ postings: [RequiredMatch]) -> [RequiredMatch] {
    var matches: [RequiredMatch] = []
    for posting in postings.sorted(by: { $0.ordinal < $1.ordinal }) {
      if let last = matches.last, last.ordinal == posting.ordinal {
        matches[matches.count - 1].frequency &+= posting.frequency
      } else {
        matches.append(posting)
      }
    }
    return matches
  }
}
