package import Foundation

/// What figures to count.
package struct AnalyticsRequest: Sendable {
  /// `nil`: from the first episode on.
  package let since: Timestamp?
  /// Not part of the time.
  package let until: Timestamp
  package let dimension: Analytics.Dimension?
  package let scope: Query.Scope
  package let timeZone: TimeZone

  package init(
    since: Timestamp?, until: Timestamp, dimension: Analytics.Dimension?, scope: Query.Scope, timeZone: TimeZone
  ) {
    self.since = since
    self.until = until
    self.dimension = dimension
    self.scope = scope
    self.timeZone = timeZone
  }

  /// The episodes of the time.
  package func filter(since: Timestamp) -> Episode.Filter { Episode.Filter(after: since, before: until) }
}

/// The intervals of a calendar that cover a time.
struct CalendarIntervals {
  /// Days that `day` may be divided into.
  static let mostDays = 3660

  let interval: Analytics.Interval
  /// Where each begins, ascending; the first at or before the time's beginning.
  let starts: [Timestamp]
  private let calendar: Calendar

  /// - Parameter dividesIntoDays: Whether to take days whatever the length.
  /// - Throws: `.limitExceeded` for more than 3,660 days.
  init(
    _ since: Timestamp, _ until: Timestamp, in zone: TimeZone, dividesIntoDays: Bool
  ) throws(MemoryError) {
    var calendar = Calendar(identifier: .iso8601)
    calendar.timeZone = zone
    self.calendar = calendar
    let days = (until.milliseconds - since.milliseconds) / 86_400_000
    if dividesIntoDays {
      guard days <= Self.mostDays else {
        throw MemoryError(
          .limitExceeded, "the time from \(since) to \(until) has \(days) days; ask for \(Self.mostDays) days at most")
      }
      interval = .day
    } else {
      interval =
        switch days {
        case ...2: .hour
        case ...190: .day
        case ...1200: .week
        case ...6000: .month
        default: .year
        }
    }
    starts = Self.starts(since, until, interval, calendar)
  }

  private static func starts(
    _ since: Timestamp, _ until: Timestamp, _ interval: Analytics.Interval, _ calendar: Calendar
  ) -> [Timestamp] {
    let component: Calendar.Component =
      switch interval {
      case .hour: .hour
      case .day: .day
      case .week: .weekOfYear
      case .month: .month
      case .year: .year
      }
    let first = calendar.dateInterval(of: component, for: since.date)?.start ?? since.date
    var starts = [min(Timestamp(first), since)]
    // Counted from the first, so that months do not drift and a day has the length that the zone gives it.
    var step = 1
    while let next = calendar.date(byAdding: component, value: step, to: first).map(Timestamp.init), next < until,
      let last = starts.last, next > last
    {
      starts.append(next)
      step += 1
    }
    return starts
  }

  /// The index of the interval that a time is in; the first for one before, the last for one behind.
  func index(of time: Timestamp) -> Int {
    var (low, high) = (0, starts.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= time { low = middle } else { high = middle }
    }
    return low
  }

  /// The day of an interval's beginning, as `2026-01-31`.
  func day(_ index: Int) -> String {
    // Noon is in the day also where it begins at one o'clock.
    let parts = calendar.dateComponents([.year, .month, .day], from: starts[index].date)
    func padded(_ number: Int?, _ width: Int) -> String {
      let digits = String(number ?? 0)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    return "\(padded(parts.year, 4))-\(padded(parts.month, 2))-\(padded(parts.day, 2))"
  }
}

/// Places times in the hours of a week.
struct WeekHours {
  private let zone: TimeZone
  /// Zones differ from UTC by multiples of a quarter of an hour, in which they also change.
  private var quarter = Int64.min
  private var offset: Int64 = 0
  /// 7 days from Monday, 24 hours each.
  private(set) var counts = [[Int]](repeating: [Int](repeating: 0, count: 24), count: 7)

  init(zone: TimeZone) { self.zone = zone }

  mutating func add(_ time: Timestamp) {
    let seconds = time.milliseconds.flooredDivision(by: 1000).quotient
    let quarter = seconds.flooredDivision(by: 900).quotient
    if quarter != self.quarter {
      self.quarter = quarter
      offset = Int64(zone.secondsFromGMT(for: time.date))
    }
    let hours = (seconds + offset).flooredDivision(by: 3600).quotient
    let (day, hour) = hours.flooredDivision(by: 24)
    // 1970 began on a Thursday.
    let weekday = (day + 3).flooredDivision(by: 7).remainder
    counts[Int(weekday)][Int(hour)] += 1
  }
}
