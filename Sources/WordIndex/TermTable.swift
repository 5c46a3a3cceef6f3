import ByteCoding

/// Numbers distinct terms in the order of their first occurrence; their bytes lie in one arena.
struct TermTable {
  private(set) var arena: [UInt8] = []
  /// Where each term ends in the arena; it begins at the end of the one before.
  private var ends: [UInt32] = []
  private var hashes: [UInt32] = []
  /// An open-addressing table of term numbers + 1, 0 if free: a power of two of them, at most half in use.
  private var slots = [UInt32](repeating: 0, count: 1_024)

  var count: Int { ends.count }
  var byteCount: Int { arena.count + ends.count * 8 + slots.count * 4 }

  func range(_ term: Int) -> Range<Int> {
    (term == 0 ? 0 : Int(ends[term - 1]))..<Int(ends[term])
  }

  func bytes(_ term: Int) -> [UInt8] { Array(arena[range(term)]) }

  /// The number of a term, which is added if it is new. About 20 ns.
  mutating func number(of term: UnsafeRawBufferPointer) -> UInt32 {
    let hash = UInt32(truncatingIfNeeded: Checksum.of(term, seed: 0))
    let mask = slots.count - 1
    var slot = Int(hash) & mask
    while true {
      let found = slots[slot]
      if found == 0 { break }
      let number = Int(found) - 1
      if hashes[number] == hash, isEqual(number, term) { return UInt32(truncatingIfNeeded: number) }
      slot = (slot + 1) & mask
    }
    arena.append(contentsOf: term)
    ends.append(UInt32(truncatingIfNeeded: arena.count))
    hashes.append(hash)
    slots[slot] = UInt32(truncatingIfNeeded: ends.count)
    if ends.count * 2 > slots.count { grow() }
    return UInt32(truncatingIfNeeded: ends.count - 1)
  }

  /// All term numbers, in the order of the terms' bytes.
  func sorted() -> [Int] {
    let order = (0..<count).map { (prefix: prefix($0), term: $0) }
    return arena.withUnsafeBytes { arena in
      order.sorted { a, b in
        if a.prefix != b.prefix { return a.prefix < b.prefix }
        return UnsafeRawBufferPointer(rebasing: arena[range(a.term)])
          .precedes(UnsafeRawBufferPointer(rebasing: arena[range(b.term)]))
      }
    }.map(\.term)
  }

  /// The first eight bytes as a number that sorts like them, zeros after a shorter term.
  private func prefix(_ term: Int) -> UInt64 {
    var prefix: UInt64 = 0
    let range = range(term)
    for index in 0..<8 {
      prefix = prefix << 8 | (index < range.count ? UInt64(arena[range.lowerBound + index]) : 0)
    }
    return prefix
  }

  private func isEqual(_ number: Int, _ term: UnsafeRawBufferPointer) -> Bool {
    let range = range(number)
    guard range.count == term.count else { return false }
    return arena.withUnsafeBytes { UnsafeRawBufferPointer(rebasing: $0[range]).elementsEqual(term) }
  }

  private mutating func grow() {
    slots = [UInt32](repeating: 0, count: slots.count * 2)
    let mask = slots.count - 1
    for (number, hash) in hashes.enumerated() {
      var slot = Int(hash) & mask
      while slots[slot] != 0 { slot = (slot + 1) & mask }
      slots[slot] = UInt32(truncatingIfNeeded: number + 1)
    }
  }
}

extension UnsafeRawBufferPointer {
  /// Lexicographic order, a prefix first.
  func precedes(_ other: UnsafeRawBufferPointer) -> Bool {
    let shared = Swift.min(count, other.count)
    var at = 0
    while at < shared {
      if self[at] != other[at] { return self[at] < other[at] }
      at += 1
    }
    return count < other.count
  }
}
