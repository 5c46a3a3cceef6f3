/// A set of page numbers, a bit each.
struct PageSet {
  private var words: [UInt64]
  /// Numbers it can hold: 0 to this, exclusive.
  let limit: UInt64

  init(limit: UInt64) {
    self.limit = limit
    words = Array(repeating: 0, count: Int(clamping: limit / 64) &+ 1)
  }

  /// - Returns: Whether it was not there yet; false also for one past the limit.
  @inline(__always)
  mutating func insert(_ page: UInt64) -> Bool {
    guard page < limit else { return false }
    let index = Int(truncatingIfNeeded: page >> 6)
    guard index < words.count else { return false }
    let bit = UInt64(1) << (page & 63)
    if words[index] & bit != 0 { return false }
    words[index] |= bit
    return true
  }
}
