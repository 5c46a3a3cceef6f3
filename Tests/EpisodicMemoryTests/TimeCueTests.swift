import Foundation
import Testing
import TestSupport

@testable import EpisodicMemory

@Suite struct `Time cues` {
  /// A question, when it is asked, and its windows: days with their last day, or times with their end; `...` is open.
  struct Row: Sendable, CustomTestStringConvertible {
    let question: String
    let askedAt: String
    let windows: String
    var testDescription: String { "\(question) (\(askedAt))" }

    init(_ question: String, _ windows: String, at askedAt: String = "2023-05-10") {
      (self.question, self.windows, self.askedAt) = (question, windows, askedAt)
    }
  }

  static let dates = [
    Row("What happened on 2023-05-07?", "2023-05-07"),
    Row("the log of 2023/05/07", "2023-05-07"),
    Row("errors at 2023-05-07T10:00:00Z in the log", "2023-05-07"),
    Row("errors at 2023-05-07 10:00:00.123 in the log", "2023-05-07"),
    Row("What did Caroline do on 7 May 2023?", "2023-05-07"),
    Row("What did Caroline do on May 7th, 2023?", "2023-05-07"),
    Row("What did Caroline do on May 7, 2023?", "2023-05-07"),
    Row("What did Caroline do on the 7th of May 2023?", "2023-05-07"),
    Row("What did Caroline do on the 7th of May, 2023?", "2023-05-07"),
    Row("Sunday, May 7th, 2023", "2023-05-07"),
    Row("on Sunday 7 May", "2023-05-07"),
    Row("7-May-2023", "2023-05-07"),
    Row("07/May/2023:10:11:12", "2023-05-07"),
    Row("7.5.2023", "2023-05-07"),
    Row("5/7/2023", "2023-05-07 2023-07-05"),
    Row("25/12/2022", "2022-12-25"),
    Row("12/25/2022", "2022-12-25"),
    Row("12/25/22", "2022-12-25"),
    Row("on 5/7 we met", "2022-07-05 2023-05-07"),
    Row("I mentioned on May 2nd that I went to the museum.", "2023-05-02"),
    Row("On April 27th, how long did I run in the park?", "2023-04-27"),
    Row("What unsettled me while I was out jogging on 28 April?", "2023-04-28"),
    Row("Which decision was I weighing up on the third of May?", "2023-05-03"),
    Row("Which live event did I go to on the fifth of May?", "2023-05-05"),
    Row("the twenty-first of April", "2023-04-21"),
    Row("May the fourth", "2023-05-04"),
    Row("On May 20th, what did I buy?", "2022-05-20"),
    Row("On May 10th, what did I buy?", "2023-05-10"),
    Row("on Sept. 5", "2022-09-05"),
    Row("Dec 24 2021", "2021-12-24"),
    Row("what broke on Feb 29", "2020-02-29"),
    Row("what broke on Feb 29", "1896-02-29", at: "1903-05-10"),
    Row("on the 5th", "2023-05-05"),
    Row("on the 15th, what did we decide", "2023-04-15"),
    Row("on the 31st", "2023-03-31"),
    Row("the 5th of last month", "2023-04-05"),
    Row("in 2022", "2022-01-01...2022-12-31"),
    Row("In 2022 Alice moved", "2022-01-01...2022-12-31"),
    Row("What did John do in 2022 with his dog?", "2022-01-01...2022-12-31"),
    Row("the year 1066", "1066-01-01...1066-12-31"),
    Row("in May 2023", "2023-05-01...2023-05-31"),
    Row("in may 2022", "2022-05-01...2022-05-31"),
    Row("in May", "2023-05-01...2023-05-31"),
    Row("in June", "2022-06-01...2022-06-30"),
    Row("in 2023-02", "2023-02-01...2023-02-28"),
    Row("04/2023", "2023-04-01...2023-04-30"),
    Row("May '22", "2022-05-01...2022-05-31"),
    Row("the January outage", "2023-01-01...2023-01-31"),
    Row("spring 2023", "2023-03-01...2023-05-31"),
    Row("in the summer of 2022", "2022-06-01...2022-08-31"),
    Row("in the summer", "2022-06-01...2022-08-31"),
    Row("winter 2022", "2021-12-01...2022-02-28 2022-12-01...2023-02-28"),
    Row("last summer", "2022-06-01...2022-08-31"),
    Row("last summer", "2021-06-01...2021-08-31", at: "2022-07-05"),
    Row("last winter", "2022-12-01...2023-02-28"),
    Row("Q2 2022", "2022-04-01...2022-06-30"),
    Row("the second quarter of 2022", "2022-04-01...2022-06-30"),
    Row("2022 Q4", "2022-10-01...2022-12-31"),
    Row("in Q3", "2022-07-01...2022-09-30"),
    Row("H1 2022", "2022-01-01...2022-06-30"),
    Row("2023-W18", "2023-05-01...2023-05-07"),
    Row("week 18 of 2023", "2023-05-01...2023-05-07"),
    Row("in the 1990s", "1990-01-01...1999-12-31"),
    Row("What bothered me about my employer in early May?", "2023-05-01...2023-05-11"),
    Row("What did I purchase at the start of May?", "2023-05-01...2023-05-11"),
    Row("mid-April", "2023-04-11...2023-04-20"),
    Row("at the end of April", "2023-04-21...2023-04-30"),
    Row("late 2022", "2022-09-01...2022-12-31"),
    Row("the first half of 2022", "2022-01-01...2022-07-02"),
    Row("the first week of May", "2023-05-01...2023-05-07"),
    Row("the last week of April 2023", "2023-04-24...2023-04-30"),
    Row("the second weekend of April", "2023-04-08...2023-04-09"),
    Row("the first Monday of May", "2023-05-01"),
    Row("the last Friday of April", "2023-04-28"),
    Row("the last day of February 2024", "2024-02-29"),
  ]

  static let relative = [
    Row("What did I do yesterday?", "2023-05-09"),
    Row("What did I do today?", "2023-05-10"),
    Row("yesterday's build", "2023-05-09"),
    Row("the day before yesterday", "2023-05-08"),
    Row("last night", "2023-05-09T18:00/2023-05-10T06:00"),
    Row("this morning", "2023-05-10T04:00/2023-05-10T12:00"),
    Row("yesterday evening", "2023-05-09T17:00/2023-05-10T00:00"),
    Row("on Tuesday morning", "2023-05-09T04:00/2023-05-09T12:00"),
    Row("on May 3rd in the evening", "2023-05-03T17:00/2023-05-04T00:00"),
    Row("the night before last", "2023-05-08T18:00/2023-05-09T06:00"),
    Row("last Tuesday", "2023-05-09"),
    Row("what did I do last Tuesday", "2023-05-02", at: "2023-05-09"),
    Row("on Tuesday", "2023-05-02", at: "2023-05-09"),
    Row("on Friday", "2023-05-05"),
    Row("Friday's deployment", "2023-05-05"),
    Row("this Monday", "2023-05-08"),
    Row("this Wednesday", "2023-05-10"),
    Row("the Tuesday before last", "2023-05-02"),
    Row("Tuesday last week", "2023-05-02"),
    Row("last week on Tuesday", "2023-05-02"),
    Row("last week", "2023-05-01...2023-05-07"),
    Row("last week's incident", "2023-05-01...2023-05-07"),
    Row("the week before last", "2023-04-24...2023-04-30"),
    Row("this week", "2023-05-08...2023-05-14"),
    Row("earlier this week", "2023-05-08...2023-05-10"),
    Row("last weekend", "2023-05-06...2023-05-07"),
    Row("last weekend", "2023-05-06...2023-05-07", at: "2023-05-14"),
    Row("this weekend", "2023-05-13...2023-05-14"),
    Row("over the weekend", "2023-05-06...2023-05-07"),
    Row("over the weekend", "2023-05-13...2023-05-14", at: "2023-05-13"),
    Row("last month", "2023-04-01...2023-04-30"),
    Row("last month", "2022-12-01...2022-12-31", at: "2023-01-31"),
    Row("this month", "2023-05-01...2023-05-31"),
    Row("the month before last", "2023-03-01...2023-03-31"),
    Row("last quarter", "2023-01-01...2023-03-31"),
    Row("this quarter", "2023-04-01...2023-06-30"),
    Row("last year", "2022-01-01...2022-12-31"),
    Row("this year", "2023-01-01...2023-12-31"),
    Row("the year before last", "2021-01-01...2021-12-31"),
    Row("last May", "2022-05-01...2022-05-31"),
    Row("last April", "2023-04-01...2023-04-30"),
    Row("this May", "2023-05-01...2023-05-31"),
    Row("in May last year", "2022-05-01...2022-05-31"),
    Row("in November of last year", "2022-11-01...2022-11-30"),
    Row("last year in November", "2022-11-01...2022-11-30"),
    Row("at the end of last month", "2023-04-21...2023-04-30"),
    Row("at the beginning of the year", "2023-01-01...2023-05-02"),
    Row("three days ago", "2023-05-07"),
    Row("3 days ago", "2023-05-07"),
    Row("a day ago", "2023-05-09"),
    Row("7d ago", "2023-05-03"),
    Row("a week ago", "2023-04-30...2023-05-06"),
    Row("two weeks ago", "2023-04-23...2023-04-29"),
    Row("two weeks ago on Friday", "2023-04-28"),
    Row("a week ago today", "2023-05-03"),
    Row("about two weeks ago", "2023-04-20...2023-05-02"),
    Row("a fortnight ago", "2023-04-23...2023-04-29"),
    Row("two weekends ago", "2023-04-29...2023-04-30"),
    Row("two months ago", "2023-02-23...2023-03-25"),
    Row("a month ago", "2023-02-13...2023-03-15", at: "2023-03-31"),
    Row("a couple of months ago", "2023-01-26...2023-03-25"),
    Row("two or three weeks ago", "2023-04-16...2023-04-29"),
    Row("A few days ago, I mentioned that I had been to Green Wheat Park.", "2023-05-04...2023-05-08"),
    Row("several days ago", "2023-05-01...2023-05-07"),
    Row("a year ago", "2021-11-09...2022-11-08"),
    Row("half a year ago", "2022-10-26...2022-11-25"),
    Row("a year and a half ago", "2021-10-26...2021-11-25"),
    Row("twenty-one days ago", "2023-04-19"),
    Row("two hours ago", "2023-05-10T09:30/2023-05-10T10:30"),
    Row("the other day", "2023-05-03...2023-05-09"),
    Row("the past week", "2023-05-04...2023-05-10"),
    Row("in the last 3 days", "2023-05-08...2023-05-10"),
    Row("over the last two weeks", "2023-04-27...2023-05-10"),
    Row("in the last month", "2023-04-11...2023-05-10"),
  ]

  static let ranges = [
    Row("between May and July", "2022-05-01...2022-07-31"),
    Row("between May and July 2021", "2021-05-01...2021-07-31"),
    Row("between November 2021 and February", "2021-11-01...2022-02-28"),
    Row("from November to February 2022", "2021-11-01...2022-02-28"),
    Row("from 3 to 9 May", "2023-05-03...2023-05-09"),
    Row("between the 3rd and the 9th of May 2022", "2022-05-03...2022-05-09"),
    Row("May 3-9, 2022", "2022-05-03...2022-05-09"),
    Row("May 3 to 9", "2023-05-03...2023-05-09"),
    Row("3–9 May 2022", "2022-05-03...2022-05-09"),
    Row("from May 3rd to June 2nd, 2022", "2022-05-03...2022-06-02"),
    Row("between Monday and Wednesday", "2023-05-01...2023-05-03"),
    Row("from Friday to Tuesday", "2023-05-05...2023-05-09"),
    Row("from 2023-05-01 until 2023-05-03", "2023-05-01...2023-05-03"),
    Row("between 2020 and 2022", "2020-01-01...2022-12-31"),
    Row("in 2020-2022", "2020-01-01...2022-12-31"),
    Row("since May", "2023-05-01...2023-05-10"),
    Row("since last Friday", "2023-05-05...2023-05-10"),
    Row("since 2021", "2021-01-01...2023-05-10"),
    Row("from May 3 on", "2023-05-03...2023-05-10"),
    Row("before June 2022", "...2022-05-31"),
    Row("prior to May 7", "...2023-05-06"),
    Row("until last week", "...2023-05-07"),
    Row("by Friday", "...2023-05-05"),
    Row("after the 5th", "2023-05-06...2023-05-10"),
    Row("after May 3rd", "2023-05-04...2023-05-10"),
    Row("two weeks before May 20", "2022-05-03...2022-05-09"),
    Row("two weeks before May 20, 2023", "2023-05-03...2023-05-09"),
    Row("the two weeks before May 20, 2023", "2023-05-06...2023-05-19"),
    Row("the week before 9 June 2023", "2023-06-02...2023-06-08", at: "2023-10-01"),
    Row("the day after May 3rd", "2023-05-04"),
    Row("two days after 3 May 2023", "2023-05-05"),
    Row("three days before last Friday", "2023-05-02"),
    Row("the Friday before 15 July 2023", "2023-07-14", at: "2023-10-01"),
    Row("the Sunday after 25 May 2023", "2023-05-28", at: "2023-10-01"),
    Row("the weekend before 17 July 2023", "2023-07-15...2023-07-16", at: "2023-10-01"),
    Row("the week of 9 June 2022", "2022-06-06...2022-06-12"),
    Row("a month after 31 January 2023", "2023-02-13...2023-03-15"),
    Row("a month after January 2023", "2023-02-01...2023-02-28"),
    Row("the month before May 2023", "2023-04-01...2023-04-30"),
    Row("a year before 2020", "2019-01-01...2019-12-31"),
    Row("after the last Friday of April", "2023-04-29...2023-05-10"),
  ]

  static let none =
    [
      "", "?!", "What may fail here?", "May I ask what you recommended?", "the tests may 5 times fail",
      "we march on", "March on Rome", "spring boot fails to start", "in Spring Boot", "fall back to the default",
      "the sun is out", "he sat on the chair", "2048 tokens", "in 1500 steps", "after 2000 retries", "in 2000 steps",
      "on the 5th attempt", "on her 30th", "the third one", "5/7 tests pass", "port 2023", "version 1.2.3", "10.0.0.1",
      "30 February", "on February 30, 2023", "31 April 2023", "2023-13-05", "2023-02-29", "32/13/2023", "0000-01-01",
      "on May 0", "two weeks before", "two weeks before the meeting", "the week before", "before I left", "since when",
      "between us", "from here to there", "after two weeks", "three days later", "tomorrow", "next week",
      "next Tuesday", "the day after tomorrow", "every Monday", "on Mondays", "each week", "a week", "one day",
      "days before the release", "ago", "before before before", "last", "last but not least", "in a minute", "recently",
      "last_week", "may.ini", "updateMay5", "since 5", "between 3 and 4", "999999999999 days ago", "H2O", "q1.txt",
      "a second ago", "in order to", "Do you remember what we talked about during our first conversation?",
      "What did I cook the day before I wandered through the old town?", "week 54 of 2023", "2023-W53",
    ].map { Row($0, "") } + [Row("since December 2023", ""), Row("9000 years ago", "")]

  @Test(arguments: dates + relative + ranges + none)
  func `a question has the windows that it names`(_ row: Row) throws {
    let asked = try #require(Timestamp("\(row.askedAt)T12:00:00Z"))
    let cues = TimeCues.find(in: row.question, askedAt: asked)
    let windows = Set(cues.map { Self.text($0.window) })
    #expect(windows == Set(row.windows.split(separator: " ").map(String.init)), "\(row.testDescription)")
  }

  static func text(_ window: Range<Timestamp>) -> String {
    let day: Int64 = 86_400_000
    let isOpen = window.lowerBound == Timestamp.accepted.lowerBound
    guard isOpen || window.lowerBound.milliseconds.isMultiple(of: day),
      window.upperBound.milliseconds.isMultiple(of: day)
    else { return "\(window.lowerBound.description.prefix(16))/\(window.upperBound.description.prefix(16))" }
    let first = isOpen ? "" : window.lowerBound.description.prefix(10)
    let last = Timestamp(milliseconds: window.upperBound.milliseconds - day).description.prefix(10)
    return first == last ? String(first) : "\(first)...\(last)"
  }

  @Test(arguments: [
    ("What did I do last Tuesday at work?", "last Tuesday"), ("On May 2nd, we talked.", "On May 2nd"),
    ("Größe ändern, in May 2023 – ok", "in May 2023"), ("in two weeks before May 20, hm", "in two weeks before May 20"),
    ("yesterday’s build", "yesterday"), ("log 2023-05-07T10:00:00Z x", "2023-05-07T10:00:00Z"),
  ])
  func `a cue names the words that it consists of`(_ question: String, _ words: String) throws {
    let cue = try #require(TimeCues.find(in: question, askedAt: Self.noon).first)
    #expect(question[cue.words] == words)
  }

  @Test(arguments: [
    (
      "Which book was I hooked on two days after I learned to prepare fish?", "on two days after",
      "I learned to prepare fish", "2023-05-12"
    ),
    (
      "What had I sampled three days before I signed up for the class?", "three days before",
      "I signed up for the class", "2023-05-07"
    ),
    (
      "What did I cook the day before I wandered through the old town?", "the day before",
      "I wandered through the old town", "2023-05-09"
    ),
    (
      "what did you advise the week after the downpour, and why", "the week after", "the downpour",
      "2023-05-11...2023-05-17"
    ),
    ("a month before the release", "a month before", "the release", "2023-03-26...2023-04-25"),
  ]) func `a time beside an event is known when the event is`(
    _ question: String, _ words: String, _ told: String, _ window: String
  ) throws {
    let cues = TimeCues(question)
    let event = try #require(cues.events.first)
    #expect(cues.isEmpty && cues.events.count == 1)
    #expect(question[event.words] == words && question[event.event] == told)
    #expect(event.windows(event: Self.noon, zone: .gmt).map { Self.text($0.window) } == [window])
  }

  static let noon = Timestamp(milliseconds: 1_683_720_000_000)

  /// Years 1 to 9999 in each form that names year, month and day.
  @Test(arguments: 0..<200) func `a date that is written in any form is found again`(_ seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let day = Int64.random(in: -300_000...800_000, using: &random)
    let start = Timestamp(milliseconds: day * 86_400_000)
    let (year, month, date) = Timestamp.date(ofDay: day)
    let name = Self.months[Int(month) - 1]
    let padded = String(start.description.prefix(10))
    let suffix =
      [1, 21, 31].contains(date) ? "st" : [2, 22].contains(date) ? "nd" : [3, 23].contains(date) ? "rd" : "th"
    let digits = padded.prefix(4)
    for form in [
      padded, padded.replacing("-", with: "/"), "\(date) \(name) \(digits)", "\(date)\(suffix) of \(name), \(digits)",
      "\(name) \(date), \(digits)", "\(name) \(date)\(suffix) \(digits)", "\(date).\(month).\(digits)",
      "\(date)-\(name.prefix(3))-\(digits)", "on \(name.prefix(3)) \(date) of \(digits)",
    ] {
      let cues = TimeCues.find(in: "what happened \(form)?", askedAt: Self.noon)
      #expect(cues.map { Self.text($0.window) } == [padded], "\(form)")
    }
    // Without a year: the last one that is not after the question.
    let asked = Timestamp(milliseconds: (day + Int64.random(in: 0...364, using: &random)) * 86_400_000)
    guard year > 20, date != 29 else { return }
    let cues = TimeCues.find(in: "on \(name) \(date)\(suffix)", askedAt: asked)
    #expect(cues.map { Self.text($0.window) } == [padded], "\(name) \(date), \(asked)")
  }

  static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
  ]

  @Test func `days begin at midnight of the zone, also when its offset changes`() throws {
    let berlin = try #require(TimeZone(identifier: "Europe/Berlin"))
    func window(_ question: String, _ askedAt: String) throws -> String {
      let asked = try #require(Timestamp(askedAt))
      let cue = try #require(TimeCues.find(in: question, askedAt: asked, zone: berlin).first)
      return "\(cue.window.lowerBound)/\(cue.window.upperBound)"
    }
    // 01:00 of the 11th in Berlin.
    #expect(try window("yesterday", "2023-05-10T23:00:00Z") == "2023-05-09T22:00:00Z/2023-05-10T22:00:00Z")
    // A day of 23 hours.
    #expect(try window("on March 26", "2023-05-10T12:00:00Z") == "2023-03-25T23:00:00Z/2023-03-26T22:00:00Z")
    #expect(try window("on January 3", "2023-05-10T12:00:00Z") == "2023-01-02T23:00:00Z/2023-01-03T23:00:00Z")
  }

  @Test(arguments: [Int64.min, -62_135_596_800_000, 0, 253_402_300_799_999, .max])
  func `a question can be asked at any time`(_ milliseconds: Int64) {
    for row in Self.dates + Self.relative + Self.ranges {
      for cue in TimeCues.find(in: row.question, askedAt: Timestamp(milliseconds: milliseconds)) {
        #expect(
          Timestamp.accepted.contains(cue.window.lowerBound) && Timestamp.accepted.contains(cue.window.upperBound))
      }
    }
  }

  @Test(arguments: ["min", "hrs", "d", "w", "mo", "y", " minutes", " weeks", " years", " decades"])
  func `an amount of any size traps nowhere`(_ unit: String) {
    for digits in 1...13 {
      let amount = String(repeating: "9", count: digits) + unit
      for question in [
        "the last \(amount)", "\(amount) ago", "over \(amount) ago", "\(amount) before 9999-12-31",
        "the \(amount) after 0001-01-01", "\(amount) before \(amount) before \(amount) before May 2023",
      ] {
        for cue in TimeCues.find(in: question, askedAt: Self.noon) {
          #expect(
            Timestamp.accepted.contains(cue.window.lowerBound) && cue.window.upperBound <= Timestamp.accepted.upperBound
          )
        }
      }
    }
    #expect(TimeCues.find(in: "the last 9999\(unit)", askedAt: Self.noon).count == 1)
    #expect(TimeCues.find(in: "the last 99999\(unit)", askedAt: Self.noon).isEmpty)
  }

  @Test(arguments: 0..<50) func `texts of words of time in any order have windows that are not empty`(_ seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let words =
      TimeWord.vocabulary.keys.sorted() + [
        "2023", "31", "30", "7", "99", "0", "9999", "5th", "31st", "-", "/", ".", ",", ":", "'", "Q2", "W53", "7d",
        "999999999y", "1990s", "–", "May", "x", "2023-05", "5/7",
      ]
    for _ in 0..<200 {
      let count = Int.random(in: 1...12, using: &random)
      let text = (0..<count).map { _ in
        (words.randomElement(using: &random) ?? "") + (Bool.random(using: &random) ? " " : "")
      }.joined()
      for cue in TimeCues.find(in: text, askedAt: Self.noon) {
        #expect(cue.window.lowerBound < cue.window.upperBound, "\(text)")
        #expect(!text[cue.words].isEmpty)
      }
    }
  }

  @Test(arguments: [
    "before ", "two weeks before ", "the first week of ", "in ", "may ", "last ", "2023-", "5/", "between ", "x ",
  ])
  func `a text of 100,000 words costs each of them a bounded number of looks`(_ words: String) {
    let text = String(repeating: words, count: 100_000 / max(1, words.split(separator: " ").count)) + "yesterday"
    let tokens = TimeToken.tokens(of: text)
    #expect(tokens.count <= 200_001)
    #expect(TimeParser(tokens: tokens).expressions(limit: 16).count <= 16)
  }

  @Test func `a pasted log has at most 16 windows, each once`() {
    let log = (1...28).map { "2023-04-\($0 < 10 ? "0" : "")\($0) 10:00:00 ERROR x\n2023-04-01 10:00:01 ERROR y" }
    let cues = TimeCues.find(in: log.joined(separator: "\n"), askedAt: Self.noon)
    #expect(cues.count == 16)
    #expect(Set(cues.map(\.window)).count == 16)
  }

  @Test(arguments: [("on 7 May 2023", false), ("in 2022", false), ("on 7 May", true), ("last week", true), ("", false)])
  func `only what names its year is absolute`(_ question: String, _ isRelative: Bool) {
    #expect(TimeCues(question).isRelative == isRelative)
  }
}
