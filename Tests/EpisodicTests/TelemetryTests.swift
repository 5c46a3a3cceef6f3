import CoreMetrics
import Episodic
import EpisodicMemory
import Foundation
import MemoryLMDB
import MetricsTestKit
import TestSupport
import Testing

/// The page Telemetry, held to the code, and metrics of a store.
@Suite struct `Telemetry` {
  private static let page = "Sources/Episodic/Episodic.docc/Telemetry.md"

  private static func sources() throws -> String {
    try Layers.allowed.keys.sorted().flatMap { try Layers.files(of: $0).values }.joined()
  }

  /// The first column of the tables under a heading.
  private static func listed(under heading: String) throws -> [String] {
    let text = try Documentation.text(page)
    let section = text.components(separatedBy: "\n## ").first { $0.hasPrefix(heading) }
    return try #require(section).matches(of: /(?m)^\| `([a-z_.]+)`/).map { String($0.1) }
  }

  @Test func `every metric is on the page, with its kind and its unit`() throws {
    let code = Set(try Self.sources().matches(of: /label: "(episodic\.[a-z]+\.[a-z_.]+)"/).map { String($0.1) })
    let listed = try Self.listed(under: "Metrics")
    #expect(code.count >= 20 && Set(listed) == code, "\(code.symmetricDifference(listed))")
    #expect(listed.count == Set(listed).count)
    let text = try Documentation.text(Self.page)
    for name in listed {
      let row = try #require(text.split(separator: "\n").first { $0.hasPrefix("| `\(name)`") })
      let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      #expect(cells.count == 4 && ["counter", "gauge", "timer", "recorder"].contains(cells[1]), "\(row)")
      if cells[1] == "timer" { #expect(cells[2] == "seconds", "\(row)") }
    }
  }

  @Test func `every event of the log is on the page`() throws {
    let code = Set(try Self.sources().matches(of: /"event": "([a-z_.]+)"/).map { String($0.1) })
    let listed = try Self.listed(under: "Log")
    #expect(code.count >= 10 && Set(listed) == code, "\(code.symmetricDifference(listed))")
  }

  @Test func `every line of the log has an event`() throws {
    // Up to the parenthesis that ends the call at the depth at which it began.
    for match in try Self.sources().matches(
      of:
        /(?m)^( *)(?:\w+\.)?logger\.(?:trace|debug|info|notice|warning|error|critical|log)\((?:[^\n]*\)$|[^\n]*\n(?:\1 [^\n]*\n)*)/
    ) {
      #expect(match.0.contains("\"event\"") || match.0.contains("metadata: event"), "\(match.0)")
    }
  }

  @Test func `every operation of a span is on the page`() throws {
    let text = try Self.sources()
    let code = Set(text.matches(of: /try await span\("([A-Za-z]+)"/).map { String($0.1) })
    let section = try #require(
      try Documentation.text(Self.page).components(separatedBy: "\n## ").first { $0.hasPrefix("Spans") })
    for name in code { #expect(section.contains("`\(name)`"), "\(name)") }
  }

  @Test func `a store reports its commits, recalls and maintenance`() async throws {
    let metrics = TestMetrics()
    let store = try Store()
    let memory = try await store.open { $0.metrics = metrics }
    let episode = try await memory.begin(Episode.Draft(.debugging, domain: "d", context: "the login fails"))
    try await memory.append([Step.Draft("one"), Step.Draft("two")], to: episode.id)
    try await memory.complete(episode.id)
    for _ in 0..<2 { _ = try await memory.recall("login", in: .domain("d")) }
    try await memory.maintain()
    // The first search found no index; now there is one, which follows.
    try await memory.optimize()
    _ = try await memory.begin(Episode.Draft(.debugging, domain: "d", context: "the logout fails"))
    _ = try await memory.search(Query(text: "login", scope: .domain("d")))
    // Hits are counted in memory until a fill, or until then.
    try await memory.close()
    #expect(try metrics.expectCounter("episodic.commit.steps").totalValue == 2)
    #expect(try metrics.expectTimer("episodic.commit.duration").values.count >= 3)
    #expect(try metrics.expectTimer("episodic.commit.wait").values.allSatisfy { $0 >= 0 })
    #expect(try metrics.expectRecorder("episodic.commit.calls").values.allSatisfy { $0 >= 1 })
    #expect(try metrics.expectTimer("episodic.recall.duration").values.count == 2)
    #expect(try metrics.expectRecorder("episodic.recall.hits").values == [1, 1])
    #expect(try metrics.expectTimer("episodic.maintenance.duration", [("task", "cache")]).values.count == 1)
    #expect(try metrics.expectCounter("episodic.maintenance.failures", [("task", "cache")]).totalValue == 0)
    #expect(try metrics.expectCounter("episodic.cache.hits", [("kind", "query")]).totalValue == 1)
    #expect(try metrics.expectCounter("episodic.index.changes").totalValue > 0)
    #expect(try metrics.expectTimer("episodic.index.search.duration").values.count >= 1)
    #expect(try metrics.expectCounter("episodic.index.silent").totalValue >= 1)
  }

  @Test func `maintenance keeps what the cache answered, by the hour`() async throws {
    let store = try Store()
    let clock = ManualClock(Timestamp(milliseconds: 1_767_225_600_000))
    let memory = try await store.open {
      $0.clock = clock
      $0.cache.lifetimes[.episode] = .seconds(36_000)
    }
    try await memory.insert([.sample("a")])
    for _ in 0..<5 { _ = try await memory.episode("a") }
    try await memory.maintain(MaintenanceOptions(tasks: [.cache]))
    clock.advance(by: .seconds(3600))
    for _ in 0..<3 { _ = try await memory.episode("a") }
    try await memory.maintain(MaintenanceOptions(tasks: [.cache]))
    try await memory.maintain(MaintenanceOptions(tasks: [.cache]))
    // Files made again count from 0.
    try await memory.close()
    try FileManager.default.removeItem(atPath: store.path + "/cache.lmdb")
    clock.advance(by: .seconds(3600))
    let again = try await store.open { $0.clock = clock }
    for _ in 0..<2 { _ = try await again.episode("a") }
    try await again.maintain(MaintenanceOptions(tasks: [.cache]))
    clock.advance(by: .seconds(1))
    let hours = try await again.analytics(
      since: Timestamp(milliseconds: 1_767_225_600_000), in: .everything
    ).cache.filter { $0.kind == "episode" }
    #expect(hours.map(\.hits) == [4, 3, 1] && hours.map(\.misses) == [1, 0, 1], "\(hours)")
    #expect(try await again.domain("swift").analytics().cache.isEmpty)  // I8
    try await again.close()
  }
}
