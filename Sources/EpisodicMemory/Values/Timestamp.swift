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
  public static let accepted =
    Timestamp(milliseconds: -62_135_596_800_000)...Timestamp(milliseconds: 253_402_300_799_999)
}

extension Timestamp: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    do throws(ParsingError) {
      self = try Timestamp(iso8601: text)
    } catch {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: error.description)
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
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
