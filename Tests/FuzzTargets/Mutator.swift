/// Makes inputs of those of a corpus, the same for the same seed: bits, bytes and parts are changed, moved and joined.
package struct Mutator {
  private var state: UInt64
  private let corpus: [[UInt8]]
  private static let interesting: [[UInt8]] =
    [
      "\"", "\\", "{", "}", "[", "]", ":", ",", "-", "0", "9", "e", "\\u", "\\ud800", "null", "\u{0}", "\u{1B}",
      "\u{FEFF}", "\n",
    ]
    .map { Array($0.utf8) } + [
      [0xFF], [0x80], [0xC2], [0xED, 0xA0, 0x80], [0xFF, 0xFF, 0xFF, 0xFF], [0xFF, 0xFF, 0xFF, 0x7F], [0, 0, 0, 0x80],
    ]

  package init(_ corpus: [[UInt8]], seed: UInt64) {
    self.corpus = corpus.isEmpty ? [[]] : corpus
    state = seed
  }

  /// SplitMix64.
  private mutating func number(_ bound: Int) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return Int((mixed ^ mixed >> 31) % UInt64(max(bound, 1)))
  }

  package mutating func next() -> [UInt8] {
    var bytes = corpus[number(corpus.count)]
    for _ in 0...number(4) { change(&bytes) }
    return bytes
  }

  private mutating func change(_ bytes: inout [UInt8]) {
    let at = number(bytes.count + 1)
    let count = min(number(16), bytes.count - at)
    switch number(8) {
    case 0 where at < bytes.count: bytes[at] ^= 1 << UInt8(number(8))
    case 1 where at < bytes.count: bytes[at] = UInt8(number(256))
    case 2: bytes.removeSubrange(at..<at + count)
    case 3: bytes.insert(contentsOf: bytes[at..<at + count], at: number(bytes.count + 1))
    case 4:
      let other = corpus[number(corpus.count)]
      bytes = Array(bytes[..<at]) + other[min(number(other.count + 1), other.count)...]
    case 5: bytes.insert(contentsOf: Self.interesting[number(Self.interesting.count)], at: at)
    case 6:
      let given = Self.interesting[number(Self.interesting.count)]
      bytes.replaceSubrange(at..<min(at + given.count, bytes.count), with: given)
    default: bytes.removeSubrange(at...)
    }
  }
}
