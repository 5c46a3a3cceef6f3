/// A commit of a database file that processes share: two stamps are equal only if no commit, by any process, lies between
/// them.
///
/// That holds among the stamps of all processes that have the file open at the same time. Stamps from before the last process
/// closed it may repeat.
@usableFromInline package struct CommitStamp: Hashable, Sendable {
  // Not a SIMD vector: Swift 6.3 makes the frame of an async function too small for what is aligned to 64 bytes.
  @usableFromInline package let words: InlineArray<8, UInt64>

  @inlinable
  package init(_ words: InlineArray<8, UInt64>) { self.words = words }

  @inlinable
  package static func == (a: Self, b: Self) -> Bool {
    var differences: UInt64 = 0
    for index in 0..<8 { differences |= a.words[index] ^ b.words[index] }
    return differences == 0
  }

  @inlinable
  package func hash(into hasher: inout Hasher) {
    for index in 0..<8 { hasher.combine(words[index]) }
  }
}
