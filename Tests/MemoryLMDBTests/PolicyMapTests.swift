import Foundation
import TestSupport
import Testing

@testable import MemoryLMDB

@Suite struct `The shared map of the policy` {
  private static let key: UInt64 = 0x0123_4567_89AB_CDEF

  @Test func `keeps what it learnt when it is opened again`() throws {
    let path = `The eviction policy`.temporaryPath()
    defer { unlink(path) }
    for _ in 0..<3 { PolicyMap.open(at: path, entries: 100).recordHit(Self.key) }
    let map = PolicyMap.open(at: path, entries: 100)
    #expect(map.isShared)
    #expect(map.frequency(of: Self.key) == 3)
    #expect(map.takeReference(Self.key))
    #expect(!map.takeReference(Self.key))
  }

  @Test func `of another size is replaced, and stays with those that have it mapped`() throws {
    let path = `The eviction policy`.temporaryPath()
    defer { unlink(path) }
    let old = PolicyMap.open(at: path, entries: 100)
    old.recordHit(Self.key)
    let new = PolicyMap.open(at: path, entries: 50_000)
    #expect(new.isShared)
    #expect(new.frequency(of: Self.key) == 0)
    #expect(old.frequency(of: Self.key) == 1)
  }

  @Test func `where no file can be had is memory of its own`() {
    let map = PolicyMap.open(at: "/dev/null/none", entries: 100)
    map.recordHit(Self.key)
    #expect(!map.isShared)
    #expect(map.isReferenced(Self.key))
  }

  @Test(arguments: [.min, -1, 0, 1, 32, 1_000_000, .max])
  func `is no larger than its bounds, whatever is expected`(_ entries: Int) {
    let layout = PolicyLayout(entries: entries)
    #expect(layout.byteCount < 64 << 20)
    #expect(32...ShadowCache.maximumCapacity ~= layout.shadowCapacity)
  }

  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func `may hold any bytes`(_ seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let map = `The eviction policy`.map(entries: seed % 2 == 0 ? 60 : 3000)
    for offset in 16..<map.layout.byteCount {
      // All ones are worth a look of their own.
      let byte = seed > 6 ? 255 : UInt8.random(in: 0...255, using: &generator)
      map.base.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self)
    }
    var cache = ModelCache(capacity: 60)
    for (turn, key) in `The eviction policy`.skewed(4000, seed: seed).enumerated() {
      _ = cache.access(key, policy: map)
      _ = map.capacityMiss(key, now: Int64(turn), deadline: .max, revision: 1) { _ in true }
    }
    #expect(cache.cost == 60)
    #expect(0...1 ~= map.windowShare)
  }

  @Test func `takes hits while another thread fills`() async {
    let map = `The eviction policy`.map(entries: 100)
    let keys = `The eviction policy`.skewed(20_000, seed: 1)
    await withTaskGroup { group in
      for _ in 0..<3 { group.addTask { for key in keys { map.recordHit(key) } } }
      group.addTask { for key in keys { map.recordMiss(key) } }
    }
    #expect(keys.contains { map.frequency(of: $0) > 0 })
  }
}

@Suite struct `The endless cache` {
  private let map = `The eviction policy`.map(entries: 100)

  @Test func `counts what only the capacity made miss`() {
    #expect(map.capacityMiss(7, now: 0, deadline: 10, revision: 1) { _ in true } == 0)
    #expect(map.capacityMiss(7, now: 5, deadline: 15, revision: 2) { $0 == 1 } == 1)
    // Changed since, then expired.
    #expect(map.capacityMiss(7, now: 6, deadline: 16, revision: 3) { $0 == 3 } == 0)
    #expect(map.capacityMiss(7, now: 16, deadline: 26, revision: 4) { _ in true } == 0)
  }

  @Test(arguments: [1000, 100_000]) func `estimates from a sample`(_ count: Int) {
    for number in 0..<UInt64(count) {
      let hash = `The eviction policy`.mixed(number)
      #expect(map.capacityMiss(hash, now: 0, deadline: 10, revision: 1) { _ in true } == 0)
    }
    let total = (0..<UInt64(count)).reduce(0) { sum, number in
      sum + map.capacityMiss(`The eviction policy`.mixed(number), now: 1, deadline: 10, revision: 1) { _ in true }
    }
    #expect(abs(total - count) <= count / 20)
  }
}
