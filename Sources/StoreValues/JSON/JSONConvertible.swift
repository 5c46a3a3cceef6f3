public import Foundation

/// What may stand as a value in a dictionary of metadata beside literals: variables of the types below, and of your own.
///
/// ```swift
/// Episode.Draft(.testing, domain: "web", context: "…", metadata: ["branch": branch, "attempt": attempt, "parent": parent])
/// ```
///
/// A nested literal whose values have several types is a `JSON` literal, `["a": 1, "b": "x"] as JSON`; one that is all
/// literals needs nothing.
public protocol JSONConvertible {
  /// The value as JSON. An optional without a value is `null`; a number keeps all its digits.
  var jsonValue: JSON { get }
}

extension JSON: JSONConvertible {
  public var jsonValue: JSON { self }

  /// `JSON(count)`, `JSON(name)`, `JSON(["a": count])`.
  public init(_ value: some JSONConvertible) { self = value.jsonValue }

  /// An object; a member without a value is `null`.
  public init(_ members: [String: (any JSONConvertible)?]) {
    self = .object(Object(members.map { ($0.key, $0.value?.jsonValue ?? .null) }))
  }
}

/// `"build \(number)"` is a JSON string.
extension JSON: ExpressibleByStringInterpolation {}

extension String: JSONConvertible {
  public var jsonValue: JSON { .string(self) }
}

extension Substring: JSONConvertible {
  public var jsonValue: JSON { .string(String(self)) }
}

extension Bool: JSONConvertible {
  public var jsonValue: JSON { .bool(self) }
}

extension Double: JSONConvertible {
  public var jsonValue: JSON { JSON(self) }
}

extension Float: JSONConvertible {
  public var jsonValue: JSON { JSON(Double(self)) }
}

extension JSONConvertible where Self: BinaryInteger {
  public var jsonValue: JSON {
    if let value = Int64(exactly: self) { return .integer(value) }
    return UInt64(exactly: self).map(JSON.unsigned) ?? .number(Double(self))
  }
}

extension Int: JSONConvertible {}
extension Int8: JSONConvertible {}
extension Int16: JSONConvertible {}
extension Int32: JSONConvertible {}
extension Int64: JSONConvertible {}
extension UInt: JSONConvertible {}
extension UInt8: JSONConvertible {}
extension UInt16: JSONConvertible {}
extension UInt32: JSONConvertible {}
extension UInt64: JSONConvertible {}

extension Optional: JSONConvertible where Wrapped: JSONConvertible {
  public var jsonValue: JSON { self?.jsonValue ?? .null }
}

extension Array: JSONConvertible where Element: JSONConvertible {
  public var jsonValue: JSON { .array(map(\.jsonValue)) }
}

extension Dictionary: JSONConvertible where Key == String, Value: JSONConvertible {
  public var jsonValue: JSON { .object(JSON.Object(map { ($0.key, $0.value.jsonValue) })) }
}

extension Timestamp: JSONConvertible {
  /// ISO 8601, as in the form of import and export.
  public var jsonValue: JSON { .string(description) }
}

extension Date: JSONConvertible {
  /// As the `Timestamp` of the date.
  public var jsonValue: JSON { Timestamp(self).jsonValue }
}

extension UUID: JSONConvertible {
  public var jsonValue: JSON { .string(uuidString) }
}

extension Identifier: JSONConvertible {
  public var jsonValue: JSON { .string(rawValue) }
}

/// An enumeration of your own with texts as raw values needs only to say that it conforms.
extension JSONConvertible where Self: RawRepresentable, RawValue: JSONConvertible {
  public var jsonValue: JSON { rawValue.jsonValue }
}
