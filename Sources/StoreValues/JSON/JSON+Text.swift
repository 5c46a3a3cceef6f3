import ByteCoding

extension JSON {
  /// The canonical text: members sorted by the bytes of their names, no spaces, shortest numbers, UTF-8 unescaped.
  ///
  /// It is stored and hashed, so this form never changes. Source of the rules: RFC 8785, except that names are sorted by UTF-8
  /// instead of UTF-16, and integers of 64 bits are written with all their digits.
  public var canonicalText: String { JSONWriter.text(of: self, .canonical) }

  /// SHA-256 over the canonical text, as 64 lower-case hexadecimal digits.
  public var canonicalHash: String { Self.hash(of: canonicalText) }

  /// The canonical text with invisible characters escaped, for output.
  ///
  /// Escaped are control characters (C0, delete, C1), direction marks, characters without width, and tags: recorded text must
  /// not control the terminal that shows it, nor read differently from what it contains.
  public var outputText: String { JSONWriter.text(of: self, .output) }

  /// The hash that earlier versions computed, if it differs: they wrote `.number(30)` as `30.0` and integers beyond
  /// `Int64.max` as doubles. It finds the patterns that they recorded.
  package var earlierHash: String? {
    guard hadEarlierText else { return nil }
    return Self.hash(of: JSONWriter.text(of: self, .earlier))
  }

  /// Reads one JSON value, strictly (RFC 8259).
  ///
  /// - Throws: `.invalid`, naming the member and what is wrong with it.
  public init(text: String) throws(MemoryError) {
    var scanner = try JSONScanner(Array(text.utf8))
    self = try scanner.value()
    try scanner.end()
  }

  private static func hash(of text: String) -> String { SHA256.digest(of: text).hexadecimal }

  private var hadEarlierText: Bool {
    switch self {
    case .number(let value): if case .fractional = JSON.Number(value) { false } else { true }
    case .unsigned(let value): Double(exactly: value) != nil
    case .array(let elements): elements.contains(where: \.hadEarlierText)
    case .object(let members): members.contains { $0.value.hadEarlierText }
    case .null, .bool, .integer, .string: false
    }
  }
}

/// Writes every JSON text of the engine: lines, output and stored values.
struct JSONWriter {
  enum Form {
    /// Stored and hashed.
    case canonical
    /// The same value with invisible characters escaped.
    case output
    /// The canonical text of earlier versions, in which the case of a number decided its form.
    case earlier
  }

  private let form: Form
  private var text = ""

  static func text(of value: JSON, _ form: Form) -> String {
    var writer = JSONWriter(form: form)
    writer.write(value)
    return writer.text
  }

  private init(form: Form) { self.form = form }

  private mutating func write(_ value: JSON) {
    switch value {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .integer, .unsigned, .number: write(number: value)
    case .string(let value): write(value)
    case .array(let elements):
      text += "["
      for (index, element) in elements.enumerated() {
        if index > 0 { text += "," }
        write(element)
      }
      text += "]"
    case .object(let members):
      text += "{"
      for (index, member) in members.enumerated() {
        if index > 0 { text += "," }
        write(member.name)
        text += ":"
        write(member.value)
      }
      text += "}"
    }
  }

  private mutating func write(number value: JSON) {
    switch (form, value, value.numericValue) {
    case (.earlier, .number(let value), _): write(value)
    case (.earlier, .unsigned(let value), _):
      if let double = Double(exactly: value) { write(double) } else { text += String(value) }
    case (_, _, .integer(let value)): text += String(value)
    case (_, _, .unsigned(let value)): text += String(value)
    case (_, _, .fractional(let value)): write(value)
    case (_, _, nil): break
    }
  }

  /// JSON has no infinities and no NaN; `Validation` rejects them before anything is stored.
  private mutating func write(_ value: Double) { text += value.isFinite ? String(describing: value) : "null" }

  private mutating func write(_ string: String) {
    text += "\""
    if string.utf8.allSatisfy(isPlain) {
      text += string
    } else {
      for scalar in string.unicodeScalars { write(scalar) }
    }
    text += "\""
  }

  /// Whether a byte of UTF-8 never needs an escape.
  private func isPlain(_ byte: UInt8) -> Bool {
    byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") && (form != .output || byte < 0x7F)
  }

  private mutating func write(_ scalar: Unicode.Scalar) {
    switch scalar {
    case "\"": text += "\\\""
    case "\\": text += "\\\\"
    case "\u{8}": text += "\\b"
    case "\t": text += "\\t"
    case "\n": text += "\\n"
    case "\u{C}": text += "\\f"
    case "\r": text += "\\r"
    case ..<"\u{20}": escape(scalar)
    case _ where form == .output && scalar.isInvisible: escape(scalar)
    default: text.unicodeScalars.append(scalar)
    }
  }

  private mutating func escape(_ scalar: Unicode.Scalar) {
    for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter {
      let digits = String(unit, radix: 16)
      text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
  }
}

extension Unicode.Scalar {
  /// Whether the character controls a terminal or is not visible: control characters, direction marks, characters without
  /// width, line separators, interlinear annotations and tags.
  package var isInvisible: Bool {
    switch value {
    case ..<0x20, 0x7F..<0xA0, 0xAD, 0x61C, 0x180E, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF,
      0xFFF9...0xFFFB, 0xE0000...0xE007F:
      true
    default: false
    }
  }
}
