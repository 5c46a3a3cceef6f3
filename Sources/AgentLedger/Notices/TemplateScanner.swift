import StoreValues

/// The names that a template may use: paths of members, with the ways to them.
struct DeclaredVariables {
  private let template: String
  private let declared: [String]
  private let paths: Set<String>

  /// - Throws: `.invalid` for a name that no tag can have.
  init(_ names: [String], of template: String) throws(MemoryError) {
    self.template = template
    var paths: Set<String> = []
    for name in names {
      let parts = name.split(separator: ".", omittingEmptySubsequences: false)
      guard name.utf8.count <= 200, parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(TemplateScanner.isOfName) })
      else {
        throw MemoryError(
          .invalid,
          "the template \"\(template.shortened(to: 60))\" has a variable \"\(name.shortened(to: 60))\"; a name has letters, digits, _ and -, and points between members"
        )
      }
      for count in 1...parts.count { paths.insert(parts.prefix(count).joined(separator: ".")) }
    }
    (declared, self.paths) = (names, paths)
  }

  /// The path of a name in a tag inside of sections; `nil` if it is unknown.
  func path(of name: String, in sections: [String]) -> String? {
    if name == "." { return sections.last }
    return (sections.reversed().map { $0 + "." + name } + [name]).first(where: paths.contains)
  }

  /// - Throws: `.invalid` if one is missing; null is a value.
  func requireValues(_ values: JSON) throws(MemoryError) {
    guard values.members != nil else {
      throw MemoryError(
        .invalid,
        "the values of template \"\(template.shortened(to: 60))\" are \(values.canonicalText.shortened(to: 40)); give a JSON object"
      )
    }
    for name in declared where !Self.has(values, name.split(separator: ".")[...]) {
      throw MemoryError(
        .invalid,
        "the template \"\(template.shortened(to: 60))\" needs a value of \"\(name)\"; give it, or null for none")
    }
  }

  /// What is no object and no list has no members to be missing.
  private static func has(_ value: JSON, _ path: ArraySlice<Substring>) -> Bool {
    guard let first = path.first else { return true }
    return switch value {
    case .object(let members): members[String(first)].map { has($0, path.dropFirst()) } ?? false
    case .array(let elements): elements.allSatisfy { has($0, path) }
    default: true
    }
  }
}

/// Finds the tags of a template, which the parser of swift-mustache keeps to itself.
struct TemplateScanner {
  private static let maximumDepth = 16

  private let place: String
  private let declared: DeclaredVariables
  private var rest: Substring.UTF8View
  private var open: [(name: String, path: String, isInverted: Bool)] = []

  init(_ text: String, _ place: String, _ declared: DeclaredVariables) {
    (self.place, self.declared) = (place, declared)
    rest = text[...].utf8
  }

  static func isOfName(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }

  /// - Throws: `.invalid` for the first fault.
  consuming func check() throws(MemoryError) {
    while skip(to: "{{") { try tag() }
    guard let last = open.last else { return }
    throw fault("the section {{#\(last.name)}} is not closed; close it by {{/\(last.name)}}")
  }

  private mutating func tag() throws(MemoryError) {
    switch rest.first {
    case UInt8(ascii: "!"):
      guard skip(to: "}}") else { throw fault("a comment is not closed; close it by }}") }
    case UInt8(ascii: "#"), UInt8(ascii: "^"):
      let isInverted = rest.removeFirst() == UInt8(ascii: "^")
      let name = try name(closedBy: "}}")
      guard open.count < Self.maximumDepth else {
        throw fault("sections are nested more than \(Self.maximumDepth) deep; flatten them")
      }
      open.append((name, try path(of: name), isInverted))
    case UInt8(ascii: "/"):
      rest.removeFirst()
      let name = try name(closedBy: "}}")
      guard let last = open.popLast(), last.name == name else {
        throw fault("{{/\(name)}} closes no open section; close sections in the order in which they opened, last first")
      }
    case UInt8(ascii: "{"):
      rest.removeFirst()
      _ = try path(of: name(closedBy: "}}}"))
    case UInt8(ascii: "&"):
      rest.removeFirst()
      _ = try path(of: name(closedBy: "}}"))
    case UInt8(ascii: ">"), UInt8(ascii: "<"), UInt8(ascii: "$"), UInt8(ascii: "="), UInt8(ascii: "%"):
      throw fault("partials, blocks, pragmas and other delimiters are not for notices; write the text itself")
    default:
      _ = try path(of: name(closedBy: "}}"))
    }
  }

  private func path(of name: String) throws(MemoryError) -> String {
    let sections = open.filter { !$0.isInverted }.map(\.path)
    guard let path = declared.path(of: name, in: sections) else {
      throw fault("\"\(name)\" is no variable of it; declare it or correct the name")
    }
    return path
  }

  private mutating func name(closedBy end: String) throws(MemoryError) -> String {
    skipSpaces()
    let bytes = rest.prefix { Self.isOfName($0) || $0 == UInt8(ascii: ".") }
    let name = String(Substring(bytes))
    rest.removeFirst(bytes.count)
    skipSpaces()
    guard !name.isEmpty, rest.starts(with: end.utf8) else {
      let found = String(decoding: rest.prefix(12), as: UTF8.self).shortened(to: 12)
      throw fault("a tag has \"\(name)\(found)\"; write a name and then \(end)")
    }
    rest.removeFirst(end.utf8.count)
    return name
  }

  private mutating func skipSpaces() {
    rest = rest.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
  }

  /// Goes behind the next occurrence of a mark; to the end if there is none.
  private mutating func skip(to mark: String) -> Bool {
    while !rest.isEmpty {
      if rest.starts(with: mark.utf8) {
        rest.removeFirst(mark.utf8.count)
        return true
      }
      rest.removeFirst()
    }
    return false
  }

  private func fault(_ text: String) -> MemoryError { MemoryError(.invalid, "\(place): \(text)") }
}
