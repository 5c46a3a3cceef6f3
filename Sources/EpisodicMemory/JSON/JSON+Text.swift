import Crypto
import Foundation

extension JSON {
  /// The canonical text: members sorted by the bytes of their names, no spaces, shortest numbers, UTF-8 unescaped.
  ///
  /// What is stored and hashed, and so never changes. Source of the rules: RFC 8785, with names sorted by UTF-8 instead of
  /// UTF-16, and whole numbers of 64 bits written with all their digits.
  public var canonicalText: String { JSONWriter.text(of: self, .canonical) }

  /// SHA-256 over the canonical text, as 64 lower-case hexadecimal digits.
  public var canonicalHash: String { Self.hash(of: canonicalText) }

  /// The same value for a reader outside: as the canonical text, and what a terminal would act on or not show is escaped.
  ///
  /// Escaped are control characters (C0, delete, C1), and characters that turn the direction of writing, have no width, or
  /// stand for tags: text that somebody recorded must not move a cursor, nor say something else than it shows.
  public var outputText: String { JSONWriter.text(of: self, .output) }

  /// The hash that earlier versions gave the value, where it was another: they wrote `.number(30)` as `30.0`, and
  /// whole numbers beyond `Int64.max` as doubles. Patterns they recorded are found by it.
  var earlierHash: String? {
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

  private static func hash(of text: String) -> String { SHA256.hash(data: Data(text.utf8)).hexadecimal }

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
