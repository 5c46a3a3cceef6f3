package import StoreValues

extension JSON {
  /// Reads JSON that another program may have stored: SQLite's json_valid() accepts more than the engine writes.
  ///
  /// Values that `JSON` cannot represent are approximated: of duplicate members the last is kept; numbers beyond 64 bits
  /// and values nested too deep become strings of their text; unpaired surrogates and NUL become U+FFFD. Text that is not
  /// JSON becomes a string.
  package init(stored text: String) {
    if text == "{}" {
      self = [:]
      return
    }
    do throws(MemoryError) {
      self = try JSON(text: text)
    } catch {
      var reader = StoredJSONReader(text)
      self = reader.read() ?? .string(text.replacing("\0", with: "\u{FFFD}"))
    }
  }

  /// Reads a stored object; any other value becomes the member `""` of an object.
  package init(storedObject text: String) {
    let value = JSON(stored: text)
    self = value.members == nil ? .object(["": value]) : value
  }
}

/// Reads JSON that the strict reader rejects.
private struct StoredJSONReader {
  /// The strict reader's, so that the result can be written again.
  private static let maximumDepth = 255

  private let bytes: [UInt8]
  private var position = 0

  init(_ text: String) { bytes = Array(text.utf8) }

  /// - Returns: `nil` if the text is not JSON.
  mutating func read() -> JSON? {
    guard let value = value(depth: 0), next() == nil else { return nil }
    return value
  }

  private mutating func value(depth: Int) -> JSON? {
    switch next() {
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      guard depth < Self.maximumDepth else { return deepValue() }
      return bytes[position] == UInt8(ascii: "{") ? object(depth: depth + 1) : array(depth: depth + 1)
    case UInt8(ascii: "\""): return string().map(JSON.string)
    default: return word()
    }
  }

  private mutating func object(depth: Int) -> JSON? {
    position += 1
    var members: [(String, JSON)] = []
    if take(UInt8(ascii: "}")) { return .object([:]) }
    repeat {
      guard next() == UInt8(ascii: "\""), let name = string(), take(UInt8(ascii: ":")), let value = value(depth: depth)
      else { return nil }
      members.append((name, value))
    } while take(UInt8(ascii: ","))
    return take(UInt8(ascii: "}")) ? .object(JSON.Object(members)) : nil
  }

  private mutating func array(depth: Int) -> JSON? {
    position += 1
    var elements: [JSON] = []
    if take(UInt8(ascii: "]")) { return .array(elements) }
    repeat {
      guard let value = value(depth: depth) else { return nil }
      elements.append(value)
    } while take(UInt8(ascii: ","))
    return take(UInt8(ascii: "]")) ? .array(elements) : nil
  }

  /// The text of an object or an array, as a string.
  private mutating func deepValue() -> JSON? {
    let start = position
    var depth = 0
    repeat {
      guard position < bytes.count else { return nil }
      switch bytes[position] {
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      case UInt8(ascii: "\""):
        guard string() != nil else { return nil }
        continue
      default: break
      }
      position += 1
    } while depth > 0
    return .string(String(decoding: bytes[start..<position], as: UTF8.self))
  }

  /// A number, true, false or null.
  private mutating func word() -> JSON? {
    let start = position
    while position < bytes.count, Self.isWord(bytes[position]) { position += 1 }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    guard !text.isEmpty else { return nil }
    do throws(MemoryError) {
      return try JSON(text: text)
    } catch {
      // Digits beyond the range of `JSON` numbers.
      let first = text.utf8.first ?? 0
      return first == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) ? .string(text) : nil
    }
  }

  /// A string; its opening quote is the next byte.
  private mutating func string() -> String? {
    let start = position
    position += 1
    while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
      position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
    }
    guard position < bytes.count else { return nil }
    position += 1
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    do throws(MemoryError) {
      if case .string(let value) = try JSON(text: text) { return value }
      return nil
    } catch {
      return Self.repaired(bytes[(start + 1)..<(position - 1)])
    }
  }

  /// A string with escapes or control characters that the strict reader rejects.
  private static func repaired(_ bytes: ArraySlice<UInt8>) -> String {
    var units: [UInt16] = []
    var text = String(decoding: bytes, as: UTF8.self).utf16[...]
    while let unit = text.popFirst() {
      guard unit == UInt16(UInt8(ascii: "\\")), let letter = text.popFirst() else {
        units.append(unit)
        continue
      }
      switch UInt8(exactly: letter) {
      case UInt8(ascii: "b"): units.append(8)
      case UInt8(ascii: "f"): units.append(12)
      case UInt8(ascii: "n"): units.append(10)
      case UInt8(ascii: "r"): units.append(13)
      case UInt8(ascii: "t"): units.append(9)
      case UInt8(ascii: "u"):
        let code = UInt16(String(decoding: text.prefix(4), as: UTF16.self), radix: 16)
        text = text.dropFirst(code == nil ? 0 : 4)
        units.append(code == 0 ? 0xFFFD : code ?? 0xFFFD)
      default: units.append(letter)
      }
    }
    // Unpaired surrogates become U+FFFD.
    return String(decoding: units, as: UTF16.self)
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
      true
    default: false
    }
  }

  private mutating func next() -> UInt8? {
    while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
    return position < bytes.count ? bytes[position] : nil
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard next() == byte else { return false }
    position += 1
    return true
  }
}
