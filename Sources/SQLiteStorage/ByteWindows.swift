/// Pieces of texts, to find copies of parts of them among other bytes.
///
/// A text is cut into windows of 16 bytes, one after another: whatever copy there is of 31 bytes of it has one. Shorter texts are
/// left out, because they are found everywhere.
package struct ByteWindows: Sendable {
  private struct Window: Hashable {
    let first: UInt64
    let second: UInt64
  }

  private static let byteCount = 16
  /// 64 MiB; of more text only that is known that a copy cannot be ruled out.
  private static let maximumCount = 4 << 20
  private static let filterBits = 1 << 20

  private var windows: Set<Window> = []
  /// A bit for each hash of the first eight bytes of a window.
  private var filter = [UInt64](repeating: 0, count: filterBits / 64)
  /// Texts to be found whole.
  private var whole: [[UInt8]] = []
  /// Whether every text has been taken.
  package private(set) var isComplete = true

  package init() {}

  /// Adds a text.
  package mutating func add(_ text: UnsafeRawBufferPointer) {
    var offset = 0
    while offset + Self.byteCount <= text.count {
      let window = Window(
        first: text.loadUnaligned(fromByteOffset: offset, as: UInt64.self),
        second: text.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self))
      offset += Self.byteCount
      // Repetitions of one byte are no text.
      if window.first == window.second, window.first == window.first.byteSwapped { continue }
      guard windows.count < Self.maximumCount else { return isComplete = false }
      windows.insert(window)
      let bit = Self.bit(window.first)
      filter[bit >> 6] |= 1 << UInt64(bit & 63)
    }
  }

  /// Adds a text that is found also if it is short, but only whole.
  package mutating func add(whole text: String) {
    let bytes = Array(text.utf8)
    if bytes.count < 2 * Self.byteCount, bytes.count >= 4 { whole.append(bytes) }
    bytes.withUnsafeBytes { add($0) }
  }

  /// Notes a text that is not known: no copy of it can be ruled out.
  package mutating func addUnknown() { isComplete = false }

  package mutating func add(_ other: ByteWindows) {
    windows.formUnion(other.windows)
    for index in filter.indices { filter[index] |= other.filter[index] }
    whole += other.whole
    if !other.isComplete { isComplete = false }
  }

  /// Whether a piece of a text is there.
  ///
  /// Cost: about 1 ns a byte.
  package func isFound(in bytes: UnsafeRawBufferPointer) -> Bool {
    if !windows.isEmpty, bytes.count >= Self.byteCount {
      for offset in 0...(bytes.count - Self.byteCount) {
        let first = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        let bit = Self.bit(first)
        guard filter[bit >> 6] & (1 << UInt64(bit & 63)) != 0 else { continue }
        let second = bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)
        if windows.contains(Window(first: first, second: second)) { return true }
      }
    }
    return whole.contains { wanted in
      guard let start = wanted.first, bytes.count >= wanted.count else { return false }
      return (0...(bytes.count - wanted.count)).contains { offset in
        bytes[offset] == start
          && UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + wanted.count)]).elementsEqual(wanted)
      }
    }
  }

  private static func bit(_ value: UInt64) -> Int {
    Int(truncatingIfNeeded: (value &* 0x9E37_79B9_7F4A_7C15) >> 44)
  }
}
