import LMDB

/// Finds the documents of one segment's field that contain tokens at consecutive positions.
struct PhraseMatcher {
  struct Match {
    var ordinal: UInt32
    /// Places where the phrase begins.
    var frequency: UInt32
  }

  /// - Parameter phrase: Tokens, at least one.
  /// - Returns: Documents that are alive, by ordinal.
  static func matches(of phrase: [[UInt8]], in reader: FieldReader) throws(LMDBError) -> [Match] {
    var lists: [PostingList] = []
    for token in phrase {
      guard let list = try reader.find(token) else { return [] }
      lists.append(list)
    }
    let memory = CursorMemory(lists.count)
    let cursors = UnsafeMutableBufferPointer<PostingCursor>.allocate(capacity: lists.count)
    defer { cursors.deallocate() }
    _ = cursors.initialize(from: lists.enumerated().map { PostingCursor($1, reader, buffer: memory.buffer($0)) })
    let rarest = lists.indices.min { lists[$0].documents < lists[$1].documents } ?? 0
    let matcher = PositionMatcher(lists.count)
    var matches: [Match] = []
    try cursors[rarest].nextOrdinal()
    search: while !cursors[rarest].isAtEnd {
      let ordinal = cursors[rarest].ordinal
      for index in cursors.indices where index != rarest {
        try cursors[index].advance(toOrdinal: ordinal)
        if cursors[index].isAtEnd { break search }
        if cursors[index].ordinal != ordinal {
          try cursors[rarest].advance(toOrdinal: cursors[index].ordinal)
          continue search
        }
      }
      let frequency = cursors.count == 1 ? cursors[0].frequency : try matcher.count(cursors)
      if frequency > 0, try !reader.isDead(ordinal) { matches.append(Match(ordinal: ordinal, frequency: frequency)) }
      try cursors[rarest].nextOrdinal()
    }
    withExtendedLifetime((memory, matcher, reader)) {}
    return matches
  }
}
