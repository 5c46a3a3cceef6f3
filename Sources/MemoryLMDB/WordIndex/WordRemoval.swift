import LMDB

/// Documents on their way out of the segments of one snapshot.
struct WordRemoval {
  var manifest: WordManifest
  var dead = DeadDocuments()
  private(set) var count = 0
  private let snapshot: WordSnapshot
  private var readers: [Int: FieldReader] = [:]

  init(_ snapshot: WordSnapshot) throws(LMDBError) {
    self.snapshot = snapshot
    manifest = try snapshot.manifest()
  }

  mutating func remove(_ document: WordDocument) throws(LMDBError) {
    try visit(document.field, document.group) { removal, reader, place throws(LMDBError) in
      let ordinal = try reader.firstOrdinal(group: document.group, member: document.member)
      guard ordinal < reader.count else { return }
      let number = UInt32(truncatingIfNeeded: ordinal)
      let chunk = try reader.chunk(number)
      let index = FieldReader.place(number)
      guard chunk.group(index) == document.group, chunk.member(index) == document.member else { return }
      try removal.mark(number, reader, place)
    }
  }

  mutating func remove(_ field: WordField, _ group: UInt64) throws(LMDBError) {
    try visit(field, group) { removal, reader, place throws(LMDBError) in
      for ordinal in try reader.firstOrdinal(group: group, member: 0)..<reader.count {
        let number = UInt32(truncatingIfNeeded: ordinal)
        guard try reader.group(number) == group else { break }
        try removal.mark(number, reader, place)
      }
    }
  }

  private mutating func mark(_ ordinal: UInt32, _ reader: FieldReader, _ place: Int) throws(LMDBError) {
    if try dead.mark(ordinal, in: reader, &manifest.segments[place][reader.field]) { count += 1 }
  }

  private mutating func visit(
    _ field: WordField, _ group: UInt64,
    _ body: (inout WordRemoval, FieldReader, Int) throws(LMDBError) -> Void
  ) throws(LMDBError) {
    for place in manifest.segments.indices {
      let part = manifest.segments[place][field]
      guard part.alive > 0, part.firstGroup <= group, group <= part.lastGroup else { continue }
      let key = place * 2 + Int(field.rawValue)
      let reader = readers[key] ?? FieldReader(snapshot, manifest.segments[place], field)
      readers[key] = reader
      try body(&self, reader, place)
    }
  }
}
