/// Values recognised by the name before them: `DB_PASSWORD=…`, `"api_key": "…"`, `--token …`, `Authorization: …`.
///
/// Conservative, because logs and sources contain many such names without a secret: a placeholder, a call and a word of prose
/// after a colon are not replaced.
extension CredentialScanner {
  /// A value after `=` or `:`.
  mutating func assignment(_ at: Int) -> Finding? {
    // `:=` is handled at its `=`.
    if bytes[at] == UInt8(ascii: ":"), at + 1 < bytes.count, bytes[at + 1] == UInt8(ascii: "=") { return nil }
    guard let name = name(before: at), let kind = kind(of: name.range) else { return nil }
    guard let value = value(behind: at, of: name) else { return nil }
    if kind == "authorization" { return authorization(value.range, name.range.lowerBound) }
    guard value.range.count >= 3, !isPlaceholder(value.range), kind != "token" || !isNumber(value.range),
      !endsWithKey(value.range), isLikelySecret(value), token(value.range.lowerBound) == nil
    else { return nil }
    return Finding(range: whole(value), start: name.range.lowerBound, kind: kind)
  }

  /// A value after an option: `--password hunter2`.
  mutating func flag(_ at: Int) -> Finding? {
    guard let name = name(before: at), starts(with: [0x2D, 0x2D], name.range.lowerBound),
      let kind = kind(of: name.range), kind != "authorization", at + 1 < bytes.count,
      bytes[at + 1] != UInt8(ascii: "-"),
      let value = value(behind: at, of: name), value.range.count >= 3, !isPlaceholder(value.range),
      !isUpperCase(value.range), !endsWithKey(value.range), token(value.range.lowerBound) == nil
    else { return nil }
    return Finding(range: whole(value), start: name.range.lowerBound, kind: kind)
  }

  private struct Name {
    let range: Range<Int>
    /// A quote that opens before the name, so that the value ends with it: `'PASSWORD=two words'`.
    let openQuote: UInt8?
    /// Whether white space precedes the sign, as in code and prose but not in an environment or a query.
    let isSpaced: Bool
  }

  private struct Value {
    /// Of a value without quotes, the first bytes, which decide.
    let range: Range<Int>
    let isQuoted: Bool
    /// Whether the sign has no spaces around it, as in an environment, an option or a query.
    let isBound: Bool
  }

  // MARK: Names

  private func name(before at: Int) -> Name? {
    var end = at
    let isSpace = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
    if bytes[at] == UInt8(ascii: "="), end > 0, bytes[end - 1] == UInt8(ascii: ":") { end -= 1 }
    let signed = end
    while end > 0, at - end < 8, isSpace(bytes[end - 1]) { end -= 1 }
    let isSpaced = end < signed
    var isClosed = false
    if end > 0, Self.quotes.contains(bytes[end - 1]) {
      isClosed = true
      end -= 1
      if end > 0, bytes[end - 1] == UInt8(ascii: "\\") { end -= 1 }
    }
    var begin = end
    while begin > 0, end - begin < 64, Self.isNamePart(bytes[begin - 1]) { begin -= 1 }
    guard begin < end else { return nil }
    let before = begin > 0 ? bytes[begin - 1] : 0
    return Name(
      range: begin..<end, openQuote: !isClosed && Self.quotes.contains(before) ? before : nil, isSpaced: isSpaced)
  }

  /// The kind of credential that a name stands for; `nil` if none.
  private func kind(of name: Range<Int>) -> String? {
    let key = folded(name)
    return Self.keys.first { key.hasSuffix($0.suffix) }?.kind
  }

  /// `password=db_password` passes a variable.
  private func endsWithKey(_ value: Range<Int>) -> Bool { value.count <= 64 && kind(of: value) != nil }

  /// In lower case and without separators: `api-key`, `API_KEY` and `apiKey` become one.
  private func folded(_ range: Range<Int>) -> String {
    String(decoding: bytes[range].filter(Self.isAlphanumeric).map { $0 | 0x20 }, as: UTF8.self)
  }

  // MARK: Values

  private func value(behind at: Int, of name: Name) -> Value? {
    var begin = at + 1
    if bytes[at] == UInt8(ascii: "="), begin < bytes.count {
      // A comparison or a match is not an assignment.
      if bytes[begin] == UInt8(ascii: "=") || bytes[begin] == UInt8(ascii: "~") { return nil }
      if bytes[begin] == UInt8(ascii: ">") { begin += 1 }
    }
    let signed = begin
    begin = run(from: begin, limit: 8) { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    let isBound = bytes[at] == UInt8(ascii: "=") && !name.isSpaced && begin == signed
    guard begin < bytes.count else { return nil }
    var open = begin
    if bytes[open] == UInt8(ascii: "\\"), open + 1 < bytes.count { open += 1 }
    if Self.quotes.contains(bytes[open]) {
      let end = endOfQuoted(open + 1, bytes[open])
      if end < bytes.count, bytes[end] != UInt8(ascii: "\n") {
        return Value(range: open + 1..<end, isQuoted: true, isBound: isBound)
      }
    }
    if let quote = name.openQuote {
      let end = endOfQuoted(begin, quote)
      return Value(range: begin..<end, isQuoted: true, isBound: isBound)
    }
    let end = run(from: begin, limit: Self.lookAhead, Self.isOfValue)
    return Value(range: begin..<end, isQuoted: false, isBound: isBound)
  }

  private func whole(_ value: Value) -> Range<Int> {
    let end = value.range.upperBound
    return value.range.lowerBound..<(value.isQuoted ? end : run(from: end, Self.isOfValue))
  }

  /// The index of the closing quote, or the end of the line.
  private func endOfQuoted(_ begin: Int, _ quote: UInt8) -> Int {
    var end = begin
    while end < bytes.count, bytes[end] != quote, bytes[end] != UInt8(ascii: "\n") {
      if bytes[end] == UInt8(ascii: "\\") {
        // In a nested text the closing quote is escaped like the opening one.
        if begin >= 2, bytes[begin - 2] == UInt8(ascii: "\\"), end + 1 < bytes.count, bytes[end + 1] == quote { break }
        end += 1
      }
      end += 1
    }
    return min(end, bytes.count)
  }

  /// `Authorization: Bearer …`: the scheme is kept.
  private func authorization(_ value: Range<Int>, _ start: Int) -> Finding? {
    let word = run(from: value.lowerBound) { Self.isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
    var begin = value.lowerBound
    if word < bytes.count, bytes[word] == UInt8(ascii: " "), bytes[begin..<word].allSatisfy({ !Self.isDigit($0) }) {
      begin = run(from: word) { $0 == UInt8(ascii: " ") }
    }
    let isOfToken = { (byte: UInt8) in Self.isTokenByte(byte) || byte == UInt8(ascii: ":") }
    let head = run(from: begin, limit: Self.lookAhead, isOfToken)
    guard head - begin >= 4, begin > value.lowerBound || bytes[begin..<head].contains(where: Self.isDigit),
      !endsWithKey(begin..<head)
    else { return nil }
    return Finding(range: begin..<run(from: head, isOfToken), start: start, kind: "authorization")
  }

  // MARK: Placeholders

  /// Whether it is a placeholder: `$TOKEN`, `<token>`, `{{ token }}`, `****`, `null`.
  func isPlaceholder(_ value: Range<Int>) -> Bool {
    let first = bytes[value.lowerBound]
    if Self.opensPlaceholder.contains(first) { return true }
    if first == UInt8(ascii: "x") || !Self.isAlphanumeric(first), bytes[value].allSatisfy({ $0 == first }) {
      return true
    }
    return value.count <= 16 && Self.placeholders.contains(folded(value))
  }

  private func isLikelySecret(_ value: Value) -> Bool {
    let head = bytes[value.range.prefix(Self.lookAhead)]
    if value.isQuoted { return head.count { $0 == UInt8(ascii: " ") } < 2 }
    guard !head.contains(UInt8(ascii: "(")) else { return false }
    if value.isBound { return true }
    return head.count >= 6 && head.contains(where: Self.isDigit) && head.contains(where: Self.isLetter)
  }

  private func isNumber(_ value: Range<Int>) -> Bool { bytes[value].allSatisfy(Self.isDigit) }

  private func isUpperCase(_ value: Range<Int>) -> Bool {
    bytes[value].allSatisfy { $0 == UInt8(ascii: "_") || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool { isLetter(byte) || isDigit(byte) }

  private static func isOfValue(_ byte: UInt8) -> Bool { !isSpace(byte) && !endsValue.contains(byte) }

  private static func isNamePart(_ byte: UInt8) -> Bool {
    isWord(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
  }

  /// Suffixes of folded names, longer ones before their own suffixes.
  private static let keys: [(suffix: String, kind: String)] = [
    ("authorization", "authorization"), ("password", "password"), ("passwd", "password"), ("passphrase", "password"),
    ("secretkey", "secret"), ("accesskey", "secret"), ("privatekey", "secret"), ("accountkey", "secret"),
    ("secret", "secret"), ("apikey", "api-key"), ("token", "token"),
  ]

  private static let quotes = ByteSet("\"'`".utf8)
  private static let endsValue = ByteSet(",;&|)}]<>\"'`\\".utf8)
  private static let opensPlaceholder = ByteSet("$%<{[(*@&".utf8)
  private static let placeholders: Set<String> = [
    "null", "nil", "none", "true", "false", "undefined", "string", "str", "text", "value", "int", "bool", "empty",
    "yes",
    "no", "required", "optional", "hidden", "masked", "redacted", "changeme", "name", "file", "path", "stdin", "prompt",
    "example", "expired", "invalid", "missing", "unknown",
  ]
}
