import Foundation
import TestSupport
import Testing

@testable import CachePolicy

@Suite struct `The shared file of the policy` {
  private static let key: UInt64 = 0x0123_4567_89AB_CDEF

  @Test func `keeps its state when it is opened again`() throws {
    let path = `The eviction policy`.temporaryPath()
    defer { unlink(path) }
    for _ in 0..<3 { EvictionPolicy(path: path, entries: 100).recordHit(Self.key) }
    let map = EvictionPolicy(path: path, entries: 100)
    #expect(map.isShared)
    #expect(map.frequency(of: Self.key) == 3)
    #expect(map.takeReference(Self.key))
    #expect(!map.takeReference(Self.key))
  }

  @Test func `of another size is replaced, and stays valid where it is mapped`() throws {
    let path = `The eviction policy`.temporaryPath()
    defer { unlink(path) }
    let old = EvictionPolicy(path: path, entries: 100)
    old.recordHit(Self.key)
    let new = EvictionPolicy(path: path, entries: 50_000)
    #expect(new.isShared)
    #expect(new.frequency(of: Self.key) == 0)
    #expect(old.frequency(of: Self.key) == 1)
  }

  @Test func `is private memory if no file can be made`() {
    let map = EvictionPolicy(path: "/dev/null/none", entries: 100)
    map.recordHit(Self.key)
    #expect(!map.isShared)
    #expect(map.isReferenced(Self.key))
  }

  @Test(arguments: [.min, -1, 0, 1, 32, 1_000_000, .max])
  func `stays within its bounds for any number of entries`(_ entries: Int) {
    let layout = PolicyLayout(entries: entries)
    #expect(layout.byteCount < 64 << 20)
    #expect(32...ShadowCache.maximumCapacity ~= layout.shadowCapacity)
  }

  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func `may hold any bytes`(_ seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let map = `The eviction policy`.map(entries: seed % 2 == 0 ? 60 : 3000)
    for offset in 16..<map.layout.byteCount {
      // All ones is a case of its own.
      let byte = seed > 6 ? 255 : UInt8.random(in: 0...255, using: &generator)
      map.file.base.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self)
    }
    var cache = ModelCache(capacity: 60)
    for key in `The eviction policy`.skewed(4000, seed: seed) { _ = cache.access(key, policy: map) }
    #expect(cache.cost == 60)
    #expect(0...1 ~= map.windowShare)
  }

  @Test func `counts hits while another thread fills`() async {
    let map = `The eviction policy`.map(entries: 100)
    let keys = `The eviction policy`.skewed(20_000, seed: 1)
    await withTaskGroup { group in
      for _ in 0..<3 { group.addTask { for key in keys { map.recordHit(key) } } }
      group.addTask { for key in keys { map.recordMiss(key) } }
    }
    #expect(keys.contains { map.frequency(of: $0) > 0 })
  }
}
