/// A JSON value, for metadata and pattern data.
///
/// Two values are equal if and only if their canonical texts are. Strings and names are compared by code units (RFC 8259,
/// section 8.3), so `é` composed and decomposed differ; numbers by value, so `.integer(30)` equals `.number(30)`. NaN, which
/// JSON does not have, equals nothing.
public enum JSON: Sendable {
  /// `null`.
  case null
  /// `true` or `false`.
  case bool(Bool)
  /// A whole number of 64 bits, with all its digits.
  case integer(Int64)
  /// A whole number beyond `Int64.max`.
  case unsigned(UInt64)
  /// A number with a fraction, or beyond 64 bits.
  case number(Double)
  /// A text.
  case string(String)
  /// Values in order.
  case array([JSON])
  /// Members by name.
  case object(Object)

  /// The members of an object; `nil` for every other value.
  public var members: Object? {
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

  /// Of two members with one name the later one wins, as in most JSON parsers.
  public init(dictionaryLiteral members: (String, JSON)...) { self = .object(Object(members)) }

  /// An `integer` or `unsigned` if the value is whole and fits, otherwise a `number`.
  public init(_ value: Double) {
    switch Number(value) {
    case .integer(let value): self = .integer(value)
    case .unsigned(let value): self = .unsigned(value)
    case .fractional(let value): self = .number(value)
    }
  }
}

extension JSON: Hashable {
  public static func == (a: JSON, b: JSON) -> Bool {
    if let number = a.numericValue { return number == b.numericValue }
    return switch (a, b) {
    case (.null, .null): true
    case (.bool(let a), .bool(let b)): a == b
    case (.string(let a), .string(let b)): a.hasSameBytes(as: b)
    case (.array(let a), .array(let b)): a == b
    case (.object(let a), .object(let b)): a == b
    default: false
    }
  }

  public func hash(into hasher: inout Hasher) {
    if let number = numericValue { return hasher.combine(number) }
    switch self {
    case .bool(let value): hasher.combine(value)
    case .string(let value): hasher.combine(bytesOf: value)
    case .array(let elements): hasher.combine(elements)
    case .object(let members): hasher.combine(members)
    case .null, .integer, .unsigned, .number: hasher.combine(0)
    }
  }
}

extension JSON {
  /// A number by its value: equal numbers of different cases have one form.
  enum Number: Hashable {
    case integer(Int64)
    /// Beyond `Int64.max`.
    case unsigned(UInt64)
    /// With a fraction, or beyond 64 bits.
    case fractional(Double)

    init(_ value: Double) {
      if let integer = Int64(exactly: value) {
        self = .integer(integer)
      } else if let unsigned = UInt64(exactly: value) {
        self = .unsigned(unsigned)
      } else {
        self = .fractional(value)
      }
    }
  }

  /// `nil` if it is not a number.
  var numericValue: Number? {
    switch self {
    case .integer(let value): .integer(value)
    case .unsigned(let value): Int64(exactly: value).map(Number.integer) ?? .unsigned(value)
    case .number(let value): Number(value)
    default: nil
    }
  }
}
