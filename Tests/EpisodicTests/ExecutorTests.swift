import FileLocks
import Episodic
import Foundation
import Logging
import MemoryLMDB
import MemorySQLite
import Synchronization
import TestSupport
import Testing
import Vectors

private final class Flag: Sendable {
  private let value = Atomic(false)
  var isRaised: Bool { value.load(ordering: .acquiring) }
  func raise() { value.store(true, ordering: .releasing) }
}

/// The executor of a caller's task.
private enum Caller: CaseIterable { case eventLoop, mainActor }

/// A cache with contending writers: calls that may not wait are refused, others wait at a gate.
private final class ContendedCache: Cache {
  let cache: any Cache
  let gate: Gate
  let operation: Operation

  enum Operation { case fill, apply }

  init(_ cache: any Cache, _ operation: Operation, at gate: Gate) {
    (self.cache, self.operation, self.gate) = (cache, operation, gate)
  }

  var isAvailable: Bool { cache.isAvailable }
  func watermark() -> Watermark? { cache.watermark() }
  func apply(_ batch: ChangeBatch, stamp: CommitStamp, waits: Bool) -> BatchOutcome {
    if operation == .apply {
      guard waits else { return .busy }
      gate.pass()
    }
    return cache.apply(batch, stamp: stamp, waits: waits)
  }
  func find(_ key: CacheKey, _ freshness: Freshness) -> CacheLookup<EncodedValue> { cache.find(key, freshness) }
  func fill(_ fills: [CacheFill], asOf: Watermark, waits: Bool) -> Bool {
    if operation == .fill {
      guard waits else { return false }
      gate.pass()
    }
    return cache.fill(fills, asOf: asOf, waits: waits)
  }
  func reject(_ key: CacheKey) { cache.reject(key) }
  func removeAll() -> Bool { cache.removeAll() }
  func maintain() -> Int? { cache.maintain() }
  func statistics() -> CacheStatistics { cache.statistics() }
  func check(against primary: any PrimaryStore) async -> [MemoryCheck] { await cache.check(against: primary) }
  func close() { cache.close() }
}

/// An index that waits at a gate before it catches up for a query.
private final class SlowIndex: SearchIndex {
  let index: any SearchIndex
  let gate: Gate

  init(_ index: any SearchIndex, at gate: Gate) { (self.index, self.gate) = (index, gate) }

  var isAvailable: Bool { index.isAvailable }
  func search<Value: Sendable>(
    _ request: RecallRequest, in source: any IndexSource, catchesUp: Bool,
    _ body: (any CandidateSource) throws(MemoryError) -> Value
  ) throws(MemoryError) -> IndexAnswer<Value> {
    if catchesUp { gate.pass() }
    return try index.search(request, in: source, catchesUp: catchesUp, body)
  }
  func advance(in source: any IndexSource) throws(MemoryError) -> IndexProgress { try index.advance(in: source) }
  func maintain(while isWanted: () -> Bool) -> Bool { index.maintain(while: isWanted) }
  func removeAll() -> Bool { index.removeAll() }
  func statistics() -> IndexStatistics { index.statistics() }
  func check(in source: any IndexSource) throws(MemoryError) -> [MemoryCheck]? { try index.check(in: source) }
  func close() { index.close() }
}

@Suite struct `The caller's executor` {
  private let logger = Logger(label: "test")

  private func primary(_ store: Store) async throws -> SQLitePrimaryStore {
    try await SQLitePrimaryStore(path: store.path + "/memory.sqlite", durability: .normal, logger: logger)
  }

  /// Runs `work` on the caller's executor, and another job there while it waits.
  ///
  /// - Parameter waits: Whether `work` waits.
  /// - Parameter isHeld: Whether the resource it waits for is still held.
  /// - Parameter release: Releases the resource.
  @discardableResult
  private func runsOtherJobs<Value: Sendable>(
    on caller: Caller, while work: @escaping @Sendable () async throws -> Value, waits: () -> Bool,
    isHeld: () -> Bool, release: () -> Void
  ) async throws -> Value {
    let loop = EventLoop()
    let isOverFlag = Flag()
    let working: Task<Value, any Error>
    switch caller {
    case .eventLoop:
      working = Task {
        defer { isOverFlag.raise() }
        return try await loop.run(work)
      }
    case .mainActor:
      working = Task { @MainActor in
        defer { isOverFlag.raise() }
        return try await work()
      }
    }
    try await waitUntil("the work waits") { waits() || isOverFlag.isRaised }
    switch caller {
    case .eventLoop: await loop.turn()
    case .mainActor: await MainActor.run {}
    }
    #expect(isHeld(), "the other job had to wait for the work")
    release()
    return try await working.value
  }

  /// The same, for `work` that waits at a gate.
  @discardableResult
  private func runsOtherJobs<Value: Sendable>(
    on caller: Caller, at gate: Gate, while work: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    try await runsOtherJobs(
      on: caller, while: work, waits: { gate.count > 0 }, isHeld: { gate.isClosed }, release: { gate.open() })
  }

  @Test(arguments: Caller.allCases) private func `runs other jobs while a fill waits for the cache's writer`(
    _ caller: Caller
  )
    async throws
  {
    let store = try Store()
    try await store.fill()
    let primary = try await primary(store)
    let gate = Gate()
    let cache = LMDBCache.open(at: store.cachePath, store: primary.identity, logger: logger)
    let memory = Memory(primary: primary, cache: ContendedCache(cache, .fill, at: gate))
    let episode = try await runsOtherJobs(on: caller, at: gate) {
      try await memory.episode("e1")
    }
    #expect(episode?.id == "e1")
    _ = try await memory.episode("e1")
    #expect(memory.cacheStatistics()[.episode].hits == 1)
  }

  @Test(arguments: Caller.allCases) private func `runs other jobs while a catch-up waits for the cache's writer`(
    _ caller: Caller
  ) async throws {
    let store = try Store()
    try await store.fill()
    let primary = try await primary(store)
    let gate = Gate()
    let cache = LMDBCache.open(at: store.cachePath, store: primary.identity, logger: logger)
    let memory = Memory(primary: primary, cache: ContendedCache(cache, .apply, at: gate))
    let hits = try await runsOtherJobs(on: caller, at: gate) {
      try await memory.recall(Query(text: "topic3", scope: .everything))
    }
    #expect(hits.count == 6)
  }

  @Test(arguments: Caller.allCases) private func `runs other jobs while a query follows 1,000 changes`(_ caller: Caller)
    async throws
  {
    let store = try Store()
    let primary = try await primary(store)
    let gate = Gate()
    let index = LMDBSearchIndex.open(at: store.cachePath + "/index", store: primary.identity, logger: logger)
    let memory = Memory(
      primary: primary, cache: NoCache(because: "the test has none"), index: SlowIndex(index, at: gate))
    try await memory.insert([.sample("first")])
    try await memory.optimize()
    // Stands for another process: this one's index does not follow it.
    let other = Memory(primary: primary, cache: NoCache(because: "the test has none"))
    try await other.insert((0..<500).map { .sample(Episode.ID("e\($0)"), context: "thing\($0)", steps: ["look"]) })
    let found = try await runsOtherJobs(on: caller, at: gate) {
      try await memory.search(Query(text: "thing499", scope: .everything))
    }
    #expect(found.map(\.id) == ["e499"])
  }

  @Test(arguments: Caller.allCases) private func `runs other jobs while open waits for a stopped process`(
    _ caller: Caller
  ) async throws {
    let store = try Store()
    try FileManager.default.createDirectory(atPath: store.path, withIntermediateDirectories: true)
    // A stopped process looks to others like one that holds the lock.
    let descriptor = open(store.path + "/memory.sqlite-lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    try #require(descriptor >= 0 && flock(descriptor, LOCK_EX | LOCK_NB) == 0)
    let held = Held { close(descriptor) }
    let hasBegun = Mutex(false)
    let path = store.path
    let memory = try await runsOtherJobs(on: caller) {
      hasBegun.withLock { $0 = true }
      return try await Memory.open(at: path)
    } waits: {
      hasBegun.withLock { $0 }
    } isHeld: {
      held.isHeld
    } release: {
      held.release()
    }
    try await memory.insert([.sample("e")])
    try await memory.close()
  }

  @Test(arguments: Caller.allCases) private func `runs other jobs while thousands of lines are imported and exported`(
    _ caller: Caller
  ) async throws {
    let store = try Store()
    let file = store.directory.file("episodes.jsonl")
    let count = 3000
    let lines = (0..<count).map {
      #"{"id":"e\#($0)","task_type":"testing","domain":"d","context":"line \#($0)","status":"completed","steps":[],"#
        + #""created_at":"2026-01-01T00:00:00Z","completed_at":"2026-01-01T00:00:01Z"}"#
    }
    try Data(lines.joined(separator: "\n").utf8).write(to: URL(filePath: file))
    let faulty = FaultyPrimary(try await primary(store))
    let memory = Memory(primary: faulty, cache: NoCache(because: "the test has none"))
    // The second transaction waits, so that the import has begun and not ended.
    let gate = Gate()
    let inserts = Mutex(0)
    faulty.set { name, moment async throws(MemoryError) in
      guard name.hasPrefix("write("), moment == .before,
        inserts.withLock({
          $0 += 1; return $0 == 2
        })
      else { return }
      await withCheckedContinuation { continuation in
        Thread.detachNewThread {
          gate.pass()
          continuation.resume()
        }
      }
    }
    let report = try await runsOtherJobs(on: caller, at: gate) {
      try await memory.importEpisodes(from: [.file(file)])
    }
    #expect(report.imported == count)
    #expect(try await memory.exportEpisodes(to: .file(store.directory.file("again.jsonl"))) == count)
  }
}
