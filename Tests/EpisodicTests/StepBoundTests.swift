import Episodic
import Foundation
import Logging
import MemorySQLite
import Synchronization
import TestSupport
import Testing

@testable import MemoryLMDB

/// A store whose index a test advances step by step.
private struct SteppedIndex {
  let store: Store
  let primary: SQLitePrimaryStore
  let index: LMDBSearchIndex
  let memory: Memory

  init(budget: StepBudget = StepBudget()) async throws {
    store = try Store()
    primary = try await SQLitePrimaryStore(
      path: store.path + "/memory.sqlite", durability: .normal, logger: Logger(label: "test"))
    memory = Memory(primary: primary, cache: NoCache(because: "the test has none"))
    try FileManager.default.createDirectory(atPath: store.cachePath, withIntermediateDirectories: true)
    let tier = try LMDBTier.open(
      at: store.cachePath + "/index", store: primary.identity, layout: LMDBSearchIndex.layout, mapSize: 1 << 32,
      boot: .current(), logger: Logger(label: "test"))
    index = try LMDBSearchIndex(tier, budget: budget, logger: Logger(label: "test"))
  }

  /// - Returns: The number of steps to the end.
  func follow() async throws -> Int {
    let index = index
    for step in 1... {
      let progress = try await primary.read { snapshot throws(MemoryError) in try index.advance(in: snapshot) }
      if progress == .arrived { return step }
      try #require(progress != .unavailable && progress != .waiting)
    }
    return 0
  }

  func expectSound() async throws {
    let index = index
    let checks = try await primary.read { snapshot throws(MemoryError) in try index.check(in: snapshot) }
    for check in try #require(checks) { #expect(check.outcome == .passed, "\(check.name)") }
  }

  /// A text of about the given bytes, with mostly repeated words.
  static func text(_ bytes: Int, seed: Int) -> String {
    var random = SeededGenerator(seed: UInt64(seed))
    var text = ""
    while text.utf8.count < bytes { text += "word\(Int.random(in: 0..<5000, using: &random)) " }
    return text
  }
}

@Suite struct `Steps of the index` {
  @Test func `a build takes at most 8 MiB a step, when rows of 200 KB come after thousands of a few bytes`()
    async throws
  {
    let stepped = try await SteppedIndex()
    for number in 0..<12 {
      try await stepped.memory.insert([
        .sample(Episode.ID("short-\(number)"), steps: (0..<1000).map { "short \(number) \($0)" })
      ])
    }
    for number in 0..<3 {
      let steps = (0..<20).map { SteppedIndex.text(200_000, seed: 100 * number + $0) }
      try await stepped.memory.insert([.sample(Episode.ID("long-\(number)"), steps: steps)])
    }
    let steps = try await stepped.follow()
    #expect(steps > 3)
    #expect(stepped.index.largestStep.load(ordering: .relaxed) <= 8 << 20)
    try await stepped.expectSound()
  }

  @Test func `following applies a batch of long rows in parts, and a query meanwhile gets no result of a part`()
    async throws
  {
    let stepped = try await SteppedIndex(budget: StepBudget(bytes: 1 << 20))
    try await stepped.memory.insert([.sample("first")])
    _ = try await stepped.follow()
    try await stepped.memory.insert(
      (0..<30).map {
        .sample(Episode.ID("e\($0)"), context: "about thing\($0)", steps: [SteppedIndex.text(100_000, seed: $0)])
      })
    // The rows that a query applies are bounded, too.
    let index = stepped.index
    let progress = try await stepped.primary.read { snapshot throws(MemoryError) in
      try index.advance(in: snapshot, at: try snapshot.watermark(), atMost: 1024)
    }
    #expect(progress == .following)
    #expect(try await stepped.follow() > 2)
    #expect(index.largestStep.load(ordering: .relaxed) <= 1 << 20)
    try await stepped.expectSound()
  }

  @Test func `a single row may be larger than a step`() async throws {
    let stepped = try await SteppedIndex(budget: StepBudget(bytes: 1 << 12))
    try await stepped.memory.insert([.sample("built", steps: [SteppedIndex.text(20_000, seed: 1)])])
    _ = try await stepped.follow()
    try await stepped.memory.insert([.sample("followed", steps: [SteppedIndex.text(20_000, seed: 2), "short"])])
    _ = try await stepped.follow()
    try await stepped.expectSound()
  }

  @Test func `steps of vectors are bounded by their dimensions`() async throws {
    let stepped = try await SteppedIndex(budget: StepBudget(bytes: 1 << 18))
    var random = SeededGenerator(seed: 5)
    func insert(_ name: String) async throws {
      try await stepped.memory.insert([.sample(Episode.ID(name))])
      try await stepped.memory.embed(
        (0..<120).map { _ in
          let vector = (0..<4096).map { _ in Float.random(in: -1...1, using: &random) }
          return .init(of: Episode.ID(name), content: "", vector: vector, model: "m")
        })
    }
    try await insert("built")
    #expect(try await stepped.follow() > 2)
    try await insert("followed")
    #expect(try await stepped.follow() > 2)
    #expect(stepped.index.largestStep.load(ordering: .relaxed) <= 1 << 18)
    #expect(stepped.index.statistics().vectors == 240)
    try await stepped.expectSound()
  }
}
