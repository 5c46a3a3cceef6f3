// Periods, amounts of time, and what is said relative to another expression.

extension TimeParser {
  /// One time: a date or a period, also as seen from another one.
  func point(at start: Int, after sign: Sign, depth: Int = 0) -> Parsed? {
    guard depth <= Self.maximumDepth, start < tokens.count else { return nil }
    if isWord(start, .about) {
      return point(at: start + 1, after: sign, depth: depth + 1).map { (.about($0), $1) }
    }
    let hasArticle = isWord(start, .the, .possessive)
    let place = hasArticle ? start + 1 : start
    let found =
      other(at: place, hasArticle: hasArticle) ?? amount(at: place, hasArticle: hasArticle, depth: depth)
      ?? beside(at: place, depth: depth) ?? trailing(at: place, after: sign, hasArticle: hasArticle)
      ?? part(at: place, depth: depth) ?? nth(at: place, depth: depth)
      ?? period(at: place, after: sign, hasArticle: hasArticle)
      ?? date(at: place, after: sign == .none && hasArticle ? .article : sign, hasArticle: hasArticle)
    return found.map(qualified)
  }

  /// `morning` after a day; `of last year` after a month; `on Tuesday` after a week.
  private func qualified(_ parsed: Parsed) -> Parsed {
    var (expression, end) = parsed
    if let (outer, outerEnd) = outerPeriod(at: end), expression.canLieWithin {
      (expression, end) = (.within(expression, outer), outerEnd)
    } else if case .period(let unit, _) = expression, let (inner, innerEnd) = innerPoint(at: end, in: unit) {
      (expression, end) = (.within(inner, expression), innerEnd)
    }
    var place = end
    if isWord(place, .in), isWord(place + 1, .the) { place += 2 }
    if isWord(place, .at) { place += 1 }
    if case .word(.dayPart(let part)) = kind(place), expression.isOneDay {
      return (.dayPart(part, of: expression), place + 1)
    }
    return (expression, end)
  }

  /// `last year`, `of last year`, `, last week`, `of this month` after what lies in it.
  private func outerPeriod(at start: Int) -> Parsed? {
    var place = start
    if isMark(place, ",") || isWord(place, .of, .in) { place += 1 }
    let back: Int
    switch word(place) {
    case .last, .previous: back = 1
    case .this: back = 0
    default: return nil
    }
    guard case .word(.unit(let unit, isPlural: false)) = kind(place + 1), [.week, .month, .year].contains(unit) else {
      return nil
    }
    return (.period(unit, back: back), place + 2)
  }

  /// `on Tuesday` after a week, `in May` after a year, `on the 5th` after a month.
  private func innerPoint(at start: Int, in unit: TimeUnit) -> Parsed? {
    let place = isWord(start, .on, .in) ? start + 1 : start
    switch (unit, kind(place)) {
    case (.week, .word(.weekday(let day, .certain))):
      return (.weekday(day, back: 0), place + 1)
    case (.year, .word(.month(let month, _))) where place > start && dayNumber(at: place + 1) == nil:
      return (.date(PartialDate(month: month)), place + 1)
    case (.month, .word(.the)) where place > start:
      guard let (day, end) = dayNumber(at: place + 1), canFollowDate(end) else { return nil }
      return (.date(PartialDate(day: day)), end)
    default: return nil
    }
  }

  /// `the other day`.
  private func other(at start: Int, hasArticle: Bool) -> Parsed? {
    guard hasArticle, isWord(start, .other) else { return nil }
    switch word(start + 1) {
    case .unit(.day, isPlural: false), .dayPart: return (.ago(Amount(1, 7), .day), start + 2)
    case .unit(.week, isPlural: false): return (.ago(Amount(1, 3), .week), start + 2)
    case .unit(.month, isPlural: false): return (.ago(Amount(1, 3), .month), start + 2)
    default: return nil
    }
  }

  // MARK: Amounts

  /// `two weeks ago`, `two weeks before May 20`, `the two weeks before May 20`.
  private func amount(at start: Int, hasArticle: Bool, depth: Int) -> Parsed? {
    guard let (amount, unit, end) = quantity(at: start) else { return nil }
    if isWord(end, .ago) {
      if !amount.isApproximate, unit == .week {
        let place = isWord(end + 1, .on) ? end + 2 : end + 1
        if case .word(.weekday(let day, .certain)) = kind(place) {
          return (.within(.weekday(day, back: 0), .period(.week, back: amount.least)), place + 1)
        }
      }
      if !amount.isApproximate, amount.least > 0, isWord(end + 1, .today) {
        return (.nth(1, .day, of: .adjacent(amount.least, unit, .before, .period(.day, back: 0))), end + 2)
      }
      return (unit == .weekend ? .period(.weekend, back: amount.least) : .ago(amount, unit), end + 1)
    }
    guard let (direction, place) = direction(at: end) else { return nil }
    guard let (expression, end) = operand(at: place, depth: depth) else {
      return event(at: place).map { (.offset(amount, unit, direction, $0), $1) }
    }
    guard hasArticle else { return (.offset(amount, unit, direction, expression), end) }
    return (.adjacent(amount.most, unit, direction, expression), end)
  }

  /// What happened beside the time that is meant: the words up to the end of the clause.
  private func event(at start: Int) -> Parsed? {
    let clause = tokens[min(start, tokens.count)...].prefix(Self.maximumEventWords).prefix { token in
      if case .mark(let mark) = token.kind { !Self.clauseEnds.contains(mark) } else { true }
    }
    // "The day before was fine", "two weeks before".
    guard clause.contains(where: { $0.kind == .other }) else { return nil }
    return (.event(clause.startIndex..<clause.endIndex), clause.endIndex)
  }

  private static let clauseEnds = Set(",;?!()".utf8)
  private static let maximumEventWords = 32

  private func direction(at start: Int) -> (TimeDirection, end: Int)? {
    switch word(start) {
    case .before, .previous: isWord(start + 1, .to) ? (.before, start + 2) : (.before, start + 1)
    case .prior: isWord(start + 1, .to) ? (.before, start + 2) : nil
    case .after: (.after, start + 1)
    default: nil
    }
  }

  /// How many of which unit: `3 days`, `a couple of weeks`, `two or three months`, `half a year`, `7d`.
  private func quantity(at start: Int) -> (Amount, TimeUnit, end: Int)? {
    if case .compact(let count, let unit) = kind(start) { return (Amount(count), unit, start + 1) }
    if isWord(start, .half), isWord(start + 1, .a) {
      switch word(start + 2) {
      case .unit(.year, isPlural: false): return (Amount(6), .month, start + 3)
      case .unit(.day, isPlural: false): return (Amount(12), .hour, start + 3)
      case .unit(.hour, isPlural: false): return (Amount(30), .minute, start + 3)
      default: return nil
      }
    }
    var place = start
    let isMore = isWord(place, .over) || isWord(place, .more) && isWord(place + 1, .than)
    if isMore { place += isWord(place, .over) ? 1 : 2 }
    guard var (amount, end) = count(at: place) else { return nil }
    if amount.least == amount.most, isWord(end, .or, .to) || isMark(end, "-"), let (most, mostEnd) = count(at: end + 1),
      most.most > amount.least
    {
      (amount, end) = (Amount(amount.least, most.most), mostEnd)
    }
    guard case .word(.unit(let unit, _)) = kind(end) else { return nil }
    end += 1
    if isMore { amount = Amount(amount.least, amount.most * 2) }
    if unit == .year, isWord(end, .and), isWord(end + 1, .a), isWord(end + 2, .half) {
      return (Amount(amount.least * 12 + 6), .month, end + 3)
    }
    func times(_ factor: Int) -> Amount {
      var product = amount
      product.least *= factor
      product.most *= factor
      return product
    }
    switch unit {
    case .fortnight: return (times(2), .week, end)
    case .quarter: return (times(3), .month, end)
    case .decade: return (times(10), .year, end)
    default: return (amount, unit, end)
    }
  }

  private func count(at start: Int) -> (Amount, end: Int)? {
    switch kind(start) {
    case .number(let number, digits: 1...4): return (Amount(number), start + 1)
    case .word(.cardinal(let number)): return (Amount(number), start + 1)
    case .word(.tens(let tens)):
      let place = isMark(start + 1, "-", isJoined: true) ? start + 2 : start + 1
      guard case .word(.cardinal(let number)) = kind(place), number < 10 else { return (Amount(tens), start + 1) }
      return (Amount(tens + number), place + 1)
    case .word(.several): return (Amount(3, 9), start + 1)
    case .word(.some): return (Amount(2, 9), start + 1)
    case .word(.few): return (Amount(2, 6), start + 1)
    case .word(.couple): return (Amount(2, 3), isWord(start + 1, .of) ? start + 2 : start + 1)
    case .word(.a):
      if isWord(start + 1, .couple, .few) { return count(at: start + 1) }
      return (Amount(1), start + 1)
    default: return nil
    }
  }

  // MARK: Beside another time

  /// `week before May 20`, `Friday after May 20`, `week before last`, `week of May 20`.
  private func beside(at start: Int, depth: Int) -> Parsed? {
    let isNamed: Bool
    switch word(start) {
    case .unit(_, isPlural: false), .weekday(_, .certain), .dayPart: isNamed = true
    default: isNamed = false
    }
    guard isNamed else { return nil }
    if isWord(start + 1, .of), case .unit(let unit, _) = word(start), unit == .week || unit == .weekend,
      let (expression, end) = operand(at: start + 2, depth: depth)
    {
      return (.containing(unit, expression), end)
    }
    guard let (direction, place) = direction(at: start + 1) else { return nil }
    if direction == .before, isWord(place, .last), !isUnit(place + 1) {
      switch word(start) {
      case .unit(let unit, _): return (.period(unit, back: 2), place + 1)
      case .weekday(let day, _): return (.weekday(day, back: 1), place + 1)
      case .dayPart(let part): return (.dayPart(part, of: .period(.day, back: 2)), place + 1)
      default: return nil
      }
    }
    guard let (expression, end) = operand(at: place, depth: depth) ?? event(at: place) else { return nil }
    switch word(start) {
    case .unit(let unit, _): return (.adjacent(1, unit, direction, expression), end)
    case .weekday(let day, _): return (.adjacentWeekday(day, direction, expression), end)
    case .dayPart(let part): return (.dayPart(part, of: .adjacent(1, .day, direction, expression)), end)
    default: return nil
    }
  }

  private func isUnit(_ place: Int) -> Bool {
    switch word(place) {
    case .unit, .weekday, .month, .season, .dayPart: true
    default: false
    }
  }

  /// `the past week`, `the last three days`, `in the last month`: up to now.
  private func trailing(at start: Int, after sign: Sign, hasArticle: Bool) -> Parsed? {
    guard isWord(start, .last, .past, .previous) else { return nil }
    if let (amount, unit, end) = quantity(at: start + 1), !isWord(end, .of) { return (.trailing(amount, unit), end) }
    guard case .word(.unit(let unit, isPlural: false)) = kind(start + 1), !isWord(start + 2, .of, .in) else {
      return nil
    }
    switch unit {
    case .minute, .hour: return (.trailing(Amount(1), unit), start + 2)
    case .fortnight: return (.trailing(Amount(2), .week), start + 2)
    case .decade: return (.trailing(Amount(10), .year), start + 2)
    case .weekend, .quarter: return nil
    default: break
    }
    return isWord(start, .past) || isWord(start, .last) && hasArticle && sign.isPreposition
      ? (.trailing(Amount(1), unit), start + 2) : nil
  }

  // MARK: Parts

  /// `early May`, `mid-May`, `the end of last week`, `the first half of 2023`, `earlier this week`.
  private func part(at start: Int, depth: Int) -> Parsed? {
    var place = start + 1
    let part: PeriodPart
    switch word(start) {
    case .early: part = .early
    case .late: part = .late
    case .mid: part = .middle
    case .earlier: part = .untilNow
    case .beginning where isWord(place, .of): part = .early
    case .end where isWord(place, .of): part = .late
    case .ordinal(let number) where number <= 2 && isWord(place, .half) && isWord(place + 1, .of):
      (part, place) = (number == 1 ? .firstHalf : .secondHalf, place + 1)
    default: return nil
    }
    if isMark(place, "-") { place += 1 }
    let isOf = isWord(place, .of, .in, .on)
    if isOf { place += 1 }
    if isOf, let whole = currentPeriod(at: place) { return (.part(part, of: whole.expression), whole.end) }
    guard let (expression, end) = operand(at: place, depth: depth) else { return nil }
    return (.part(part, of: expression), end)
  }

  /// `the first week of May`, `the last Friday of May`.
  private func nth(at start: Int, depth: Int) -> Parsed? {
    let number: Int
    switch kind(start) {
    case .word(.ordinal(let ordinal)), .ordinal(let ordinal): number = ordinal
    case .word(.last): number = -1
    default: return nil
    }
    guard isWord(start + 2, .of, .in) else { return nil }
    let named = word(start + 1)
    switch named {
    case .unit(.day, _), .unit(.week, _), .unit(.weekend, _), .unit(.month, _), .unit(.quarter, _),
      .weekday(_, .certain):
      break
    default: return nil
    }
    guard let (whole, end) = currentPeriod(at: start + 3) ?? operand(at: start + 3, depth: depth) else { return nil }
    switch named {
    case .unit(let unit, _): return (.nth(number, unit, of: whole), end)
    case .weekday(let day, _): return (.nthWeekday(number, weekday: day, of: whole), end)
    default: return nil
    }
  }

  /// `the week`, `the year`, after `the end of`.
  private func currentPeriod(at start: Int) -> Parsed? {
    guard isWord(start, .the), case .word(.unit(let unit, isPlural: false)) = kind(start + 1) else { return nil }
    guard direction(at: start + 2) == nil, !isWord(start + 2, .of), number(start + 2) == nil else { return nil }
    return (.period(unit, back: 0), start + 2)
  }

  /// `yesterday`, `this morning`, `last Tuesday`, `last May`, `this summer`, `the weekend`.
  private func period(at start: Int, after sign: Sign, hasArticle: Bool) -> Parsed? {
    switch word(start) {
    case .yesterday: return (.period(.day, back: 1), start + 1)
    case .today: return (.period(.day, back: 0), start + 1)
    case .tonight: return (.dayPart(.night, of: .period(.day, back: 0)), start + 1)
    case .unit(.weekend, isPlural: false) where hasArticle && sign.isPreposition: return (.latestWeekend, start + 1)
    case .last, .past, .previous: return named(at: start + 1, isLast: true)
    case .this: return named(at: start + 1, isLast: false)
    default: return nil
    }
  }

  private func named(at start: Int, isLast: Bool) -> Parsed? {
    let end = start + 1
    switch kind(start) {
    case .word(.unit(let unit, isPlural: false)) where unit != .minute && unit != .hour && unit != .fortnight:
      return (.period(unit, back: isLast ? 1 : 0), end)
    case .word(.weekday(let day, let certainty)):
      guard certainty != .unlikely || tokens[start].isCapitalized else { return nil }
      return (isLast ? .weekday(day, back: 0) : .weekdayOfThisWeek(day), end)
    case .word(.month(let month, let certainty)):
      // "This may fail."
      guard certainty != .unlikely || isLast || tokens[start].isCapitalized else { return nil }
      if dayNumber(at: end) != nil || year(at: end) != nil {
        return date(at: start, after: .preposition, hasArticle: false)
      }
      return (isLast ? .lastEndedMonth(month) : .within(.date(PartialDate(month: month)), .period(.year, back: 0)), end)
    case .word(.season(let season)):
      return (isLast ? .lastEndedSeason(season) : .within(.season(season, year: nil), .period(.year, back: 0)), end)
    case .quarter(let quarter):
      return (.quarter(quarter, year: nil), end)
    case .word(.dayPart(let part)):
      return (.dayPart(part, of: .period(.day, back: isLast ? 1 : 0)), end)
    default:
      return nil
    }
  }
}

extension TimeExpression {
  /// Whether it names no period that it lies in.
  fileprivate var canLieWithin: Bool {
    switch self {
    case .date(let date): date.year == nil
    case .season(_, let year), .quarter(_, let year): year == nil
    case .weekday(_, let back): back == 0
    case .part(_, let whole), .nth(_, _, let whole), .nthWeekday(_, _, let whole): whole.canLieWithin
    default: false
    }
  }

  fileprivate var isOneDay: Bool {
    switch self {
    case .date(let date): date.day != nil
    case .period(let unit, _): unit == .day
    case .weekday, .weekdayOfThisWeek, .adjacentWeekday, .nthWeekday: true
    case .ago(let amount, let unit): unit == .day && amount.least == amount.most
    case .within(let inner, _): inner.isOneDay
    case .offset(_, let unit, _, let inner): unit == .day && inner.isOneDay
    case .adjacent(let count, let unit, _, _): unit == .day && count == 1
    default: false
    }
  }
}
