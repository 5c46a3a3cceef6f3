import LMDB

/// Finds the documents of one segment's field that contain tokens at consecutive positions.
enum PhraseMatcher {
  /// The rarest token proposes documents, the others skip to them; positions are read where all of them meet.
  ///
  /// - Parameter phrase: Terms as `WordKey.term` has them, at least one.
  /// - Returns: Documents that are alive, by ordinal.
  static func matches(of phrase: [[UInt8]], in reader: FieldReader) throws(LMDBError) -> [RequiredMatch] {
    var lists: [(place: Int, list: PostingList)] = []
    for (place, token) in phrase.enumerated() {
      guard let list = try reader.find(token) else { return [] }
      lists.append((place, list))
    }
    lists.sort { $0.list.documents < $1.list.documents }
    let memory = CursorMemory(lists.count)
    let cursors = UnsafeMutableBufferPointer<PostingCursor>.allocate(capacity: lists.count)
    defer { cursors.deallocate() }
    for (index, entry) in lists.enumerated() {
      cursors.initializeElement(at: index, to: PostingCursor(entry.list, reader, buffer: memory.buffer(index)))
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
      let frequency = cursors.count == 1 ? cursors[0].frequency : try matcher.count(cursors)
      if frequency > 0, try !reader.isDead(ordinal) {
        matches.append(RequiredMatch(ordinal: ordinal, frequency: frequency))
      }
      try cursors[0].nextOrdinal()
    }
    withExtendedLifetime((memory, matcher, reader)) {}
    return matches
  }
}
