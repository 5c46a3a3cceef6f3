import Foundation
import GRDB
import StoreValues

/// The time that a report is about: its beginning is not of it, its end, now, is.
struct ReportWindow: Sendable {
  let start: Timestamp
  let end: Timestamp

  /// - Throws: `.invalid` for a length that is not positive.
  init(_ length: Duration, until end: Timestamp, _ input: LedgerInput) throws(MemoryError) {
    _ = try input.milliseconds(length, "the report's window", atLeast: .milliseconds(1))
    self.end = end
    start = end.advanced(by: .zero - length)
  }

  var arguments: StatementArguments { [start.milliseconds, end.milliseconds] }

  var hours: Double { Double(end.milliseconds - start.milliseconds) / 3_600_000 }
}

/// The last days of a time zone, today included: each begins at its zone's midnight, or at the first moment of a day that has none.
struct ReportDays: Sendable {
  struct Day: Sendable {
    let start: Timestamp
    /// The beginning of the next one.
    let end: Timestamp

    var arguments: StatementArguments { [start.milliseconds, end.milliseconds] }
  }

  /// Oldest first.
  let days: [Day]

  /// - Throws: `.invalid` for a count that is not from 1 to 3660.
  init(_ count: Int, in zone: TimeZone, until now: Timestamp) throws(MemoryError) {
    guard (1...Self.most).contains(count) else {
      throw MemoryError(.invalid, "the report has \(count) days; ask for 1 to \(Self.most)")
    }
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = zone
    let today = calendar.startOfDay(for: now.date)
    // Noon is in its day whatever the clock does at midnight.
    let noon = today.addingTimeInterval(43_200)
    let starts = (0...count).map { index in
      let day = calendar.date(byAdding: .day, value: index + 1 - count, to: noon)
      return Timestamp(calendar.startOfDay(for: day ?? noon))
    }
    days = zip(starts, starts.dropFirst()).map { Day(start: $0, end: $1) }
  }

  private static let most = 3660
}
