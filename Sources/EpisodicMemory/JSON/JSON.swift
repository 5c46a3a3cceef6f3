/// A JSON value, for metadata and pattern data.
///
/// Numbers without a fraction that fit 64 bits are `integer`, so 1 and 1.0 are one value, as they are in RFC 8785.
public enum JSON: Hashable, Sendable {
  case null
  case bool(Bool)
  case integer(Int64)
  case number(Double)
  case string(String)
  case array([JSON])
  case object([String: JSON])

  /// The members of an object; `nil` for every other value.
  public var members: [String: JSON]? {
    if case .object(let members) = self { members } else { nil }
  }

  /// The member of an object by its name.
  public subscript(name: String) -> JSON? { members?[name] }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByFloatLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int64) { self = .integer(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(floatLiteral value: Double) { self = JSON(value) }
  public init(arrayLiteral elements: JSON...) { self = .array(elements) }
  public init(nilLiteral: ()) { self = .null }

  /// Of two members with one name the later one is kept, as a JSON parser would.
  public init(dictionaryLiteral members: (String, JSON)...) {
    self = .object(Dictionary(members) { _, later in later })
  }

  /// The value of a number: an integer where it is one.
  public init(_ value: Double) { self = Int64(exactly: value).map(JSON.integer) ?? .number(value) }
}
