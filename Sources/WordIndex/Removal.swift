import ByteCoding
import LMDB

/// Documents that are to be removed: the bits and counts that change, and the manifest without them.
struct Removal {
  private(set) var manifest: Manifest
  private(set) var dead = DeadDocuments()
  private(set) var counts = CorpusCounts()
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
    guard try dead.mark(ordinal, in: reader, &manifest.segments[place][reader.field], snapshot) else { return }
    let chunk = try reader.chunk(ordinal, snapshot)
    let index = FieldReader.place(ordinal)
    counts.count(reader.field, group: chunk.group(index), length: chunk.length(index))
    count += 1
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
  private struct Place: Hashable {
    var segment: UInt32
    var field: WordField
    var level: UInt32 = 0
    var chunk: UInt32
  }

  private var bits: [Place: [UInt8]] = [:]
  private var terms: [Place: DeadTerms] = [:]

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
    let levels = WordCorpus.levels(of: try reader.group(ordinal, snapshot))
    for term in try reader.terms(of: ordinal, snapshot) {
      for level in levels { try count(term, level, in: reader, snapshot) }
    }
    return true
  }

  private mutating func count(
    _ term: UInt32, _ level: UInt32, in reader: FieldReader, _ snapshot: Snapshot
  ) throws(LMDBError) {
    let place = Place(segment: reader.segment, field: reader.field, level: level, chunk: term >> DeadTerms.shift)
    if terms[place] == nil { terms[place] = try reader.deadTerms(level, place.chunk, snapshot) ?? DeadTerms() }
    let index = Int(term & DeadTerms.mask)
    guard let before = terms[place]?.counts[index], before < reader.facts.documents else {
      throw .damagedWords("a table of dead counts")
    }
    terms[place]?.counts[index] = before + 1
  }

  func write(to index: InvertedIndex, in transaction: inout WriteTransaction) throws(LMDBError) {
    for (place, row) in bits {
      try index.put(row, for: Key.make(place.segment, .dead, place.field, place.chunk), in: &transaction)
    }
    for (place, terms) in terms {
      let key = Key.make(place.segment, .deadTerms, place.field, place.level, place.chunk)
      try index.put(terms.encoded(), for: key, in: &transaction)
    }
  }
}

/// How many documents of each of 256 terms are dead, of the groups of one level. A value has the numbers that are not 0, each
/// after the distance from the last one, in variable length.
struct DeadTerms: Equatable {
  static let shift: UInt32 = 8
  static let mask: UInt32 = (1 << shift) - 1

  /// By term.
  var counts = [UInt32](repeating: 0, count: 1 << Int(shift))

  init() {}

  init(_ value: UnsafeRawBufferPointer) throws(LMDBError) {
    var reader = ByteReader(value.bytes)
    do throws(MalformedBytes) {
      var next: UInt32 = 0
      while !reader.isAtEnd {
        let (term, overflow) = next.addingReportingOverflow(try reader.variable())
        guard !overflow, term <= Self.mask else { throw MalformedBytes() }
        counts[Int(term)] = try reader.variable()
        next = term + 1
      }
    } catch {
      throw .damagedWords("a table of dead counts")
    }
  }

  func encoded() -> [UInt8] {
    var bytes = ByteWriter(capacity: 2 * counts.count + Seal.byteCount)
    var next = 0
    for (term, count) in counts.enumerated() where count > 0 {
      bytes.writeVariable(UInt32(truncatingIfNeeded: term - next))
      bytes.writeVariable(count)
      next = term + 1
    }
    return bytes.bytes
  }
}

extension InvertedIndex {
  /// Writes a removal, and deletes the segments that it leaves empty.
  ///
  /// - Returns: How many documents it removes.
  func apply(_ removal: consuming Removal, in transaction: inout WriteTransaction) throws(LMDBError) -> Int {
    if removal.count == 0 { return 0 }
    try removal.dead.write(to: self, in: &transaction)
    try removal.counts.subtract(from: self, in: &transaction)
    let emptied = removal.takeEmptied()
    var manifest = removal.manifest
    for segment in emptied { try retire(segment, &manifest, in: &transaction) }
    try put(manifest, in: &transaction)
    return removal.count
  }
}
