import LMDB

extension WordIndex {
  /// What is in an index.
  struct Statistics: Equatable, Sendable {
    var segments = 0
    /// Alive.
    var contexts = 0
    var steps = 0
    /// Still in segments, and no longer alive.
    var dead = 0
    /// Of the documents that are alive.
    var tokens: UInt64 = 0
    /// Of the segments' values as they were written.
    var bytes: UInt64 = 0
  }

  /// Costs a look at the manifest.
  func statistics(in transaction: borrowing some Transaction & ~Copyable) throws(LMDBError) -> Statistics {
    let manifest = try snapshot(transaction).manifest()
    var statistics = Statistics()
    statistics.segments = manifest.segments.count
    statistics.contexts = manifest.alive(.context)
    statistics.steps = manifest.alive(.steps)
    statistics.dead = manifest.segments.reduce(0) { $0 + $1.dead }
    statistics.tokens = manifest.tokens(.context) &+ manifest.tokens(.steps)
    statistics.bytes = manifest.segments.reduce(0) { $0 &+ $1.bytes }
    return statistics
  }

  /// Whether a document is there. O(*s* log *n*), *s* segments that may have it.
  func contains(
    _ document: WordDocument, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> Bool {
    let snapshot = snapshot(transaction)
    for segment in try snapshot.manifest().segments {
      let part = segment[document.field]
      guard part.alive > 0, part.firstGroup <= document.group, document.group <= part.lastGroup else { continue }
      let reader = FieldReader(snapshot, segment, document.field)
      let ordinal = try reader.firstOrdinal(group: document.group, member: document.member)
      guard ordinal < reader.count else { continue }
      let number = UInt32(truncatingIfNeeded: ordinal)
      let chunk = try reader.chunk(number)
      let place = FieldReader.place(number)
      if chunk.group(place) == document.group, chunk.member(place) == document.member, !chunk.isDead(place) {
        return true
      }
    }
    return false
  }

  /// Visits every document that is alive, segment by segment, in each by field, group and member.
  func forEachDocument(
    in transaction: borrowing some Transaction & ~Copyable,
    _ visit: (_ document: WordDocument, _ length: UInt32) throws(LMDBError) -> Void
  ) throws(LMDBError) {
    let snapshot = snapshot(transaction)
    for segment in try snapshot.manifest().segments {
      for field in WordField.allCases {
        let reader = FieldReader(snapshot, segment, field)
        for ordinal in 0..<segment[field].documents {
          let chunk = try reader.chunk(ordinal)
          let place = FieldReader.place(ordinal)
          if chunk.isDead(place) { continue }
          try visit(
            WordDocument(field: field, group: chunk.group(place), member: chunk.member(place)), chunk.length(place))
        }
      }
    }
  }
}
