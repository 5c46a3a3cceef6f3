import Episodic
import Foundation
import Logging
import MemoryLMDB
import MemorySQLite
import TestSupport
import Testing

/// A store whose cache is closed, and mutations of its file.
private struct ClosedCache {
  static let episodes = 24

  let store: Store
  let primary: SQLitePrimaryStore
  /// The data file of the last close, and of an earlier one.
  let whole: [UInt8]
  let older: [UInt8]
  private var file: URL { URL(filePath: store.cachePath + "/data.mdb") }

  init() async throws {
    store = try Store()
    try await store.withMemory { memory in
      try await memory.insert(
        (0..<Self.episodes).map { number in
          .sample(
            Episode.ID("e\(number)"), domain: "d\(number % 3)", context: "task \(number) topic\(number % 5)",
            steps: (0..<number).map { "step \($0)" })
        })
    }
    primary = try await SQLitePrimaryStore(path: store.path + "/memory.sqlite", logger: Self.quiet)
    _ = try await Self.answers(store, primary)
    older = Array(try Data(contentsOf: URL(filePath: store.cachePath + "/data.mdb")))
    try await store.withMemory { memory in
      for number in 0..<5 { try await memory.update(Episode.ID("e\(number)"), with: .init(context: "new topic1")) }
    }
    _ = try await Self.answers(store, primary)
    whole = Array(try Data(contentsOf: URL(filePath: store.cachePath + "/data.mdb")))
  }

  /// Discards the log messages of thousands of damaged files.
  private static var quiet: Logger {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
  }

  /// Opens the cache, reads everything, and closes it.
  func answers() async throws -> [[String]] { try await Self.answers(store, primary) }

  private static func answers(_ store: Store, _ primary: SQLitePrimaryStore) async throws -> [[String]] {
    let cache = LMDBCache.open(at: store.cachePath, store: primary.identity, logger: quiet)
    let memory = Memory(primary: primary, cache: cache)
    var answers: [[String]] = []
    for number in 0...episodes {
      let episode = try await memory.episode(Episode.ID("e\(number)"))
      answers.append([episode?.context ?? "none", episode?.steps.map(\.action).joined() ?? ""])
    }
    for topic in 0..<2 {
      let hits = try await memory.recall(Query(text: "topic\(topic)", scope: .everything))
      answers.append(hits.map { "\($0.episode.id) \($0.score)" })
    }
    #expect(cache.isAvailable)
    cache.close()
    return answers
  }

  func damage(_ number: Int, using generator: inout SeededGenerator) throws -> String {
    var bytes = whole
    let pages = bytes.count / 4096
    let page = Int.random(in: 0..<pages, using: &generator) * 4096
    let other = Int.random(in: 0..<pages, using: &generator) * 4096
    let name: String
    switch number % 8 {
    case 0, 1:
      name = "flipped bits"
      for _ in 0..<Int.random(in: 1...8, using: &generator) {
        let bit = Int.random(in: 0..<bytes.count * 8, using: &generator)
        bytes[bit / 8] ^= 1 << (bit % 8)
      }
    case 2:
      name = "flipped bits in the heads of pages"
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let head = Int.random(in: 0..<pages, using: &generator) * 4096 + Int.random(in: 0..<64, using: &generator)
        bytes[head] ^= 1 << Int.random(in: 0..<8, using: &generator)
      }
    case 3:
      name = "cut short"
      bytes.removeLast(Int.random(in: 1...bytes.count, using: &generator))
    case 4:
      name = "zeroed page"
      bytes.replaceSubrange(page..<page + 4096, with: [UInt8](repeating: 0, count: 4096))
    case 5:
      name = "swapped pages"
      let first = Array(bytes[page..<page + 4096])
      bytes.replaceSubrange(page..<page + 4096, with: Array(bytes[other..<other + 4096]))
      bytes.replaceSubrange(other..<other + 4096, with: first)
    case 6:
      name = "older page"
      if page + 4096 <= older.count { bytes.replaceSubrange(page..<page + 4096, with: older[page..<page + 4096]) }
    default:
      name = "older copy"
      bytes = older
      if Bool.random(using: &generator) { bytes[Int.random(in: 0..<bytes.count, using: &generator)] ^= 64 }
    }
    try Data(bytes).write(to: file)
    return name
  }
}

@Suite struct `A closed cache that was damaged` {
  /// I1. 20,000 with EPISODIC_MUTATIONS=20000.
  @Test func `gives no wrong result and crashes no process, after any mutation of its file`() async throws {
    let count = ProcessInfo.processInfo.environment["EPISODIC_MUTATIONS"].flatMap(Int.init) ?? 400
    let cache = try await ClosedCache()
    let expected = try await cache.answers()
    var generator = SeededGenerator(seed: 11)
    for number in 0..<count {
      let name = try cache.damage(number, using: &generator)
      #expect(try await cache.answers() == expected, "number \(number): \(name)")
    }
    let memory = try await cache.store.open()
    #expect(memory.cacheStatistics().unavailable == nil)
    for check in try await memory.check() { #expect(check.outcome == .passed, "\(check.name)") }
    try await memory.close()
  }
}
