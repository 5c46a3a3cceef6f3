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
      valueName: "zone"), transform: ZoneText.parse)
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
}
