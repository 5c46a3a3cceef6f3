import LMDB

/// Documents that are about to die: their bits, and the counts of dead documents of their terms.
///
/// Marks first, writes last, so that nothing read in place moves in between.
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
    _ ordinal: UInt32, in reader: FieldReader, _ part: inout WordManifest.Field
  ) throws(LMDBError) -> Bool {
    let chunk = ordinal >> DocumentColumns.chunkShift
    let place = Place(segment: reader.segment, field: reader.field, chunk: chunk)
    if bits[place] == nil {
      bits[place] =
        try reader.deadBits(chunk).map { Array($0) } ?? [UInt8](repeating: 0, count: DocumentColumns.chunkCount / 8)
    }
    let index = FieldReader.place(ordinal)
    let bit: UInt8 = 1 << UInt8(index & 7)
    guard let row = bits[place], index >> 3 < row.count else { throw .damagedWords("a table of dead documents") }
    if row[index >> 3] & bit != 0 { return false }
    bits[place]?[index >> 3] |= bit

    let length = UInt64(try reader.chunk(ordinal).length(index))
    guard part.dead < part.documents, part.tokens >= length else { throw .damagedWords("the manifest") }
    part.dead += 1
    part.tokens -= length
    for term in try reader.terms(of: ordinal) { try count(term, in: reader) }
    return true
  }

  private mutating func count(_ term: UInt32, in reader: FieldReader) throws(LMDBError) {
    let place = Place(segment: reader.segment, field: reader.field, chunk: term >> Self.termShift)
    let index = Int(term & Self.termMask)
    if terms[place] == nil {
      var counts = [UInt32](repeating: 0, count: Self.termChunk)
      if let start = try reader.deadTerms(place.chunk)?.baseAddress {
        for index in counts.indices { counts[index] = start.load32(index * 4) }
      }
      terms[place] = counts
    }
    guard let before = terms[place]?[index], before < reader.facts.documents else {
      throw .damagedWords("a table of dead counts")
    }
    terms[place]?[index] = before + 1
  }

  func write(_ index: WordIndex, in transaction: inout WriteTransaction) throws(LMDBError) {
    for (place, row) in bits {
      try index.put(row, for: WordKey.make(place.segment, .dead, place.field, place.chunk), in: &transaction)
    }
    for (place, counts) in terms {
      var row: [UInt8] = []
      row.reserveCapacity(counts.count * 4 + WordSeal.byteCount)
      for count in counts { row.append32(count) }
      try index.put(row, for: WordKey.make(place.segment, .deadTerms, place.field, place.chunk), in: &transaction)
    }
  }
}
