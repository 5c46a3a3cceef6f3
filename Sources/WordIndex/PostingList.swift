import ByteCoding
import LMDB
import WordScoring

/// The postings of one term in one segment, in place; see `PostingFormat`.
struct PostingList {
  /// The term's number in its segment and field.
  let number: UInt32
  let documents: Int
  let blocks: Int
  /// Whether it is a long list, whose blocks have an index.
  let isIndexed: Bool
  /// Where the list's impacts begin.
  let impactsOffset: Int
  private let start: UnsafeRawPointer
  private let byteCount: Int
  private let dataStart: Int

  private static var damaged: LMDBError { .damagedWords("a posting list") }

  /// A block whose range was checked against the end of the value.
  struct Block {
    let data: UnsafeRawPointer
    let postings: Int
    let gapCode: UInt8
    let frequencyCode: UInt8
    /// The ordinal before its first; -1 for none.
    let previous: Int64
    let end: Int
  }

  /// A short list.
  init(inline bytes: UnsafeRawBufferPointer, _ number: UInt32, documents: Int) throws(LMDBError) {
    guard let start = bytes.baseAddress, documents <= PostingFormat.blockCount else { throw Self.damaged }
    self.number = number
    self.documents = documents
    self.start = start
    byteCount = bytes.count
    blocks = 1
    isIndexed = false
    impactsOffset = 0
    var reader = ByteReader(bytes.bytes)
    do throws(MalformedBytes) {
      for _ in 0..<2 * Int(try reader.integer(UInt8.self)) { _ = try reader.variable() }
    } catch {
      throw Self.damaged
    }
    dataStart = bytes.count - reader.remaining
  }

  /// A long list.
  init(_ bytes: UnsafeRawBufferPointer, _ number: UInt32, documents: Int) throws(LMDBError) {
    guard let start = bytes.baseAddress, bytes.count >= PostingFormat.headerBytes else { throw Self.damaged }
    func header(_ offset: Int) -> Int { Int(start.integer(at: offset, as: UInt32.self)) }
    self.number = number
    self.documents = documents
    self.start = start
    byteCount = bytes.count
    blocks = header(4)
    isIndexed = true
    impactsOffset = header(8)
    dataStart = header(12)
    guard header(0) == documents,
      blocks == (documents + PostingFormat.blockCount - 1) / PostingFormat.blockCount,
      PostingFormat.headerBytes + blocks * PostingFormat.indexBytes <= impactsOffset, impactsOffset < dataStart,
      dataStart <= byteCount
    else { throw Self.damaged }
  }

  // MARK: The index, of a long list only; a block must be less than `blocks`.

  @inline(__always)
  private func index<Value: FixedWidthInteger>(_ block: Int, _ offset: Int) -> Value {
    start.integer(at: PostingFormat.headerBytes &+ block &* PostingFormat.indexBytes &+ offset)
  }

  @inline(__always)
  func lastGroup(_ block: Int) -> UInt64 { index(block, 0) }
  @inline(__always)
  func lastOrdinal(_ block: Int) -> UInt32 { index(block, 8) }
  private func offset(_ block: Int) -> Int { dataStart + Int(index(block, 12) as UInt32) }

  /// Where the block's impacts begin.
  func impactsOffset(_ block: Int) -> Int { isIndexed ? Int(index(block, 16) as UInt32) : impactsOffset }

  /// Where the block's positions begin in the value of positions.
  func positionsOffset(_ block: Int) -> Int { isIndexed ? Int(index(block, 20) as UInt32) : 0 }

  /// The first block from `block` on whose last group is not less than `group`; `end` for none.
  func seek(group: UInt64, from block: Int, to end: Int) -> Int {
    gallop(from: block, to: end) { lastGroup($0) < group }
  }

  func seek(ordinal: UInt32, from block: Int, to end: Int) -> Int {
    gallop(from: block, to: end) { lastOrdinal($0) < ordinal }
  }

  /// How many postings are of documents before an ordinal. Decodes one block.
  func count(before ordinal: UInt32) throws(LMDBError) -> Int {
    let number = isIndexed ? seek(ordinal: ordinal, from: 0, to: blocks) : 0
    if number == blocks { return documents }
    let block = try block(number)
    let width = PostingFormat.width(block.gapCode)
    var last = block.previous
    for index in 0..<block.postings {
      last &+= 1
      switch block.gapCode {
      case 1: last &+= Int64(block.data.integer(at: index, as: UInt8.self))
      case 2: last &+= Int64(block.data.integer(at: index &* width, as: UInt16.self))
      default: last &+= Int64(block.data.integer(at: index &* width, as: UInt32.self))
      }
      if last >= Int64(ordinal) { return number * PostingFormat.blockCount + index }
    }
    return number * PostingFormat.blockCount + block.postings
  }

  func block(_ number: Int) throws(LMDBError) -> Block {
    guard number >= 0, number < blocks else { throw Self.damaged }
    let postings = number + 1 == blocks ? documents - number * PostingFormat.blockCount : PostingFormat.blockCount
    let at = isIndexed ? offset(number) : dataStart
    let limit = isIndexed && number + 1 < blocks ? offset(number + 1) : byteCount
    guard at < limit, limit <= byteCount else { throw Self.damaged }
    let widths: UInt8 = start.integer(at: at)
    let (gapCode, frequencyCode) = (widths & 3, widths >> 2)
    guard gapCode != 0, frequencyCode < 4 else { throw Self.damaged }
    let end = at + 1 + postings * (PostingFormat.width(gapCode) + PostingFormat.width(frequencyCode))
    guard isIndexed ? end == limit : end <= limit else { throw Self.damaged }
    let previous = number == 0 ? -1 : Int64(lastOrdinal(number - 1))
    return Block(
      data: start + at + 1, postings: postings, gapCode: gapCode, frequencyCode: frequencyCode, previous: previous,
      end: end)
  }

  /// The positions after the block of a short list.
  func inlinePositions() throws(LMDBError) -> UnsafeRawBufferPointer {
    let end = try block(0).end
    return UnsafeRawBufferPointer(start: start + end, count: byteCount - end)
  }

  // MARK: Impacts

  /// Visits the pairs of the impacts at an offset; see `Impacts`.
  @inline(__always)
  func forEachImpact(
    at offset: Int, _ visit: (_ frequency: UInt32, _ length: UInt32) -> Void
  ) throws(LMDBError) {
    guard offset < byteCount else { throw Self.damaged }
    let bytes = UnsafeRawBufferPointer(start: start + offset, count: byteCount - offset)
    var reader = ByteReader(bytes.bytes)
    do throws(MalformedBytes) {
      let pairs: UInt8 = try reader.integer()
      guard pairs > 0 else { throw MalformedBytes() }
      for _ in 0..<pairs {
        let frequency = try reader.variable()
        visit(frequency, try reader.variable())
      }
    } catch {
      throw Self.damaged
    }
  }

  /// The highest score that the impacts at an offset allow a posting.
  func bound(_ scorer: TermScorer, at offset: Int) throws(LMDBError) -> Double {
    var best = 0.0
    try forEachImpact(at: offset) { frequency, length in
      best = max(best, scorer.score(frequency, length))
    }
    return best
  }
}

/// The first number from `start` on that is not before the target, `end` for none. Steps
/// that double, then bisection: most moves are short.
@inline(__always)
func gallop(from start: Int, to end: Int, _ isBefore: (Int) -> Bool) -> Int {
  var (low, step) = (start, 1)
  while low + step - 1 < end, isBefore(low + step - 1) {
    low += step
    step *= 2
  }
  var high = min(end, low + step - 1)
  while low < high {
    let middle = (low + high) / 2
    if isBefore(middle) { low = middle + 1 } else { high = middle }
  }
  return low
}
