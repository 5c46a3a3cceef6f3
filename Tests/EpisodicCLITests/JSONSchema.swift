import EpisodicMemory
import Foundation

/// Checks JSON against the schemas of the documentation, with exactly the keywords that they use.
///
/// A keyword that it does not know is an error, so that no rule is passed over.
struct JSONSchema {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../Sources/Episodic/Episodic.docc/Schemas").standardized

  /// Keywords that say nothing about a value.
  private static let notes: Set<String> = ["$schema", "title", "description"]

  struct Violation: Error, CustomStringConvertible {
    let description: String
  }

  private let schema: JSON

  /// The names of all schemas.
  static func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))
      .filter { $0.hasSuffix(".schema.json") }.map { String($0.dropLast(".schema.json".count)) }.sorted()
  }

  /// - Parameter name: `episode` for `episode.schema.json`.
  init(_ name: String) throws {
    let file = Self.folder.appending(path: "\(name).schema.json")
    schema = try JSON(text: String(contentsOf: file, encoding: .utf8))
  }

  init(_ schema: JSON) { self.schema = schema }

  /// Whether a value in it has the form of another schema.
  func refers(to name: String) -> Bool { schema.canonicalText.contains("\"\(name).schema.json\"") }

  /// - Throws: `Violation`, with the path of the value and the rule.
  func check(_ text: String) throws { try check(try JSON(text: text), schema, "$") }

  private func check(_ value: JSON, _ rules: JSON, _ path: String) throws {
    func require(_ condition: Bool, _ rule: String) throws {
      guard condition else { throw Violation(description: "\(path): \(rule), not \(value.outputText.prefix(200))") }
    }
    let members = rules.members ?? [:]
    for (keyword, rule) in members where !Self.notes.contains(keyword) {
      switch (keyword, rule) {
      case ("$ref", .string(let name)):
        guard members.count == 1 else { throw Violation(description: "\(path): $ref stands beside other keywords") }
        try JSONSchema(String(name.dropLast(".schema.json".count))).checkWhole(value, path)
      case ("type", .string(let type)): try require(value.has(type: type), "is of type \(type)")
      case ("type", .array(let types)):
        let names = types.compactMap { if case .string(let name) = $0 { name } else { nil } }
        try require(names.contains { value.has(type: $0) }, "is of type \(names)")
      case ("enum", .array(let values)): try require(values.contains(value), "is one of \(rule.outputText)")
      case ("const", let constant): try require(value == constant, "is \(constant.outputText)")
      case ("properties", .object(let properties)):
        for (name, rules) in properties {
          if let member = value.members?[name] { try check(member, rules, "\(path).\(name)") }
        }
      case ("required", .array(let names)):
        for case .string(let name) in names where value.members != nil {
          try require(value.members?.contains { $0.name == name } ?? false, "has \(name)")
        }
      case ("additionalProperties", let rules):
        let known = members["properties"]?.members?.map(\.name) ?? []
        for (name, member) in value.members ?? [:] where !known.contains(name) {
          if case .bool(let allowed) = rules {
            try require(allowed, "has no member \(name)")
          } else {
            try check(member, rules, "\(path).\(name)")
          }
        }
      case ("items", let rules):
        if case .array(let elements) = value {
          for (index, element) in elements.enumerated() { try check(element, rules, "\(path)[\(index)]") }
        }
      case ("oneOf", .array(let choices)):
        let fitting = choices.count { choice in (try? check(value, choice, path)) != nil }
        try require(fitting == 1, "fits one of \(choices.count) forms")
      case ("minimum", let bound):
        try require(value.number.map { $0 >= bound.number ?? 0 } ?? true, "is at least \(bound)")
      case ("maximum", let bound):
        try require(value.number.map { $0 <= bound.number ?? 0 } ?? true, "is at most \(bound)")
      case ("minLength", .integer(let bound)):
        try require(value.text.map { $0.unicodeScalars.count >= bound } ?? true, "is at least \(bound) long")
      case ("maxLength", .integer(let bound)):
        try require(value.text.map { $0.unicodeScalars.count <= bound } ?? true, "is at most \(bound) long")
      case ("pattern", .string(let pattern)):
        let expression = try Regex(pattern)
        try require(try value.text.map { try expression.firstMatch(in: $0) != nil } ?? true, "matches \(pattern)")
      case ("format", "date-time"):
        try require(value.text.map { Timestamp($0) != nil && $0.hasSuffix("Z") } ?? true, "is a time")
      default: throw Violation(description: "\(path): the keyword \(keyword) is not known to this validator")
      }
    }
  }

  private func checkWhole(_ value: JSON, _ path: String) throws { try check(value, schema, path) }
}

extension JSON {
  fileprivate func has(type: String) -> Bool {
    switch (type, self) {
    case ("object", .object), ("array", .array), ("string", .string), ("boolean", .bool), ("null", .null): true
    case ("integer", _): number.map { $0 == $0.rounded() } ?? false
    case ("number", _): number != nil
    default: false
    }
  }

  fileprivate var number: Double? {
    switch self {
    case .integer(let number): Double(number)
    case .unsigned(let number): Double(number)
    case .number(let number): number
    default: nil
    }
  }

  fileprivate var text: String? { if case .string(let text) = self { text } else { nil } }
}
