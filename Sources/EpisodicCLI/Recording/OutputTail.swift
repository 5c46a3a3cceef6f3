/// The end of what a command printed, both streams as they came.
struct OutputTail {
  /// Bytes that are kept: what went wrong stands at the end, and an episode is to be read again.
  static let maximumBytes = 16 << 10

  private var bytes: [UInt8] = []
  private(set) var total = 0

  mutating func append(_ chunk: some Collection<UInt8>) {
    total += chunk.count
    bytes.append(contentsOf: chunk)
    // Trimmed now and then, so that a chatty command costs no more than its copying.
    if bytes.count > 4 * Self.maximumBytes { bytes.removeFirst(bytes.count - Self.maximumBytes) }
  }

  /// Whether the last line has not been ended.
  var isLineOpen: Bool { bytes.last.map { $0 != UInt8(ascii: "\n") } ?? false }

  /// The end as text: bytes that are not UTF-8 repaired, NUL removed; `nil` where nothing was printed.
  var text: String? {
    var kept = bytes.suffix(Self.maximumBytes)
    if total > kept.count {
      // Not the second half of a character.
      while let first = kept.first, first & 0xC0 == 0x80 { kept.removeFirst() }
    }
    let text = String(decoding: kept.filter { $0 != 0 }, as: UTF8.self)
    guard !text.isEmpty else { return nil }
    return total > kept.count ? "[the first \(total - kept.count) bytes are left out]\n\(text)" : text
  }
}
