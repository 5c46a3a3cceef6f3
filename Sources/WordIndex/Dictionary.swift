import ByteCoding
import LMDB

/// Writes the terms of one field of a segment with their postings, in order of terms.
///
/// A page: number of its first term, UInt32; count of its terms and offset of each, UInt16; the entries. An entry: bytes of
/// the term, UInt16; the term; its documents, UInt32; 1 if the posting list follows, 0 if it is a value of its own.
struct DictionaryWriter {
  /// A sealed page of this size fits an LMDB page behind its header.
  static let pageBytes = 4_072
  static let pageHeader = 6

  let field: WordField
  private(set) var termCount: UInt32 = 0
  private var pageFirst: UInt32 = 0
  private var offsets: [Int] = []
  private var entries: [UInt8] = []
  private var last: [UInt8] = []

  init(_ field: WordField) {
    self.field = field
  }

  /// Adds the next term in order of bytes.
  ///
  /// - Returns: The term's number.
  mutating func add(
    _ term: [UInt8], _ postings: PostingBuffer, _ documents: DocumentColumns, to output: inout SegmentOutput
  ) -> UInt32 {
    let number = termCount
    var entry = ByteWriter(capacity: term.count + 32)
    entry.write(UInt16(truncatingIfNeeded: term.count))
    entry.writeRaw(term)
    entry.write(UInt32(truncatingIfNeeded: postings.count))
    if let list = postings.encodedInline(documents) {
      entry.write(true)
      entry.writeRaw(list)
    } else {
      entry.write(false)
      output.add(postings.encodedList(documents), for: Key.make(output.id, .list, field, number))
      output.add(postings.positions.bytes, for: Key.make(output.id, .positions, field, number))
    }
    if Self.pageHeader + (offsets.count + 1) * 2 + entries.count + entry.bytes.count > Self.pageBytes {
      finish(&output)
    }
    offsets.append(entries.count)
    entries.append(contentsOf: entry.bytes)
    last = term
    termCount += 1
    return number
  }

  /// Writes the page that is being filled.
  mutating func finish(_ output: inout SegmentOutput) {
    if offsets.isEmpty { return }
    var page = ByteWriter(capacity: Self.pageBytes + Seal.byteCount)
    page.write(pageFirst)
    page.write(UInt16(truncatingIfNeeded: offsets.count))
    let start = Self.pageHeader + offsets.count * 2
    for offset in offsets { page.write(UInt16(truncatingIfNeeded: start + offset)) }
    page.writeRaw(entries)
    output.add(page.bytes, for: last.withUnsafeBytes { Key.make(output.id, .dictionary, field, term: $0) })
    pageFirst = termCount
    offsets.removeAll(keepingCapacity: true)
    entries.removeAll(keepingCapacity: true)
  }
}

/// A page of terms in place.
struct DictionaryPage {
  let firstTerm: UInt32
  let count: Int
  private let bytes: UnsafeRawBufferPointer

  struct Entry {
    let documents: Int
    /// `nil` if the list is a value of its own.
    let inline: UnsafeRawBufferPointer?
  }

  private static var damaged: LMDBError { .damagedWords("a page of terms") }

  init(_ bytes: UnsafeRawBufferPointer, terms: UInt32) throws(LMDBError) {
    guard bytes.count >= DictionaryWriter.pageHeader else { throw Self.damaged }
    self.bytes = bytes
    firstTerm = bytes.integer(at: 0)
    count = Int(bytes.integer(at: 4, as: UInt16.self))
    guard count > 0, DictionaryWriter.pageHeader + 2 * count <= bytes.count,
      UInt64(firstTerm) + UInt64(count) <= terms
    else { throw Self.damaged }
  }

  func term(_ index: Int) throws(LMDBError) -> UnsafeRawBufferPointer {
    let entry = try range(index)
    let length = Int(bytes.integer(at: entry.lowerBound, as: UInt16.self))
    guard entry.count >= length + 7 else { throw Self.damaged }
    return UnsafeRawBufferPointer(rebasing: bytes[(entry.lowerBound + 2)..<(entry.lowerBound + 2 + length)])
  }

  /// The first term that is not before another in order of bytes; `count` for none.
  func firstIndex(notBefore term: UnsafeRawBufferPointer) throws(LMDBError) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if try self.term(middle).precedes(term) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  func entry(_ index: Int) throws(LMDBError) -> Entry {
    let range = try range(index)
    let at = range.lowerBound + 2 + (try term(index).count)
    let isInline = bytes[at + 4] != 0
    return Entry(
      documents: Int(bytes.integer(at: at, as: UInt32.self)),
      inline: isInline ? UnsafeRawBufferPointer(rebasing: bytes[(at + 5)..<range.upperBound]) : nil)
  }

  private func range(_ index: Int) throws(LMDBError) -> Range<Int> {
    guard index >= 0, index < count else { throw Self.damaged }
    let first = offset(index)
    let end = index + 1 == count ? bytes.count : offset(index + 1)
    guard first >= DictionaryWriter.pageHeader + 2 * count, first + 2 <= end, end <= bytes.count else {
      throw Self.damaged
    }
    return first..<end
  }

  private func offset(_ index: Int) -> Int {
    Int(bytes.integer(at: DictionaryWriter.pageHeader + 2 * index, as: UInt16.self))
  }
}

/// The terms of one field of a segment, in order.
struct TermIterator {
  private let reader: FieldReader
  private var page: DictionaryPage?
  private var index = 0
  /// `nil` past the last.
  private(set) var term: UnsafeRawBufferPointer?

  /// - Parameter start: Begins at this term or the first one after it.
  init(_ reader: FieldReader, atOrAfter start: [UInt8], _ snapshot: Snapshot) throws(LMDBError) {
    self.reader = reader
    if reader.facts.terms == 0 { return }
    try start.span.bytes.withUnsafeBytes { start throws(LMDBError) in
      page = try reader.page(atOrAfter: start, snapshot)
      index = try page?.firstIndex(notBefore: start) ?? 0
    }
    try settle()
  }

  mutating func next(_ snapshot: Snapshot) throws(LMDBError) {
    index += 1
    if let page, index >= page.count {
      let following = try Self.successor(Array(page.term(page.count - 1)))
      self.page = try following.span.bytes.withUnsafeBytes { term throws(LMDBError) in
        try reader.page(atOrAfter: term, snapshot)
      }
      index = 0
      if let next = self.page, next.firstTerm != page.firstTerm + UInt32(truncatingIfNeeded: page.count) {
        throw .damagedWords("a page of terms")
      }
    }
    try settle()
  }

  /// The postings of the current term.
  func list(_ snapshot: Snapshot) throws(LMDBError) -> PostingList? {
    guard let page, term != nil else { return nil }
    return try reader.list(page, index, snapshot)
  }

  /// The least term that is greater than `term`.
  static func successor(_ term: [UInt8]) -> [UInt8] { term + [0] }

  private mutating func settle() throws(LMDBError) {
    term = nil
    if let page { term = try page.term(index) }
  }
}
