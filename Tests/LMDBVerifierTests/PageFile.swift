import TestSupport
import Foundation

/// A data file as bytes, to damage it.
struct PageFile {
  /// What LMDB takes on this machine.
  static let pageSize = min(Int(sysconf(Int32(_SC_PAGESIZE))), 32_768)

  var bytes: Data

  init(_ path: String) throws {
    bytes = try Data(contentsOf: URL(fileURLWithPath: path))
  }

  /// Writes the file anew, as LMDB's lock file beside it knows nothing of it.
  func write(to path: String) throws {
    try bytes.write(to: URL(fileURLWithPath: path))
  }

  var pageCount: Int { bytes.count / Self.pageSize }

  /// 0 or 1.
  var newestMeta: Int { word(at: 144) < word(at: Self.pageSize + 144) ? 1 : 0 }

  /// Behind the meta pages.
  func first(withFlags flags: Int) -> Int? {
    (2..<pageCount).first { half(at: $0 * Self.pageSize + 10) == flags }
  }

  func half(at offset: Int) -> Int { number(at: offset, count: 2) }

  func word(at offset: Int) -> Int { number(at: offset, count: 8) }

  mutating func setWord(_ word: Int, at offset: Int) {
    for index in 0..<8 where offset + index < bytes.count {
      bytes[offset + index] = UInt8(truncatingIfNeeded: word >> (8 * index))
    }
  }

  /// One to three random changes, most of them where structure is.
  mutating func damage(_ older: PageFile, _ random: inout SeededGenerator) {
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      let spot = structuralOffset(&random)
      let page = Int.random(in: 0..<pageCount, using: &random)
      let other = Int.random(in: 0..<pageCount, using: &random)
      switch random.next() % 16 {
      case 0..<5: bytes[spot] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 5..<7: bytes[spot] = UInt8(truncatingIfNeeded: random.next())
      case 7: bytes[spot] &+= random.next() % 2 == 0 ? 1 : 255
      case 8: bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 9: setWord(Int.random(in: 0..<(pageCount + 2), using: &random), at: spot & ~7)
      case 10: replace(page, by: Data(count: Self.pageSize))
      case 11:
        let (one, two) = (self.page(page), self.page(other))
        replace(page, by: two)
        replace(other, by: one)
      case 12:
        replace(page, by: self.page(other))
        if random.next() % 2 == 0 { setWord(page, at: page * Self.pageSize) }
      case 13: if page < older.pageCount { replace(page, by: older.page(page)) }
      case 14: bytes.append(contentsOf: random.bytes(Int.random(in: 0..<9_000, using: &random)))
      default: bytes.removeLast(Int.random(in: 0..<min(9_000, bytes.count - 2 * Self.pageSize + 1), using: &random))
      }
    }
  }

  /// Somewhere in a meta page, a page header, the offsets or a node.
  private func structuralOffset(_ random: inout SeededGenerator) -> Int {
    let page = random.next() % 5 == 0 ? Int(random.next() % 2) : Int.random(in: 0..<pageCount, using: &random)
    let start = page * Self.pageSize
    if page < 2 { return start + Int(random.next() % 152) }
    let end = half(at: start + 12)
    guard random.next() % 4 != 0, end > 16, end < Self.pageSize else { return start + Int(random.next() % 24) }
    let slot = start + 16 + Int.random(in: 0..<(end - 16) / 2, using: &random) * 2
    if random.next() % 3 == 0 { return slot }
    return start + min(half(at: slot) + Int(random.next() % 24), Self.pageSize - 1)
  }

  private func page(_ number: Int) -> Data {
    bytes.subdata(in: (number * Self.pageSize)..<((number + 1) * Self.pageSize))
  }

  private mutating func replace(_ number: Int, by page: Data) {
    bytes.replaceSubrange((number * Self.pageSize)..<((number + 1) * Self.pageSize), with: page)
  }

  /// 0 for what is outside; a number too large for an `Int` comes out negative.
  private func number(at offset: Int, count: Int) -> Int {
    guard offset >= 0, offset + count <= bytes.count else { return 0 }
    return (0..<count).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
  }
}
