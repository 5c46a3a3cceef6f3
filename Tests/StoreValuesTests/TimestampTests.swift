import Foundation
import Testing

@testable import StoreValues

@Suite struct `A timestamp` {
  @Test(
    arguments: [
      ("1970-01-01T00:00:00Z", 0), ("2026-01-31T12:00:00.250Z", 1_769_860_800_250),
      ("2026-01-31T14:00:00+02:00", 1_769_860_800_000),
      ("1969-12-31T23:59:59.999Z", -1), ("2026-01-31T12:00:00-0030", 1_769_862_600_000),
      ("0001-01-01T00:00:00Z", -62_135_596_800_000), ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
      ("2024-02-29T00:00:00.5Z", 1_709_164_800_500),
      ("2026-01-31T12:00:00.123456Z", 1_769_860_800_123), ("2026-01-31 12:00:00Z", 1_769_860_800_000),
      ("2026-01-31 12:00:00+00:00", 1_769_860_800_000), ("2026-01-31T12:00Z", 1_769_860_800_000),
      ("2026-01-31t12:00:00z", 1_769_860_800_000), ("2026-01-31 13:00:00 +0100", 1_769_860_800_000),
      ("2026-01-31 12:00:00 UTC", 1_769_860_800_000), ("2026-01-31T12:00:00,25+00", 1_769_860_800_250),
      ("2026-01-31T12:00:00.00999999999999999999999999Z", 1_769_860_800_009),
    ] as [(String, Int64)])
  func `ISO 8601 is read to the millisecond`(_ text: String, _ milliseconds: Int64) {
    #expect(Timestamp(text)?.milliseconds == milliseconds)
  }

  @Test(arguments: [
    "", "yesterday", "2026-13-01T00:00:00Z", "2026-01-31", "2026-01-31T12:00:00", "2026-02-30T00:00:00Z",
    "2025-02-29T00:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z", "2026-01-31T12:00:00.Z",
    "2026-01-31T12:00:00Zulu", "2026-01-31T12:00:00+25:00", "2026-01-31  12:00:00Z", "+026-01-31T12:00:00Z",
    "12026-01-01T00:00:00Z", "0000-01-01T00:00:00Z",
  ])
  func `text that is not a time with a zone is rejected`(_ text: String) {
    #expect(Timestamp(text) == nil)
  }

  @Test(arguments: [
    ("2026-01-31T12:00:00", "has no time zone; append Z"), ("2026-01-31 12:00", "has no time zone"),
    ("2016-12-31T23:59:60Z", "a leap second"), ("2026-02-30T00:00:00Z", "a day that no calendar has"),
    ("2026-01-31T24:00:00Z", "a time that no day has"), ("2026-01-31T12:00:61Z", "a time that no day has"),
    ("0000-12-31T00:00:00Z", "outside the years 1 to 9999"), ("9999-12-31T23:30:00-01:00", "outside the years"),
    ("31.01.2026", "write an ISO 8601 UTC time"),
  ]) func `an error names the part that is missing or wrong`(_ text: String, _ says: String) throws {
    let error = try #require(throws: Timestamp.ParsingError.self) { try Timestamp(iso8601: text) }
    #expect(error.description.contains("\"\(text)\"") && error.description.contains(says), "\(error)")
  }

  @Test(arguments: [0, 1, -1, 250, -1500, 1_769_860_800_250, 253_402_300_799_999, -62_135_596_800_000] as [Int64])
  func `text is read back as the same time`(_ milliseconds: Int64) {
    let moment = Timestamp(milliseconds: milliseconds)
    #expect(Timestamp(moment.description) == moment)
  }

  @Test func `a fraction is written only if it is not 0`() {
    #expect(Timestamp(milliseconds: 1_769_860_800_000).description == "2026-01-31T12:00:00Z")
    #expect(Timestamp(milliseconds: 1_769_860_800_005).description == "2026-01-31T12:00:00.005Z")
  }

  @Test(arguments: [Double.infinity, -.infinity, 1e300]) func `a date out of range is clamped`(_ seconds: Double) {
    #expect([.min, .max].contains(Timestamp(Date(timeIntervalSince1970: seconds)).milliseconds))
  }
}

@Suite struct `An identifier` {
  private enum Thing {}
  private typealias ThingID = Identifier<Thing>

  @Test func `generated identifiers are UUIDs of version 7 that sort by time`() {
    let ids = (0..<100).map { ThingID.generate(at: Timestamp(milliseconds: 1_769_860_800_000 + Int64($0))) }
    #expect(ids == ids.sorted())
    #expect(Set(ids).count == 100)
    for id in ids {
      let uuid = UUID(uuidString: id.rawValue)
      #expect(id.rawValue[id.rawValue.index(id.rawValue.startIndex, offsetBy: 14)] == "7")
      #expect("89ab".contains(id.rawValue[id.rawValue.index(id.rawValue.startIndex, offsetBy: 19)]))
      #expect(uuid != nil)
    }
  }

  @Test func `composed and decomposed spellings are one identifier, in bytes too`() {
    let composed = ThingID("caf\u{E9}"), decomposed = ThingID("cafe\u{301}")
    #expect(composed == decomposed)
    #expect(Array(composed.rawValue.utf8) == Array(decomposed.rawValue.utf8))
  }
}
