import LMDB

/// Finds the documents of one segment's field that contain tokens that begin alike.
enum PrefixMatcher {
  /// Below one posting for so many documents they are sorted; above, counted in a table of all documents.
  private static let sparse = 64

  /// - Parameter prefix: 1...`WordKey.longestPrefix` bytes.
  /// - Returns: Documents that are alive, by ordinal.
  /// - Complexity: O(*t* + *p*), *t* terms that begin so and *p* their postings, and the documents of the segment where
  ///   the postings are many.
  static func matches(of prefix: [UInt8], in reader: FieldReader) throws(LMDBError) -> [RequiredMatch] {
    let lists = try lists(of: prefix, in: reader)
    if lists.isEmpty { return [] }
    let postings = lists.reduce(0) { $0 + $1.documents }
    if lists.count > 1, postings >= reader.count / sparse {
      return try counted(lists, reader)
    }
    var matches: [RequiredMatch] = []
    matches.reserveCapacity(postings)
    try forEachPosting(lists, reader) { matches.append(RequiredMatch(ordinal: $0, frequency: $1)) }
    return try lists.count == 1 ? living(matches, reader) : living(merged(matches), reader)
  }

  private static func lists(of prefix: [UInt8], in reader: FieldReader) throws(LMDBError) -> [PostingList] {
    var lists: [PostingList] = []
    var iterator = try TermIterator(reader, atOrAfter: prefix)
    while let term = iterator.term, term.starts(with: prefix), let list = try iterator.list() {
      lists.append(list)
      try iterator.next()
    }
    return lists
  }

  private static func forEachPosting(
    _ lists: [PostingList], _ reader: FieldReader, _ visit: (_ ordinal: UInt32, _ frequency: UInt32) -> Void
  ) throws(LMDBError) {
    let memory = CursorMemory(1)
    for list in lists {
      var cursor = PostingCursor(list, reader, buffer: memory.buffer(0))
      try cursor.nextOrdinal()
      while !cursor.isAtEnd {
        visit(cursor.ordinal, cursor.frequency)
        try cursor.nextOrdinal()
      }
    }
    withExtendedLifetime((memory, reader)) {}
  }

  private static func counted(_ lists: [PostingList], _ reader: FieldReader) throws(LMDBError) -> [RequiredMatch] {
    let counts = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: reader.count)
    defer { counts.deallocate() }
    counts.initialize(repeating: 0)
    try forEachPosting(lists, reader) { counts[Int($0)] &+= $1 }
    var matches: [RequiredMatch] = []
    for (ordinal, count) in counts.enumerated() where count > 0 {
      matches.append(RequiredMatch(ordinal: UInt32(truncatingIfNeeded: ordinal), frequency: count))
    }
    return try living(matches, reader)
  }

  /// One match for each document.
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

  private static func living(_ matches: [RequiredMatch], _ reader: FieldReader) throws(LMDBError) -> [RequiredMatch] {
    if reader.facts.dead == 0 { return matches }
    var living: [RequiredMatch] = []
    living.reserveCapacity(matches.count)
    for match in matches where try !reader.isDead(match.ordinal) { living.append(match) }
    return living
  }
}
