import Episodic

/// What a command printed, as much of it as an episode keeps: the beginning, where the first error stands, and the end,
/// where the last one does.
///
/// Bounded: beside what is kept, only a margin in which a credential across the cut is still seen whole.
struct OutputCapture {
  static let defaultLimit = 32 << 10
  /// So that the text fits a field, whatever repair and redaction add.
  static let maximumLimit = 512 << 10
  /// Longer than any credential.
  private static let margin = 64 << 10

  /// Bytes that are kept.
  private let limit: Int
  private var first: [UInt8] = []
  private var last: [UInt8] = []
  private var total = 0
  private var lines = 0
  /// Whether the last line has not been ended.
  private(set) var isLineOpen = false

  init(limit: Int) { self.limit = limit }

  mutating func append(_ bytes: ArraySlice<UInt8>) {
    guard let end = bytes.last else { return }
    isLineOpen = end != UInt8(ascii: "\n")
    // NUL, which no field takes, goes before credentials are looked for: not behind it in UTF-16.
    bytes.contains(0) ? keep(bytes.filter { $0 != 0 }[...]) : keep(bytes)
  }

  private mutating func keep(_ bytes: ArraySlice<UInt8>) {
    total += bytes.count
    lines += bytes.count { $0 == UInt8(ascii: "\n") }
    let room = limit + Self.margin - first.count
    if room > 0 { first += bytes.prefix(room) }
    last += bytes
    let kept = limit / 2 + Self.margin
    // Trimmed now and then, so that a chatty command costs no more than its copying.
    if last.count > 4 * kept { last.removeFirst(last.count - kept) }
  }

  struct Text {
    let text: String
    /// Credentials that were replaced.
    let redacted: Int
  }

  /// The text, repaired where it is not UTF-8, with a marker for what is left out; `nil` where nothing was printed.
  func text(redacting: Bool, longest: Int = Limits().fieldBytes - 1024) -> Text? {
    guard total > 0 else { return nil }
    var limit = limit
    while true {
      let text = text(redacting: redacting, limit: limit)
      // Repair makes three bytes of one, redaction a few more.
      guard text.text.utf8.count > longest, limit > 0 else { return text }
      limit /= 2
    }
  }

  private func text(redacting: Bool, limit: Int) -> Text {
    if total <= limit {
      let part = Part(first, redacting)
      return part.text(first.indices)
    }
    let head = Part(first, redacting)
    let tail = Part(last, redacting)
    let headEnd = head.cut(before: min(limit / 2, first.count))
    let tailBegin = tail.cut(after: last.count - min(limit / 2, last.count))
    let omitted = total - headEnd - (last.count - tailBegin)
    let kept = head.text(0..<headEnd)
    let rest = tail.text(tailBegin..<last.count)
    let omittedLines = lines - head.lines(0..<headEnd) - tail.lines(tailBegin..<last.count)
    let marker = OmissionMarker(lines: omittedLines, bytes: omitted).text
    let begin = kept.text.isEmpty || kept.text.hasSuffix("\n") ? kept.text : kept.text + "\n"
    let end = rest.text.isEmpty ? "" : "\n" + rest.text
    return Text(text: begin + marker + end, redacted: kept.redacted + rest.redacted)
  }
}

/// A piece of output, and where it can be cut.
private struct Part {
  private let bytes: [UInt8]
  private let findings: [CredentialRedactor.Finding]

  init(_ bytes: [UInt8], _ isRedacted: Bool) {
    self.bytes = bytes
    findings = isRedacted ? CredentialRedactor.findings(in: bytes) : []
  }

  func text(_ range: Range<Int>) -> OutputCapture.Text {
    let inside = findings.filter { $0.range.lowerBound >= range.lowerBound && $0.range.upperBound <= range.upperBound }
    return OutputCapture.Text(
      text: String(decoding: CredentialRedactor.replacing(inside, in: bytes[range]), as: UTF8.self),
      redacted: inside.count)
  }

  func lines(_ range: Range<Int>) -> Int { bytes[range].count { $0 == UInt8(ascii: "\n") } }

  /// The last end of a line at or before an index; of a line that is too long, the last beginning of a character.
  func cut(before index: Int) -> Int {
    if index >= bytes.count { return bytes.count }
    var cut = index
    if let line = bytes[..<index].lastIndex(of: UInt8(ascii: "\n")) {
      cut = line + 1
    } else {
      while cut > 0, bytes[cut] & 0xC0 == 0x80 { cut -= 1 }
    }
    // Not between a credential and what gives it away.
    return findings.first { $0.start < cut && $0.range.upperBound > cut }?.start ?? cut
  }

  /// The first beginning of a line at or after an index; of a line that is too long, the first beginning of a character.
  func cut(after index: Int) -> Int {
    if index <= 0 { return 0 }
    if index >= bytes.count { return bytes.count }
    var cut = index
    if bytes[index - 1] != UInt8(ascii: "\n") {
      if let line = bytes[index...].firstIndex(of: UInt8(ascii: "\n")), line + 1 < bytes.count {
        cut = line + 1
      } else {
        while cut < bytes.count, bytes[cut] & 0xC0 == 0x80 { cut += 1 }
      }
    }
    return findings.first { $0.start < cut && $0.range.upperBound > cut }?.range.upperBound ?? cut
  }
}
