// Spans of days and months. Years are those of the proleptic Gregorian calendar; every count is within some millennia of it.

extension TimeResolver {
  func days(_ first: Int64, _ count: Int64) -> Span { first * Self.day..<(first + count) * Self.day }

  /// Whole months; an index counts months since the year 0.
  func months(_ index: Int64, _ count: Int64) -> Span {
    Self.firstDay(ofMonth: index) * Self.day..<Self.firstDay(ofMonth: index + count) * Self.day
  }

  static func index(_ year: Int, _ month: Int) -> Int64 { Int64(year) * 12 + Int64(month) - 1 }

  static func firstDay(ofMonth index: Int64) -> Int64 {
    let (year, month) = index.flooredDivision(by: 12)
    return Timestamp.day(of: year, month + 1, 1)
  }

  /// `nil` if the month has no such day.
  static func day(of day: Int, in index: Int64) -> Int64? {
    let first = firstDay(ofMonth: index)
    let found = first + Int64(day) - 1
    return day > 0 && found < firstDay(ofMonth: index + 1) ? found : nil
  }

  /// The day so many months later; the last of the month if it has no such day.
  static func day(_ day: Int64, plusMonths count: Int64) -> Int64 {
    let date = Timestamp.date(ofDay: day)
    let index = date.year * 12 + date.month - 1 + count
    return min(firstDay(ofMonth: index) + date.day, firstDay(ofMonth: index + 1)) - 1
  }

  /// 0 is Monday.
  static func weekday(of day: Int64) -> Int64 { (day + 3).flooredDivision(by: 7).remainder }

  static func monday(of day: Int64) -> Int64 { day - weekday(of: day) }

  /// The day of the week that is before a day, by 1 to 7 days.
  func before(_ day: Int64, _ weekday: Int) -> Int64 {
    day - 1 - (Self.weekday(of: day) + 6 - Int64(weekday)).flooredDivision(by: 7).remainder
  }

  static func onOrAfter(_ day: Int64, _ weekday: Int) -> Int64 {
    day + (Int64(weekday) - self.weekday(of: day)).flooredDivision(by: 7).remainder
  }

  /// Whole days of a span.
  static func days(_ span: Span) -> Int64 { (span.upperBound - span.lowerBound) / day }

  static func span(_ start: Int64, _ end: Int64) -> Span? { start < end ? start..<end : nil }

  private static func firstDay(_ span: Span) -> Int64 { span.lowerBound.flooredDivision(by: day).quotient }

  private static func lastDay(_ span: Span) -> Int64 { (span.upperBound - 1).flooredDivision(by: day).quotient }

  // MARK: The last ones

  /// The last month of its name that has begun.
  func latestIndex(ofMonth month: Int) -> Int64 {
    let date = Timestamp.date(ofDay: today)
    return (date.month < Int64(month) ? date.year - 1 : date.year) * 12 + Int64(month) - 1
  }

  func latest(month: Int, count: Int64) -> Span { months(latestIndex(ofMonth: month), count) }

  func lastEnded(month: Int, count: Int64) -> Span {
    let span = latest(month: month, count: count)
    return span.upperBound <= today * Self.day ? span : months(latestIndex(ofMonth: month) - 12, count)
  }

  // MARK: Parts

  func span(of part: PeriodPart, of whole: Span) -> Span? {
    let count = Self.days(whole)
    // The thirds of a day are its morning, afternoon and evening, which have their own words.
    guard part == .untilNow || count >= 2 else { return whole }
    let third = max(1, (count + 2) / 3) * Self.day
    let half = (count + 1) / 2 * Self.day
    switch part {
    case .early: return whole.lowerBound..<whole.lowerBound + third
    case .late: return whole.upperBound - third..<whole.upperBound
    case .middle:
      let margin = count / 3 * Self.day
      return whole.lowerBound + margin..<whole.upperBound - margin
    case .firstHalf: return whole.lowerBound..<whole.lowerBound + half
    case .secondHalf: return whole.upperBound - half..<whole.upperBound
    case .untilNow: return Self.span(whole.lowerBound, min(whole.upperBound, (today + 1) * Self.day))
    }
  }

  func span(of part: DayPart, of whole: Span) -> Span {
    guard Self.days(whole) == 1 else { return whole }
    let hour: Int64 = 3_600_000
    let hours: Range<Int64> =
      switch part {
      case .morning: 4..<12
      case .afternoon: 12..<18
      case .evening: 17..<24
      case .night: 18..<30
      }
    return whole.lowerBound + hours.lowerBound * hour..<whole.lowerBound + hours.upperBound * hour
  }

  /// - Parameter number: Counted from 1; -1 is the last.
  func nth(_ number: Int, _ unit: TimeUnit, of whole: Span) -> Span? {
    let (first, last) = (Self.firstDay(whole), Self.lastDay(whole))
    let place = Int64(number - 1)
    let found: Span
    switch unit {
    case .week: found = number < 0 ? days(last - 6, 7) : days(first + 7 * place, 7)
    case .weekend:
      found = number < 0 ? days(before(last + 1, 5), 2) : days(Self.onOrAfter(first, 5) + 7 * place, 2)
    case .month, .quarter:
      let count: Int64 = unit == .month ? 1 : 3
      let date = Timestamp.date(ofDay: number < 0 ? last : first)
      let index = date.year * 12 + date.month - 1
      found = number < 0 ? months(index - count + 1, count) : months(index + count * place, count)
    default: found = number < 0 ? days(last, 1) : days(first + place, 1)
    }
    return whole.contains(found.lowerBound) ? found : nil
  }

  func nth(_ number: Int, weekday: Int, of whole: Span) -> Span? {
    let found =
      number < 0
      ? before(Self.lastDay(whole) + 1, weekday) : Self.onOrAfter(Self.firstDay(whole), weekday) + 7 * Int64(number - 1)
    return whole.contains(found * Self.day) ? days(found, 1) : nil
  }

  // MARK: Amounts

  /// A span as long as the unit, so much before or after a moment and its day.
  func around(_ amount: Amount, _ unit: TimeUnit, _ direction: TimeDirection, from moment: Int64, _ day: Int64) -> Span
  {
    let sign: Int64 = direction == .before ? -1 : 1
    let ends = [Int64(amount.least) * sign, Int64(amount.most) * sign].sorted()
    switch unit {
    case .minute, .hour:
      let length: Int64 = unit == .hour ? 3_600_000 : 60_000
      let margin = max(length / 2, 300_000)
      return moment + ends[0] * length - margin..<moment + ends[1] * length + margin
    case .day: return days(day + ends[0], ends[1] - ends[0] + 1)
    case .week, .fortnight, .weekend:
      let length: Int64 = unit == .fortnight ? 14 : 7
      return (day + ends[0] * length - 3) * Self.day..<(day + ends[1] * length + 4) * Self.day
    case .month, .quarter, .year, .decade:
      let (count, margin): (Int64, Int64) =
        switch unit {
        case .month: (1, 15)
        case .quarter: (3, 45)
        case .year: (12, 182)
        default: (120, 1826)
        }
      let first = Self.day(day, plusMonths: ends[0] * count) - margin
      return first * Self.day..<(Self.day(day, plusMonths: ends[1] * count) + margin + 1) * Self.day
    }
  }

  func trailing(_ amount: Amount, _ unit: TimeUnit) -> Span {
    switch unit {
    case .minute, .hour:
      let length: Int64 = unit == .hour ? 3_600_000 : 60_000
      return now - Int64(amount.most) * length..<now + 60_000
    default:
      return Self.later(today + 1, unit, -Int64(amount.most)) * Self.day..<(today + 1) * Self.day
    }
  }

  /// A span as long as the unit is moved; from a shorter or a longer one, its near end counts.
  func offset(_ amount: Amount, _ unit: TimeUnit, _ direction: TimeDirection, from span: Span) -> Span {
    let length = Self.days(span)
    let isOfUnit =
      switch unit {
      case .day: length == 1
      case .week: length == 7
      case .month: (28...31).contains(length)
      case .year: (365...366).contains(length)
      default: false
      }
    guard isOfUnit else {
      let day = direction == .before ? Self.firstDay(span) : Self.lastDay(span)
      return around(amount, unit, direction, from: direction == .before ? span.lowerBound : span.upperBound, day)
    }
    let sign: Int64 = direction == .before ? -1 : 1
    let ends = [Int64(amount.least) * sign, Int64(amount.most) * sign].sorted()
    return Self.later(Self.firstDay(span), unit, ends[0]) * Self.day..<Self.later(
      Self.lastDay(span) + 1, unit, ends[1]) * Self.day
  }

  /// So many units that end where a span begins, or begin where it ends.
  func adjacent(_ count: Int64, _ unit: TimeUnit, _ direction: TimeDirection, to span: Span) -> Span {
    let (start, end) = (Self.firstDay(span), Self.lastDay(span) + 1)
    if unit == .weekend {
      let saturday = direction == .before ? before(start - 1, 5) : Self.onOrAfter(end, 5)
      return days(saturday, 2)
    }
    guard unit != .hour, unit != .minute else {
      let length = count * (unit == .hour ? 3_600_000 : 60_000)
      return direction == .before
        ? span.lowerBound - length..<span.lowerBound : span.upperBound..<span.upperBound + length
    }
    return direction == .before
      ? Self.later(start, unit, -count) * Self.day..<start * Self.day
      : end * Self.day..<Self.later(end, unit, count) * Self.day
  }

  func adjacent(_ weekday: Int, _ direction: TimeDirection, to span: Span) -> Span {
    days(
      direction == .before
        ? before(Self.firstDay(span), weekday) : Self.onOrAfter(Self.lastDay(span) + 1, weekday), 1)
  }

  /// The week or the weekend of a day; that of a Monday to Thursday is the one before.
  func containing(_ unit: TimeUnit, _ span: Span) -> Span {
    let first = Self.firstDay(span)
    guard unit == .weekend else { return days(Self.monday(of: first), 7) }
    return days(Self.monday(of: first) + (Self.weekday(of: first) < 4 ? -2 : 5), 2)
  }

  private static func later(_ day: Int64, _ unit: TimeUnit, _ count: Int64) -> Int64 {
    switch unit {
    case .week, .weekend: day + 7 * count
    case .fortnight: day + 14 * count
    case .month: self.day(day, plusMonths: count)
    case .quarter: self.day(day, plusMonths: 3 * count)
    case .year: self.day(day, plusMonths: 12 * count)
    case .decade: self.day(day, plusMonths: 120 * count)
    case .minute, .hour, .day: day + count
    }
  }
}
