import Foundation

/// Identifies one `Entity`; an episode's identifier does not fit where a pattern's is wanted.
///
/// Opaque: 1...128 bytes of UTF-8 without NUL, checked when it is stored. Canonically equivalent strings are one identifier,
/// as they are one `String`, so the raw value is kept in Unicode normalisation form C.
public struct Identifier<Entity>: Hashable, Sendable, RawRepresentable {
  public let rawValue: String

  public init(rawValue: String) { self.rawValue = rawValue.canonicallyComposed }
  /// As `init(rawValue:)`.
  public init(_ rawValue: String) { self.init(rawValue: rawValue) }

  /// Keeps a stored value as it is: another program may have written it in another form.
  package init(composed rawValue: String) { self.rawValue = rawValue }

  /// A new UUID of version 7: later identifiers sort later.
  ///
  /// - Parameter now: Its milliseconds are the first 48 bits.
  public static func generate(at now: Timestamp) -> Self {
    var generator = SystemRandomNumberGenerator()
    let milliseconds = UInt64(clamping: now.milliseconds)
    let high = milliseconds << 16 | 0x7000 | UInt64.random(in: 0...0x0FFF, using: &generator)
    let low = 0x8000_0000_0000_0000 | generator.next() >> 2
    return Self(composed: uuidText(high, low))
  }

  private static func uuidText(_ high: UInt64, _ low: UInt64) -> String {
    String(unsafeUninitializedCapacity: 36) { text in
      var at = 0
      for nibble in 0..<32 {
        if [8, 12, 16, 20].contains(nibble) {
          text[at] = UInt8(ascii: "-")
          at += 1
        }
        let word = nibble < 16 ? high : low
        let digit = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * (nibble % 16)) & 0xF)
        text[at] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
        at += 1
      }
      return at
    }
  }
}

extension Identifier: CustomStringConvertible {
  public var description: String { rawValue }
}

extension Identifier: Comparable {
  public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

extension Identifier: ExpressibleByStringLiteral {
  public init(stringLiteral value: String) { self.init(rawValue: value) }
}

extension Identifier: Codable {
  public init(from decoder: any Decoder) throws {
    self.init(rawValue: try decoder.singleValueContainer().decode(String.self))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(rawValue)
  }
}
