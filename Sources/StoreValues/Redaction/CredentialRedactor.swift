/// Replaces credentials of known shapes, so that they are not stored, searched or recalled.
///
/// Known shapes are tokens with a prefix of their issuer (`CredentialShape`), JSON Web Tokens, private keys in PEM, the
/// password in a URL, authorization headers, and values assigned to names such as `DB_PASSWORD` or `api_key`. Other secrets
/// are not recognised. Linear time, one pass.
package enum CredentialRedactor {
  /// A credential found in a text.
  package struct Finding: Hashable, Sendable {
    /// Bytes to replace.
    package let range: Range<Int>
    /// Start of what identifies it: the credential itself, or the name or scheme before it. A text must not be cut in between.
    package let start: Int
    /// Its kind, such as `github-token`.
    package let kind: String

    /// Its replacement: `[redacted:github-token]`.
    package var replacement: String { "[redacted:\(kind)]" }
  }

  /// Every credential in a text, in order and without overlap.
  package static func findings(in bytes: [UInt8]) -> [Finding] {
    var scanner = CredentialScanner(bytes)
    return scanner.scan()
  }

  /// The text with its credentials replaced, and their number.
  package static func redact(_ text: String) -> (text: String, count: Int) {
    let bytes = Array(text.utf8)
    let findings = findings(in: bytes)
    guard !findings.isEmpty else { return (text, 0) }
    return (String(decoding: replacing(findings, in: bytes[...]), as: UTF8.self), findings.count)
  }

  /// A part of the text in which they were found; replaces those that lie entirely in it.
  package static func replacing(_ findings: [Finding], in part: ArraySlice<UInt8>) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(part.count)
    var copied = part.startIndex
    for finding in findings {
      guard finding.range.lowerBound >= copied, finding.range.upperBound <= part.endIndex else { continue }
      result += part[copied..<finding.range.lowerBound]
      result += finding.replacement.utf8
      copied = finding.range.upperBound
    }
    return result + part[copied...]
  }
}

/// Finds the credentials in a text in one pass.
struct CredentialScanner {
  typealias Finding = CredentialRedactor.Finding

  /// Bytes of lookahead, so that a long run of letters is not read again from each of its positions.
  static let lookAhead = 256

  let bytes: [UInt8]
  private var findings: [Finding] = []
  /// No web token begins before the first index, and no private key ends before the second.
  private var noWebTokenBefore = 0
  private var noKeyEndBefore = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func scan() -> [Finding] {
    var at = 0
    // A credential begins at a word boundary: not after a letter, a digit or an underscore.
    var isWordStart = true
    while at < bytes.count {
      // Most bytes are inside of words, where nothing begins.
      if !isWordStart, Self.isWord(bytes[at]) {
        at += 1
        continue
      }
      if let end = endOfEscape(at) {
        (at, isWordStart) = (end, true)
        continue
      }
      if let finding = finding(at, isWordStart) {
        findings.append(finding)
        at = finding.range.upperBound
        isWordStart = !Self.isWord(bytes[at - 1])
        continue
      }
      isWordStart = !Self.isWord(bytes[at])
      at += 1
    }
    return findings
  }

  private mutating func finding(_ at: Int, _ isWordStart: Bool) -> Finding? {
    switch bytes[at] {
    case UInt8(ascii: ":"): urlPassword(at) ?? assignment(at)
    case UInt8(ascii: "="): assignment(at)
    case UInt8(ascii: " "): flag(at)
    case UInt8(ascii: "-"): privateKey(at)
    default: isWordStart ? token(at) : nil
    }
  }

  // MARK: Tokens

  /// A token recognisable by its own prefix.
  mutating func token(_ at: Int) -> Finding? {
    for shape in CredentialShape.byFirstByte[Int(bytes[at])] where starts(with: shape.prefix, at) {
      let begin = at + shape.prefix.count
      let head = run(from: begin, limit: Self.lookAhead, shape.alphabet.contains)
      guard shape.length.contains(head - begin) else { continue }
      guard !shape.needsDigit || bytes[begin..<head].contains(where: Self.isDigit) else { continue }
      let end = run(from: head, shape.alphabet.contains)
      guard end == bytes.count || !Self.isWord(bytes[end]) else { continue }
      return Finding(range: at..<withoutFullStop(at, end), start: at, kind: shape.kind)
    }
    return webToken(at) ?? bearer(at)
  }

  /// A JSON Web Token: header, claims and signature in base64url; the first two are objects, `{"` is `eyJ`.
  private mutating func webToken(_ at: Int) -> Finding? {
    guard at >= noWebTokenBefore else { return nil }
    var part = at
    var firstEnd = at
    defer { noWebTokenBefore = max(noWebTokenBefore, firstEnd) }
    for index in 0..<3 {
      guard index == 2 || starts(with: Self.webTokenHeader, part) else { return nil }
      let end = run(from: part, CredentialShape.Alphabet.base64URL.contains)
      if index == 0 { firstEnd = end }
      guard end - part >= 10 else { return nil }
      if index == 2 { return Finding(range: at..<end, start: at, kind: "json-web-token") }
      guard end < bytes.count, bytes[end] == UInt8(ascii: ".") else { return nil }
      part = end + 1
    }
    return nil
  }

  /// `Bearer` and a token, also outside a header.
  private func bearer(_ at: Int) -> Finding? {
    guard matches("bearer", at) else { return nil }
    let begin = run(from: at + 6) { $0 == UInt8(ascii: " ") }
    let head = run(from: begin, limit: Self.lookAhead, Self.isTokenByte)
    guard begin > at + 6, head - begin >= 16, bytes[begin..<head].contains(where: Self.isDigit) else { return nil }
    return Finding(range: begin..<run(from: head, Self.isTokenByte), start: at, kind: "bearer-token")
  }

  /// Punctuation at the end of a sentence is not part of the token.
  private func withoutFullStop(_ begin: Int, _ end: Int) -> Int {
    bytes[end - 1] == UInt8(ascii: ".") && end - 1 > begin ? end - 1 : end
  }

  // MARK: Blocks and URLs

  /// A private key in PEM, from `-----BEGIN` to the end of the line `-----END`, or to the last line of base64 if that line is missing.
  private mutating func privateKey(_ at: Int) -> Finding? {
    guard starts(with: Self.begin, at) else { return nil }
    let label = at + Self.begin.count
    let labelEnd = run(from: label) {
      $0 == UInt8(ascii: " ") || CredentialShape.Alphabet.upperCaseAndDigits.contains($0)
    }
    guard labelEnd - label <= 64, starts(with: Self.dashes, labelEnd),
      String(decoding: bytes[label..<labelEnd], as: UTF8.self).contains("PRIVATE KEY")
    else { return nil }
    let body = labelEnd + Self.dashes.count
    let limit = min(bytes.count, body + Self.longestKey)
    var end = max(body, noKeyEndBefore)
    while end < limit, !starts(with: Self.end, end) { end += 1 }
    noKeyEndBefore = max(noKeyEndBefore, end)
    if starts(with: Self.end, end) {
      end = run(from: end + Self.end.count) { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: "\n") }
      end = min(run(from: end) { $0 == UInt8(ascii: "-") }, end + Self.dashes.count)
    } else {
      end = endOfKeyLines(body)
    }
    return Finding(range: at..<end, start: at, kind: "private-key")
  }

  private func endOfKeyLines(_ body: Int) -> Int {
    var end = body
    while end < bytes.count {
      let lineEnd = run(from: end) {
        Self.isTokenByte($0) || $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\\")
      }
      guard lineEnd == bytes.count || bytes[lineEnd] == UInt8(ascii: "\n") else { break }
      end = min(lineEnd + 1, bytes.count)
    }
    return end
  }

  /// The text between `user:` and `@` in a URL.
  private func urlPassword(_ at: Int) -> Finding? {
    guard starts(with: Self.slashes, at) else { return nil }
    let begin = at + Self.slashes.count
    let end = run(from: begin, limit: 1024) { !Self.isSpace($0) && !Self.endsAuthority.contains($0) }
    guard let host = bytes[begin..<end].lastIndex(of: UInt8(ascii: "@")),
      let colon = bytes[begin..<host].firstIndex(of: UInt8(ascii: ":")), colon + 1 < host,
      !isPlaceholder(colon + 1..<host)
    else { return nil }
    return Finding(range: colon + 1..<host, start: at, kind: "password")
  }

  // MARK: Bytes

  /// The index after the run of bytes from `begin` that satisfy the condition.
  func run(from begin: Int, limit: Int = .max, _ condition: (UInt8) -> Bool) -> Int {
    var end = begin
    let most = limit < bytes.count - begin ? begin + limit : bytes.count
    while end < most, condition(bytes[end]) { end += 1 }
    return end
  }

  func starts(with prefix: [UInt8], _ at: Int) -> Bool {
    guard bytes.count - at >= prefix.count else { return false }
    for index in prefix.indices where bytes[at + index] != prefix[index] { return false }
    return true
  }

  /// Whether the word, given in lower case, is there in any case.
  func matches(_ word: StaticString, _ at: Int) -> Bool {
    let count = word.utf8CodeUnitCount
    guard bytes.count - at >= count else { return false }
    return word.withUTF8Buffer { letters in
      letters.indices.allSatisfy { bytes[at + $0] | 0x20 == letters[$0] }
    }
  }

  /// The end of an escape sequence, whose letters are not text: `ESC [31m`, and `\n` in a nested text.
  private func endOfEscape(_ at: Int) -> Int? {
    guard at + 1 < bytes.count else { return nil }
    switch (bytes[at], bytes[at + 1]) {
    case (UInt8(ascii: "\\"), UInt8(ascii: "n")), (UInt8(ascii: "\\"), UInt8(ascii: "r")),
      (UInt8(ascii: "\\"), UInt8(ascii: "t")):
      return at + 2
    case (0x1B, UInt8(ascii: "[")):
      let end = run(from: at + 2, limit: 32) { (0x20...0x3F).contains($0) }
      return min(end + 1, bytes.count)
    default: return nil
    }
  }

  static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
  static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) }
  static func isWord(_ byte: UInt8) -> Bool { isLetter(byte) || isDigit(byte) || byte == UInt8(ascii: "_") }
  static func isSpace(_ byte: UInt8) -> Bool { byte <= 0x20 }

  /// Base64 in either alphabet, and the other characters of `b64token` (RFC 6750).
  static func isTokenByte(_ byte: UInt8) -> Bool { isWord(byte) || tokenMarks.contains(byte) }

  private static let tokenMarks = ByteSet("-.~+/=".utf8)
  private static let endsAuthority = ByteSet("/?#\"'<>\\`".utf8)
  private static let webTokenHeader = Array("eyJ".utf8)
  private static let slashes = Array("://".utf8)
  private static let begin = Array("-----BEGIN ".utf8)
  private static let end = Array("-----END ".utf8)
  private static let dashes = Array("-----".utf8)
  /// Longest key in PEM, in bytes: RSA of 16,384 bits takes 12 KiB.
  private static let longestKey = 32 << 10
}
