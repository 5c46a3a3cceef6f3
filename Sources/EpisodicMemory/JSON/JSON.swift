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

extension JSON: Codable {
  // Attempts are ordered by how often they succeed: a failed one costs an error.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode(Int64.self) {
      self = .integer(value)
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(UInt64.self) {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "\(value) is beyond 63 bits and would lose digits; write it as a string")
    } else if let value = try? container.decode(Double.self) {
      self = JSON(value)
    } else if let value = try? container.decode([String: JSON].self) {
      self = .object(value)
    } else {
      self = .array(try container.decode([JSON].self))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .string(let value): try container.encode(value)
    case .array(let value): try container.encode(value)
    case .object(let value): try container.encode(value)
    }
  }
}
