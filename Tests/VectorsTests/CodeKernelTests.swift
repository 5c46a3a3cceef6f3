import Testing

@testable import Vectors

@Suite struct `Code kernels` {
  static let words = Array(1...9) + [15, 16, 127, 128]
  static let counts = [0, 1, 2, 31, 32, 33, 64, 95, 100]

  /// The sum of magnitudes where signs differ, bit by bit.
  static func distance(_ code: ArraySlice<UInt64>, to query: [UInt64]) -> UInt32 {
    let words = code.count
    var distance: UInt32 = 0
    for (word, bits) in code.enumerated() {
      for bit in 0..<UInt64(64) where (bits ^ query[word]) >> bit & 1 == 1 {
        for plane in 1...3 { distance += UInt32(query[plane * words + word] >> bit & 1) << UInt32(plane - 1) }
      }
    }
    return distance
  }

  static func bytes(of words: [UInt64]) -> [UInt8] {
    words.map(\.littleEndian).withUnsafeBytes { [UInt8]($0) }
  }

  /// Codes, word by word, in groups of eight rows; what is behind the last row is noise.
  static func groups(of codes: [UInt64], words: Int) -> [UInt64] {
    let rows = codes.count / words
    var groups = [UInt64](repeating: 0x5555_5555_5555_5555, count: (rows + 7) / 8 * 8 * words)
    for row in 0..<rows {
      for word in 0..<words { groups[row / 8 * 8 * words + 8 * word + row % 8] = codes[row * words + word] }
    }
    return groups
  }

  func distances(_ set: InstructionSet, _ codes: [UInt64], words: Int, to query: [UInt64], offset: Int) -> [UInt16] {
    let bytes = [UInt8](repeating: 0xFF, count: offset) + Self.bytes(of: Self.groups(of: codes, words: words))
    let count = codes.count / words
    // What lies behind the distances must stay as it is.
    var distances = [UInt16](repeating: 7, count: count + 8)
    distances.withUnsafeMutableBufferPointer { distances in
      let out = UnsafeMutableBufferPointer(rebasing: distances[..<count])
      bytes.withUnsafeBytes { bytes in
        set.groupDistances(UnsafeRawBufferPointer(rebasing: bytes[offset...]), words: words, to: query, into: out)
      }
    }
    #expect(distances[count...].allSatisfy { $0 == 7 })
    return Array(distances[..<count])
  }

  func distances(
    _ set: InstructionSet, _ codes: [UInt64], words: Int, at rows: [UInt32], to query: [UInt64], offset: Int
  ) -> [UInt32] {
    let bytes = [UInt8](repeating: 0xFF, count: offset) + Self.bytes(of: codes)
    return [UInt32](unsafeUninitializedCapacity: max(rows.count, 1)) { out, initialised in
      initialised = rows.count
      bytes.withUnsafeBytes { bytes in
        let places = rows.map { row in bytes.baseAddress.map { $0 + offset + 8 * words * Int(row) } }
        places.withUnsafeBufferPointer { set.codeDistances($0, words: words, to: query, into: out) }
      }
    }
  }

  @Test(arguments: words)
  func `the scalar distance counts magnitudes where signs differ`(words: Int) {
    var random = SeededGenerator(seed: UInt64(words))
    let query = (0..<4 * words).map { _ in random.next() }
    let codes = (0..<3 * words).map { _ in random.next() }
    let expected = (0..<3).map { Self.distance(codes[(words * $0)..<(words * ($0 + 1))], to: query) }
    #expect(distances(.scalar, codes, words: words, to: query, offset: 0).map(UInt32.init) == expected)
    #expect(distances(.scalar, codes, words: words, at: [0, 1, 2], to: query, offset: 0) == expected)
  }

  @Test(arguments: InstructionSet.supported, words)
  func `every set finds the distances of scalar, at any alignment`(set: InstructionSet, words: Int) {
    for count in Self.counts {
      var random = SeededGenerator(seed: UInt64(1_000 * words + count))
      let query = (0..<4 * words).map { _ in random.next() }
      let codes = (0..<count * words).map { _ in random.next() }
      let offset = count % 9
      let expected = distances(.scalar, codes, words: words, to: query, offset: 0)
      #expect(distances(set, codes, words: words, to: query, offset: offset) == expected)
      guard count > 0 else { continue }
      let rows = (0..<count + 7).map { _ in UInt32.random(in: 0..<UInt32(count), using: &random) }
      let listed = distances(set, codes, words: words, at: rows, to: query, offset: offset)
      #expect(listed == rows.map { UInt32(expected[Int($0)]) })
    }
  }

  @Test(arguments: InstructionSet.supported, [2, 128, 129, 896])
  func `the greatest distance does not overflow`(set: InstructionSet, words: Int) {
    let query = [UInt64](repeating: 0, count: words) + [UInt64](repeating: .max, count: 3 * words)
    let codes = [UInt64](repeating: .max, count: 33 * words)
    if words <= 128 {
      let all = distances(set, codes, words: words, to: query, offset: 1)
      #expect(all == [UInt16](repeating: UInt16(448 * words), count: 33))
    }
    let listed = distances(set, codes, words: words, at: Array(0..<33), to: query, offset: 1)
    #expect(listed == [UInt32](repeating: UInt32(448 * words), count: 33))
  }
}
