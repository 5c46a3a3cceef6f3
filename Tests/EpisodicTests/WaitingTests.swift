import Episodic
import Foundation
import Logging
import MemoryLMDB
import MemorySQLite
import TestSupport
import Testing

/// The verbs that wait for another process that holds the index.
private enum Verb: CaseIterable {
  case rebuild, optimize, check

  func run(_ memory: Memory) async throws {
    switch self {
    case .rebuild: try await memory.rebuild()
    case .optimize: try await memory.optimize()
    case .check: _ = try await memory.check()
    }
  }
}

@Suite struct `Waiting for another process` {
  private let logger = Logger(label: "test")

  private func open(_ store: Store, busyTimeout: Duration) async throws -> (memory: Memory, faulty: FaultyPrimary) {
    let primary = try await SQLitePrimaryStore(
      path: store.path + "/memory.sqlite", durability: .normal, logger: logger)
    let faulty = FaultyPrimary(primary)
    let index = LMDBSearchIndex.open(at: store.cachePath + "/index", store: primary.identity, logger: logger)
    return (
      Memory(
        primary: faulty, cache: NoCache(because: "the test has none"), index: index, busyTimeout: busyTimeout), faulty
    )
  }

  /// A process stopped during a write looks to others like one that holds the lock.
  private func stoppedWriter(_ store: Store) throws -> Held {
    let descriptor = Foundation.open(store.cachePath + "/index/writer", O_RDWR | O_CLOEXEC)
    try #require(descriptor >= 0 && flock(descriptor, LOCK_EX | LOCK_NB) == 0)
    return Held { close(descriptor) }
  }

  @Test(arguments: Verb.allCases)
  private func `fails after busyTimeout, and works again when the other process is gone`(
    _ verb: Verb
  ) async throws {
    let store = try Store()
    try await store.fill()
    let (memory, _) = try await open(store, busyTimeout: .milliseconds(50))
    let held = try stoppedWriter(store)
    let error = await #expect(throws: MemoryError.self) { try await verb.run(memory) }
    #expect(error?.code == .busy && held.isHeld, "\(error?.message ?? "")")
    // Reads do not wait for the lock.
    #expect(try await memory.search(Query(text: "topic3", scope: .everything)).count == 6)
    #expect(held.isHeld)
    held.release()
    try await verb.run(memory)
    for check in try await memory.check() { #expect(check.outcome == .passed, "\(check.name)") }
  }

  @Test(arguments: Verb.allCases) private func `ends when its task is cancelled`(_ verb: Verb) async throws {
    let store = try Store()
    try await store.fill()
    let (memory, _) = try await open(store, busyTimeout: .seconds(3600))
    let held = try stoppedWriter(store)
    let working = Task { try await verb.run(memory) }
    working.cancel()
    let error = await #expect(throws: MemoryError.self) { try await working.value }
    #expect(error?.code == .cancelled && held.isHeld, "\(error?.message ?? "")")
    held.release()
    try await verb.run(memory)
    for check in try await memory.check() { #expect(check.outcome == .passed, "\(check.name)") }
  }

  @Test func `a search that waits for another search ends when its task is cancelled`() async throws {
    let store = try Store()
    try await store.fill()
    let primary = try await SQLitePrimaryStore(
      path: store.path + "/memory.sqlite", durability: .normal, logger: logger)
    let faulty = FaultyPrimary(primary)
    let cache = LMDBCache.open(at: store.cachePath, store: primary.identity, logger: logger)
    let memory = Memory(primary: faulty, cache: cache)
    _ = try await memory.episode("e1")
    let gate = Gate()
    faulty.set { name, moment async throws(MemoryError) in
      guard name.hasPrefix("read("), moment == .before else { return }
      await withCheckedContinuation { continuation in
        Thread.detachNewThread {
          gate.pass()
          continuation.resume()
        }
      }
    }
    let query = Query(text: "topic3", scope: .everything)
    let first = Task { try await memory.recall(query) }
    try await waitUntil("the first searches") { gate.count == 1 }
    let second = Task { try await memory.recall(query) }
    second.cancel()
    let error = await #expect(throws: MemoryError.self) { try await second.value }
    #expect(error?.code == .cancelled && gate.isClosed && gate.count == 1)
    gate.open()
    #expect(try await first.value.count == 6)
  }

  @Test func `a search cancelled before it begins reports that, and so does one in the primary`() async throws {
    let store = try Store()
    try await store.fill()
    let (memory, faulty) = try await open(store, busyTimeout: .seconds(30))
    for isInPrimary in [false, true] {
      let gate = Gate()
      faulty.set { name, moment async throws(MemoryError) in
        guard isInPrimary, name.hasPrefix("read("), moment == .before else { return }
        gate.open()
        while !Task.isCancelled { await Task.yield() }
      }
      let searching = Task {
        if !isInPrimary { withUnsafeCurrentTask { $0?.cancel() } }
        return try await memory.search(Query(text: "topic3", scope: .everything))
      }
      if isInPrimary { try await waitUntil("it is in the primary") { !gate.isClosed } }
      searching.cancel()
      let error = await #expect(throws: MemoryError.self) { try await searching.value }
      #expect(error?.code == .cancelled)
    }
    faulty.set(nil)
    #expect(try await memory.search(Query(text: "topic3", scope: .everything)).count == 6)
  }
}
