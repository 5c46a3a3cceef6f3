import EpisodicMemory
import TestSupport
import Testing

@testable import MemoryLMDB

/// The cache against a dictionary that knows the whole history, over random operations.
@Suite struct `Over any history` {
  @Test(arguments: 1...6 as ClosedRange<UInt64>)
  func `a cache that evicts nothing answers as its rules say`(_ seed: UInt64) throws {
    let store = try ScratchStore()
    try run(store, seed: seed, operations: 3000, isExact: true)
  }

  @Test(arguments: 1...6 as ClosedRange<UInt64>)
  func `a small cache with few tags answers with the truth or not at all`(_ seed: UInt64) throws {
    var store = try ScratchStore()
    store.options.capacity = 1 << 20
    store.options.jitter = 0.1
    store.sizes.maximumTags = 60
    try run(store, seed: seed, operations: 3000, isExact: false)
  }

  /// - Parameter isExact: Whether hits and misses are predicted too, and not only that no hit is wrong.
  private func run(
    _ store: borrowing ScratchStore, seed: UInt64, operations: Int, isExact: Bool
  ) throws {
    var generator = SeededGenerator(seed: seed)
    var history = History(now: store.clock.now().milliseconds)
    var cache = try store.open()
    var readers: [History.Reading] = []
    var hits = 0
    for turn in 0..<operations {
      switch Int.random(in: 0..<100, using: &generator) {
      case 0..<8:
        history.commit(using: &generator)
      case 8..<33:
        let batch = history.batch(after: cache.watermark(), limit: .random(in: 1...30, using: &generator))
        #expect(cache.apply(batch).isApplied)
        history.caughtUp(with: batch)
      case 33..<38:
        // Somebody who asked long ago.
        let batch = history.batch(after: mark(.random(in: 0...history.revision, using: &generator)), limit: 6)
        if cache.watermark() != batch.asked { #expect(cache.apply(batch).isOvertaken) }
      case 38..<68:
        readers.append(history.read(using: &generator))
        if readers.count > 8 || Bool.random(using: &generator) {
          let reading = readers.remove(at: .random(in: 0..<readers.count, using: &generator))
          cache.fill(reading.key, with: Text(reading.value), tags: reading.tags, asOf: mark(reading.revision))
          history.filled(reading, options: store.options)
        }
      case 68..<96:
        let key = history.randomKey(using: &generator)
        let found = cache.value(key, as: Text.self)?.value
        if isExact {
          #expect(found == history.expected(key), "\(key), turn \(turn)")
        } else if let found {
          // Nothing older than the watermark, and nothing that never was.
          #expect(history.mayAnswer(key, with: found), "\(key), turn \(turn)")
        }
        if found != nil { hits += 1 }
      case 96..<98:
        let step = Duration.seconds(.random(in: 0...200, using: &generator))
        store.clock.advance(by: step)
        history.now = store.clock.now().milliseconds
      case 98:
        if Int.random(in: 0..<6, using: &generator) == 0 {
          cache.removeAll()
          history.entries = [:]
        }
      default:
        cache.close()
        cache = try store.open()
      }
      if turn % 20 == 0 { try #expect(cache.problems() == []) }
    }
    #expect(hits > 100)
    #expect(cache.statistics().failures == 0)
    #expect(store.log.all == [])
  }
}
