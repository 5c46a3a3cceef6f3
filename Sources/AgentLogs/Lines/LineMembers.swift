/// Finds members of the object on a line without reading the rest: most bytes of a log are of records that nobody needs.
///
/// It does not check what it steps over; a line that is needed is read by `JSONScanner` after it.
struct LineMembers {
  private let line: [UInt8]
  private var at = 0

  /// Values of members of the outermost object: strings without their quotes, and words such as `true`.
  ///
  /// - Parameter names: Those that are looked for; the search ends with the last of them.
  /// - Returns: By `names`; `nil` for a string with escapes, an object or an array. In all `nil` if the line is no object, or
  ///   ends before its members do.
  static func values(_ names: [StaticString], in line: [UInt8]) -> [String?]? {
    var members = LineMembers(line)
    return members.values(names)
  }

  /// The names of the members of the outermost object, of at most 100.
  static func names(in line: [UInt8]) -> Set<String> {
    var members = LineMembers(line)
    var names: Set<String> = []
    _ = members.each { name, _ in
      names.insert(String(decoding: line[name], as: UTF8.self))
      return names.count < 100
    }
    return names
  }

  private init(_ line: [UInt8]) { self.line = line }

  private mutating func values(_ names: [StaticString]) -> [String?]? {
    var found = [String?](repeating: nil, count: names.count)
    var missing = names.count
    let line = line
    let isWhole = each { name, value in
      guard let place = names.firstIndex(where: { Self.matches($0, line[name]) }), found[place] == nil else {
        return true
      }
      // Whatever its value is, there is no second one.
      missing -= 1
      switch line[value.lowerBound] {
      case UInt8(ascii: "{"), UInt8(ascii: "["): break
      case UInt8(ascii: "\""):
        let text = line[value].dropFirst().dropLast()
        if !text.contains(UInt8(ascii: "\\")) { found[place] = String(decoding: text, as: UTF8.self) }
      default: found[place] = String(decoding: line[value], as: UTF8.self)
      }
      return missing > 0
    }
    return isWhole ? found : nil
  }

  private static func matches(_ name: StaticString, _ bytes: ArraySlice<UInt8>) -> Bool {
    name.withUTF8Buffer { $0.elementsEqual(bytes) }
  }

  /// Calls `member` with the places of each name and value, until it returns `false`.
  ///
  /// - Returns: Whether the line was an object so far.
  private mutating func each(_ member: (_ name: Range<Int>, _ value: Range<Int>) -> Bool) -> Bool {
    skipSpace()
    guard take(UInt8(ascii: "{")) else { return false }
    skipSpace()
    if take(UInt8(ascii: "}")) { return true }
    repeat {
      skipSpace()
      let name = at
      guard skipString() else { return false }
      let nameEnd = at
      skipSpace()
      guard take(UInt8(ascii: ":")) else { return false }
      skipSpace()
      let value = at
      guard skipValue() else { return false }
      guard member((name + 1)..<(nameEnd - 1), value..<at) else { return true }
      skipSpace()
    } while take(UInt8(ascii: ","))
    return take(UInt8(ascii: "}"))
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard at < line.count, line[at] == byte else { return false }
    at += 1
    return true
  }

  private mutating func skipSpace() {
    while at < line.count, line[at] == 0x20 || line[at] == 0x09 || line[at] == 0x0D { at += 1 }
  }

  private mutating func skipString() -> Bool {
    guard take(UInt8(ascii: "\"")) else { return false }
    while at < line.count {
      switch line[at] {
      case UInt8(ascii: "\""):
        at += 1
        return true
      case UInt8(ascii: "\\"): at += 2
      default: at += 1
      }
    }
    return false
  }

  /// - Complexity: O(*n*), whatever the depth is.
  private mutating func skipValue() -> Bool {
    guard at < line.count else { return false }
    switch line[at] {
    case UInt8(ascii: "\""): return skipString()
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      var depth = 0
      repeat {
        guard at < line.count else { return false }
        switch line[at] {
        case UInt8(ascii: "\""): guard skipString() else { return false }
        case UInt8(ascii: "{"), UInt8(ascii: "["):
          depth += 1
          at += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
          depth -= 1
          at += 1
        default: at += 1
        }
      } while depth > 0
      return true
    default:
      let start = at
      while at < line.count, line[at] != UInt8(ascii: ","), line[at] != UInt8(ascii: "}") { at += 1 }
      return at > start
    }
  }
}
