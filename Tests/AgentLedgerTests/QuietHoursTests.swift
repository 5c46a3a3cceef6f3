import Foundation
import StoreValues
import TestSupport
import Testing

@testable import AgentLedger

/// What a clock on the wall shows at each minute of 2026, by Foundation's calendar.
struct WallYear: Sendable {
  static let zones = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
  static let start = Timestamp(milliseconds: 1_767_225_600_000)
  /// The year, and two days for what waits at its end.
  static let minutes = 367 * 1440
  private static let known = Dictionary(uniqueKeysWithValues: zones.map { ($0, WallYear($0)) })

  /// Minutes since midnight.
  let wall: [Int16]
  /// Minutes at which the clock shows something else than a minute more than before.
  let jumps: [Int]

  private init(_ zone: String) {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = TimeZone(identifier: zone) ?? .gmt
    wall = (0..<Self.minutes).map { minute in
      let parts = calendar.dateComponents([.hour, .minute], from: Self.time(minute).date)
      return Int16((parts.hour ?? 0) * 60 + (parts.minute ?? 0))
    }
    jumps = zip(wall, wall.dropFirst()).enumerated().filter { ($1.0 + 1) % 1440 != $1.1 }.map { $0.offset + 1 }
  }

  static func of(_ zone: String) throws -> WallYear { try #require(known[zone]) }

  static func time(_ minute: Int) -> Timestamp {
    Timestamp(milliseconds: start.milliseconds + Int64(minute) * 60_000)
  }

  static func minute(_ time: Timestamp) -> Int { Int((time.milliseconds - start.milliseconds) / 60_000) }

  func isQuiet(_ hours: Ledger.QuietHours, _ minute: Int) -> Bool {
    let (start, end, now) = (hours.start.minutes, hours.end.minutes, Int(wall[minute]))
    return start < end ? (start..<end).contains(now) : now >= start || now < end
  }

  /// The first minute at or after each that is not quiet.
  func ends(_ hours: Ledger.QuietHours) -> [Int] {
    var ends = [Int](repeating: Self.minutes, count: Self.minutes)
    for minute in (0..<Self.minutes).reversed() {
      ends[minute] =
        isQuiet(hours, minute) ? (minute + 1 < Self.minutes ? ends[minute + 1] : Self.minutes) : minute
    }
    return ends
  }
}

@Suite struct `Quiet hours` {
  static let hours: [Ledger.QuietHours] = [
    .init(from: "22:00", to: "07:00"), .init(from: "00:00", to: "06:30"), .init(from: "02:10", to: "02:50"),
    .init(from: "01:30", to: "02:30"), .init(from: "23:59", to: "00:00"), .init(from: "03:00", to: "02:00"),
    .init(from: "02:00", to: "01:59"),
  ]

  @Test(arguments: WallYear.zones)
  func `hours of a year end when the clock on the wall shows their end or jumps out of them`(_ zone: String) throws {
    let year = try WallYear.of(zone)
    let clock = try ZoneClock(zone)
    let year366 = 366 * 1440
    // Each minute for two days about each clock change; of the rest each 97th.
    let near = Set(year.jumps.flatMap { max(0, $0 - 1440)..<min(year366, $0 + 1440) })
    let minutes = near.union(stride(from: 0, to: year366, by: 97)).sorted()
    #expect(zone == "UTC" || zone == "Asia/Kathmandu" ? year.jumps.isEmpty : year.jumps.count == 2)
    for hours in Self.hours {
      let ends = year.ends(hours)
      let wrong = minutes.filter { minute in
        let expected = ends[minute] == minute ? nil : WallYear.time(ends[minute])
        return hours.end(at: WallYear.time(minute), by: clock) != expected
      }
      #expect(wrong.isEmpty, "\(hours) in \(zone) at \(wrong.prefix(3).map(WallYear.time))")
    }
  }

  @Test func `they hold to the millisecond`() throws {
    let clock = try ZoneClock("Europe/Berlin")
    let hours = Ledger.QuietHours(from: "22:00", to: "07:00")
    let start = try #require(Timestamp("2026-07-01T20:00:00Z"))
    let end = try #require(Timestamp("2026-07-02T05:00:00Z"))
    #expect(hours.end(at: Timestamp(milliseconds: start.milliseconds - 1), by: clock) == nil)
    #expect(hours.end(at: start, by: clock) == end)
    #expect(hours.end(at: Timestamp(milliseconds: end.milliseconds - 1), by: clock) == end)
    #expect(hours.end(at: end, by: clock) == nil)
  }

  static let changes: [(zone: String, hours: Ledger.QuietHours, at: String, end: String?)] = [
    // The clock goes from 2 to 3: hours that end in between end with the change.
    ("Europe/Berlin", .init(from: "22:00", to: "02:30"), "2026-03-29T00:59:00Z", "2026-03-29T01:00:00Z"),
    // Hours that lie in the hour that is skipped are not there.
    ("Europe/Berlin", .init(from: "02:10", to: "02:50"), "2026-03-29T01:00:00Z", nil),
    // The clock goes from 3 to 2: 02:10 comes twice.
    ("Europe/Berlin", .init(from: "02:10", to: "02:50"), "2026-10-25T00:10:00Z", "2026-10-25T00:50:00Z"),
    ("Europe/Berlin", .init(from: "02:10", to: "02:50"), "2026-10-25T01:10:00Z", "2026-10-25T01:50:00Z"),
    ("Europe/Berlin", .init(from: "22:00", to: "03:00"), "2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z"),
    // By half an hour, from 2 to 2:30 and back.
    ("Australia/Lord_Howe", .init(from: "01:00", to: "02:15"), "2026-10-03T15:00:00Z", "2026-10-03T15:30:00Z"),
    ("Australia/Lord_Howe", .init(from: "01:45", to: "02:00"), "2026-04-04T14:45:00Z", "2026-04-04T15:00:00Z"),
    ("Australia/Lord_Howe", .init(from: "01:45", to: "02:00"), "2026-04-04T15:15:00Z", "2026-04-04T15:30:00Z"),
  ]

  @Test(arguments: changes.indices) func `a clock change is followed by the wall`(_ index: Int) throws {
    let (zone, hours, at, end) = Self.changes[index]
    let time = try #require(Timestamp(at))
    #expect(hours.end(at: time, by: try ZoneClock(zone)) == end.flatMap { Timestamp($0) })
  }

  @Test(arguments: ["24:00", "7:00", "07:60", "", "-1:00", "07:00:00", "ab:cd", "٠٧:٠٠"])
  func `a text that is no time of a day is none`(_ text: String) { #expect(Ledger.TimeOfDay(text) == nil) }

  static let refused: [(preferences: Ledger.NoticePreferences, part: String)] = [
    (.init(quietHours: .init(from: "07:00", to: "07:00")), "start and end at 07:00"),
    (.init(quietHours: .init(from: "25:00", to: "07:00")), "start of the quiet hours"),
    (.init(quietHours: .init(from: "22:00", to: .init(minutes: 1440))), "end of the quiet hours is 1440"),
    (.init(channels: [.sms, .email, .sms]), "name one twice"), (.init(kinds: [""]), "kind of notices is empty"),
  ]

  @Test(arguments: refused.indices) func `preferences that cannot be are refused`(_ index: Int) async throws {
    let (preferences, part) = Self.refused[index]
    let ledger = try await Ledger.inMemory(clock: ManualClock())
    let ada = try await ledger.add(Ledger.Person.Draft("ada"))
    let error = await #expect(throws: MemoryError.self) { try await ledger.set(preferences, of: ada.id) }
    #expect(error?.code == .invalid)
    #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
    #expect(try await ledger.preferences(of: ada.id) == Ledger.NoticePreferences())
  }
}
