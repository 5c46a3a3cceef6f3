import ByteCoding
import LMDB

/// Documents that are to be removed: the bits and counts that change, and the manifest without them.
struct Removal {
  private(set) var manifest: Manifest
  private(set) var dead = DeadDocuments()
  private(set) var count = 0

  static func of(_ documents: [WordDocument], in snapshot: Snapshot) throws(LMDBError) -> Removal {
    var removal = Removal(manifest: try snapshot.manifest())
    var readers = Readers()
    for document in documents {
      for place in removal.manifest.segments.indices
      where removal.manifest.segments[place][document.field].mayHave(document.group) {
        let reader = readers.reader(document.field, removal.manifest.segments[place])
        let ordinal = try reader.firstOrdinal(group: document.group, member: document.member, snapshot)
        guard ordinal < reader.count else { continue }
        let number = UInt32(truncatingIfNeeded: ordinal)
        let chunk = try reader.chunk(number, snapshot)
        guard chunk.document(FieldReader.place(number), document.field) == document else { continue }
        try removal.mark(number, reader, place, snapshot)
      }
    }
    return removal
  }

  static func ofGroups(_ groups: [UInt64], in snapshot: Snapshot) throws(LMDBError) -> Removal {
    var removal = Removal(manifest: try snapshot.manifest())
    var readers = Readers()
    for group in groups {
      for field in WordField.allCases {
        for place in removal.manifest.segments.indices
        where removal.manifest.segments[place][field].mayHave(group) {
          let reader = readers.reader(field, removal.manifest.segments[place])
          for ordinal in try reader.firstOrdinal(group: group, member: 0, snapshot)..<reader.count {
            let number = UInt32(truncatingIfNeeded: ordinal)
            guard try reader.group(number, snapshot) == group else { break }
            try removal.mark(number, reader, place, snapshot)
          }
        }
      }
    }
    return removal
  }

  private mutating func mark(
    _ ordinal: UInt32, _ reader: FieldReader, _ place: Int, _ snapshot: Snapshot
  ) throws(LMDBError) {
    if try dead.mark(ordinal, in: reader, &manifest.segments[place][reader.field], snapshot) { count += 1 }
  }

  /// Takes the segments without a live document out of the manifest.
  mutating func takeEmptied() -> [Manifest.Segment] {
    defer { manifest.segments.removeAll { $0.alive == 0 } }
    return manifest.segments.filter { $0.alive == 0 }
  }

  /// Readers of segments, made when they are first needed.
  private struct Readers {
    private var known: [UInt64: FieldReader] = [:]

    mutating func reader(_ field: WordField, _ segment: Manifest.Segment) -> FieldReader {
      let key = UInt64(segment.id) << 1 | UInt64(field.rawValue)
      if let reader = known[key] { return reader }
      let reader = FieldReader(segment, field)
      known[key] = reader
      return reader
    }
  }
}

/// Bits of dead documents and counts of dead documents by term, as they will be.
struct DeadDocuments {
  static let termShift: UInt32 = 8
  static let termChunk = 1 << Int(termShift)
  static let termMask: UInt32 = (1 << termShift) - 1

  private struct Place: Hashable {
    var segment: UInt32
    var field: WordField
    var chunk: UInt32
  }

  private var bits: [Place: [UInt8]] = [:]
  private var terms: [Place: [UInt32]] = [:]

  /// Marks a document and takes it out of its segment's counts.
  ///
  /// - Returns: Whether it was alive.
  mutating func mark(
    _ ordinal: UInt32, in reader: FieldReader, _ part: inout Manifest.Field, _ snapshot: Snapshot
  ) throws(LMDBError) -> Bool {
    let chunk = ordinal >> DocumentColumns.chunkShift
    let place = Place(segment: reader.segment, field: reader.field, chunk: chunk)
    let index = FieldReader.place(ordinal)
    let bit: UInt8 = 1 << UInt8(index & 7)
    if bits[place] == nil {
      bits[place] =
        try reader.deadBits(chunk, snapshot).map { Array($0) }
        ?? [UInt8](repeating: 0, count: DocumentColumns.chunkCount / 8)
    }
    guard let row = bits[place] else { return false }
    if row[index >> 3] & bit != 0 { return false }
    bits[place]?[index >> 3] |= bit

    let length = UInt64(try reader.chunk(ordinal, snapshot).length(index))
    guard part.dead < part.documents, part.tokens >= length else { throw .damagedWords("the manifest") }
    part.dead += 1
    part.tokens -= length
    for term in try reader.terms(of: ordinal, snapshot) { try count(term, in: reader, snapshot) }
    return true
  }

  private mutating func count(_ term: UInt32, in reader: FieldReader, _ snapshot: Snapshot) throws(LMDBError) {
    let place = Place(segment: reader.segment, field: reader.field, chunk: term >> Self.termShift)
    let index = Int(term & Self.termMask)
    if terms[place] == nil {
      let known = try reader.deadTerms(place.chunk, snapshot)
      terms[place] = (0..<Self.termChunk).map { index in known.map { $0.integer(at: index * 4) } ?? 0 }
    }
    guard let before = terms[place]?[index], before < reader.facts.documents else {
      throw .damagedWords("a table of dead counts")
    }
    terms[place]?[index] = before + 1
  }

  func write(to index: InvertedIndex, in transaction: inout WriteTransaction) throws(LMDBError) {
    for (place, row) in bits {
      try index.put(row, for: Key.make(place.segment, .dead, place.field, place.chunk), in: &transaction)
    }
    for (place, counts) in terms {
      var row = ByteWriter(capacity: counts.count * 4 + Seal.byteCount)
      for count in counts { row.write(count) }
      try index.put(row.bytes, for: Key.make(place.segment, .deadTerms, place.field, place.chunk), in: &transaction)
    }
  }
}

extension InvertedIndex {
  /// Writes a removal, and deletes the segments that it leaves empty.
  ///
  /// - Returns: How many documents it removes.
  func apply(_ removal: consuming Removal, in transaction: inout WriteTransaction) throws(LMDBError) -> Int {
    if removal.count == 0 { return 0 }
    try removal.dead.write(to: self, in: &transaction)
    let emptied = removal.takeEmptied()
    var manifest = removal.manifest
    for segment in emptied { try retire(segment, &manifest, in: &transaction) }
    try put(manifest, in: &transaction)
    return removal.count
  }
}
