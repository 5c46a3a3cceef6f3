import ArgumentParser
import Episodic
import Foundation

/// When a question is asked, and where.
struct QuestionTimeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "When the question is asked, if not now: 2026-01-31, 2026-01-31T12:00:00Z, yesterday, or 7d, 2h ago.",
      valueName: "time"))
  var at: String?

  // An offset may begin with a minus.
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Where the days begin that the question names: Europe/Berlin, UTC, +02:00; by default this machine's zone.",
      valueName: "zone"), transform: Self.zone)
  var zone: TimeZone?

  func validate() throws { _ = try time }

  var timeZone: TimeZone { zone ?? .current }

  /// `nil` for now.
  var time: Timestamp? {
    get throws {
      guard let at else { return nil }
      // A day is meant as that of the zone: noon is in it.
      if let noon = Timestamp("\(at)T12:00:00Z") {
        let local = noon.milliseconds - Int64(timeZone.secondsFromGMT(for: noon.date)) * 1000
        return Timestamp(milliseconds: local)
      }
      do {
        var calendar = Calendar.current
        calendar.timeZone = timeZone
        return try TimeText.parse(at, now: Timestamp(Date()), calendar: calendar)
      } catch let error as ValidationError {
        throw ValidationError("--at: \(error.message)")
      }
    }
  }

  private static func zone(_ text: String) throws -> TimeZone {
    if let offset = offset(text), let zone = TimeZone(secondsFromGMT: offset) { return zone }
    if !text.isEmpty, let zone = TimeZone(identifier: text) { return zone }
    throw ValidationError("\"\(text)\" is no time zone; write Europe/Berlin, UTC or +02:00")
  }

  /// Seconds of `+02:00`, `-0530`, `+2`; `nil` for another form.
  private static func offset(_ text: String) -> Int? {
    guard let sign = text.first, sign == "+" || sign == "-" else { return nil }
    let digits = text.dropFirst().filter { $0 != ":" }
    guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), (1...4).contains(digits.count),
      let number = Int(digits)
    else { return nil }
    let (hours, minutes) = digits.count <= 2 ? (number, 0) : (number / 100, number % 100)
    guard hours <= 14, minutes < 60 else { return nil }
    return (sign == "-" ? -1 : 1) * (hours * 3600 + minutes * 60)
  }
}
