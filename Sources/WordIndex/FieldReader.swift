import ByteCoding
import LMDB

/// One field of one segment, read in place through a snapshot, the same in every call.
final class FieldReader {
  let segment: UInt32
  let field: WordField
  let facts: Manifest.Field
  /// Chunks of the tables of documents, looked up when they are first needed.
  let chunks: UnsafeMutablePointer<Chunk>
  private let chunkCount: Int
  /// The parent that a cursor found last. Memory of its own, because every access to a variable of a class is checked for
  /// exclusivity.
  let known: UnsafeMutablePointer<(group: UInt64, ordinal: UInt32?)>

  /// 4,096 documents; the last chunk has fewer. An index must be less than `count`, which is not checked.
  struct Chunk {
    fileprivate(set) var groups: UnsafeRawPointer?
    fileprivate var count = 0
    fileprivate var dead: UnsafeRawPointer?

    @inline(__always)
    func group(_ index: Int) -> UInt64 { groups.map { $0.integer(at: index &* 8) } ?? 0 }
    @inline(__always)
    func member(_ index: Int) -> UInt64 { groups.map { $0.integer(at: (count &+ index) &* 8) } ?? 0 }
    @inline(__always)
    func length(_ index: Int) -> UInt32 { groups.map { $0.integer(at: count &* 16 &+ index &* 4) } ?? 0 }
    @inline(__always)
    func isDead(_ index: Int) -> Bool {
      guard let dead else { return false }
      return dead.integer(at: index >> 3, as: UInt8.self) & (1 << UInt8(index & 7)) != 0
    }

    func document(_ index: Int, _ field: WordField) -> WordDocument {
      WordDocument(field: field, group: group(index), member: member(index))
    }
  }

  init(_ segment: Manifest.Segment, _ field: WordField) {
    self.segment = segment.id
    self.field = field
    facts = segment[field]
    chunkCount = DocumentColumns.chunks(Int(facts.documents))
    chunks = .allocate(capacity: max(1, chunkCount))
    chunks.initialize(repeating: Chunk(), count: max(1, chunkCount))
    known = .allocate(capacity: 1)
    known.initialize(to: (0, nil))
  }

  deinit {
    chunks.deallocate()
    known.deallocate()
  }

  /// Ordinals are less than this.
  var count: Int { Int(facts.documents) }

  // MARK: Documents. An ordinal must be less than `count`.

  @inline(__always)
  func chunk(_ ordinal: UInt32, _ snapshot: Snapshot) throws(LMDBError) -> Chunk {
    let chunk = chunks[Int(ordinal >> DocumentColumns.chunkShift)]
    if chunk.groups != nil { return chunk }
    return try load(Int(ordinal >> DocumentColumns.chunkShift), snapshot)
  }

  /// The index of a document in its chunk.
  @inline(__always)
  static func place(_ ordinal: UInt32) -> Int { Int(ordinal) & (DocumentColumns.chunkCount - 1) }

  @inline(__always)
  func group(_ ordinal: UInt32, _ snapshot: Snapshot) throws(LMDBError) -> UInt64 {
    try chunk(ordinal, snapshot).group(Self.place(ordinal))
  }

  func isDead(_ ordinal: UInt32, _ snapshot: Snapshot) throws(LMDBError) -> Bool {
    facts.dead == 0 ? false : try chunk(ordinal, snapshot).isDead(Self.place(ordinal))
  }

  @inline(never)
  private func load(_ number: Int, _ snapshot: Snapshot) throws(LMDBError) -> Chunk {
    guard number < chunkCount else { throw .damagedWords("an ordinal") }
    let expected = min(DocumentColumns.chunkCount, count - number * DocumentColumns.chunkCount)
    let value = try snapshot.immutable(
      segment, .documents, field, UInt32(truncatingIfNeeded: number), "a table of documents")
    guard let value, value.count == expected * DocumentColumns.width else {
      throw .damagedWords("a table of documents")
    }
    var chunk = Chunk(groups: value.baseAddress, count: expected)
    if facts.dead != 0 { chunk.dead = try deadBits(UInt32(truncatingIfNeeded: number), snapshot)?.baseAddress }
    chunks[number] = chunk
    return chunk
  }

  /// `nil` if no document of a chunk is dead.
  func deadBits(_ chunk: UInt32, _ snapshot: Snapshot) throws(LMDBError) -> UnsafeRawBufferPointer? {
    let bits = try snapshot.mutable(Key.make(segment, .dead, field, chunk), "a table of dead documents")
    if let bits, bits.count != DocumentColumns.chunkCount / 8 { throw .damagedWords("a table of dead documents") }
    return bits
  }

  /// The first ordinal whose document is not before (group, member); `count` for none. Reads few chunks.
  func firstOrdinal(group: UInt64, member: UInt64, _ snapshot: Snapshot) throws(LMDBError) -> Int {
    // Chunks first: their last documents rule out all but one.
    var (lowChunk, highChunk) = (0, chunkCount)
    while lowChunk < highChunk {
      let middle = (lowChunk + highChunk) / 2
      let last = min(count, (middle + 1) << Int(DocumentColumns.chunkShift)) - 1
      if try isBefore(last, group, member, snapshot) { lowChunk = middle + 1 } else { highChunk = middle }
    }
    var low = min(count, lowChunk << Int(DocumentColumns.chunkShift))
    var high = min(count, (lowChunk + 1) << Int(DocumentColumns.chunkShift))
    while low < high {
      let middle = (low + high) / 2
      if try isBefore(middle, group, member, snapshot) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private func isBefore(
    _ ordinal: Int, _ group: UInt64, _ member: UInt64, _ snapshot: Snapshot
  ) throws(LMDBError) -> Bool {
    let ordinal = UInt32(truncatingIfNeeded: ordinal)
    let chunk = try chunk(ordinal, snapshot)
    let found = chunk.group(Self.place(ordinal))
    return found != group ? found < group : chunk.member(Self.place(ordinal)) < member
  }

  // MARK: Terms

  /// The postings of a term, shortened as by `Key.term`; `nil` if no document has it.
  func find(_ term: [UInt8], _ snapshot: Snapshot) throws(LMDBError) -> PostingList? {
    if facts.terms == 0 { return nil }
    return try term.span.bytes.withUnsafeBytes { term throws(LMDBError) -> PostingList? in
      guard let page = try page(atOrAfter: term, snapshot) else { return nil }
      let index = try page.firstIndex(notBefore: term)
      guard index < page.count, try page.term(index).elementsEqual(term) else { return nil }
      return try list(page, index, snapshot)
    }
  }

  /// The page whose last term is `term` or the first one after it.
  func page(atOrAfter term: UnsafeRawBufferPointer, _ snapshot: Snapshot) throws(LMDBError) -> DictionaryPage? {
    let key = Key.make(segment, .dictionary, field, term: term)
    var cursor = try snapshot.transaction.cursor(in: snapshot.index.database)
    guard let entry = try cursor.seek(atOrAfter: key.span.bytes),
      entry.hasPrefix(key.prefix(Key.prefixCount))
    else { return nil }
    let content = try snapshot.open(
      entry.value, key: entry.key, verified: snapshot.index.verified, "a page of terms")
    return try DictionaryPage(content, terms: facts.terms)
  }

  func list(_ page: DictionaryPage, _ index: Int, _ snapshot: Snapshot) throws(LMDBError) -> PostingList {
    let entry = try page.entry(index)
    let number = page.firstTerm + UInt32(truncatingIfNeeded: index)
    guard entry.documents > 0, entry.documents <= count else { throw .damagedWords("a page of terms") }
    if let inline = entry.inline { return try PostingList(inline: inline, number, documents: entry.documents) }
    guard let value = try snapshot.immutable(segment, .list, field, number, "a posting list") else {
      throw .damagedWords("a posting list")
    }
    return try PostingList(value, number, documents: entry.documents)
  }

  func positions(of list: PostingList, _ snapshot: Snapshot) throws(LMDBError) -> UnsafeRawBufferPointer {
    if !list.isIndexed { return try list.inlinePositions() }
    guard let value = try snapshot.immutable(segment, .positions, field, list.number, "a list of positions") else {
      throw .damagedWords("a list of positions")
    }
    return value
  }

  /// How many documents of a term are dead, of the groups of a level.
  func deadDocuments(ofTerm number: UInt32, level: UInt32, _ snapshot: Snapshot) throws(LMDBError) -> Int {
    if facts.dead == 0 { return 0 }
    let terms = try deadTerms(level, number >> DeadTerms.shift, snapshot)
    return Int(terms?.counts[Int(number & DeadTerms.mask)] ?? 0)
  }

  /// Counts of dead documents of the terms of a chunk; `nil` if all are 0.
  func deadTerms(_ level: UInt32, _ chunk: UInt32, _ snapshot: Snapshot) throws(LMDBError) -> DeadTerms? {
    let key = Key.make(segment, .deadTerms, field, level, chunk)
    guard let value = try snapshot.mutable(key, "a table of dead counts") else { return nil }
    return try DeadTerms(value)
  }

  /// The numbers of a document's terms, ascending.
  func terms(of ordinal: UInt32, _ snapshot: Snapshot) throws(LMDBError) -> [UInt32] {
    let what: StaticString = "a list of a document's terms"
    let chunk = ordinal >> ForwardWriter.chunkShift
    guard let value = try snapshot.immutable(segment, .forward, field, chunk, what) else { throw .damagedWords(what) }
    let documents = min(ForwardWriter.chunkCount, count - Int(chunk) * ForwardWriter.chunkCount)
    let index = Int(ordinal) & (ForwardWriter.chunkCount - 1)
    guard index < documents, value.count >= documents * 4 else { throw .damagedWords(what) }
    let first = index == 0 ? 0 : Int(value.integer(at: (index - 1) * 4, as: UInt32.self))
    let end = Int(value.integer(at: index * 4, as: UInt32.self))
    guard first <= end, documents * 4 + end <= value.count else { throw .damagedWords(what) }
    var terms: [UInt32] = []
    var reader = ByteReader(value.bytes.extracting((documents * 4 + first)..<(documents * 4 + end)))
    do throws(MalformedBytes) {
      var number: UInt32 = 0
      while !reader.isAtEnd {
        let (next, overflow) = number.addingReportingOverflow(try reader.variable())
        guard !overflow, next < facts.terms, terms.isEmpty || next > number else { throw MalformedBytes() }
        terms.append(next)
        number = next
      }
    } catch {
      throw .damagedWords(what)
    }
    return terms
  }
}
