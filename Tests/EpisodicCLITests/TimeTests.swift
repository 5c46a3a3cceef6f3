import EpisodicMemory
import Foundation
import Testing

@testable import EpisodicCLI

@Suite struct `Times on the command line` {
  private let now = Timestamp("2026-03-10T12:00:00Z")

  private func parse(_ text: String, zone: String = "Europe/Berlin") throws -> String {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = try #require(TimeZone(identifier: zone))
    return try TimeText.parse(text, now: #require(now), calendar: calendar).description
  }

  @Test(arguments: [
    ("2026-01-31", "2026-01-31T00:00:00Z"), ("2026-01-31T12:00:00+01:00", "2026-01-31T11:00:00Z"),
    ("now", "2026-03-10T12:00:00Z"), ("today", "2026-03-09T23:00:00Z"), ("yesterday", "2026-03-08T23:00:00Z"),
    ("90s", "2026-03-10T11:58:30Z"), ("30m", "2026-03-10T11:30:00Z"), ("2h", "2026-03-10T10:00:00Z"),
    ("7d", "2026-03-03T12:00:00Z"), ("7d ago", "2026-03-03T12:00:00Z"), ("4w", "2026-02-10T12:00:00Z"),
  ])
  func `a time is read`(text: String, time: String) throws { #expect(try parse(text) == time) }

  @Test(arguments: [
    "", "soon", "7", "d", "-7d", "7 d", "7x", "7d before", "9223372036854775807w", "99999999d", "2026-01-31T12:00:00",
    "2026-02-30",
  ])
  func `what is no time is refused`(text: String) { #expect(throws: (any Error).self) { try parse(text) } }

  @Test(arguments: [
    (0, "now"), (59, "now"), (60, "1 min ago"), (3599, "59 min ago"), (3600, "1 h ago"), (86_399, "23 h ago"),
    (86_400, "1 d ago"), (29 * 86_400, "29 d ago"), (30 * 86_400, "2026-02-08"), (-5, "2026-03-10"),
  ])
  func `an age has its largest unit`(seconds: Int64, text: String) throws {
    let now = try #require(now)
    let format = TimeFormat(isUTC: true, now: now)
    #expect(format.age(Timestamp(milliseconds: now.milliseconds - seconds * 1000)) == text)
  }

  @Test func `a time is shown in the local zone with its offset, or in UTC`() throws {
    let zone = try #require(TimeZone(identifier: "America/St_Johns"))
    let time = try #require(Timestamp("2026-01-31T12:00:00.250Z"))
    #expect(TimeFormat(zone: zone).exact(time) == "2026-01-31 08:30:00 -03:30")
    #expect(TimeFormat(isUTC: true, zone: zone).exact(time) == "2026-01-31 12:00:00Z")
    #expect(TimeFormat(zone: zone).exact(Timestamp.accepted.lowerBound) == "0001-01-01T00:00:00Z")
  }

  @Test(arguments: [
    ("90s", 90, "90s"), ("45m", 2700, "45m"), ("12h", 43_200, "12h"), ("30d", 2_592_000, "30d"),
    ("2w", 1_209_600, "2w"),
    ("0s", 0, "0s"), ("60m", 3600, "1h"), ("14d", 1_209_600, "2w"), ("007d", 604_800, "1w"), ("70d", 6_048_000, "70d"),
  ])
  func `a duration is read, and written in the largest whole unit`(text: String, seconds: Int, written: String) throws {
    let duration = try DurationText(text)
    #expect(duration.duration == .seconds(seconds) && duration.description == written)
    #expect(try DurationText(duration.description) == duration)
  }

  @Test(arguments: [
    "", "d", "30", "-7d", "+7d", "7 d", "7x", "1.5h", "7d ago", "9223372036854775807w", "9223372036854775808s", "7D",
    "٣d",
  ])
  func `what is no duration is refused with the forms`(text: String) {
    let error = #expect(throws: (any Error).self) { try DurationText(text) }
    #expect("\(error.map { "\($0)" } ?? "")".contains("30d"))
  }

  @Test func `list takes ages, and TZ decides what it shows`() throws {
    let episodic = try CommandLineTool()
    try episodic("import", "-", input: line("a"))
    try episodic("begin", "--task", "t", "--domain", "d", "--context", "c", "--id", "b")
    #expect(try episodic("list", "--after", "7d").output.contains("  b"))
    #expect(try !episodic("list", "--after", "7d").output.contains("fix the login"))
    #expect(try episodic.shell("TZ=Asia/Kolkata episodic show a").output.contains("2026-01-31 17:30:00 +05:30"))
    #expect(try episodic.shell("TZ=Asia/Kolkata episodic show a --utc").output.contains("2026-01-31 12:00:00Z"))
  }
}
