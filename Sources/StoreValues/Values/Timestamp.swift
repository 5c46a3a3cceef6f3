public import Foundation

/// A time in milliseconds since 1970, UTC: the resolution at which the engine stores times.
public struct Timestamp: Hashable, Comparable, Sendable {
  /// Since the beginning of 1970, UTC; negative before.
  public let milliseconds: Int64

  /// So many milliseconds after the beginning of 1970, UTC.
  public init(milliseconds: Int64) { self.milliseconds = milliseconds }

  /// Truncates to the millisecond, and clamps to the range of `Int64` milliseconds.
  public init(_ date: Date) {
    let exact = (date.timeIntervalSince1970 * 1000).rounded(.down)
    self.init(milliseconds: Int64(exactly: exact) ?? (exact < 0 ? .min : .max))
  }

  /// The same time as Foundation's type.
  public var date: Date { Date(timeIntervalSince1970: Double(milliseconds) / 1000) }

  public static func < (a: Self, b: Self) -> Bool { a.milliseconds < b.milliseconds }

  /// Years 1 to 9999: the engine accepts no other times.
  public static let accepted =
    Timestamp(milliseconds: -62_135_596_800_000)...Timestamp(milliseconds: 253_402_300_799_999)
}

extension Date {
  /// The time of a timestamp, to the millisecond.
  public init(_ timestamp: Timestamp) { self = timestamp.date }
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

/// The source of the current time; tests inject their own.
public protocol WallClock: Sendable {
  /// The current time.
  func now() -> Timestamp
}

/// The system's clock.
public struct SystemClock: WallClock {
  /// The clock of this machine.
  public init() {}

  /// The system's time, truncated to the millisecond.
  public func now() -> Timestamp { Timestamp(Date()) }
}

// Foundation's parser reads the 30th of February as the 2nd of March; the engine must not change a date.

extension Timestamp: CustomStringConvertible {
  /// ISO 8601, UTC, with milliseconds only if they are not 0: `2026-01-31T12:00:00Z`, `2026-01-31T12:00:00.250Z`.
  public var description: String {
    let (day, time) = milliseconds.flooredDivision(by: 86_400_000)
    let (year, month, dayOfMonth) = Self.date(ofDay: day)
    let clock = [time / 3_600_000, time / 60_000 % 60, time / 1000 % 60].map { $0.padded(to: 2) }.joined(separator: ":")
    let fraction = time % 1000 == 0 ? "" : "." + (time % 1000).padded(to: 3)
    return "\(year.padded(to: 4))-\(month.padded(to: 2))-\(dayOfMonth.padded(to: 2))T\(clock)\(fraction)Z"
  }

  /// As `init(iso8601:)`, but `nil` instead of an error.
  public init?(_ text: String) {
    guard let time = try? Timestamp(iso8601: text) else { return nil }  // The caller needs no reason.
    self = time
  }

  /// Why a text is not a time: `"2026-01-31T12:00:00", which has no time zone; …`.
  public struct ParsingError: Error, Hashable, CustomStringConvertible {
    static let form = "write an ISO 8601 UTC time such as 2026-01-31T12:00:00Z"

    /// What is wrong, and the remedy.
    public let description: String

    init(_ text: String, _ reason: String = "", remedy: String = Self.form) {
      description = "\"\(text.shortened(to: 60))\"\(reason); \(remedy)"
    }
  }

  /// Reads a date, a time and a zone in the forms of ISO 8601, RFC 3339, SQLite and common standard libraries:
  /// `2026-01-31T12:00:00Z`, `2026-01-31 12:00:00.25+01:00`, `2026-01-31t12:00z`, `2026-01-31 12:00:00 +0100`.
  ///
  /// Seconds are optional. A fraction of any length is truncated to the millisecond.
  public init(iso8601 text: String) throws(ParsingError) {
    var scanner = Scanner(text)
    guard let year = scanner.digits(4), scanner.skip("-"), let month = scanner.digits(2), scanner.skip("-"),
      let day = scanner.digits(2), scanner.skip("T") || scanner.skip("t") || scanner.skip(" "),
      let hour = scanner.digits(2), scanner.skip(":"), let minute = scanner.digits(2)
    else { throw ParsingError(text) }
    let hasSeconds = scanner.skip(":")
    guard let second = hasSeconds ? scanner.digits(2) : 0, let fraction = hasSeconds ? scanner.fraction() : 0 else {
      throw ParsingError(text)
    }
    guard !scanner.isAtEnd else {
      throw ParsingError(
        text, ", which has no time zone", remedy: "append Z if it is UTC, or its offset such as +02:00")
    }
    guard let offset = scanner.zone(), scanner.isAtEnd else { throw ParsingError(text) }
    guard (1...12).contains(month), (1...Self.days(inMonth: month, of: year)).contains(day) else {
      throw ParsingError(text, ", a day that no calendar has", remedy: "correct the date")
    }
    guard second != 60 || minute != 59 else {
      throw ParsingError(
        text, ", a leap second, which time counted since 1970 does not have", remedy: "write second 59")
    }
    guard hour < 24, minute < 60, second < 60 else {
      throw ParsingError(text, ", a time that no day has", remedy: "write 00:00:00 to 23:59:59")
    }
    let minutes = (Self.day(of: year, month, day) * 24 + hour) * 60 + minute - offset
    self.init(milliseconds: (minutes * 60 + second) * 1000 + fraction)
    guard Self.accepted.contains(self) else {
      throw ParsingError(text, ", outside the years 1 to 9999 in UTC", remedy: "correct the year")
    }
  }

  // MARK: Calendar

  /// Days since 1970 of a date. Years are counted from March, so that a leap day is the last day of its year; an era of 400
  /// years has 146,097 days. Source: Hinnant, "chrono-compatible low-level date algorithms".
  package static func day(of year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let (era, yearOfEra) = (month > 2 ? year : year - 1).flooredDivision(by: 400)
    let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  /// The inverse of `day(of:)`.
  package static func date(ofDay day: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let (era, dayOfEra) = (day + 719_468).flooredDivision(by: 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
  }

  package static func days(inMonth month: Int64, of year: Int64) -> Int64 {
    switch month {
    case 4, 6, 9, 11: 30
    case 2: year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400)) ? 29 : 28
    default: 31
    }
  }
}

/// Reads the parts of a time from left to right.
private struct Scanner {
  private var rest: Substring.UTF8View

  init(_ text: String) { rest = text[...].utf8 }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func skip(_ character: Unicode.Scalar) -> Bool {
    guard let first = rest.first, UInt32(first) == character.value else { return false }
    rest.removeFirst()
    return true
  }

  mutating func digits(_ count: Int) -> Int64? {
    guard rest.count >= count, rest.prefix(count).allSatisfy(\.isDigit) else { return nil }
    defer { rest.removeFirst(count) }
    return rest.prefix(count).reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
  }

  /// Milliseconds; 0 without a fraction, `nil` for a point without digits.
  mutating func fraction() -> Int64? {
    guard skip(".") || skip(",") else { return 0 }
    let digits = rest.prefix(while: \.isDigit)
    guard !digits.isEmpty else { return nil }
    rest.removeFirst(digits.count)
    return (0..<3).reduce(0) { value, place in
      value * 10 + Int64((digits.dropFirst(place).first ?? UInt8(ascii: "0")) - UInt8(ascii: "0"))
    }
  }

  /// Minutes east of UTC; a space may stand before the zone.
  mutating func zone() -> Int64? {
    _ = skip(" ")
    if skip("U") { return skip("T") && skip("C") ? 0 : nil }
    if skip("Z") || skip("z") { return 0 }
    let sign: Int64 = skip("-") ? -1 : 1
    guard sign < 0 || skip("+"), let hours = digits(2) else { return nil }
    let hasMinutes = skip(":") || !isAtEnd
    guard let minutes = hasMinutes ? digits(2) : 0, hours < 24, minutes < 60 else { return nil }
    return sign * (hours * 60 + minutes)
  }
}

extension UInt8 {
  fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
}

extension Int64 {
  /// The quotient rounded down, and a remainder of 0 and more.
  package func flooredDivision(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }

  fileprivate func padded(to width: Int) -> String {
    let digits = String(self)
    return String(repeating: "0", count: Swift.max(0, width - digits.count)) + digits
  }
}
