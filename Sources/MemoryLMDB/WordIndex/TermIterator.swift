import LMDB

/// The terms of a field of a segment in order.
struct TermIterator {
  let reader: FieldReader
  private var page: DictionaryPage?
  private var index = 0
  /// `nil` behind the last.
  private(set) var term: UnsafeRawBufferPointer?

  /// - Parameter last: Begins behind this term; at the first for `nil`.
  init(_ reader: FieldReader, after last: [UInt8]?) throws(LMDBError) {
    self.reader = reader
    if reader.facts.terms == 0 { return }
    let start = last ?? []
    page = try start.span.bytes.withUnsafeBytes { start throws(LMDBError) in try reader.page(atOrAfter: start) }
    try settle()
    guard let last else { return }
    while let term, !last.withUnsafeBytes({ $0.precedes(term) }) { try next() }
  }

  /// - Parameter start: Begins at this term, or at the first one behind it.
  init(_ reader: FieldReader, atOrAfter start: [UInt8]) throws(LMDBError) {
    self.reader = reader
    if reader.facts.terms == 0 { return }
    try start.span.bytes.withUnsafeBytes { start throws(LMDBError) in
      page = try reader.page(atOrAfter: start)
      index = try page?.firstIndex(notBefore: start) ?? 0
    }
    try settle()
  }

  mutating func next() throws(LMDBError) {
    index += 1
    if let page, index >= page.count {
      // The least term behind the page's last one.
      let successor = try Array(page.term(page.count - 1)) + [0]
      self.page = try successor.span.bytes.withUnsafeBytes { term throws(LMDBError) in try reader.page(atOrAfter: term)
      }
      index = 0
      if let next = self.page, next.firstTerm != page.firstTerm + UInt32(truncatingIfNeeded: page.count) {
        throw .damagedWords("a page of terms")
      }
    }
    try settle()
  }

  /// The postings of the term it stands at.
  func list() throws(LMDBError) -> PostingList? {
    guard let page, term != nil else { return nil }
    return try reader.list(page, index)
  }

  private mutating func settle() throws(LMDBError) {
    term = nil
    if let page { term = try page.term(index) }
  }
}
