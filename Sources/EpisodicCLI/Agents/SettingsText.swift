import Episodic

/// A settings file in JSON with comments, changed as a text: what is not inserted keeps every byte.
struct SettingsText {
  private(set) var text: [UInt8]

  /// What was inserted, in order; removing the pieces gives back the text as it was.
  private(set) var inserted: [String] = []

  init(_ text: String) { self.text = Array(text.utf8) }

  var string: String { String(decoding: text, as: UTF8.self) }

  /// An object or an array in the text.
  private struct Container {
    let isObject: Bool
    let open: Int
    let close: Int
    /// The place behind the last element; `nil` if there is none.
    var end: Int?
    /// The place of the first element.
    var first: Int?
    var hasTrailingComma = false
    var elements: [JSONCScanner.Member] = []
  }

  /// Whether there is a value at a path of names.
  func has(_ path: [String]) throws(MemoryError) -> Bool { try place(of: path) != nil }

  /// The text of the value at a path, with its comments; `nil` if there is none.
  func value(at path: [String]) throws(MemoryError) -> String? {
    guard let start = try place(of: path) else { return nil }
    var scanner = JSONCScanner(text, at: start)
    try scanner.skipValue()
    return String(decoding: text[start..<scanner.position], as: UTF8.self)
  }

  /// Adds a member to the object at a path, and the objects of the path that are missing.
  ///
  /// - Parameter value: JSON on lines that are indented by two spaces each level.
  mutating func add(_ value: String, at path: [String]) throws(MemoryError) {
    guard !path.isEmpty else { return }
    var depth = path.count - 1
    while depth > 0, try !has(Array(path[..<depth])) { depth -= 1 }
    var piece = value
    for missing in path[(depth + 1)...].reversed() { piece = "{\n  \(Self.quoted(missing)): \(piece.indented)\n}" }
    let container = try container(at: Array(path[..<depth]))
    guard container.isObject else { throw Self.unexpected(path[..<depth], "an object") }
    insert("\(Self.quoted(path[depth])): \(piece)", into: container)
  }

  /// Adds an element at the end of the array at a path.
  mutating func append(_ value: String, to path: [String]) throws(MemoryError) {
    let container = try container(at: path)
    guard !container.isObject else { throw Self.unexpected(path[...], "an array") }
    insert(value, into: container)
  }

  /// Removes the member at a path, and the objects around it that it leaves empty.
  ///
  /// - Parameter isWanted: Of its text; for an array that of an element, of which those that are wanted are removed.
  mutating func remove(at path: [String], where isWanted: (String) -> Bool) throws(MemoryError) {
    guard let place = try place(of: path), !path.isEmpty else { return }
    if text[place] == UInt8(ascii: "[") {
      let list = try container(opening: place, path)
      for (index, element) in list.elements.enumerated().reversed() where isWanted(string(element)) {
        remove(index, of: try container(opening: place, path))
      }
      guard try container(opening: place, path).elements.isEmpty else { return }
    } else {
      let parent = try container(at: path.dropLast())
      guard let member = parent.elements.last(where: { $0.name == path.last }), isWanted(string(member)) else { return }
    }
    var path = path
    while let name = path.popLast() {
      let parent = try container(at: path)
      guard let index = parent.elements.lastIndex(where: { $0.name == name }) else { return }
      remove(index, of: parent)
      guard !path.isEmpty, try container(at: path).elements.isEmpty else { return }
    }
  }

  private func string(_ element: JSONCScanner.Member) -> String {
    String(decoding: text[element.value..<element.valueEnd], as: UTF8.self)
  }

  /// Removes an element with its comma and the white space before it.
  private mutating func remove(_ index: Int, of container: Container) {
    let element = container.elements[index]
    func withSpace(_ start: Int) -> Int {
      var start = start
      while start > 0, [0x20, 0x09, 0x0A, 0x0D].contains(text[start - 1]) { start -= 1 }
      return start
    }
    let start = withSpace(element.start)
    if element.hasComma {
      text.removeSubrange(start..<element.end)
    } else if index > 0 {
      let before = container.elements[index - 1]
      text.removeSubrange(start..<element.valueEnd)
      text.remove(at: before.end - 1)
    } else {
      text.removeSubrange(start..<element.valueEnd)
    }
  }

  private mutating func insert(_ piece: String, into container: Container) {
    let outer = indentation(of: container.open)
    if let end = container.end {
      let inner = container.first.map { isFirstOnLine($0) ? indentation(of: $0) : nil } ?? nil
      let lines = inner.map { "\n\($0)" + piece.replacing("\n", with: "\n\($0)") } ?? " " + piece
      insert(container.hasTrailingComma ? "\(lines)," : ",\(lines)", at: end)
    } else {
      let inner = outer + "  "
      insert("\n\(inner)" + piece.replacing("\n", with: "\n\(inner)") + "\n\(outer)", at: container.open + 1)
    }
  }

  private mutating func insert(_ piece: String, at place: Int) {
    text.insert(contentsOf: Array(piece.utf8), at: place)
    inserted.append(piece)
  }

  // MARK: Places

  private func container(at path: [String]) throws(MemoryError) -> Container {
    guard let place = try place(of: path) else { throw Self.unexpected(path[...], "an object") }
    return try container(opening: place, path)
  }

  private func place(of path: [String]) throws(MemoryError) -> Int? {
    var scanner = JSONCScanner(text, at: 0)
    try scanner.skipSpace()
    var place = scanner.position
    for (depth, name) in path.enumerated() {
      let container = try container(opening: place, Array(path[..<depth]))
      guard container.isObject else { throw Self.unexpected(path[..<depth], "an object") }
      // Of two members with one name the last one counts.
      guard let member = container.elements.last(where: { $0.name == name }) else { return nil }
      place = member.value
    }
    return place
  }

  private func container(opening place: Int, _ path: [String]) throws(MemoryError) -> Container {
    guard place < text.count, text[place] == UInt8(ascii: "{") || text[place] == UInt8(ascii: "[") else {
      throw Self.unexpected(path[...], "an object or an array")
    }
    var scanner = JSONCScanner(text, at: place)
    var found = Container(isObject: text[place] == UInt8(ascii: "{"), open: place, close: place)
    try scanner.container { member in
      found.first = found.first ?? member.start
      found.elements.append(member)
      found.end = member.end
      found.hasTrailingComma = member.hasComma
    }
    return found
  }

  /// The white space with which the line of a place begins.
  private func indentation(of place: Int) -> String {
    let start = text[..<place].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    return String(decoding: text[start...].prefix { $0 == 0x20 || $0 == 0x09 }, as: UTF8.self)
  }

  private func isFirstOnLine(_ place: Int) -> Bool {
    guard let start = text[..<place].lastIndex(of: UInt8(ascii: "\n")) else { return false }
    return text[(start + 1)..<place].allSatisfy { $0 == 0x20 || $0 == 0x09 }
  }

  private static func quoted(_ name: String) -> String { JSON.string(name).canonicalText }

  private static func unexpected(_ path: ArraySlice<String>, _ wanted: String) -> MemoryError {
    MemoryError(
      .invalid,
      "\(path.isEmpty ? "it" : path.joined(separator: ".")) is not \(wanted), as this version knows it; nothing was changed"
    )
  }
}

extension String {
  fileprivate var indented: String { replacing("\n", with: "\n  ") }
}

/// Steps over JSON with comments and trailing commas, without reading values.
fileprivate struct JSONCScanner {
  struct Member {
    let name: String?
    let start: Int
    let value: Int
    let valueEnd: Int
    /// Behind the value, or behind the comma that follows it.
    let end: Int
    let hasComma: Bool
  }

  private static let maximumDepth = 256
  private let bytes: [UInt8]
  private(set) var position: Int
  private var depth = 0

  init(_ bytes: [UInt8], at position: Int) { (self.bytes, self.position) = (bytes, position) }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private func broken(_ wanted: String) -> MemoryError {
    let line = 1 + bytes[..<min(position, bytes.count)].count { $0 == UInt8(ascii: "\n") }
    return MemoryError(.invalid, "line \(line) is no JSON: \(wanted) is missing; correct it, nothing was changed")
  }

  mutating func skipSpace() throws(MemoryError) {
    // A byte order mark.
    if position == 0, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    while let byte = next {
      if [0x20, 0x09, 0x0A, 0x0D].contains(byte) {
        position += 1
      } else if byte == UInt8(ascii: "/"), bytes[position...].starts(with: [0x2F, 0x2F]) {
        position = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      } else if byte == UInt8(ascii: "/"), bytes[position...].starts(with: [0x2F, 0x2A]) {
        position += 2
        while position < bytes.count, !bytes[position...].starts(with: [0x2A, 0x2F]) { position += 1 }
        guard position < bytes.count else { throw broken("the end of a comment") }
        position += 2
      } else {
        return
      }
    }
  }

  mutating func skipValue() throws(MemoryError) {
    switch next {
    case UInt8(ascii: "{"), UInt8(ascii: "["): try container { _ in }
    case UInt8(ascii: "\""): _ = try string()
    default:
      let start = position
      while let byte = next, !Array(" \t\r\n,]}/".utf8).contains(byte) { position += 1 }
      let word = String(decoding: bytes[start..<position], as: UTF8.self)
      guard ["true", "false", "null"].contains(word) || Double(word) != nil else { throw broken("a value") }
    }
  }

  mutating func container(_ found: (Member) -> Void) throws(MemoryError) {
    guard let open = next, depth < Self.maximumDepth else { throw broken("an object that is not nested so deep") }
    depth += 1
    defer { depth -= 1 }
    let isObject = open == UInt8(ascii: "{")
    let close = isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")
    position += 1
    try skipSpace()
    var mayGoOn = true
    while let byte = next, byte != close {
      guard mayGoOn else { throw broken("a comma") }
      let start = position
      var name: String?
      if isObject {
        guard byte == UInt8(ascii: "\"") else { throw broken("a name in quotes") }
        name = try string()
        try skipSpace()
        guard next == UInt8(ascii: ":") else { throw broken("a colon") }
        position += 1
        try skipSpace()
      }
      let value = position
      try skipValue()
      let valueEnd = position
      var end = position
      try skipSpace()
      mayGoOn = next == UInt8(ascii: ",")
      if mayGoOn {
        position += 1
        end = position
      }
      try skipSpace()
      found(Member(name: name, start: start, value: value, valueEnd: valueEnd, end: end, hasComma: mayGoOn))
    }
    guard next == close else { throw broken(isObject ? "}" : "]") }
    position += 1
  }

  private mutating func string() throws(MemoryError) -> String {
    let start = position
    position += 1
    while let byte = next, byte != UInt8(ascii: "\"") {
      guard byte != UInt8(ascii: "\n") else { throw broken("the end of a string") }
      position += byte == UInt8(ascii: "\\") ? 2 : 1
    }
    guard next == UInt8(ascii: "\"") else { throw broken("the end of a string") }
    position += 1
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    guard case .string(let value) = try JSON(text: text) else { throw broken("a string") }
    return value
  }
}
