/// Finds expressions of time in tokens, by a grammar of bounded depth: each token is looked at a bounded number of times.
struct TimeParser {
  let tokens: [TimeToken]

  /// An expression and the token after it. `TimeExpression.none` is a date that no calendar has.
  typealias Parsed = (expression: TimeExpression, end: Int)

  /// An expression with the bytes of UTF-8 of its words, and those of the event that it is relative to.
  struct Found {
    let words: Range<Int>
    let event: Range<Int>?
    let expression: TimeExpression
  }

  /// What is before an expression, which tells a date from another word.
  enum Sign {
    case none, article
    /// `on`, `at`, `over`.
    case weakPreposition
    /// `in`, `since`, `before`, `of`.
    case preposition

    var isPreposition: Bool { self == .preposition || self == .weakPreposition }
  }

  /// Expressions within expressions: "the week before the last Friday of May".
  static let maximumDepth = 4

  /// The distinct expressions, in the order of the text.
  func expressions(limit: Int) -> [Found] {
    var found: [Found] = []
    var seen: Set<TimeExpression> = []
    var start = 0
    while start < tokens.count, found.count < limit {
      guard tokens[start].kind != .other, let (expression, end) = cue(at: start), end > start else {
        start += 1
        continue
      }
      if expression != .none, seen.insert(expression).inserted {
        let event = expression.event
        found.append(
          Found(words: bytes(start..<(event?.lowerBound ?? end)), event: event.map(bytes), expression: expression))
      }
      start = end
    }
    return found
  }

  private func bytes(_ places: Range<Int>) -> Range<Int> {
    tokens[places.lowerBound].range.lowerBound..<tokens[places.upperBound - 1].range.upperBound
  }

  // MARK: Tokens

  func kind(_ place: Int) -> TimeToken.Kind? { tokens.indices.contains(place) ? tokens[place].kind : nil }

  func word(_ place: Int) -> TimeWord? {
    if case .word(let word) = kind(place) { word } else { nil }
  }

  func isWord(_ place: Int, _ words: TimeWord...) -> Bool { word(place).map(words.contains) ?? false }

  /// Whether a token is a mark, without white space before it if so wanted.
  func isMark(_ place: Int, _ mark: Unicode.Scalar, isJoined: Bool = false) -> Bool {
    guard kind(place) == .mark(UInt8(truncatingIfNeeded: mark.value)) else { return false }
    return !isJoined || !tokens[place].isSpaced
  }

  /// A number of at most `digits` digits.
  func number(_ place: Int, digits: ClosedRange<Int> = 1...9) -> Int? {
    if case .number(let number, let count) = kind(place), digits.contains(count) { number } else { nil }
  }

  /// Whether a token can follow a date, so that a number before it does not count something.
  func canFollowDate(_ place: Int) -> Bool {
    switch kind(place) {
    case nil, .mark: true
    case .word(.unit), .word(.cardinal), .word(.couple), .word(.half), .word(.noun): false
    case .word: true
    case .other: tokens[place].isCapitalized
    default: false
    }
  }

  // MARK: Bounds and ranges

  /// An expression with its preposition.
  func cue(at start: Int) -> Parsed? {
    var place = start + 1
    switch word(start) {
    case .before:
      return operand(at: place).map { (.before($0), $1) }
    case .prior where isWord(place, .to), .earlier where isWord(place, .than):
      return operand(at: place + 1).map { (.before($0), $1) }
    case .since:
      return operand(at: place).map { (.since($0), $1) }
    case .after:
      return operand(at: place).map { (.after($0), $1) }
    case .until, .by:
      return operand(at: place).map { (.until($0), $1) }
    case .up where isWord(place, .to, .until):
      place += 1
      return operand(at: place).map { (.until($0), $1) }
    case .between:
      return range(at: place)
    case .from:
      if let range = range(at: place) { return range }
      guard let (expression, end) = operand(at: place) else { return nil }
      return isWord(end, .on) ? (.since(expression), end + 1) : (expression, end)
    case .in, .during, .through, .of:
      return point(at: place, after: .preposition).map(continued)
    case .on, .at, .over:
      return point(at: place, after: .weakPreposition).map(continued)
    case .recurring:
      // Every Monday is no Monday; what follows is not looked at again.
      return isUnitOrDay(place) ? (.none, place + 1) : nil
    case .next:
      return isUnitOrDay(place) ? (.none, place + 1) : nil
    default:
      return point(at: start, after: .none).map(continued)
    }
  }

  private func isUnitOrDay(_ place: Int) -> Bool {
    switch word(place) {
    case .unit, .weekday, .month, .season, .dayPart: true
    default: false
    }
  }

  /// What a bound or an offset is about: a point after a preposition.
  func operand(at place: Int, depth: Int = 0) -> Parsed? {
    var place = place
    if isWord(place, .in, .on, .during) { place += 1 }
    return point(at: place, after: .preposition, depth: depth + 1)
  }

  /// `A and B`, `A to B`, `3 to 9 May`, after `between` or `from`.
  private func range(at start: Int) -> Parsed? {
    if let range = dayRange(at: start) { return range }
    guard let (first, end) = operand(at: start), isSeparator(end) || isWord(end, .and) else { return nil }
    if let last = lastDay(at: end + 1, after: first) { return last }
    guard let (last, end) = operand(at: end + 1) else { return nil }
    return (.between(first, last), end)
  }

  /// A range whose first part has been read: `May 3 to June 2`, `May 3-9`, `Monday to Friday`.
  private func continued(_ parsed: Parsed) -> Parsed {
    guard parsed.expression.canBeginRange, isSeparator(parsed.end) else { return parsed }
    if let range = lastDay(at: parsed.end + 1, after: parsed.expression) { return range }
    guard let (last, end) = operand(at: parsed.end + 1), last.canBeginRange else { return parsed }
    return (.between(parsed.expression, last), end)
  }

  private func isSeparator(_ place: Int) -> Bool {
    isWord(place, .to, .through, .until) || isMark(place, "-")
  }

  /// The second day of `May 3 to 9, 2023`.
  private func lastDay(at start: Int, after first: TimeExpression) -> Parsed? {
    guard case .date(var date) = first, date.month != nil, date.day != nil else { return nil }
    let place = isWord(start, .the) ? start + 1 : start
    guard let (day, end) = dayNumber(at: place), monthOfDay(at: end) == nil, !isMark(end, ":", isJoined: true) else {
      return nil
    }
    var last = date
    last.day = day
    guard date.year == nil, let (year, end) = year(at: end) else { return (.between(first, .valid(last)), end) }
    (date.year, last.year) = (year, year)
    return (.between(.valid(date), .valid(last)), end)
  }

  /// `3 to 9 May`, `the 3rd and the 9th of May`.
  func dayRange(at start: Int) -> Parsed? {
    var place = isWord(start, .the) ? start + 1 : start
    guard let (day, end) = dayNumber(at: place), isSeparator(end) || isWord(end, .and) else { return nil }
    place = isWord(end + 1, .the) ? end + 2 : end + 1
    guard let (last, end) = dayThenMonth(at: place, after: .preposition) else { return nil }
    guard case .date(var first) = last else { return (.none, end) }
    first.day = day
    return (.between(.valid(first), last), end)
  }
}

extension TimeExpression {
  /// No time: a date that no calendar has.
  static let none = TimeExpression.either([])

  /// Whether it can be an end of a range that no preposition announces.
  fileprivate var canBeginRange: Bool {
    switch self {
    case .date, .weekday, .quarter, .season, .either: self != .none
    default: false
    }
  }
}
