import Synchronization

/// How often keys were requested, up to 15: a count-min sketch in which the four counters of a key share a cache line.
///
/// Counting is lock-free and may lose a count to another thread; a byte above 15 counts as 15.
struct FrequencySketch {
  private static let lineCount = 64
  private static let maximum: UInt8 = 15

  private let counters: UnsafeMutablePointer<Atomic<UInt8>>
  private let count: Int

  /// - Parameter count: Bytes at `counters`, a power of two of 64 or more.
  init(_ counters: UnsafeMutablePointer<Atomic<UInt8>>, count: Int) {
    self.counters = counters
    self.count = count
  }

  func frequency(of hash: UInt64) -> Int {
    let line = line(of: hash)
    var least = Self.maximum
    for row in 0..<4 { least = min(least, counters[Self.index(row, hash, line)].load(ordering: .relaxed)) }
    return Int(least)
  }

  func add(_ hash: UInt64) {
    let line = line(of: hash)
    let frequency = UInt8(truncatingIfNeeded: frequency(of: hash))
    guard frequency < Self.maximum else { return }
    // Only the lowest counters (conservative update): the others count other keys too.
    for row in 0..<4 {
      let index = Self.index(row, hash, line)
      if counters[index].load(ordering: .relaxed) == frequency {
        counters[index].store(frequency + 1, ordering: .relaxed)
      }
    }
  }

  /// Loads the cache line of a key's counters.
  func prefetch(for hash: UInt64) { _ = counters[line(of: hash)].load(ordering: .relaxed) }

  /// Halves every counter, so that old requests lose their weight.
  ///
  /// - Complexity: One pass over the counters, 16 bytes an entry of the cache.
  func age() {
    for index in 0..<count {
      let counter = counters[index].load(ordering: .relaxed)
      if counter > 0 { counters[index].store(min(counter, Self.maximum) / 2, ordering: .relaxed) }
    }
  }

  private func line(of hash: UInt64) -> Int {
    Int(truncatingIfNeeded: hash) & (count - 1) & ~(Self.lineCount - 1)
  }

  private static func index(_ row: Int, _ hash: UInt64, _ line: Int) -> Int {
    line + row * 16 + Int(truncatingIfNeeded: hash >> UInt64(32 + 4 * row)) & 15
  }
}
