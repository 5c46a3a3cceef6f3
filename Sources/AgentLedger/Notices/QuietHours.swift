import StoreValues

extension Ledger {
  /// Hours of a person's day in which only critical notices are sent.
  ///
  /// They hold whenever the clock on the person's wall shows a time from `start` up to, not including, `end`; over midnight if
  /// `end` is the earlier one. So an hour that a clock change repeats is quiet twice if it is quiet at all, and one that it skips
  /// is not there to be quiet: hours that end inside of it end with the change.
  public struct QuietHours: Hashable, Sendable, Codable {
    /// When they begin, on the clock.
    public var start: TimeOfDay
    /// When they end, on the clock; this minute is not quiet.
    public var end: TimeOfDay

    /// From a time to another, `QuietHours(from: "22:00", to: "07:00")`.
    public init(from start: TimeOfDay, to end: TimeOfDay) { (self.start, self.end) = (start, end) }

    enum CodingKeys: String, CodingKey {
      case start = "from"
      case end = "to"
    }
  }

  /// A time on the clock, to the minute: `22:00`.
  public struct TimeOfDay: Hashable, Sendable {
    /// Since midnight. One of no day, 1440 or more or negative, is refused where it is to be stored.
    public var minutes: Int

    /// So many minutes after midnight.
    public init(minutes: Int) { self.minutes = minutes }

    /// `07:30`; `nil` if it is none.
    public init?(_ text: String) {
      let parts = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
      guard parts.count == 2, parts.allSatisfy({ $0.count == 2 && $0.allSatisfy { (0x30...0x39).contains($0) } }),
        let hour = Int(String(parts[0]) ?? ""), let minute = Int(String(parts[1]) ?? ""), hour < 24, minute < 60
      else { return nil }
      minutes = hour * 60 + minute
    }
  }
}

extension Ledger.TimeOfDay: ExpressibleByStringLiteral {
  /// A text that is no time is one of no day, and refused where it is to be stored.
  public init(stringLiteral text: String) { self = Ledger.TimeOfDay(text) ?? Ledger.TimeOfDay(minutes: -1) }
}

extension Ledger.TimeOfDay: CustomStringConvertible {
  /// `07:30`
  public var description: String {
    let (hour, minute) = (minutes / 60, minutes % 60)
    return (hour < 10 ? "0" : "") + "\(hour):" + (minute < 10 ? "0" : "") + "\(minute)"
  }
}

extension Ledger.TimeOfDay: Codable {
  /// From a text such as `07:30`.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let time = Self(text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "\"\(text.shortened(to: 20))\" is no time of a day; write 00:00 to 23:59")
    }
    self = time
  }

  /// As a text such as `07:30`.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

extension Ledger.QuietHours {
  /// When the quiet hours that hold at a time end; `nil` if none hold.
  func end(at time: Timestamp, by clock: ZoneClock) -> Timestamp? {
    var time = time
    var isQuiet = false
    // A change of the clock may lead into quiet hours again, once a day.
    for _ in 0..<8 {
      let now = clock.timeOfDay(at: time)
      guard contains(now) else { return isQuiet ? time : nil }
      isQuiet = true
      let rest = (Int64(end.minutes) * 60_000 - now).flooredDivision(by: 86_400_000).remainder
      let planned = time.advanced(by: .milliseconds(rest))
      guard let change = clock.change(after: time, upTo: planned) else { return planned }
      time = change
    }
    return time
  }

  private func contains(_ timeOfDay: Int64) -> Bool {
    let (start, end) = (Int64(start.minutes) * 60_000, Int64(end.minutes) * 60_000)
    return start < end ? start <= timeOfDay && timeOfDay < end : start <= timeOfDay || timeOfDay < end
  }
}
