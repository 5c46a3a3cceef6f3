// Dates of the calendar.

extension TimeParser {
  /// A date in figures, or with the name of a month or of a day of the week; a quarter, a season, a year.
  func date(at start: Int, after sign: Sign, hasArticle: Bool) -> Parsed? {
    if let date = numericDate(at: start, after: sign) { return (date.expression, skippingClock(at: date.end)) }
    if !hasArticle, let range = dayRange(at: start) { return range }
    if let date = dayThenMonth(at: start, after: sign) { return (date.expression, skippingClock(at: date.end)) }
    switch kind(start) {
    case .word(.month(let month, let certainty)):
      return monthFirst(month, certainty, at: start, after: sign)
    case .word(.weekday(let day, let certainty)):
      return weekday(day, certainty, at: start, after: sign, hasArticle: hasArticle)
    case .word(.season(let season)):
      let (year, end) = self.year(at: isWord(start + 1, .of) ? start + 2 : start + 1) ?? (nil, start + 1)
      guard year != nil || sign == .preposition, !isWord(end, .noun) else { return nil }
      return (.season(season, year: year), end)
    case .quarter(let quarter):
      let (year, end) = self.year(at: isWord(start + 1, .of) ? start + 2 : start + 1) ?? (nil, start + 1)
      guard year != nil || sign != .none || tokens[start].isCapitalized else { return nil }
      return (.quarter(quarter, year: year), end)
    case .half(let half):
      return year(at: start + 1).map { (.half(half, year: $0), $1) }
    case .week(let week):
      return year(at: isWord(start + 1, .of) ? start + 2 : start + 1).map { (.week(week, year: $0), $1) }
    case .decade(let year):
      return sign != .none || hasArticle ? (.decade(year), start + 1) : nil
    case .word(.unit(.year, isPlural: false)):
      return fourDigits(start + 1).map { (.valid(PartialDate(year: $0)), start + 2) }
    case .word(.unit(.week, isPlural: false)):
      guard let week = number(start + 1, digits: 1...2), let (year, end) = year(at: start + 2) else { return nil }
      return ((1...53).contains(week) ? .week(week, year: year) : .none, end)
    default:
      break
    }
    if let (day, end) = dayNumber(at: start), isWord(start - 1, .the), number(start) == nil {
      let isOfMonth = isWord(end, .of) && isWord(end + 1, .this, .last, .previous)
      if isOfMonth || sign.isPreposition && canFollowDate(end) { return (.date(PartialDate(day: day)), end) }
    }
    if let year = number(start, digits: 4...4), (1900...2100).contains(year), sign == .preposition, !hasArticle,
      canFollowDate(start + 1)
    {
      return (.date(PartialDate(year: year)), start + 1)
    }
    return nil
  }

  private func isSign(_ sign: Sign, _ certainty: TimeWord.Certainty) -> Bool {
    switch certainty {
    case .certain: true
    case .likely: sign != .none
    case .unlikely: sign == .preposition
    }
  }

  // MARK: Figures

  private func numericDate(at start: Int, after sign: Sign) -> Parsed? {
    guard let first = number(start, digits: 1...4) else { return nil }
    let hasYearFirst = number(start, digits: 4...4) != nil
    if hasYearFirst, case .quarter(let quarter) = kind(start + 1) { return (.quarter(quarter, year: first), start + 2) }
    guard
      let separator = (["-", "/", "."] as [Unicode.Scalar]).first(where: { isMark(start + 1, $0, isJoined: true) }),
      let next = tokens.indices.contains(start + 2) ? tokens[start + 2] : nil, !next.isSpaced
    else { return nil }
    if hasYearFirst, separator == "-", case .week(let week) = next.kind {
      return (.week(week, year: first), start + 3)
    }
    let isThird = isMark(start + 3, separator, isJoined: true)
    if isThird, case .word(.month(let month, _)) = next.kind, let year = fourDigits(start + 4) {
      return (.valid(PartialDate(year: year, month: month, day: first)), start + 5)
    }
    guard let second = number(start + 2, digits: 1...2) else {
      guard !hasYearFirst, separator == "/", (1...12).contains(first), let year = fourDigits(start + 2), !isThird else {
        return nil
      }
      return (.valid(PartialDate(year: year, month: first)), start + 3)
    }
    if isThird, let third = number(start + 4, digits: 1...4), !tokens[start + 4].isSpaced {
      let end = start + 5
      // Versions and addresses go on.
      if isMark(end, separator, isJoined: true), number(end + 1) != nil, !tokens[end + 1].isSpaced { return nil }
      if hasYearFirst { return (.valid(PartialDate(year: first, month: second, day: third)), end) }
      let isShort = number(start + 4, digits: 2...2) != nil
      guard fourDigits(start + 4) != nil || isShort && separator == "/" else { return nil }
      let year = isShort ? third + (third < 70 ? 2000 : 1900) : third
      return (readings(first, second, year: year, isDayFirst: separator == "."), end)
    }
    if hasYearFirst {
      guard separator != ".", (1900...2100).contains(first), number(start + 2, digits: 2...2) != nil, !isThird else {
        return nil
      }
      return (.valid(PartialDate(year: first, month: second)), start + 3)
    }
    guard separator == "/", sign.isPreposition, !isThird, canFollowDate(start + 3) else { return nil }
    return (readings(first, second, year: nil, isDayFirst: false), start + 3)
  }

  /// `5/7` as the 7th of May and as the 5th of July.
  private func readings(_ first: Int, _ second: Int, year: Int?, isDayFirst: Bool) -> TimeExpression {
    let dayFirst = TimeExpression.valid(PartialDate(year: year, month: second, day: first))
    let monthFirst = TimeExpression.valid(PartialDate(year: year, month: first, day: second))
    if isDayFirst || first == second || monthFirst == .none { return dayFirst }
    return dayFirst == .none ? monthFirst : .either([monthFirst, dayFirst])
  }

  private func fourDigits(_ place: Int) -> Int? { number(place, digits: 4...4) }

  /// The year after a month or a day: `2023`, `, 2023`, `of 2023`, `'23`.
  func year(at start: Int) -> (year: Int, end: Int)? {
    var place = start
    if isMark(place, ",") || isWord(place, .of, .in) { place += 1 }
    if isMark(place, "'"), let year = number(place + 1, digits: 2...2), !tokens[place + 1].isSpaced {
      return (year < 70 ? 2000 + year : 1900 + year, place + 2)
    }
    // A date in figures may follow a comma: `May, 2023-06-01`.
    guard let year = fourDigits(place), !isMark(place + 1, "-", isJoined: true) || number(place + 2) == nil else {
      return nil
    }
    return (year, place + 1)
  }

  /// The token after a time of day.
  private func skippingClock(at start: Int) -> Int {
    var place = isWord(start, .at) ? start + 1 : start
    if kind(place) == .clock { return place + 1 }
    if number(place, digits: 1...2) != nil, isMark(place + 1, ":", isJoined: true) { place += 1 }
    guard isMark(place, ":", isJoined: true) else { return start }
    while place < tokens.count, !tokens[place].isSpaced {
      switch kind(place) {
      case .number, .other, .clock, .mark(UInt8(ascii: ":")), .mark(UInt8(ascii: ".")), .mark(UInt8(ascii: "+")):
        place += 1
      default: return place
      }
    }
    return place
  }

  // MARK: Names

  /// `5`, `5th`, `fifth`, `twenty-first`.
  func dayNumber(at start: Int) -> (day: Int, end: Int)? {
    switch kind(start) {
    case .number(let number, digits: 1...2) where (1...31).contains(number): return (number, start + 1)
    case .ordinal(let number): return (number, start + 1)
    case .word(.ordinal(let number)): return (number, start + 1)
    case .word(.tens(let tens)) where tens <= 30:
      let place = isMark(start + 1, "-") ? start + 2 : start + 1
      guard case .word(.ordinal(let number)) = kind(place), number < 10, tens + number <= 31 else { return nil }
      return (tens + number, place + 1)
    default: return nil
    }
  }

  /// The month after a day: `May`, `of May`.
  func monthOfDay(at start: Int) -> (month: Int, end: Int)? {
    let place = isWord(start, .of) ? start + 1 : start
    guard case .word(.month(let month, _)) = kind(place) else { return nil }
    return (month, isMark(place + 1, ".", isJoined: true) && year(at: place + 2) != nil ? place + 2 : place + 1)
  }

  /// `7 May 2023`, `the third of May`.
  func dayThenMonth(at start: Int, after sign: Sign) -> Parsed? {
    guard let (day, dayEnd) = dayNumber(at: start), let (month, monthEnd) = monthOfDay(at: dayEnd) else { return nil }
    let (year, end) = self.year(at: monthEnd) ?? (nil, monthEnd)
    if year == nil, number(start) != nil, !isWord(dayEnd, .of), case .word(.month(_, .unlikely)) = kind(dayEnd),
      !tokens[dayEnd].isCapitalized
    {
      guard sign.isPreposition, canFollowDate(end) else { return nil }
    }
    return (.valid(PartialDate(year: year, month: month, day: day)), end)
  }

  /// `May`, `May 2023`, `May 7`, `May 7th, 2023`, `May the 4th`.
  private func monthFirst(
    _ month: Int, _ certainty: TimeWord.Certainty, at start: Int, after sign: Sign
  ) -> Parsed? {
    var place = start + 1
    if isMark(place, ".", isJoined: true), dayNumber(at: place + 1) != nil { place += 1 }
    if let (year, end) = year(at: place) {
      return (.valid(PartialDate(year: year, month: month)), end)
    }
    if isWord(place, .the) { place += 1 }
    if let (day, dayEnd) = dayNumber(at: place), place == start + 1 || number(place) == nil || isMark(start + 1, ".") {
      let (year, end) = self.year(at: dayEnd) ?? (nil, dayEnd)
      let isSure =
        certainty != .unlikely || year != nil || number(place) == nil || tokens[start].isCapitalized
        || sign.isPreposition && canFollowDate(end)
      guard isSure else { return nil }
      return (.valid(PartialDate(year: year, month: month, day: day)), skippingClock(at: end))
    }
    guard isSign(sign, certainty) else { return nil }
    return (.date(PartialDate(month: month)), start + 1)
  }

  /// `Tuesday`, `Tuesday, May 7th`, `Tuesday the 7th`.
  private func weekday(
    _ day: Int, _ certainty: TimeWord.Certainty, at start: Int, after sign: Sign, hasArticle: Bool
  ) -> Parsed? {
    var place = start + 1
    if isMark(place, ".", isJoined: true), certainty != .certain { place += 1 }
    if isMark(place, ",") { place += 1 }
    let hasDayArticle = isWord(place, .the)
    if hasDayArticle { place += 1 }
    // The date decides, also if it is another day of the week.
    switch kind(place) {
    case .number, .ordinal, .word(.month), .word(.ordinal), .word(.tens):
      if let date = date(at: place, after: hasDayArticle ? .preposition : sign, hasArticle: hasDayArticle),
        date.expression.isDay
      {
        return date
      }
    default: break
    }
    guard certainty == .certain || sign.isPreposition && (certainty == .likely || tokens[start].isCapitalized) else {
      return nil
    }
    return (.weekday(day, back: 0), start + 1)
  }
}

extension TimeExpression {
  /// A date if a calendar can have it, in whichever year if none is said.
  static func valid(_ date: PartialDate) -> TimeExpression {
    if let year = date.year, !(1...9999).contains(year) { return .none }
    guard let month = date.month else { return .date(date) }
    guard (1...12).contains(month) else { return .none }
    guard let day = date.day else { return .date(date) }
    // A leap year, if none is said.
    let days = Timestamp.days(inMonth: Int64(month), of: Int64(date.year ?? 2000))
    return (1...days).contains(Int64(day)) ? .date(date) : .none
  }

  fileprivate var isDay: Bool {
    switch self {
    case .date(let date): date.day != nil
    case .either(let readings): readings.allSatisfy(\.isDay)
    default: false
    }
  }
}
