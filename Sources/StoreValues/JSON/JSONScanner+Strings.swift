extension JSONScanner {
  /// Reads a string; its opening quote is the next byte.
  mutating func string() throws(MemoryError) -> String {
    position += 1
    let start = position
    // Most strings have no escape and can be copied whole.
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        defer { position += 1 }
        return String(decoding: bytes[start..<position], as: UTF8.self)
      case UInt8(ascii: "\\"): return try string(from: start)
      case 0 where repair == .applied: return try string(from: start)
      case ..<0x20: throw control()
      default: position += 1
      }
    }
    throw broken("a closing quote")
  }

  /// Continues a string that began at `start` at its first escape or character to repair.
  private mutating func string(from start: Int) throws(MemoryError) -> String {
    var unescaped: [UInt8] = []
    // What stands between two escapes is copied at once.
    var copied = start
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        unescaped += bytes[copied..<position]
        position += 1
        return String(decoding: unescaped, as: UTF8.self)
      case UInt8(ascii: "\\"):
        unescaped += bytes[copied..<position]
        if let encoded = UTF8.encode(try escape()) { unescaped.append(contentsOf: encoded) }
        copied = position
      case 0 where repair == .applied:
        unescaped += bytes[copied..<position]
        repairs += 1
        unescaped.append(contentsOf: UTF8.encodedReplacementCharacter)
        position += 1
        copied = position
      case ..<0x20: throw control()
      default: position += 1
      }
    }
    throw broken("a closing quote")
  }

  /// Reads an escape, or both escapes of a surrogate pair.
  private mutating func escape() throws(MemoryError) -> Unicode.Scalar {
    let start = position
    position += 1
    guard position < bytes.count else { throw broken("an escaped character") }
    let letter = bytes[position]
    position += 1
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(letter)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): break
    default:
      position = start
      throw broken("a known escape")
    }
    let unit = try hexadecimalUnit()
    if unit != 0, let scalar = Unicode.Scalar(unit) ?? pair(beginningWith: unit) { return scalar }
    guard repair != .applied else {
      repairs += 1
      return "\u{FFFD}"
    }
    guard unit != 0 else {
      throw fault("has a NUL character (\\u0000) at byte \(start + 1) of the line; remove it\(repair.hint)")
    }
    throw fault(
      "has half of a surrogate pair (\\u\(String(unit, radix: 16))) at byte \(start + 1) of the line; write the whole "
        + "character\(repair.hint)")
  }

  /// Reads the second half of a surrogate pair, if it follows, and returns the character.
  private mutating func pair(beginningWith high: UInt16) -> Unicode.Scalar? {
    let start = position
    guard high < 0xDC00, bytes[position...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) else { return nil }
    position += 2
    if let low = try? hexadecimalUnit(), (0xDC00...0xDFFF).contains(low) {
      return Unicode.Scalar(0x10000 + (UInt32(high) - 0xD800) << 10 + (UInt32(low) - 0xDC00))
    }
    // What follows is read as an escape of its own, which rejects it if it is none.
    position = start
    return nil
  }

  private mutating func hexadecimalUnit() throws(MemoryError) -> UInt16 {
    let digits = bytes[position...].prefix(4)
    // `UInt16(_:radix:)` accepts a sign.
    guard digits.count == 4, digits.allSatisfy({ Unicode.Scalar($0).properties.isASCIIHexDigit }),
      let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw broken("four hexadecimal digits") }
    position += 4
    return unit
  }

  private func control() -> MemoryError {
    let byte = bytes[position]
    let name = byte == 0 ? "a NUL character" : "an unescaped control character (\(byte))"
    let escape = byte == 0 ? "remove it\(repair.hint)" : "escape it as JSON does"
    return fault("has \(name) at byte \(position + 1) of the line; \(escape)")
  }
}

extension JSONScanner.Repair {
  var hint: String {
    self == .offered ? ", or import with the option repair, which puts U+FFFD in its place" : ""
  }
}
