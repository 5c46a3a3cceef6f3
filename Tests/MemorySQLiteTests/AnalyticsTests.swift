import EpisodicMemory
import Foundation
import TestSupport
import Testing

@testable import MemorySQLite

@Suite struct `Analytics of a time` {
  private static let start: Int64 = 1_767_225_600_000  // 2026-01-01T00:00:00Z
  private static let hour: Int64 = 3_600_000

  /// Episodes of 40 days in three domains.
  private static func episodes(_ count: Int = 300, seed: UInt64 = 7) -> [Episode] {
    var random = SeededGenerator(seed: seed)
    return (0..<count).map { number in
      let createdAt = start + Int64.random(in: 0..<(40 * 24 * hour), using: &random)
      let status = Episode.Status.allCases[Int.random(in: 0..<4, using: &random)]
      let steps = (0..<Int.random(in: 0..<9, using: &random)).map { step in
        Step(
          id: Step.ID("e\(number)/\(step)"), number: step + 1, action: "act",
          result: ["exit 1", "no such file: /tmp/\(number)/x", "timeout after \(number) ms", nil][
            Int.random(in: 0..<4, using: &random)],
          tool: ["bash", "edit", "grep", nil][Int.random(in: 0..<4, using: &random)],
          duration: [.milliseconds(Int.random(in: 0..<60_000, using: &random)), nil][
            Int.random(in: 0..<2, using: &random)],
          success: [true, true, false, nil][Int.random(in: 0..<4, using: &random)],
          timestamp: Timestamp(milliseconds: createdAt + Int64(step)))
      }
      return Episode(
        id: Episode.ID("e\(number)"), taskType: [.debugging, .testing][number % 2],
        domain: ["web", "mail", "ops"][number % 3], context: "do it", status: status,
        successRate: status == .active ? nil : Double.random(in: 0...1, using: &random),
        createdAt: Timestamp(milliseconds: createdAt),
        completedAt: status == .active ? nil : Timestamp(milliseconds: createdAt + 1000), steps: steps)
    }
  }

  // MARK: The oracle

  private static func quantiles(_ values: [Int64]) -> [Int64] {
    let sorted = values.sorted()
    guard !sorted.isEmpty else { return [] }
    func at(_ share: Double) -> Int64 { sorted[Int((share * Double(sorted.count)).rounded(.up)) - 1] }
    return [Int64(sorted.count), at(0.5), at(0.95), sorted.reduce(0, +)]
  }

  private static func list(_ quantiles: Analytics.Quantiles?) -> [Int64] {
    quantiles.map { [Int64($0.count), $0.median, $0.p95, $0.sum] } ?? []
  }

  private static func expect(
    _ figures: Analytics.Figures, of episodes: [Episode], steps: ((Step) -> Bool) = { _ in true }, _ name: String
  ) {
    let taken = episodes.map { $0.steps.filter(steps) }
    let outcomes = episodes.compactMap { episode -> Bool? in
      switch episode.status {
      case .completed: true
      case .failed: false
      case .archived: (episode.successRate ?? 0) >= 0.5
      case .active: nil
      }
    }
    #expect(figures.episodes.total == episodes.count, "\(name)")
    #expect(figures.episodes.failed == episodes.count { $0.status == .failed }, "\(name)")
    #expect(figures.episodes.active == episodes.count { $0.status == .active }, "\(name)")
    #expect(figures.success?.successes ?? 0 == outcomes.count { $0 }, "\(name)")
    #expect(figures.success?.count ?? 0 == outcomes.count, "\(name)")
    #expect(figures.steps == taken.joined().count, "\(name)")
    #expect(figures.failedSteps == taken.joined().count { $0.success == false }, "\(name)")
    #expect(list(figures.stepsPerEpisode) == quantiles(taken.map { Int64($0.count) }), "\(name)")
    #expect(
      list(figures.stepTime) == quantiles(taken.joined().compactMap { $0.duration?.milliseconds }), "\(name)")
  }

  @Test(
    arguments: [Query.Scope.everything, .domain("mail"), .domain("nowhere")],
    [Analytics.Dimension.domain, .task, .day, .tool, nil])
  func `are those that counting every episode gives`(
    _ scope: Query.Scope, _ dimension: Analytics.Dimension?
  ) async throws {
    let bench = try await Bench()
    let all = Self.episodes()
    try await bench.memory.insert(all)
    let (since, until) = (
      Timestamp(milliseconds: Self.start + 5 * 24 * Self.hour),
      Timestamp(milliseconds: Self.start + 33 * 24 * Self.hour)
    )
    let expected = all.filter {
      $0.createdAt >= since && $0.createdAt < until && (scope == .everything || scope == .domain($0.domain))
    }
    let found = try await bench.memory.analytics(
      since: since, until: until, by: dimension, in: scope, timeZone: .gmt)
    Self.expect(found.total, of: expected, "total")
    #expect(found.interval == .day && found.series.count == 28)
    for (index, point) in found.series.enumerated() {
      let start = Timestamp(milliseconds: since.milliseconds + Int64(index) * 24 * Self.hour)
      #expect(point.start == start)
      let next = Timestamp(milliseconds: start.milliseconds + 24 * Self.hour)
      Self.expect(point.figures, of: expected.filter { $0.createdAt >= start && $0.createdAt < next }, "\(start)")
    }
    #expect(Set(found.tools.map(\.name)) == Set(expected.flatMap(\.steps).compactMap(\.tool)))
    for tool in found.tools {
      Self.expect(
        tool.figures, of: expected.filter { $0.steps.contains { $0.tool == tool.name } },
        steps: { $0.tool == tool.name },
        tool.name)
    }
    switch dimension {
    case .domain:
      #expect(found.groups.map(\.figures.episodes.total) == found.groups.map(\.figures.episodes.total).sorted(by: >))
      for group in found.groups {
        Self.expect(group.figures, of: expected.filter { $0.domain == group.name }, group.name)
      }
      #expect(Set(found.groups.map(\.name)) == Set(expected.map(\.domain)))
    case .task:
      for group in found.groups {
        Self.expect(group.figures, of: expected.filter { $0.taskType.rawValue == group.name }, group.name)
      }
    case .day:
      #expect(found.groups.map(\.figures) == found.series.map(\.figures))
      #expect(found.groups.first?.name == "2026-01-06")
    case .tool: #expect(found.groups == found.tools)
    case nil: #expect(found.groups.isEmpty)
    }
    let failed = expected.filter { $0.status == .failed }
    #expect(found.failures.reduce(0) { $0 + $1.episodes } == failed.count)
    for failure in found.failures {
      let same = failed.filter { episode in
        let step = episode.steps.first { $0.success == false }
        return step?.tool == failure.tool && (step == nil) == (failure.message == nil)
          && (failure.message.map { $0.isEmpty } ?? true) == (step?.result == nil)
          && (failure.message ?? "").prefix(4) == (step?.result ?? "").prefix(4)
      }
      #expect(failure.episodes == same.count, "\(failure)")
      #expect(failure.newestAt == same.map(\.createdAt).max(), "\(failure)")
    }
    #expect(found.hours.joined().reduce(0, +) == expected.count)
    for (day, hours) in found.hours.enumerated() {
      for (hour, count) in hours.enumerated() {
        // 2026-01-05 is a Monday.
        let same = expected.count {
          let since = ($0.createdAt.milliseconds - Self.start) / Self.hour - 4 * 24 + 7 * 24
          return since / 24 % 7 == day && since % 24 == hour
        }
        #expect(count == same)
      }
    }
  }

  @Test func `have no gap in time, and begin with the first episode if no beginning is given`() async throws {
    let bench = try await Bench()
    try await bench.memory.insert([.sample("a", at: Self.start), .sample("b", at: Self.start + 100 * 24 * Self.hour)])
    let found = try await bench.memory.analytics(
      until: Timestamp(milliseconds: Self.start + 101 * 24 * Self.hour), in: .everything, timeZone: .gmt)
    #expect(found.since == Timestamp(milliseconds: Self.start) && found.series.count == 101)
    #expect(found.series.count { $0.figures.episodes.total == 0 } == 99)
    let none = try await Bench().memory.analytics(in: .everything)
    #expect(none.total.episodes.total == 0 && none.total.success == nil && none.series.count >= 24)
  }

  @Test func `days begin at midnight of the zone, also where clocks change`() async throws {
    let bench = try await Bench()
    let zone = try #require(TimeZone(identifier: "Europe/Berlin"))
    // 29 March 2026 has 23 hours there, from 23:00Z to 22:00Z.
    let times = ["2026-03-28T22:59:59Z", "2026-03-28T23:00:00Z", "2026-03-29T21:59:59Z", "2026-03-29T22:00:00Z"]
    try await bench.memory.insert(
      times.enumerated().map { .sample(Episode.ID("e\($0)"), at: Timestamp($1)?.milliseconds ?? 0) })
    let found = try await bench.memory.analytics(
      since: Timestamp("2026-03-27T23:00:00Z"), until: Timestamp("2026-03-30T22:00:00Z"), by: .day, in: .everything,
      timeZone: zone)
    #expect(found.groups.map(\.name) == ["2026-03-28", "2026-03-29", "2026-03-30"])
    #expect(found.groups.map(\.figures.episodes.total) == [1, 2, 1])
    // A Saturday at 23, a Sunday at 0 and at 23, a Monday at 0.
    #expect(found.hours[5][23] == 1 && found.hours[6][0] == 1 && found.hours[6][23] == 1 && found.hours[0][0] == 1)
  }

  @Test func `groups behind the 20th are one row`() async throws {
    let bench = try await Bench()
    try await bench.memory.insert(
      (0..<30).flatMap { domain in
        (0...domain).map { .sample(Episode.ID("\(domain)/\($0)"), domain: "d\(domain)", steps: ["x"], at: Self.start) }
      })
    let found = try await bench.memory.analytics(
      until: Timestamp(milliseconds: Self.start + 1), by: .domain, in: .everything, timeZone: .gmt)
    #expect(found.groups.count == 21 && found.groups[0].name == "d29" && found.groups[0].merged == 1)
    let rest = try #require(found.groups.last)
    #expect(rest.name == "other" && rest.merged == 10 && rest.figures.episodes.total == 55 && rest.figures.steps == 55)
    #expect(rest.figures.stepsPerEpisode?.count == 55)
  }

  @Test func `tell nothing of other domains`() async throws {
    let bench = try await Bench()
    let all = Self.episodes()
    try await bench.memory.insert(all.filter { $0.domain == "mail" })
    let alone = try await bench.memory.domain("mail").analytics(
      until: Timestamp(milliseconds: Self.start + 40 * 24 * Self.hour), by: .tool, timeZone: .gmt)
    try await bench.memory.insert(all.filter { $0.domain != "mail" })
    try await bench.memory.record(Pattern.Draft(.errorResolution, data: ["x": 1], domain: "web"))
    _ = try await bench.memory.record(Pattern.Draft(.errorResolution, data: ["y": 1]))
    try await bench.primary.addCacheReads(
      CacheReads(epoch: 1, kinds: [.episode: .init(hits: 5, misses: 1)]), at: Timestamp(milliseconds: Self.start))
    let beside = try await bench.memory.domain("mail").analytics(
      until: Timestamp(milliseconds: Self.start + 40 * 24 * Self.hour), by: .tool, timeZone: .gmt)
    #expect(alone == beside)  // I8
    #expect(beside.domain == "mail")
  }

  @Test func `list the patterns that were used in the time or belong to its episodes`() async throws {
    let bench = try await Bench()
    try await bench.memory.insert((0..<4).map { .sample(Episode.ID("e\($0)"), at: Self.start + Int64($0)) })
    try await bench.memory.insert([.sample("old", at: Self.start - 1)])
    var ids: [Pattern.ID] = []
    for number in 0..<4 {
      ids.append(try await bench.memory.record(Pattern.Draft(.toolSequence, data: ["n": .integer(Int64(number))])).id)
    }
    try await bench.memory.link(ids[0], to: "e0")
    try await bench.memory.link(ids[0], to: "e1")
    try await bench.memory.link(ids[1], to: "old")
    for _ in 0..<3 { _ = try await bench.memory.markUsed(ids[2], succeeded: true) }
    let found = try await bench.memory.analytics(
      since: Timestamp(milliseconds: Self.start), until: Timestamp(milliseconds: Self.start + Self.hour),
      in: .everything)
    #expect(found.patterns.map(\.pattern.id) == [ids[2], ids[0]])
    #expect(found.patterns.map(\.episodes) == [0, 2] && found.patterns.map(\.pattern.usageCount) == [3, 0])
    #expect(found.otherPatterns == 0)
  }

  @Test func `a time that ends before it begins is refused, and too many days are`() async throws {
    let bench = try await Bench()
    let (early, late) = (Timestamp(milliseconds: 0), Timestamp(milliseconds: Self.start))
    await #expect(throws: MemoryError.self) {
      try await bench.memory.analytics(since: late, until: early, in: .everything)
    }
    let error = await #expect(throws: MemoryError.self) {
      try await bench.memory.analytics(since: early, until: late, by: .day, in: .everything)
    }
    #expect(error?.code == .limitExceeded && error?.message.contains("3660") == true)
    _ = try await bench.memory.analytics(since: early, until: late, by: .task, in: .everything)
  }

  @Test func `survive a form of JSON, with times in ISO 8601`() async throws {
    let bench = try await Bench()
    try await bench.memory.insert(Self.episodes(60))
    let found = try await bench.memory.analytics(
      until: Timestamp(milliseconds: Self.start + 40 * 24 * Self.hour), by: .task, in: .everything, timeZone: .gmt)
    let data = try JSONEncoder().encode(found)
    #expect(try JSONDecoder().decode(Analytics.self, from: data) == found)
    let json = try JSON(text: String(decoding: data, as: UTF8.self))
    #expect(json["until"] == "2026-02-10T00:00:00Z" && json["total"]?["step_time_ms"]?["p95"] != nil)
  }
}

@Suite struct `Hourly figures of the cache` {
  private static let hour: Int64 = 3_600_000

  private func hours(_ bench: Bench, _ until: Int64 = 500_000) async throws -> [[Int64]] {
    try await bench.memory.analytics(
      since: Timestamp(milliseconds: 0), until: Timestamp(milliseconds: until * Self.hour), in: .everything
    ).cache.map { [$0.start.milliseconds / Self.hour, Int64($0.hits), Int64($0.misses)] }
  }

  private func reads(_ epoch: UInt64, _ hits: Int64, _ misses: Int64) -> CacheReads {
    CacheReads(epoch: epoch, kinds: [.query: .init(hits: hits, misses: misses)])
  }

  @Test func `have what was counted since the last call, once`() async throws {
    let bench = try await Bench()
    func add(_ reads: CacheReads, _ hour: Int64) async throws {
      try await bench.primary.addCacheReads(reads, at: Timestamp(milliseconds: hour * Self.hour + 17))
    }
    try await add(reads(1, 10, 4), 7)
    try await add(reads(1, 10, 4), 7)
    #expect(try await hours(bench) == [[7, 10, 4]])
    try await add(reads(1, 25, 5), 7)
    #expect(try await hours(bench) == [[7, 25, 5]])
    // Another process had seen less: nothing is added, and nothing twice later.
    try await add(reads(1, 20, 6), 8)
    try await add(reads(1, 30, 6), 8)
    #expect(try await hours(bench) == [[7, 25, 5], [8, 5, 1]])
    // The files were made again: the counters began at 0.
    try await add(reads(2, 3, 1), 9)
    try await add(reads(2, 3, 1), 9)
    #expect(try await hours(bench) == [[7, 25, 5], [8, 5, 1], [9, 3, 1]])
  }

  @Test func `are kept for 400 days`() async throws {
    let bench = try await Bench()
    for day in stride(from: Int64(0), through: 500, by: 100) {
      try await bench.primary.addCacheReads(
        reads(1, day + 1, 0), at: Timestamp(milliseconds: (1000 + day * 24) * Self.hour))
    }
    #expect(try await hours(bench).map { $0[0] } == [100, 200, 300, 400, 500].map { 1000 + $0 * 24 })
  }

  @Test func `survive a setting that another program wrote`() async throws {
    let bench = try await Bench()
    try await bench.primary.set(CacheReads.setting, to: ["epoch": 5], at: Timestamp(milliseconds: 0))
    try await bench.primary.addCacheReads(reads(1, 2, 1), at: Timestamp(milliseconds: Self.hour))
    try await bench.primary.addCacheReads(reads(1, 4, 1), at: Timestamp(milliseconds: Self.hour))
    #expect(try await hours(bench) == [[1, 4, 1]])
  }
}
