public import ArgumentParser
public import Episodic
import Foundation

/// Which figures `stats` shows of the past.
struct AnalyticsOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Show what happened since this time: 30d, 12h, yesterday, 2026-01-31, 2026-01-31T12:00:00Z.", valueName: "time"))
  var since: String?

  @Option(help: ArgumentHelp("The end of that time, which is not part of it; now by default.", valueName: "time"))
  var until: String?

  @Option(help: ArgumentHelp("Group by domain, task, day or tool.", valueName: "dimension"))
  var by: Analytics.Dimension?

  @Option(help: ArgumentHelp("Only this domain.", valueName: "domain"))
  var domain: String?

  @Flag(help: "With --prometheus: figures of every domain, with its name.")
  var everywhere = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Where days begin: Europe/Berlin, UTC, +02:00; by default this machine's zone.",
      valueName: "zone"), transform: ZoneText.parse)
  var zone: TimeZone?

  var timeZone: TimeZone { zone ?? .current }

  /// Whether something else than the contents of the store is asked for.
  var isAsked: Bool { since != nil || until != nil || by != nil || domain != nil }

  func validate() throws {
    guard !(everywhere && domain != nil) else {
      throw ValidationError("--everywhere and --domain exclude each other; give one")
    }
    if let domain, domain.isEmpty { throw ValidationError("--domain is empty; name a domain") }
    _ = try (time(since, "--since"), time(until, "--until"))
  }

  /// The figures, by what is asked for; of the last 30 days without a beginning.
  func analytics(of memory: Memory, by dimension: Analytics.Dimension?) async throws -> Analytics {
    try await memory.analytics(
      since: since == "all" ? nil : try time(since ?? "30d", "--since"), until: try time(until, "--until"),
      by: dimension, in: domain.map(Query.Scope.domain) ?? .everything, timeZone: timeZone)
  }

  /// A day begins at midnight of the zone.
  private func time(_ text: String?, _ option: String) throws -> Timestamp? {
    guard let text, !(option == "--since" && text == "all") else { return nil }
    var calendar = Calendar(identifier: .iso8601)
    calendar.timeZone = timeZone
    if let midnight = Timestamp("\(text)T00:00:00Z") {
      var utc = calendar
      utc.timeZone = .gmt
      let parts = utc.dateComponents([.year, .month, .day], from: midnight.date)
      return calendar.date(from: parts).map(Timestamp.init) ?? midnight
    }
    do {
      return try TimeText.parse(text, now: Timestamp(Date()), calendar: calendar)
    } catch let error as ValidationError {
      throw ValidationError("\(option): \(error.message)")
    }
  }
}

extension Analytics.Dimension: ExpressibleByArgument {}
