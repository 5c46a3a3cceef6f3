import struct Foundation.Date
import struct Foundation.TimeZone

/// Finds the time that an expression means, for a question asked at some moment.
///
/// Counts in local time: milliseconds since 1970 as if the zone's offset were 0. A day is a number of days since 1970.
struct TimeResolver {
  typealias Span = Range<Int64>

  static let day: Int64 = 86_400_000
  static let beginning = Timestamp.accepted.lowerBound.milliseconds

  let zone: TimeZone
  /// When the question is asked.
  let now: Int64
  /// The day of the question.
  let today: Int64
  /// The day of the event that expressions are relative to; `nil`: not known.
  private let eventDay: Int64?

  /// - Parameter event: When the event happened that expressions are relative to.
  init(askedAt: Timestamp, event: Timestamp? = nil, zone: TimeZone) {
    func local(_ time: Timestamp) -> Int64 {
      let time = min(max(time, Timestamp.accepted.lowerBound), Timestamp.accepted.upperBound)
      return time.milliseconds + Int64(zone.secondsFromGMT(for: time.date)) * 1000
    }
    let eventDay = event.map { local($0).flooredDivision(by: Self.day).quotient }
    self.init(now: local(askedAt), eventDay: eventDay, zone: zone)
  }

  private init(now: Int64, eventDay: Int64?, zone: TimeZone) {
    self.zone = zone
    self.now = now
    self.eventDay = eventDay
    today = now.flooredDivision(by: Self.day).quotient
  }

  /// The same for a question asked at a local time.
  private func asked(at now: Int64) -> TimeResolver { TimeResolver(now: now, eventDay: eventDay, zone: zone) }

  /// The windows of an expression within the years 1 to 9999; several if it has several readings, none if there is no such time.
  func windows(of expression: TimeExpression) -> [(window: Range<Timestamp>, precision: TimeCue.Precision)] {
    spans(of: expression).compactMap { span in
      let lower = timestamp(span.lowerBound)
      let upper = timestamp(span.upperBound)
      return lower < upper ? (lower..<upper, expression.precision) : nil
    }
  }

  private func timestamp(_ local: Int64) -> Timestamp {
    let (range, limit) = (Timestamp.accepted, local <= Self.beginning)
    guard !limit else { return range.lowerBound }
    guard local < range.upperBound.milliseconds else { return range.upperBound }
    func utc(_ near: Int64) -> Int64 {
      local - Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(near) / 1000))) * 1000
    }
    // The offset is that of the moment, which is not known before.
    return Timestamp(milliseconds: utc(utc(local)))
  }

  // MARK: Expressions

  func spans(of expression: TimeExpression) -> [Span] {
    switch expression {
    case .date(let date): return [span(of: date)].compactMap(\.self)
    case .quarter(let quarter, let year):
      return [year.map { months(Self.index($0, quarter * 3 - 2), 3) } ?? latest(month: quarter * 3 - 2, count: 3)]
    case .half(let half, let year): return [months(Self.index(year, half * 6 - 5), 6)]
    case .season(let season, let year): return spans(of: season, year)
    case .week(let week, let year): return [span(ofWeek: week, year)].compactMap(\.self)
    case .decade(let year): return [months(Self.index(year, 1), 120)]
    case .weekday(let weekday, let back): return [days(before(today, weekday) - 7 * Int64(back), 1)]
    case .weekdayOfThisWeek(let weekday): return [days(Self.monday(of: today) + Int64(weekday), 1)]
    case .period(let unit, let back): return [span(of: unit, back: back)]
    case .latestWeekend:
      return [days(Self.monday(of: today) + (Self.weekday(of: today) < 5 ? -2 : 5), 2)]
    case .lastEndedMonth(let month): return [lastEnded(month: month, count: 1)]
    case .lastEndedSeason(let season): return [lastEnded(month: season.rawValue, count: 3)]
    case .within(let inner, let outer): return spans(of: outer).compactMap { span(of: inner, within: $0) }
    case .part(let part, let whole): return spans(of: whole).compactMap { span(of: part, of: $0) }
    case .nth(let number, let unit, let whole): return spans(of: whole).compactMap { nth(number, unit, of: $0) }
    case .nthWeekday(let number, let weekday, let whole):
      return spans(of: whole).compactMap { nth(number, weekday: weekday, of: $0) }
    case .dayPart(let part, let whole): return spans(of: whole).map { span(of: part, of: $0) }
    case .ago(let amount, let unit): return [around(amount, unit, .before, from: now, today)]
    case .trailing(let amount, let unit): return [trailing(amount, unit)]
    case .offset(let amount, let unit, let direction, let from):
      return spans(of: from).map { offset(amount, unit, direction, from: $0) }
    case .adjacent(let count, let unit, let direction, let to):
      return spans(of: to).map { adjacent(Int64(count), unit, direction, to: $0) }
    case .adjacentWeekday(let weekday, let direction, let to):
      return spans(of: to).map { adjacent(weekday, direction, to: $0) }
    case .containing(let unit, let inner): return spans(of: inner).map { containing(unit, $0) }
    case .about(let inner):
      return spans(of: inner).map { span in
        let margin = max(1, Self.days(span) / 2) * Self.day
        return span.lowerBound - margin..<span.upperBound + margin
      }
    case .before(let end): return spans(of: end).compactMap { Self.span(Self.beginning, $0.lowerBound) }
    case .until(let end): return spans(of: end).compactMap { Self.span(Self.beginning, $0.upperBound) }
    case .since(let start): return spans(of: start).compactMap { Self.span($0.lowerBound, (today + 1) * Self.day) }
    case .after(let start): return spans(of: start).compactMap { Self.span($0.upperBound, (today + 1) * Self.day) }
    case .between(let first, let last): return spans(from: first, to: last)
    case .event: return [eventDay.map { days($0, 1) }].compactMap(\.self)
    case .either(let readings): return readings.flatMap(spans)
    }
  }

  /// What is not said of one end is that of the other.
  private func spans(from first: TimeExpression, to last: TimeExpression) -> [Span] {
    var (first, last) = (first, last)
    if case .date(var start) = first, case .date(var end) = last {
      if start.month == nil, start.year == nil { start.month = end.month }
      if end.month == nil, end.year == nil { end.month = start.month }
      if let year = start.year, end.year == nil, let from = span(of: start) {
        // The first such date after the beginning.
        end.year = year
        if let to = span(of: end), to.upperBound <= from.lowerBound { end.year = year + 1 }
      } else if let year = end.year, start.year == nil, start.month != nil, let to = span(of: end) {
        start.year = year
        if let from = span(of: start), from.lowerBound >= to.upperBound { start.year = year - 1 }
      }
      (first, last) = (.valid(start), .valid(end))
    }
    return spans(of: last).flatMap { to in
      (first.isRelative ? asked(at: to.lowerBound) : self).spans(of: first).map { from in
        min(from.lowerBound, to.lowerBound)..<max(from.upperBound, to.upperBound)
      }
    }
  }

  /// A date, in the last year and month that have it if they are not said.
  private func span(of date: PartialDate) -> Span? {
    let (year, month, _) = Timestamp.date(ofDay: today)
    if let year = date.year {
      guard let month = date.month else { return months(Self.index(year, 1), 12) }
      guard let day = date.day else { return months(Self.index(year, month), 1) }
      return Self.day(of: day, in: Self.index(year, month)).map { days($0, 1) }
    }
    guard let day = date.day else { return date.month.map { latest(month: $0, count: 1) } }
    let start = date.month.map { latestIndex(ofMonth: $0) } ?? year * 12 + month - 1
    // Leap years are 4 or 8 years apart; of two months one has 31 days.
    for back in 0...8 {
      let index = start - Int64(back) * (date.month == nil ? 1 : 12)
      if let found = Self.day(of: day, in: index), found <= today { return days(found, 1) }
    }
    return nil
  }

  private func spans(of season: Season, _ year: Int?) -> [Span] {
    guard let year else { return [latest(month: season.rawValue, count: 3)] }
    let span = months(Self.index(year, season.rawValue), 3)
    return season == .winter ? [months(Self.index(year, season.rawValue) - 12, 3), span] : [span]
  }

  private func span(ofWeek week: Int, _ year: Int) -> Span? {
    // The fourth of January is in the first week.
    let monday = Self.monday(of: Timestamp.day(of: Int64(year), 1, 4)) + 7 * Int64(week - 1)
    // The Thursday of a week decides which year has it.
    return Timestamp.date(ofDay: monday + 3).year == year ? days(monday, 7) : nil
  }

  private func span(of unit: TimeUnit, back: Int) -> Span {
    let (year, month, _) = Timestamp.date(ofDay: today)
    let back = Int64(back)
    switch unit {
    case .minute, .hour: return around(Amount(Int(back)), unit, .before, from: now, today)
    case .day: return days(today - back, 1)
    case .week: return days(Self.monday(of: today) - 7 * back, 7)
    case .fortnight: return days(Self.monday(of: today) - 14 * back, 14)
    case .weekend: return days(Self.monday(of: today) + 5 - 7 * back, 2)
    case .month: return months(year * 12 + month - 1 - back, 1)
    case .quarter: return months(year * 12 + (month - 1) / 3 * 3 - 3 * back, 3)
    case .year: return months((year - back) * 12, 12)
    case .decade: return months((year.flooredDivision(by: 10).quotient - back) * 120, 120)
    }
  }

  /// The first of its kind that begins within a span.
  private func span(of inner: TimeExpression, within outer: Span) -> Span? {
    let first = outer.lowerBound / Self.day
    let found: Span?
    switch inner {
    case .weekday(let weekday, _): found = days(Self.onOrAfter(first, weekday), 1)
    case .part(let part, let whole): return span(of: whole, within: outer).flatMap { span(of: part, of: $0) }
    case .nth(let number, let unit, let whole):
      return span(of: whole, within: outer).flatMap { nth(number, unit, of: $0) }
    case .nthWeekday(let number, let weekday, let whole):
      return span(of: whole, within: outer).flatMap { nth(number, weekday: weekday, of: $0) }
    default:
      // Seen from its end, the last of its kind is in the span, or there is none.
      let resolver = asked(at: outer.upperBound - 1)
      found = resolver.spans(of: inner).first
    }
    guard let found, outer.contains(found.lowerBound) else { return nil }
    return found
  }
}

extension TimeExpression {
  fileprivate var precision: TimeCue.Precision {
    switch self {
    case .about: .approximate
    case .ago(let amount, let unit), .offset(let amount, let unit, _, _):
      amount.least == amount.most && unit == .day ? .exact : .approximate
    case .before, .until, .since, .after: .open
    case .dayPart(_, let inner), .part(_, let inner): inner.precision
    default: .exact
    }
  }
}
