import Testing

@testable import Vectors

@Suite struct `Mask kernels` {
  static let counts = [0, 1, 7, 15, 16, 31, 32, 33, 63, 64, 65, 130, 1_000]

  /// A column of `count` little-endian values that starts one byte past an allocation.
  func withColumn<Value: FixedWidthInteger>(_ values: [Value], _ body: (UnsafeRawBufferPointer) -> Void) {
    let size = Value.bitWidth / 8
    let bytes = values.flatMap { value in (0..<size).map { UInt8(truncatingIfNeeded: value >> Value(8 * $0)) } }
    ([0xFF] + bytes).withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[1...])) }
  }

  func randomMask(_ count: Int, _ random: inout SeededGenerator) -> [UInt8] {
    (0..<count).map { _ in Bool.random(using: &random) ? 0xFF : 0 }
  }

  @Test(arguments: InstructionSet.supported, counts)
  func `a set of bits admits its members below 32 and nothing else`(set: InstructionSet, count: Int) {
    var random = SeededGenerator(seed: UInt64(count))
    for admitted in [0, .max, 1, 0x8000_0000, UInt32.random(in: 0...UInt32.max, using: &random)] {
      let values = (0..<count).map { _ in UInt8.random(in: 0...(Bool.random() ? 40 : 255), using: &random) }
      var mask = [UInt8](repeating: 7, count: count)
      withColumn(values) { column in
        mask.withUnsafeMutableBufferPointer { set.maskBits(of: column, admitted: admitted, into: $0) }
      }
      #expect(mask == values.map { $0 < 32 && admitted >> UInt32($0) & 1 == 1 ? 0xFF : 0 })
    }
  }

  @Test(arguments: InstructionSet.supported, counts)
  func `a comparison deselects rows and selects none`(set: InstructionSet, count: Int) {
    var random = SeededGenerator(seed: UInt64(count) + 1)
    let before = randomMask(count, &random)
    let bytes = (0..<count).map { _ in UInt8.random(in: 250...255, using: &random) }
    let words = bytes.map { UInt32($0) << 24 | 0xFF_FFFF }
    let times = (0..<count).map { _ in Int64.random(in: -3...3, using: &random) << 40 }
    func masked(_ body: (UnsafeMutableBufferPointer<UInt8>) -> Void) -> [UInt8] {
      var mask = before
      mask.withUnsafeMutableBufferPointer { body($0) }
      return mask
    }
    withColumn(bytes) { column in
      let mask = masked { set.mask($0, where: column, equals: UInt8(255)) }
      #expect(mask == zip(before, bytes).map { $1 == 255 ? $0 : 0 })
    }
    withColumn(words) { column in
      let mask = masked { set.mask($0, where: column, equals: UInt32.max) }
      #expect(mask == zip(before, words).map { $1 == .max ? $0 : 0 })
    }
    withColumn(times) { column in
      for range in [-1 << 40...2 << 40, Int64.min...Int64.max, 0...0] {
        let mask = masked { set.mask($0, where: column, isIn: range) }
        #expect(mask == zip(before, times).map { range.contains($1) ? $0 : 0 })
      }
    }
  }

  @Test(arguments: InstructionSet.supported, counts)
  func `selected rows are listed in ascending order`(set: InstructionSet, count: Int) {
    var random = SeededGenerator(seed: UInt64(count) + 2)
    for mask in [randomMask(count, &random), .init(repeating: 0, count: count), .init(repeating: 0xFF, count: count)] {
      var rows = [UInt32](repeating: 0, count: count)
      let selected = mask.withUnsafeBufferPointer { mask in
        rows.withUnsafeMutableBufferPointer { set.selectMasked(mask, base: 1_000_000, into: $0) }
      }
      let expected = mask.indices.filter { mask[$0] == 0xFF }.map { UInt32(1_000_000 + $0) }
      #expect(Array(rows.prefix(selected)) == expected)
      #expect(mask.withUnsafeBufferPointer { set.countMasked($0) } == expected.count)
    }
  }

  @Test(arguments: InstructionSet.supported, counts)
  func `rows at most a limit come with their values, ascending`(set: InstructionSet, count: Int) {
    var random = SeededGenerator(seed: UInt64(count) + 3)
    let values = (0..<count).map { _ in UInt16.random(in: 0...UInt16.max, using: &random) }
    for (limit, mask) in [
      (0x8000, nil), (0x1000, nil), (0xFFFF, nil), (0, nil), (0x9000, randomMask(count, &random)),
    ] as [(UInt16, [UInt8]?)] {
      var rows = [UInt32](repeating: 0, count: count)
      var kept = [UInt16](repeating: 0, count: count)
      let selected = values.withUnsafeBufferPointer { values in
        rows.withUnsafeMutableBufferPointer { rows in
          kept.withUnsafeMutableBufferPointer { kept in
            guard let mask else { return set.selectAtMost(limit, of: values, base: 5, into: rows, values: kept) }
            return mask.withUnsafeBufferPointer { mask in
              set.selectAtMost(limit, of: values, mask: mask, base: 5, into: rows, values: kept)
            }
          }
        }
      }
      let expected = values.indices.filter { values[$0] <= limit && (mask?[$0] ?? 0xFF) == 0xFF }
      #expect(Array(rows.prefix(selected)) == expected.map { UInt32(5 + $0) })
      #expect(Array(kept.prefix(selected)) == expected.map { values[$0] })
    }
  }
}
