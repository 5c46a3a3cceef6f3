import Crypto
import Foundation

extension JSON {
  /// The canonical text: members sorted by the bytes of their names, no spaces, shortest numbers, UTF-8 unescaped.
  ///
  /// Equal values have equal texts, unless their strings are equal only as Unicode counts it. Source of the rules: RFC 8785, with names sorted by UTF-8 instead of UTF-16.
  public var canonicalText: String {
    var text = ""
    write(to: &text)
    return text
  }

  /// SHA-256 over the canonical text, as 64 lower-case hexadecimal digits.
  public var canonicalHash: String {
    SHA256.hash(data: Data(canonicalText.utf8)).hexadecimal
  }

  /// Reads one JSON value, strictly (RFC 8259).
  ///
  /// - Throws: `.invalid`, naming the member and what is wrong with it.
  public init(text: String) throws(MemoryError) {
    var scanner = try JSONScanner(Array(text.utf8))
    self = try scanner.value()
    try scanner.end()
  }

  private func write(to text: inout String) {
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .integer(let value): text += String(value)
    // JSON has no infinities and no NaN; validation refuses them before anything is stored.
    case .number(let value): text += value.isFinite ? String(describing: value) : "null"
    case .string(let value): JSON.write(value, to: &text)
    case .array(let elements):
      text += "["
      for (index, element) in elements.enumerated() {
        if index > 0 { text += "," }
        element.write(to: &text)
      }
      text += "]"
    case .object(let members):
      text += "{"
      let sorted = members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      for (index, member) in sorted.enumerated() {
        if index > 0 { text += "," }
        JSON.write(member.key, to: &text)
        text += ":"
        member.value.write(to: &text)
      }
      text += "}"
    }
  }

  private static func write(_ string: String, to text: inout String) {
    text += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\u{8}": text += "\\b"
      case "\t": text += "\\t"
      case "\n": text += "\\n"
      case "\u{C}": text += "\\f"
      case "\r": text += "\\r"
      case ..<"\u{20}":
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}

extension Sequence<UInt8> {
  package var hexadecimal: String {
    map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
  }
}
