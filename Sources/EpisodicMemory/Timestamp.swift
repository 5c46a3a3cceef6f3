public import Foundation

/// A moment in milliseconds since 1970, UTC: the resolution at which the engine stores time.
public struct Timestamp: Hashable, Comparable, Sendable {
  public let milliseconds: Int64

  public init(milliseconds: Int64) { self.milliseconds = milliseconds }

  /// The moment of a date, cut to the millisecond; a date beyond the range of `Int64` milliseconds is clamped to it.
  public init(_ date: Date) {
    let exact = (date.timeIntervalSince1970 * 1000).rounded(.down)
    self.init(milliseconds: Int64(exactly: exact) ?? (exact < 0 ? .min : .max))
  }

  public var date: Date { Date(timeIntervalSince1970: Double(milliseconds) / 1000) }

  public static func < (a: Self, b: Self) -> Bool { a.milliseconds < b.milliseconds }

  /// The moments ISO 8601 has four-digit years for; the engine accepts no others.
  public static let accepted = Timestamp(milliseconds: -62_135_596_800_000)...Timestamp(milliseconds: 253_402_300_799_999)
}

extension Timestamp: CustomStringConvertible {
  /// ISO 8601, UTC; the fraction appears only where there is one: `2026-01-31T12:00:00Z`, `2026-01-31T12:00:00.250Z`.
  public var description: String {
    let (second, fraction) = milliseconds.quotientAndRemainderRoundingDown(dividingBy: 1000)
    let style = Date.ISO8601FormatStyle()
    let text = Date(timeIntervalSince1970: Double(second)).formatted(style)
    guard fraction != 0 else { return text }
    let digits = String(fraction)
    return text.dropLast() + "." + String(repeating: "0", count: 3 - digits.count) + digits + "Z"
  }

  /// Reads ISO 8601 with a zone (`Z` or an offset) and an optional fraction, of which milliseconds are kept.
  ///
  /// - Returns: `nil` where the text is no such time or its year is not in 1...9999.
  public init?(_ text: String) {
    let fractional = text.contains(".")
    let style = Date.ISO8601FormatStyle(includingFractionalSeconds: fractional)
    guard let date = try? style.parse(text) else { return nil }
    // Dates are binary fractions of a second: the nearest millisecond is the one that was written.
    let milliseconds = (date.timeIntervalSince1970 * 1000).rounded()
    guard let exact = Int64(exactly: milliseconds) else { return nil }
    self.init(milliseconds: exact)
    guard Self.accepted.contains(self) else { return nil }
  }
}

extension Timestamp: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let value = Timestamp(text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "\"\(text)\" is no ISO 8601 UTC time such as 2026-01-31T12:00:00Z")
    }
    self = value
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

extension Int64 {
  fileprivate func quotientAndRemainderRoundingDown(dividingBy divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }
}

/// Tells the time to the engine, so that tests can be the ones to tell it.
public protocol WallClock: Sendable {
  func now() -> Timestamp
}

/// The clock of the machine.
public struct SystemClock: WallClock {
  public init() {}

  public func now() -> Timestamp { Timestamp(Date()) }
}
