import LMDB

/// A page of terms in place; see `DictionaryWriter` for how it lies.
struct DictionaryPage {
  let firstTerm: UInt32
  let count: Int
  private let start: UnsafeRawPointer
  private let byteCount: Int

  struct Entry {
    let documents: Int
    /// `nil` where the list is a value of its own.
    let inline: UnsafeRawBufferPointer?
  }

  private static let what: StaticString = "a page of terms"

  init(_ bytes: UnsafeRawBufferPointer, terms: UInt32) throws(LMDBError) {
    guard let start = bytes.baseAddress, bytes.count >= DictionaryWriter.pageHeader else {
      throw .damagedWords(Self.what)
    }
    self.start = start
    byteCount = bytes.count
    firstTerm = start.load32(0)
    count = Int(start.load16(4))
    guard count > 0, DictionaryWriter.pageHeader + 2 * count <= byteCount, UInt64(firstTerm) + UInt64(count) <= terms
    else { throw .damagedWords(Self.what) }
  }

  func term(_ index: Int) throws(LMDBError) -> UnsafeRawBufferPointer {
    let entry = try range(index)
    let length = Int(start.load16(entry.lowerBound))
    guard entry.count >= length + 7 else { throw .damagedWords(Self.what) }
    return UnsafeRawBufferPointer(start: start + entry.lowerBound + 2, count: length)
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
    let length = try term(index).count
    let at = range.lowerBound + 2 + length
    let isInline = start.load8(at + 4) != 0
    let inline = UnsafeRawBufferPointer(start: start + at + 5, count: range.upperBound - at - 5)
    return Entry(documents: Int(start.load32(at)), inline: isInline ? inline : nil)
  }

  private func range(_ index: Int) throws(LMDBError) -> Range<Int> {
    guard index >= 0, index < count else { throw .damagedWords(Self.what) }
    let first = Int(start.load16(DictionaryWriter.pageHeader + 2 * index))
    let end = index + 1 == count ? byteCount : Int(start.load16(DictionaryWriter.pageHeader + 2 * (index + 1)))
    guard first >= DictionaryWriter.pageHeader + 2 * count, first + 2 <= end, end <= byteCount else {
      throw .damagedWords(Self.what)
    }
    return first..<end
  }
}
