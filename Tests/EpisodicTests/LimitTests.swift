import Episodic
import Foundation
import TestSupport
import Testing

@testable import EpisodicMemory

private func failure(_ body: () async throws -> Void) async -> MemoryError? {
  do { try await body() } catch { return error as? MemoryError }
  return nil
}

@Suite struct `Limits` {
  typealias Verb = @Sendable (Memory) async throws -> Void

  /// A limit of each input, set low, and verbs that go beyond it.
  static let excesses: [(name: String, set: @Sendable (inout Memory.Limits) -> Void, verbs: [Verb])] = [
    (
      "fieldBytes", { $0.fieldBytes = 8 },
      [
        { _ = try await $0.begin(.init(.testing, domain: "d", context: "123456789")) },
        { _ = try await $0.append(Step.Draft("123456789"), to: "e") },
      ]
    ),
    (
      "dimensions", { $0.dimensions = 2 },
      [{ _ = try await $0.embed(.init(of: "e", content: "", vector: [1, 2, 3], model: "m")) }]
    ),
    ("results", { $0.results = 2 }, [{ _ = try await $0.episodes(["a", "b", "c"]) }]),
    (
      "batchElements", { $0.batchElements = 2 },
      [
        { _ = try await $0.append((0..<3).map { Step.Draft("\($0)") }, to: "e") },
        { _ = try await $0.insert(["a", "b", "c"].map { .sample(Episode.ID($0)) }) },
        { memory in
          _ = try await memory.embed((0..<3).map { _ in .init(of: "e", content: "", vector: [1], model: "m") })
        },
        { memory in
          try await memory.write { batch in _ = try batch.append((0..<3).map { Step.Draft("\($0)") }, to: "e") }
        },
      ]
    ),
    (
      "stepsPerEpisode", { $0.stepsPerEpisode = 2 },
      [
        { _ = try await $0.append((0..<3).map { Step.Draft("\($0)") }, to: "e") },
        { memory in
          try await memory.write { batch in _ = try batch.append((0..<3).map { Step.Draft("\($0)") }, to: "e") }
        },
        { memory in
          let steps = (1...3).map {
            Step(
              id: .generate(at: Timestamp(milliseconds: 1)), number: $0, action: "a",
              timestamp: Timestamp(milliseconds: 1))
          }
          var episode = Episode.sample("x")
          episode.steps = steps
          _ = try await memory.insert([episode])
        },
      ]
    ),
    (
      "metadataMembers", { $0.metadataMembers = 2 },
      [
        { _ = try await $0.update("e", with: .init(metadata: ["a": 1, "b": ["c": 1]])) },
        { _ = try await $0.record(.init(.optimization, data: ["a": 1, "b": 2, "c": 3])) },
      ]
    ),
    (
      "metadataDepth", { $0.metadataDepth = 2 },
      [{ _ = try await $0.update("e", with: .init(metadata: ["a": ["b": [1]]])) }]
    ),
    (
      "patternBytes", { $0.patternBytes = 8 }, [{ _ = try await $0.record(.init(.optimization, data: ["abc": "def"])) }]
    ),
    (
      "queryBytes", { $0.queryBytes = 8 },
      [
        { _ = try await $0.recall(Query(text: "123456789", scope: .everything)) },
        { _ = try await $0.episodes(.init(step: .init(text: "123456789")), in: .everything, limit: 1) },
      ]
    ),
  ]

  @Test(arguments: excesses.indices) func `what is beyond a limit is refused with its name, and nothing is written`(
    _ index: Int
  ) async throws {
    let excess = Self.excesses[index]
    let store = try Store()
    try await store.withMemory { memory in try await memory.insert([.sample("e", status: .active)]) }
    let memory = try await store.open { excess.set(&$0.limits) }
    let before = try await memory.statistics().primary.watermark
    for verb in excess.verbs {
      let error = await failure { try await verb(memory) }
      #expect(error?.code == .limitExceeded, "\(excess.name): \(error?.message ?? "no error")")
      if excess.name != "results" {
        #expect(error?.message.contains("limits.\(excess.name)") == true, "\(error?.message ?? "")")
      }
    }
    #expect(try await memory.statistics().primary.watermark == before)
    try await memory.close()
  }

  @Test func `an episode takes steps up to its limit, whatever their numbers`() async throws {
    let store = try Store()
    let memory = try await store.open { $0.limits.stepsPerEpisode = 3 }
    let episode = try await memory.begin(.init(.testing, domain: "d", context: ""))
    var far = Step.Draft("far")
    far.number = 1000
    try await memory.append(far, to: episode.id)
    try await memory.append([Step.Draft("a"), Step.Draft("b")], to: episode.id)
    #expect(await failure { try await memory.append(Step.Draft("c"), to: episode.id) }?.code == .limitExceeded)
    #expect(try await memory.episode(episode.id)?.steps.map(\.number) == [1000, 1001, 1002])
    try await memory.close()
  }

  static let wrong: [(String, @Sendable (inout Memory.Limits) -> Void)] = [
    ("fieldBytes", { $0.fieldBytes = 0 }), ("fieldBytes", { $0.fieldBytes = .max }),
    ("dimensions", { $0.dimensions = -1 }), ("results", { $0.results = 0 }),
    ("batchElements", { $0.batchElements = 0 }),
    ("stepsPerEpisode", { $0.stepsPerEpisode = .max }), ("metadataMembers", { $0.metadataMembers = -5 }),
    ("metadataDepth", { $0.metadataDepth = 257 }), ("patternBytes", { $0.patternBytes = 0 }),
    ("queryBytes", { $0.queryBytes = 0 }), ("minimumFreeBytes", { $0.minimumFreeBytes = -1 }),
    ("storeWarningBytes", { $0.storeWarningBytes = 0 }), ("indexWarningBytes", { $0.indexWarningBytes = 1 << 38 }),
    ("logWarningBytes", { $0.logWarningBytes = -1 }), ("backupsWarningCount", { $0.backupsWarningCount = 0 }),
  ]

  @Test(arguments: wrong.indices) func `a wrong limit is refused with its name before a file is made`(
    _ index: Int
  ) async throws {
    let (name, set) = Self.wrong[index]
    let store = try Store()
    let error = await failure { _ = try await store.open { set(&$0.limits) } }
    #expect(
      error?.code == .invalid && error?.message.hasPrefix("limits.\(name) is ") == true, "\(error?.message ?? "")")
    #expect(!FileManager.default.fileExists(atPath: store.path))
    var limits = Memory.Limits()
    set(&limits)
    #expect(await failure { _ = try await Memory.inMemory(limits: limits) }?.code == .invalid)
  }

  @Test func `a file beyond its threshold is logged once, and everything goes on`() async throws {
    let store = try Store()
    let log = LogRecorder()
    let memory = try await store.open {
      $0.limits.storeWarningBytes = 1
      $0.logger = log.logger
    }
    for number in 0..<5 { try await memory.insert([.sample(Episode.ID("e\(number)"))]) }
    #expect(log.all.filter { $0.contains("limits.storeWarningBytes") }.count == 1, "\(log.all)")
    try await memory.close()
  }
}

@Suite struct `The floor of the disk` {
  static let growing: [(String, Limits.Verb)] = [
    ("begin", { _ = try await $0.begin(.init(.testing, domain: "d", context: "")) }),
    ("append", { _ = try await $0.append(Step.Draft("a"), to: "e") }),
    ("append with a key", { _ = try await $0.append(Step.Draft("a"), to: "e", idempotencyKey: "k") }),
    ("insert", { _ = try await $0.insert([.sample("x")]) }),
    ("update", { _ = try await $0.update("e", with: .init(context: "new")) }),
    ("embed", { _ = try await $0.embed(.init(of: "e", content: "", vector: [1], model: "m")) }),
    ("record", { _ = try await $0.record(.init(.optimization, data: [:])) }),
    ("write", { memory in try await memory.write { batch in _ = try batch.append(Step.Draft("a"), to: "e") } }),
  ]

  @Test func `below it what grows is refused with the numbers and the remedy, and what does not grow runs`()
    async throws
  {
    let store = try Store()
    try await store.withMemory { memory in
      try await memory.insert([.sample("e", status: .active), .sample("f"), .sample("g")])
    }
    let memory = try await store.open { $0.limits.minimumFreeBytes = 1 << 60 }
    for (name, verb) in Self.growing {
      let error = await failure { try await verb(memory) }
      #expect(error?.code == .unavailable, "\(name): \(error?.message ?? "no error")")
      let message = error?.message ?? ""
      for part in [store.path, "bytes left", "\(1 << 60)", "free some space"] {
        #expect(message.contains(part), "\(name): \(message)")
      }
    }
    #expect(try await memory.episode("e")?.steps.count == Episode.sample("e").steps.count)
    #expect(try await memory.episode("x") == nil)
    try await memory.complete("e")
    try await memory.archive("f")
    #expect(try await memory.delete("g"))
    for check in try await memory.check() { #expect(check.outcome == .passed, "\(check.name)") }
    try await memory.rebuild()
    try await memory.close()
  }

  @Test func `0 switches it off, and the default lets a disk with room be written`() async throws {
    for floor in [0, nil] as [Int?] {
      let store = try Store()
      let memory = try await store.open { $0.limits.minimumFreeBytes = floor }
      try await memory.insert([.sample("e")])
      try await memory.close()
    }
  }
}

/// Holds the DocC page Limits to the code.
@Suite struct `The page of limits` {
  static let page = "Sources/Episodic/Episodic.docc/Limits.md"

  /// The cells of the rows of its tables.
  static func rows() throws -> [[String]] {
    try Documentation.text(page).split(separator: "\n").filter { $0.hasPrefix("| `") }.map { line in
      line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
    }
  }

  private static func number(_ text: some StringProtocol) -> Int? { Int(String(text.filter { $0 != "," })) }

  @Test func `every limit is on it with its default and its range`() throws {
    var limits = Memory.Limits()
    limits.minimumFreeBytes = 64 << 20
    var listed: [String: [String]] = [:]
    for row in try Self.rows() where row.count == 4 && row[0].hasPrefix("`limits.") { listed[row[0]] = row }
    #expect(listed.count == limits.fields.count)
    for field in limits.fields {
      let row = try #require(listed["`limits.\(field.name)`"], "\(field.name) is not on \(Self.page)")
      #expect(Self.number(row[1]) == field.value, "\(row)")
      let bounds = row[2].components(separatedBy: " to ").map(Self.number)
      #expect(bounds == [field.range.lowerBound, field.range.upperBound], "\(row)")
    }
  }

  @Test func `every other number on it stands in the file that it names`() throws {
    let constants = try Self.rows().filter { !$0[0].hasPrefix("`limits.") }
    #expect(constants.count >= 20)
    for row in constants {
      try #require(row.count == 4, "\(row)")
      let name = row[0].replacing("`", with: "").split(separator: ".").last.map(String.init) ?? ""
      let value = row[1].replacing("`", with: "")
      let source = try Documentation.text("Sources/" + row[2].replacing("`", with: ""))
      let isThere = source.split(separator: "\n").contains { line in
        line.contains(name) && line.contains("= \(value)")
      }
      #expect(isThere, "\(row[2]) has no \(name) = \(value)")
    }
  }
}
