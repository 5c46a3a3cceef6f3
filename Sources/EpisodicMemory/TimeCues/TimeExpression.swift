/// What an expression of time says, before it is known when it was said.
indirect enum TimeExpression: Hashable, Sendable {
  /// 2023; May 2023; May; 5 May; the 5th.
  case date(PartialDate)
  case quarter(Int, year: Int?)
  case half(Int, year: Int)
  case season(Season, year: Int?)
  /// A week of ISO 8601.
  case week(Int, year: Int)
  /// The ten years that begin with this one.
  case decade(Int)
  /// 0 is Monday; the nearest before the day of the question, or one `back` weeks before that.
  case weekday(Int, back: Int)
  /// That of the current week.
  case weekdayOfThisWeek(Int)
  /// The current period, or one `back` periods ago.
  case period(TimeUnit, back: Int)
  /// The last one that has begun.
  case latestWeekend
  /// The last one that has ended.
  case lastEndedMonth(Int)
  case lastEndedSeason(Season)
  /// The month, the season or the day of the week that lies in a period: May of last year, Tuesday last week.
  case within(TimeExpression, TimeExpression)
  case part(PeriodPart, of: TimeExpression)
  /// The second week of May; -1 is the last.
  case nth(Int, TimeUnit, of: TimeExpression)
  case nthWeekday(Int, weekday: Int, of: TimeExpression)
  case dayPart(DayPart, of: TimeExpression)
  case ago(Amount, TimeUnit)
  /// So much, up to now.
  case trailing(Amount, TimeUnit)
  /// Two weeks before May 20.
  case offset(Amount, TimeUnit, TimeDirection, TimeExpression)
  /// The week before May 20; the two weeks after it.
  case adjacent(Int, TimeUnit, TimeDirection, TimeExpression)
  case adjacentWeekday(Int, TimeDirection, TimeExpression)
  /// The week of May 20.
  case containing(TimeUnit, TimeExpression)
  case about(TimeExpression)
  case before(TimeExpression)
  case until(TimeExpression)
  case since(TimeExpression)
  case after(TimeExpression)
  case between(TimeExpression, TimeExpression)
  /// When something happened that the question tells of, by its tokens: "two days after I saw the film".
  case event(Range<Int>)
  /// An expression with several readings.
  case either([TimeExpression])

  /// Whether the window depends on when the question is asked.
  var isRelative: Bool {
    switch self {
    case .date(let date): date.year == nil
    case .quarter(_, let year), .season(_, let year): year == nil
    case .half, .week, .decade, .event: false
    case .weekday, .weekdayOfThisWeek, .period,
      .latestWeekend, .lastEndedMonth, .lastEndedSeason, .ago, .trailing, .since, .after:
      true
    case .within(_, let outer): outer.isRelative
    case .part(let part, let inner): part == .untilNow || inner.isRelative
    case .nth(_, _, let inner), .nthWeekday(_, _, let inner), .dayPart(_, let inner),
      .offset(_, _, _, let inner), .adjacent(_, _, _, let inner), .adjacentWeekday(_, _, let inner),
      .containing(_, let inner), .about(let inner), .before(let inner), .until(let inner):
      inner.isRelative
    // The first is resolved by the last.
    case .between(_, let last): last.isRelative
    case .either(let readings): readings.contains(where: \.isRelative)
    }
  }
}

extension TimeExpression {
  /// The tokens of the event that it is relative to.
  var event: Range<Int>? {
    switch self {
    case .event(let tokens): tokens
    case .part(_, let inner), .dayPart(_, let inner), .offset(_, _, _, let inner), .adjacent(_, _, _, let inner),
      .adjacentWeekday(_, _, let inner), .about(let inner):
      inner.event
    default: nil
    }
  }
}

/// A date of which some parts are not said.
struct PartialDate: Hashable, Sendable {
  var year: Int?
  var month: Int?
  var day: Int?
}

/// How many of a unit; equal bounds if it is said exactly.
struct Amount: Hashable, Sendable {
  var least: Int
  var most: Int
  var isApproximate = false

  init(_ count: Int) { (least, most) = (count, count) }

  init(_ least: Int, _ most: Int) { (self.least, self.most, isApproximate) = (least, most, true) }
}

enum TimeUnit: Hashable, Sendable {
  case minute, hour, day, week, fortnight, weekend, month, quarter, year, decade
}

enum TimeDirection: Hashable, Sendable { case before, after }

enum PeriodPart: Hashable, Sendable { case early, middle, late, firstHalf, secondHalf, untilNow }

enum DayPart: Hashable, Sendable { case morning, afternoon, evening, night }

enum Season: Int, Hashable, Sendable {
  case spring = 3
  case summer = 6
  case autumn = 9
  case winter = 12
}
