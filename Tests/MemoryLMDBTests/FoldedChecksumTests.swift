import TestSupport
import Testing

@testable import MemoryLMDB

@Suite struct `The checksum of an entry` {
  private static func checksum(_ bytes: [UInt8], seed: UInt64 = 1) -> UInt64 {
    bytes.withUnsafeBytes { FoldedChecksum.of($0, seed: seed) }
  }

  @Test(arguments: [1, 7, 8, 15, 16, 17, 127, 128, 129, 300, 1000])
  func `differs for every flipped bit, every cut and every swap of words`(_ count: Int) {
    var generator = SeededGenerator(seed: UInt64(count))
    var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    var seen: Set<UInt64> = [Self.checksum(bytes)]
    for bit in 0..<count * 8 {
      bytes[bit / 8] ^= 1 << (bit % 8)
      #expect(seen.insert(Self.checksum(bytes)).inserted)
      bytes[bit / 8] ^= 1 << (bit % 8)
    }
    for cut in 0..<count { #expect(seen.insert(Self.checksum(Array(bytes[..<cut]))).inserted) }
    for (first, second) in [(0, 8), (0, 128), (16, 32), (64, 0)] where max(first, second) + 8 <= count {
      var swapped = bytes
      for index in 0..<8 { swapped.swapAt(first + index, second + index) }
      #expect(seen.insert(Self.checksum(swapped)).inserted || swapped == bytes)
    }
    #expect(seen.insert(Self.checksum(bytes, seed: 2)).inserted)
    #expect(seen.insert(Self.checksum(bytes + [0])).inserted)
  }

  @Test func `tells lengths of nothing but zeros apart`() {
    let checksums = Set((0...600).map { Self.checksum([UInt8](repeating: 0, count: $0)) })
    #expect(checksums.count == 601)
  }

  /// Changing it must count up the format, or entries of other builds would look damaged.
  @Test func `is the same in every build`() {
    #expect(Self.checksum([]) == 6_444_268_545_760_364_292)
    #expect(Self.checksum(Array(0...255)) == 5_373_741_032_443_852_052)
  }
}
