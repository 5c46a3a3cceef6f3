/// Reads one JSON text value by value and keeps the path of the current field for error messages.
///
/// `JSONDecoder` is too lenient for input: it accepts a trailing comma, silently keeps the first of two members with one name,
/// and loses the field when a number does not fit. This scanner is strict (RFC 8259), and every error names the field, the
/// value and the remedy.
package struct JSONScanner {
  /// How to treat characters that cannot be stored: half of a surrogate pair, NUL, bytes that are not UTF-8.
  package enum Repair: Sendable {
    /// Reject them; with `offered`, the message names the option that repairs them.
    case none, offered
    /// Replace each by U+FFFD and count it.
    case applied
  }

  /// Deeper nesting is rejected, so that no input can exhaust the stack.
  private static let maximumDepth = 256

  let bytes: [UInt8]
  let repair: Repair
  var position = 0
  private var path = FieldPath()
  /// Characters replaced by U+FFFD.
  package internal(set) var repairs = 0

  /// - Throws: `.invalid` if the bytes are not UTF-8 and `repair` is not `applied`.
  package init(_ bytes: [UInt8], repair: Repair = .none) throws(MemoryError) {
    self.repair = repair
    do {
      _ = try UTF8Span(validating: bytes.span)
      self.bytes = bytes
    } catch {
      guard repair == .applied else {
        throw MemoryError(
          .invalid,
          "not UTF-8 from byte \(error.byteOffsets.lowerBound + 1) on; convert the file to UTF-8\(repair.hint)",
          cause: error)
      }
      let repaired = String(decoding: bytes, as: UTF8.self)
      self.bytes = Array(repaired.utf8)
      repairs = Self.replacements(in: self.bytes) - Self.replacements(in: bytes)
    }
  }

  /// Occurrences of U+FFFD.
  private static func replacements(in bytes: [UInt8]) -> Int {
    bytes.indices.dropLast(2).count { bytes[$0] == 0xEF && bytes[$0 + 1] == 0xBF && bytes[$0 + 2] == 0xBD }
  }

  // MARK: Structure

  /// Reads an object; `member` reads the value of each name. A duplicate name is an error.
  package mutating func object(
    _ wanted: String, _ member: (inout JSONScanner, String) throws(MemoryError) -> Void
  ) throws(MemoryError) {
    guard next() == UInt8(ascii: "{") else { throw mismatch(wanted) }
    position += 1
    guard path.depth < Self.maximumDepth else { throw tooDeep() }
    if take(UInt8(ascii: "}")) { return }
    var names: Set<ByteKey> = []
    repeat {
      guard next() == UInt8(ascii: "\"") else { throw broken("a member's name in quotes") }
      let name = try string()
      path.append(name)
      guard names.insert(ByteKey(string: name)).inserted else {
        throw MemoryError(.invalid, "\(path) occurs twice; name each member once")
      }
      guard take(UInt8(ascii: ":")) else { throw broken("a colon") }
      try member(&self, name)
      path.removeLast()
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "}")) else { throw broken("a comma or }") }
  }

  /// Reads an array; `element` reads the value at each index.
  package mutating func array(
    _ wanted: String, _ element: (inout JSONScanner, Int) throws(MemoryError) -> Void
  ) throws(MemoryError) {
    guard next() == UInt8(ascii: "[") else { throw mismatch(wanted) }
    position += 1
    guard path.depth < Self.maximumDepth else { throw tooDeep() }
    if take(UInt8(ascii: "]")) { return }
    var index = 0
    repeat {
      path.append(index)
      try element(&self, index)
      path.removeLast()
      index += 1
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "]")) else { throw broken("a comma or ]") }
  }

  /// Requires the end of the text.
  package mutating func end() throws(MemoryError) {
    guard next() == nil else { throw broken("the end of the line") }
  }

  // MARK: Values

  /// Whether an array comes next.
  package var isArray: Bool {
    mutating get { next() == UInt8(ascii: "[") }
  }

  /// Reads a null if there is one.
  package mutating func null() throws(MemoryError) -> Bool {
    guard next() == UInt8(ascii: "n") else { return false }
    guard word() == "null" else { throw broken("a JSON value") }
    position += 4
    return true
  }

  package mutating func text(_ wanted: String) throws(MemoryError) -> String {
    guard next() == UInt8(ascii: "\"") else { throw mismatch(wanted) }
    return try string()
  }

  package mutating func bool(_ wanted: String) throws(MemoryError) -> Bool {
    _ = next()
    let word = word()
    guard word == "true" || word == "false" else { throw mismatch(wanted) }
    position += word.utf8.count
    return word == "true"
  }

  /// An integer in any notation: 1500, 1500.0, 1.5e3.
  package mutating func integer(_ wanted: String) throws(MemoryError) -> Int64 {
    guard isNumber else { throw mismatch(wanted) }
    let start = position
    guard case .integer(let value) = try number() else {
      position = start
      throw mismatch(wanted)
    }
    return value
  }

  package mutating func double(_ wanted: String) throws(MemoryError) -> Double {
    guard isNumber else { throw mismatch(wanted) }
    switch try number() {
    case .integer(let value): return Double(value)
    case .unsigned(let value): return Double(value)
    case .number(let value): return value
    default: throw mismatch(wanted)
    }
  }

  /// Any value.
  package mutating func value() throws(MemoryError) -> JSON {
    switch next() {
    case UInt8(ascii: "{"):
      var members: [(String, JSON)] = []
      try object("an object") { scanner, name throws(MemoryError) in members.append((name, try scanner.value())) }
      return .object(JSON.Object(members))
    case UInt8(ascii: "["):
      var elements: [JSON] = []
      try array("an array") { scanner, _ throws(MemoryError) in elements.append(try scanner.value()) }
      return .array(elements)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "n"):
      guard try null() else { throw broken("a JSON value") }
      return .null
    case UInt8(ascii: "t"), UInt8(ascii: "f"):
      let word = word()
      guard word == "true" || word == "false" else { throw broken("a JSON value") }
      position += word.utf8.count
      return .bool(word == "true")
    case _ where isNumber: return try number()
    default: throw broken("a JSON value")
    }
  }

  // MARK: Errors

  /// An error about the current field: `steps[3].duration_ms is -5; …`.
  package func fault(_ reason: String) -> MemoryError { MemoryError(.invalid, "\(path) \(reason)") }

  /// An error about a member missing in the current object.
  package func missing(_ name: String, _ wanted: String) -> MemoryError {
    MemoryError(.invalid, "\(path.member(name)) is missing; write \(wanted)")
  }

  /// An error about a value that is JSON but of another type.
  private mutating func mismatch(_ wanted: String) -> MemoryError {
    let name = path.isEmpty ? "the line" : "\(path)"
    do throws(MemoryError) {
      let found = try value()
      return MemoryError(.invalid, "\(name) is \(found.shortened); write \(wanted)")
    } catch {
      return error
    }
  }

  private func tooDeep() -> MemoryError {
    MemoryError(.limitExceeded, "a value is nested more than \(Self.maximumDepth) deep; flatten it")
  }

  func broken(_ wanted: String) -> MemoryError {
    let place = path.isEmpty ? "" : " in \(path)"
    guard position < bytes.count else {
      return MemoryError(
        .invalid, "not JSON: the line ends\(place) where \(wanted) should be; write one whole object a line")
    }
    let rest = String(decoding: bytes[position...].prefix(80), as: UTF8.self).shortened(to: 20)
    let hint =
      ["NaN", "Infinity", "-Infinity", "nan", "inf"].contains { rest.hasPrefix($0) }
      ? "JSON has no such number, write null" : "write one object a line"
    return MemoryError(
      .invalid, "not JSON at byte \(position + 1)\(place): \(wanted) should be where \"\(rest)\" is; \(hint)")
  }

  // MARK: Tokens

  /// Skips white space and returns the next byte without reading it; `nil` at the end.
  private mutating func next() -> UInt8? {
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): position += 1
      case let byte: return byte
      }
    }
    return nil
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard next() == byte else { return false }
    position += 1
    return true
  }

  /// The lower-case letters at the position, at most 6.
  private func word() -> String {
    let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
    return String(decoding: bytes[position...].prefix(6).prefix { letters.contains($0) }, as: UTF8.self)
  }

  private var isNumber: Bool {
    mutating get {
      guard let byte = next() else { return false }
      return Self.isDigit(byte)
        || byte == UInt8(ascii: "-") && position + 1 < bytes.count && Self.isDigit(bytes[position + 1])
    }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

  private mutating func number() throws(MemoryError) -> JSON {
    let start = position
    var isWhole = true
    if bytes[position] == UInt8(ascii: "-") { position += 1 }
    let leadingZero = bytes[position] == UInt8(ascii: "0")
    let digits = skipDigits()
    guard digits == 1 || !leadingZero else {
      position = start
      throw broken("a number without a leading zero")
    }
    if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
      isWhole = false
      position += 1
      guard skipDigits() > 0 else { throw broken("a digit") }
    }
    if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
      isWhole = false
      position += 1
      if position < bytes.count, [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(bytes[position]) { position += 1 }
      guard skipDigits() > 0 else { throw broken("a digit") }
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isWhole {
      if let value = Int64(text) { return .integer(value) }
      if let value = UInt64(text) { return .unsigned(value) }
      throw fault("is \(text.shortened(to: 40)), beyond 64 bits, and would lose digits; write it as a string")
    }
    guard let value = Double(text), value.isFinite else {
      throw fault("is \(text.shortened(to: 40)), beyond the range of a 64-bit number; write it as a string")
    }
    return JSON(value)
  }

  /// - Returns: The number of digits.
  private mutating func skipDigits() -> Int {
    let start = position
    while position < bytes.count, Self.isDigit(bytes[position]) { position += 1 }
    return position - start
  }
}

/// The path of a field in a JSON value: `steps[3].duration_ms`.
package struct FieldPath: CustomStringConvertible {
  private enum Part {
    case member(String)
    case element(Int)
  }

  private var parts: [Part] = []

  package init() {}

  package var isEmpty: Bool { parts.isEmpty }
  package var depth: Int { parts.count }

  package mutating func append(_ name: String) { parts.append(.member(name)) }
  package mutating func append(_ index: Int) { parts.append(.element(index)) }
  package mutating func removeLast() { parts.removeLast() }

  /// The path of a member of the value at this path.
  package func member(_ name: String) -> FieldPath {
    var path = self
    path.append(name)
    return path
  }

  package var description: String {
    var text = ""
    for part in parts {
      switch part {
      case .member(let name): text += (text.isEmpty ? "" : ".") + name.shortened(to: 64)
      case .element(let index): text += "[\(index)]"
      }
    }
    return text
  }
}

extension JSON {
  /// The value on one short line, for a message.
  package var shortened: String { canonicalText.shortened(to: 60) }
}
