import LMDB

extension FieldReader {
  /// The postings of a term, as `WordKey.term` has it; `nil` if no document has it.
  func find(_ term: [UInt8]) throws(LMDBError) -> PostingList? {
    if facts.terms == 0 { return nil }
    return try term.span.bytes.withUnsafeBytes { term throws(LMDBError) -> PostingList? in
      guard let page = try page(atOrAfter: term) else { return nil }
      let index = try page.firstIndex(notBefore: term)
      guard index < page.count, try page.term(index).elementsEqual(term) else { return nil }
      return try list(page, index)
    }
  }

  /// The page whose last term is `term` or the first one behind it.
  func page(atOrAfter term: UnsafeRawBufferPointer) throws(LMDBError) -> DictionaryPage? {
    let key = WordKey.make(segment, .dictionary, field, term: term)
    let transaction = snapshot.transaction
    var cursor = try transaction.cursor(in: snapshot.index.database)
    guard let entry = try cursor.seek(atOrAfter: key.span.bytes) else { return nil }
    let isOurs = entry.key.withUnsafeBytes { found in
      found.count >= WordKey.prefixCount && (0..<WordKey.prefixCount).allSatisfy { found[$0] == key[$0] }
    }
    guard isOurs else { return nil }
    let value = entry.value.withUnsafeBytes { $0 }
    let content = try snapshot.index.seal.open(
      value, key: entry.key, verified: snapshot.index.verified, "a page of terms")
    return try DictionaryPage(content, terms: facts.terms)
  }

  func list(_ page: DictionaryPage, _ index: Int) throws(LMDBError) -> PostingList {
    let entry = try page.entry(index)
    let number = page.firstTerm + UInt32(truncatingIfNeeded: index)
    guard entry.documents > 0, entry.documents <= count else { throw .damagedWords("a page of terms") }
    if let inline = entry.inline { return try PostingList(inline: inline, number, documents: entry.documents) }
    let value = try snapshot.immutable(segment, .list, field, number, "a posting list")
    guard let value else { throw .damagedWords("a posting list") }
    return try PostingList(value, number, documents: entry.documents)
  }

  func positions(of list: PostingList) throws(LMDBError) -> UnsafeRawBufferPointer {
    if !list.isIndexed { return try list.inlinePositions() }
    guard let value = try snapshot.immutable(segment, .positions, field, list.number, "a list of positions") else {
      throw .damagedWords("a list of positions")
    }
    return value
  }

  /// Dead documents among those of a term.
  func deadDocuments(ofTerm number: UInt32) throws(LMDBError) -> Int {
    if facts.dead == 0 { return 0 }
    guard let counts = try deadTerms(number >> DeadDocuments.termShift), let start = counts.baseAddress else {
      return 0
    }
    return Int(start.load32(Int(number & DeadDocuments.termMask) * 4))
  }

  func deadTerms(_ chunk: UInt32) throws(LMDBError) -> UnsafeRawBufferPointer? {
    let what: StaticString = "a table of dead counts"
    let counts = try snapshot.mutable(WordKey.make(segment, .deadTerms, field, chunk), what)
    if let counts, counts.count != DeadDocuments.termChunk * 4 { throw .damagedWords(what) }
    return counts
  }

  /// The numbers of a document's terms, ascending.
  func terms(of ordinal: UInt32) throws(LMDBError) -> [UInt32] {
    let what: StaticString = "a list of a document's terms"
    let chunk = ordinal >> ForwardWriter.chunkShift
    guard let value = try snapshot.immutable(segment, .forward, field, chunk, what) else {
      throw .damagedWords(what)
    }
    let documents = min(ForwardWriter.chunkCount, count - Int(chunk) * ForwardWriter.chunkCount)
    let index = Int(ordinal) & (ForwardWriter.chunkCount - 1)
    guard index < documents, let start = value.baseAddress, value.count >= documents * 4 else {
      throw .damagedWords(what)
    }
    let first = index == 0 ? 0 : Int(start.load32((index - 1) * 4))
    let end = Int(start.load32(index * 4))
    guard first <= end, documents * 4 + end <= value.count else { throw .damagedWords(what) }
    let bytes = UnsafeRawBufferPointer(start: start + documents * 4 + first, count: end - first)
    var reader = try BoundedReader(bytes, what)
    var terms: [UInt32] = []
    var number: UInt32 = 0
    while reader.remaining > 0 {
      let (next, overflow) = number.addingReportingOverflow(try reader.readVariable(what))
      guard !overflow, next < facts.terms, terms.isEmpty || next > number else { throw .damagedWords(what) }
      terms.append(next)
      number = next
    }
    return terms
  }
}
