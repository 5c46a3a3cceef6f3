import ByteCoding
import TestSupport
import Testing

@Suite struct `A checksum` {
  private static func checksum(_ bytes: [UInt8], seed: UInt64 = 1) -> UInt64 {
    bytes.withUnsafeBytes { Checksum.of($0, seed: seed) }
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

  @Test(arguments: [0, 1, .max, 0x0123_4567_89AB_CDEF] as [UInt64])
  func `of a number is that of its bytes`(_ number: UInt64) {
    #expect(Checksum.of(number, seed: 5) == withUnsafeBytes(of: number.littleEndian) { Checksum.of($0, seed: 5) })
  }

  @Test(arguments: ["", "a", "Zoë", "episode:00000000-0000-7000-8000-000000000000"])
  func `of a text is that of its UTF-8`(_ text: String) {
    #expect(Checksum.of(text, seed: 5) == Self.checksum(Array(text.utf8), seed: 5))
  }

  @Test func `spreads consecutive numbers and short texts over every byte of the result`() {
    for checksums in [(0..<4096).map { Checksum.of($0, seed: 1) }, (0..<4096).map { Checksum.of("e-\($0)", seed: 1) }] {
      for shift in stride(from: 0, to: 64, by: 8) {
        var counts = [Int](repeating: 0, count: 256)
        for checksum in checksums { counts[Int(checksum >> UInt64(shift) & 255)] += 1 }
        // 16 are expected in each of 256 places; a uniform hash exceeds 45 once in ten million places.
        #expect(counts.allSatisfy { 1...45 ~= $0 })
      }
    }
  }

  /// If it changes, the formats of the tiers must be counted up: values sealed by other builds would look damaged.
  @Test func `is the same in every build`() {
    #expect(Self.checksum([]) == 13_572_121_137_627_692_448)
    #expect(Self.checksum(Array(0...255)) == 14_687_027_180_510_977_863)
  }
}
