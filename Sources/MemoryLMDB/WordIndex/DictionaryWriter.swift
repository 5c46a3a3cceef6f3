/// The terms of one field of a segment with their postings, term after term.
///
/// A page: number of its first term, UInt32; count of its terms and offset of each, UInt16; the entries. An entry: bytes of
/// the term, UInt16; the term; its documents, UInt32; 1 where the list follows, 0 where it is a value of its own.
struct DictionaryWriter {
  /// With its seal a page is what fits an LMDB page behind its header.
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
    var entry: [UInt8] = []
    entry.append16(UInt16(truncatingIfNeeded: term.count))
    entry.append(contentsOf: term)
    entry.append32(UInt32(truncatingIfNeeded: postings.count))
    if let list = postings.encodedInline(documents) {
      entry.append(1)
      entry.append(contentsOf: list)
    } else {
      entry.append(0)
      output.add(postings.encodedList(documents), for: WordKey.make(output.id, .list, field, number))
      output.add(postings.positions, for: WordKey.make(output.id, .positions, field, number))
    }
    if Self.pageHeader + (offsets.count + 1) * 2 + entries.count + entry.count > Self.pageBytes { finish(&output) }
    offsets.append(entries.count)
    entries.append(contentsOf: entry)
    last = term
    termCount += 1
    return number
  }

  /// Writes the page that is being filled.
  mutating func finish(_ output: inout SegmentOutput) {
    if offsets.isEmpty { return }
    var page: [UInt8] = []
    page.reserveCapacity(Self.pageBytes + WordSeal.byteCount)
    page.append32(pageFirst)
    page.append16(UInt16(truncatingIfNeeded: offsets.count))
    let start = Self.pageHeader + offsets.count * 2
    for offset in offsets { page.append16(UInt16(truncatingIfNeeded: start + offset)) }
    page.append(contentsOf: entries)
    output.add(page, for: last.withUnsafeBytes { WordKey.make(output.id, .dictionary, field, term: $0) })
    pageFirst = termCount
    offsets.removeAll(keepingCapacity: true)
    entries.removeAll(keepingCapacity: true)
  }
}
