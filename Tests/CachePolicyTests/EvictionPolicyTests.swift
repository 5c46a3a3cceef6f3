import Foundation
import TestSupport
import Testing

@testable import CachePolicy

@Suite struct `The eviction policy` {
  struct Row: Sendable, CustomTestStringConvertible {
    let trace: String
    let capacity: Int
    /// Hits in 100 requests, four points below the best of FIFO, LRU, ARC, S3-FIFO, SIEVE and W-TinyLFU.
    let floor: Double
    var testDescription: String { "\(trace) at \(capacity)" }
  }

  static let rows = [
    Row(trace: "mooncake_conversation_session", capacity: 74, floor: 0.5),
    Row(trace: "mooncake_conversation_session", capacity: 737, floor: 25.1),
    Row(trace: "mooncake_conversation_session", capacity: 2212, floor: 33.8),
    Row(trace: "mooncake_synthetic_session", capacity: 222, floor: 24),
    Row(trace: "tau_airline_toolquery", capacity: 32, floor: 17.5),
    Row(trace: "tau_airline_toolquery", capacity: 94, floor: 36.2),
  ]

  static let hasTraces = trace("tau_airline_toolquery") != nil

  @Test(.enabled(if: hasTraces, "needs ../shared/data beside the checkout"), arguments: rows)
  func `hits on each trace within four points of the best known policy`(_ row: Row) throws {
    let keys = try #require(Self.trace(row.trace))
    let rate = Self.hitRate(keys, capacity: row.capacity, policies: [Self.map(entries: row.capacity)])
    print("\(row): \((rate * 10).rounded() / 10) %")
    #expect(rate >= row.floor)
  }

  @Test(.enabled(if: hasTraces, "needs ../shared/data beside the checkout"))
  func `hits more than the reference on average`() throws {
    let rates = try Self.rows.map { row in
      Self.hitRate(
        try #require(Self.trace(row.trace)), capacity: row.capacity, policies: [Self.map(entries: row.capacity)])
    }
    #expect(rates.reduce(0, +) / Double(rates.count) > 25.33)
  }

  @Test func `loses no hits when four processes share it`() throws {
    let path = Self.temporaryPath()
    defer { unlink(path) }
    let keys = Self.skewed(20_000, seed: 3)
    let alone = Self.hitRate(keys, capacity: 100, policies: [Self.map(entries: 100)])
    // Four mappings of one file, used in turn, act on the policy as four processes do.
    let shared = (0..<4).map { _ in EvictionPolicy(path: path, entries: 100) }
    #expect(shared.allSatisfy { $0.isShared })
    #expect(abs(Self.hitRate(keys, capacity: 100, policies: shared) - alone) <= 0.5)
  }

  @Test func `keeps requested entries during a scan`() {
    let policy = Self.map(entries: 100)
    var cache = ModelCache(capacity: 100)
    var hits = 0
    for turn in 0..<20_000 as Range<UInt64> {
      if cache.access(Self.mixed(turn % 50), policy: policy) { hits += 1 }
      _ = cache.access(Self.mixed(1_000_000 + turn), policy: policy)
    }
    #expect(hits > 17_000)
  }

  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func `never goes over the capacity, whatever entries cost`(_ seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let policy = Self.map(entries: 64)
    var cache = ModelCache(capacity: 6400)
    for key in Self.skewed(5000, seed: seed) {
      _ = cache.access(key, cost: .random(in: 1...800, using: &generator), policy: policy)
      #expect(cache.cost <= 6400)
      #expect(cache.entries.count == cache.window.sequences.count + cache.main.sequences.count)
    }
  }

  // MARK: Samples

  static func hitRate(_ keys: [UInt64], capacity: Int, policies: [EvictionPolicy]) -> Double {
    var cache = ModelCache(capacity: capacity)
    var hits = 0
    for (turn, key) in keys.enumerated() where cache.access(key, policy: policies[turn % policies.count]) { hits += 1 }
    return 100 * Double(hits) / Double(keys.count)
  }

  static func map(entries: Int) -> EvictionPolicy { EvictionPolicy(path: "/dev/null/none", entries: entries) }

  static func temporaryPath() -> String { FileManager.default.temporaryDirectory.path + "/policy-\(UUID().uuidString)" }

  static func mixed(_ number: UInt64) -> UInt64 {
    var generator = SeededGenerator(seed: number)
    return generator.next()
  }

  /// FNV-1a, mixed.
  private static func hash(_ text: Substring) -> UInt64 {
    mixed(text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 })
  }

  static func skewed(_ count: Int, seed: UInt64) -> [UInt64] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { _ in
      let limit = UInt64.random(in: 1...1000, using: &generator)
      return mixed(.random(in: 0..<limit, using: &generator))
    }
  }

  private static func trace(_ name: String, from file: String = #filePath) -> [UInt64]? {
    let root = URL(filePath: file).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let path = root.deletingLastPathComponent().appending(path: "shared/data/traces/\(name).txt")
    guard let data = FileManager.default.contents(atPath: path.path(percentEncoded: false)) else { return nil }
    return String(decoding: data, as: UTF8.self).split(separator: "\n").map(hash)
  }
}
