import Foundation
import TestSupport
import Testing

@testable import EpisodicMemory

@Suite struct `The times of a query` {
  private static let day: Int64 = 86_400_000
  private static func time(_ text: String) throws -> Timestamp { try Timestamp(iso8601: text) }

  private func windows(
    _ text: String, at askedAt: String? = nil, now: String = "2023-05-10T12:00:00Z", newest: String? = nil,
    zone: TimeZone = .gmt
  ) async throws -> [String] {
    let query = Query(
      text: text, scope: .everything, askedAt: try askedAt.map { try Self.time($0) }, timeZone: zone)
    let newest = try newest.map { try Self.time($0) }
    let times = try await NamedTimes(query, clock: ManualClock(try Self.time(now))).resolved { newest }
    return times.cues.map { "\($0.window.lowerBound) \($0.window.upperBound)" }
  }

  @Test func `are relative to when it is asked, else to now`() async throws {
    #expect(try await windows("yesterday") == ["2023-05-09T00:00:00Z 2023-05-10T00:00:00Z"])
    #expect(
      try await windows("yesterday", at: "2022-01-01T05:00:00Z") == ["2021-12-31T00:00:00Z 2022-01-01T00:00:00Z"])
  }

  @Test(arguments: [
    ("2023-04-10T12:00:00Z", "2023-05-09"), ("2023-04-09T23:59:59Z", "2023-04-08"),
    ("2033-05-10T12:00:00Z", "2023-05-09"),
    ("2019-07-02T01:00:00Z", "2019-07-01"),
  ]) func `are relative to the newest episode if it is more than 30 days old`(_ newest: String, _ day: String)
    async throws
  {
    let windows = try await windows("yesterday", newest: newest)
    #expect(windows.count == 1 && windows.first?.hasPrefix(day) == true, "\(windows)")
  }

  @Test func `do not ask for the newest episode if nothing depends on it`() async throws {
    for (text, askedAt) in [("in May 2023", nil), ("a plain question", nil), ("yesterday", "2023-05-10T12:00:00Z")] {
      let query = Query(text: text, scope: .everything, askedAt: try askedAt.map { try Self.time($0) })
      _ = try await NamedTimes(query, clock: ManualClock(try Self.time("2023-05-10T12:00:00Z"))).resolved {
        Issue.record("asked for \(text)")
        return nil
      }
    }
  }

  private func key(_ text: String, _ now: String, at askedAt: String? = nil, zone: TimeZone = .gmt) throws -> CacheKey {
    let query = Query(
      text: text, scope: .domain("d"), askedAt: try askedAt.map { try Self.time($0) }, timeZone: zone)
    let terms = try SearchTerms(text: text, phrases: [], prefixes: [])
    return query.cacheKey(terms: terms, times: NamedTimes(query, clock: ManualClock(try Self.time(now))))
  }

  @Test func `decide the key of a cached answer, the moment does not`() throws {
    #expect(try key("last week", "2023-05-10T00:00:00Z") == key("last week", "2023-05-10T23:59:59Z"))
    #expect(try key("last week", "2023-05-10T00:00:00Z") != key("last week", "2023-05-11T00:00:00Z"))
    // The newest episode may decide from one day to the next.
    let monday = try key("last week", "2023-05-10T00:00:00Z", at: "2023-05-08T00:00:00Z")
    #expect(try monday == key("last week", "2024-01-01T00:00:00Z", at: "2023-05-14T23:00:00Z"))
    #expect(try monday != key("last week", "2024-01-01T00:00:00Z", at: "2023-05-15T00:00:00Z"))
    #expect(try key("in May 2023", "2023-05-10T00:00:00Z") == key("in May 2023", "2029-05-10T00:00:00Z"))
    #expect(
      try key("a question", "2023-05-10T00:00:00Z")
        == key("a question", "2029-05-10T00:00:00Z", at: "2020-01-01T00:00:00Z"))
    let east = try #require(TimeZone(secondsFromGMT: 36_000))
    #expect(try key("in May 2023", "2023-05-10T00:00:00Z") != key("in May 2023", "2023-05-10T00:00:00Z", zone: east))
    #expect(
      try key("the day after we met", "2023-05-10T00:00:00Z")
        != key("the day after we met", "2023-05-10T00:00:00Z", zone: east))
    // The same words, and another event.
    #expect(
      try key("the day after we met, flaky tests", "2023-05-10T00:00:00Z")
        != key("the day after we met flaky tests", "2023-05-10T00:00:00Z"))
  }

  @Test func `of a range that ends in a relative one are relative too`() async throws {
    #expect(
      try await windows("what failed between 2023-05-01 and yesterday")
        == ["2023-05-01T00:00:00Z 2023-05-10T00:00:00Z"])
    #expect(
      try await windows("what failed from May 1, 2023 to today") == ["2023-05-01T00:00:00Z 2023-05-11T00:00:00Z"])
    #expect(try await windows("earlier in May 2023").first?.hasPrefix("2023-05-01T00:00:00Z") == true)
  }
}
