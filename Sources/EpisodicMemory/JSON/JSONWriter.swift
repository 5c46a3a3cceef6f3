/// Writes JSON text. The only writer: every line, answer and stored value passes here.
struct JSONWriter {
  enum Form {
    /// What is stored and hashed.
    case canonical
    /// What leaves the store: the same value, with nothing in it that a terminal acts on or hides.
    case output
    /// The canonical text of earlier versions, which wrote a number as the case it stands in.
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

  /// JSON has no infinities and no NaN; validation refuses them before anything is stored.
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

  /// Whether a byte of UTF-8 is written as it is, wherever it occurs.
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
  /// Whether a terminal acts on the character, or a reader does not see it: control characters, direction marks,
  /// characters without width, line separators, interlinear annotations and tags.
  package var isInvisible: Bool {
    switch value {
    case ..<0x20, 0x7F..<0xA0, 0xAD, 0x61C, 0x180E, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF,
      0xFFF9...0xFFFB, 0xE0000...0xE007F:
      true
    default: false
    }
  }
}
