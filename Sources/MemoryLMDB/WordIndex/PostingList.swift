import LMDB

/// The postings of one term in one segment, in place; see `PostingFormat` for how they lie.
struct PostingList {
  /// The term's, in its segment and field.
  let number: UInt32
  let documents: Int
  let blocks: Int
  /// Whether blocks have an index; a list in a dictionary page is one block without.
  let isIndexed: Bool
  private let start: UnsafeRawPointer
  private let byteCount: Int
  /// Where the list's impacts lie.
  let impactsOffset: Int
  private let dataStart: Int

  private static let what: StaticString = "a posting list"

  /// A block's place in the value, checked against its end.
  struct Block {
    let data: UnsafeRawPointer
    let postings: Int
    let gapCode: UInt8
    let frequencyCode: UInt8
    /// The ordinal before its first; -1 for none.
    let previous: Int64
    let end: Int
  }

  init(inline bytes: UnsafeRawBufferPointer, _ number: UInt32, documents: Int) throws(LMDBError) {
    guard let start = bytes.baseAddress, documents <= PostingFormat.blockCount else { throw .damagedWords(Self.what) }
    self.number = number
    self.documents = documents
    self.start = start
    byteCount = bytes.count
    blocks = 1
    isIndexed = false
    impactsOffset = 0
    var reader = try BoundedReader(bytes, Self.what)
    try reader.skip(1, Self.what)
    for _ in 0..<2 * Int(start.load8(0)) { _ = try reader.readVariable(Self.what) }
    dataStart = bytes.count - reader.remaining
  }

  init(_ bytes: UnsafeRawBufferPointer, _ number: UInt32, documents: Int) throws(LMDBError) {
    guard let start = bytes.baseAddress, bytes.count >= PostingFormat.headerBytes else {
      throw .damagedWords(Self.what)
    }
    self.number = number
    self.documents = documents
    self.start = start
    byteCount = bytes.count
    blocks = Int(start.load32(4))
    isIndexed = true
    impactsOffset = Int(start.load32(8))
    dataStart = Int(start.load32(12))
    guard Int(start.load32(0)) == documents,
      blocks == (documents + PostingFormat.blockCount - 1) / PostingFormat.blockCount,
      PostingFormat.headerBytes + blocks * PostingFormat.indexBytes <= impactsOffset, impactsOffset < dataStart,
      dataStart <= byteCount
    else { throw .damagedWords(Self.what) }
  }

  // MARK: The index. The caller knows that it is there and has the block.

  @inline(__always)
  private func indexEntry(_ block: Int) -> UnsafeRawPointer {
    start + PostingFormat.headerBytes + block &* PostingFormat.indexBytes
  }

  @inline(__always)
  func lastGroup(_ block: Int) -> UInt64 { indexEntry(block).load64(0) }
  @inline(__always)
  func lastOrdinal(_ block: Int) -> UInt32 { indexEntry(block).load32(8) }

  /// Where the block's impacts lie.
  func impactsOffset(_ block: Int) -> Int { isIndexed ? Int(indexEntry(block).load32(16)) : impactsOffset }

  /// Where the block's positions lie in the value of positions.
  func positionsOffset(_ block: Int) -> Int { isIndexed ? Int(indexEntry(block).load32(20)) : 0 }

  /// The first block at or behind `block` with a group not less than `group`; `blocks` for none.
  func seek(group: UInt64, from block: Int) -> Int {
    seek(from: block) { lastGroup($0) < group }
  }

  func seek(ordinal: UInt32, from block: Int) -> Int {
    seek(from: block) { lastOrdinal($0) < ordinal }
  }

  /// In steps that double, then by halves: most moves are short.
  @inline(__always)
  private func seek(from block: Int, isBefore: (Int) -> Bool) -> Int {
    var (low, step) = (block, 1)
    while low + step - 1 < blocks, isBefore(low + step - 1) {
      low += step
      step *= 2
    }
    var high = min(blocks, low + step - 1)
    while low < high {
      let middle = (low + high) / 2
      if isBefore(middle) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  func block(_ number: Int) throws(LMDBError) -> Block {
    guard number >= 0, number < blocks else { throw .damagedWords(Self.what) }
    let postings = number + 1 == blocks ? documents - number * PostingFormat.blockCount : PostingFormat.blockCount
    let offset = isIndexed ? dataStart + Int(indexEntry(number).load32(12)) : dataStart
    let limit = isIndexed && number + 1 < blocks ? dataStart + Int(indexEntry(number + 1).load32(12)) : byteCount
    guard offset < limit, limit <= byteCount else { throw .damagedWords(Self.what) }
    let widths = start.load8(offset)
    let (gapCode, frequencyCode) = (widths & 3, widths >> 2)
    guard gapCode != 0, frequencyCode < 4 else { throw .damagedWords(Self.what) }
    let end = offset + 1 + postings * (PostingFormat.width(gapCode) + PostingFormat.width(frequencyCode))
    guard isIndexed ? end == limit : end <= limit else { throw .damagedWords(Self.what) }
    let previous = number == 0 ? -1 : Int64(lastOrdinal(number - 1))
    return Block(
      data: start + offset + 1, postings: postings, gapCode: gapCode, frequencyCode: frequencyCode, previous: previous,
      end: end)
  }

  /// The positions behind the one block of a list in a dictionary page.
  func inlinePositions() throws(LMDBError) -> UnsafeRawBufferPointer {
    let end = try block(0).end
    return UnsafeRawBufferPointer(start: start + end, count: byteCount - end)
  }

  /// Calls `visit` with each of the pairs at an offset.
  @inline(__always)
  func forEachImpact(
    at offset: Int, _ visit: (_ frequency: UInt32, _ length: UInt32) -> Void
  ) throws(LMDBError) {
    guard offset < byteCount else { throw .damagedWords(Self.what) }
    var reader = try BoundedReader(UnsafeRawBufferPointer(start: start + offset, count: byteCount - offset), Self.what)
    let pairs = start.load8(offset)
    try reader.skip(1, Self.what)
    guard pairs > 0 else { throw .damagedWords(Self.what) }
    for _ in 0..<pairs {
      let frequency = try reader.readVariable(Self.what)
      visit(frequency, try reader.readVariable(Self.what))
    }
  }

  /// What a posting scores at most, by the impacts at an offset.
  func bound(_ scorer: TermScorer, at offset: Int) throws(LMDBError) -> Double {
    var best = 0.0
    try forEachImpact(at: offset) { frequency, length in
      best = max(best, scorer.score(frequency, length))
    }
    return best
  }
}
