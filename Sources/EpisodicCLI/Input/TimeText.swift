import ArgumentParser
import Episodic
import Foundation

/// Times as people write them on a command line.
enum TimeText {
  private static let forms =
    "write 2026-01-31, 2026-01-31T12:00:00Z, today, yesterday, or an age such as 30m, 2h, 7d, 4w"

  /// Reads a time of ISO 8601, a day, `now`, `today`, `yesterday`, or an age: `90s`, `30m`, `2h`, `7d`, `4w`, also with
  /// `ago` after it. A day begins at midnight UTC, `today` and `yesterday` at midnight of the local time zone.
  @Sendable static func parse(_ text: String) throws -> Timestamp {
    try parse(text, now: Timestamp(Date()), calendar: .current)
  }

  static func parse(_ text: String, now: Timestamp, calendar: Calendar) throws -> Timestamp {
    if let midnight = Timestamp("\(text)T00:00:00Z") { return midnight }
    let today = calendar.startOfDay(for: now.date)
    switch text {
    case "now": return now
    case "today": return Timestamp(today)
    case "yesterday": return Timestamp(calendar.date(byAdding: .day, value: -1, to: today) ?? today)
    default: break
    }
    if let age = try age(text) {
      let (time, overflow) = now.milliseconds.subtractingReportingOverflow(age)
      guard !overflow, Timestamp.accepted.contains(Timestamp(milliseconds: time)) else {
        throw ValidationError("\"\(text)\" is a time before the year 1; \(forms)")
      }
      return Timestamp(milliseconds: time)
    }
    do throws(Timestamp.ParsingError) {
      return try Timestamp(iso8601: text)
    } catch {
      // The parser's own message tells a missing zone from nonsense.
      if text.first?.isNumber == true, text.contains("-") { throw ValidationError("\(error)") }
      throw ValidationError("\"\(text)\" is no time; \(forms)")
    }
  }

  /// Milliseconds of `7d` or `7d ago`; `nil` if it has another form.
  private static func age(_ text: String) throws -> Int64? {
    let words = text.split(separator: " ")
    guard words.count == 1 || words.count == 2 && words[1] == "ago", let unit = words[0].last else { return nil }
    let units: [Character: Int64] = ["s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000]
    guard let milliseconds = units[unit], let count = Int64(words[0].dropLast()), count >= 0 else { return nil }
    let (age, overflow) = count.multipliedReportingOverflow(by: milliseconds)
    return overflow ? .max : age
  }
}
