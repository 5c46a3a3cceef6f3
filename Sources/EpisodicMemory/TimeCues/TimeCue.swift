package import struct Foundation.TimeZone

/// An expression of time in a question, and the time that it means.
package struct TimeCue: Hashable, Sendable {
  /// How the ends of a window are meant.
  package enum Precision: Hashable, Sendable {
    /// Both as said: a day, a week, a month, a range.
    case exact
    /// Around what is said: "two weeks ago", "about the 5th", "a few days ago".
    case approximate
    /// One end is the beginning of time, or when the question is asked: "before June", "since May".
    case open
  }

  /// The expression within the question, with its preposition.
  package let words: Range<String.Index>
  /// The time that is meant; never empty, within the years 1 to 9999.
  package let window: Range<Timestamp>
  package let precision: Precision
}

/// The expressions of time in an English question: dates, periods, ranges, and what is said relative to when it is asked.
///
/// Found by a grammar, without a model. A question is about what was, so what names no year, month or week means the last such
/// time:
///
/// - A date without a year, or a day without a month, is the last one that is not after the day of the question; a month or a
///   season the last one that has begun; "last May" the last one that has ended.
/// - A day of the week is the nearest one before the day of the question, with and without "last": on a Tuesday, "Tuesday" is
///   seven days ago. "This Tuesday" is that of the week, which begins on Monday; "Tuesday last week" is that of the week before.
/// - "Last week", "last month" and "last year" are those of the calendar; "the past week" and "in the last month" end today.
/// - What is said to be an amount of a unit ago lasted as long as the unit, around that moment: "two weeks ago" is 11 to 17
///   days ago, "two days ago" one day. "A couple" is 2 or 3, "a few" 2 to 6, "several" 3 to 9. "About" doubles the length. Months
///   and years are those of the calendar: a month after the 31st of January is the last day of February.
/// - "Early", "mid" and "late" are the thirds of a period. Seasons are those of the northern hemisphere and begin with a
///   month; the winter of a year is the one that ends in it, or the one that begins in it.
/// - `5/7/2023` is read both ways; `5.7.2023` as the 5th of July.
/// - What is mostly another word needs a sign that it is a date: "may", "march", "spring", "fall", a bare year, "the 5th".
///
/// A time beside something that happened, "the day after we met", is known when that is found: see `events`.
///
/// A date that no calendar has, and what lies ahead ("tomorrow", "next week"), have no window.
package struct TimeCues: Hashable, Sendable {
  /// Expressions and windows beyond these, as of a pasted log, tell nothing more.
  package static let maximumCount = 16

  /// What happened beside the time that is meant: "two days after I saw the film".
  package struct Event: Hashable, Sendable {
    /// The words that say how far from it: `two days after`.
    package let words: Range<String.Index>
    /// The words that tell of it: `I saw the film`.
    package let event: Range<String.Index>
    fileprivate let expression: TimeExpression

    /// The time that is meant, if the event was on the day of `event`.
    package func windows(event: Timestamp, zone: TimeZone) -> [TimeCue] {
      TimeResolver(askedAt: event, event: event, zone: zone).windows(of: expression).map { window, precision in
        TimeCue(words: words, window: window, precision: precision)
      }
    }
  }

  private struct Found: Hashable {
    let words: Range<String.Index>
    let expression: TimeExpression
  }

  private let found: [Found]
  /// Times that are known when their events are found; in the order of the question.
  package let events: [Event]

  /// Finds the expressions of a question.
  ///
  /// - Complexity: O(*n*) in its length.
  package init(_ text: String) {
    let utf8 = text.utf8
    func range(_ bytes: Range<Int>) -> Range<String.Index> {
      let lower = utf8.index(utf8.startIndex, offsetBy: bytes.lowerBound)
      return lower..<utf8.index(lower, offsetBy: bytes.count)
    }
    var found: [Found] = []
    var events: [Event] = []
    for expression in TimeParser(tokens: TimeToken.tokens(of: text)).expressions(limit: Self.maximumCount) {
      let words = range(expression.words)
      if let event = expression.event {
        events.append(Event(words: words, event: range(event), expression: expression.expression))
      } else {
        found.append(Found(words: words, expression: expression.expression))
      }
    }
    (self.found, self.events) = (found, events)
  }

  /// Whether no expression has a window of its own.
  package var isEmpty: Bool { found.isEmpty }

  /// Whether a window depends on when the question is asked; dates with a year do not.
  package var isRelative: Bool { found.contains { $0.expression.isRelative } }

  /// The windows in the order of the question, each once; two for an expression that has two readings.
  ///
  /// - Parameter askedAt: When the question is asked.
  /// - Parameter zone: Where days begin at midnight.
  package func cues(askedAt: Timestamp, zone: TimeZone) -> [TimeCue] {
    guard !found.isEmpty else { return [] }
    let resolver = TimeResolver(askedAt: askedAt, zone: zone)
    var cues: [TimeCue] = []
    for found in found {
      for (window, precision) in resolver.windows(of: found.expression)
      where cues.count < Self.maximumCount && !cues.contains(where: { $0.window == window }) {
        cues.append(TimeCue(words: found.words, window: window, precision: precision))
      }
    }
    return cues
  }

  /// The windows of the expressions of a question, as `cues(askedAt:zone:)`.
  package static func find(in text: String, askedAt: Timestamp, zone: TimeZone = .gmt) -> [TimeCue] {
    TimeCues(text).cues(askedAt: askedAt, zone: zone)
  }
}
