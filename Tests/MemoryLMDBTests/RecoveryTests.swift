import EpisodicMemory
import Foundation
import LMDB
import TestSupport
import Testing

@testable import MemoryLMDB

/// A lock on a file of a tier that another process keeps, stopped perhaps.
private final class KeptLock {
  private let descriptor: Int32

  init(_ path: String) throws {
    descriptor = open(path, O_RDWR | O_CLOEXEC)
    try #require(descriptor >= 0 && flock(descriptor, LOCK_EX | LOCK_NB) == 0)
  }

  deinit { close(descriptor) }
}

@Suite struct `A cache that could not be opened` {
  /// A store whose cache was made and closed.
  private func made() throws -> ScratchStore {
    let store = try ScratchStore()
    let cache = try store.begun()
    cache.fill(.sample("a"), asOf: 10)
    cache.close()
    return store
  }

  @Test(arguments: ["/epoch", ""])
  func `because another process is stopped while it opens it says so once, misses, and comes back`(
    _ name: String
  ) async throws {
    let store = try made()
    var lock: KeptLock? = name == "" ? nil : try KeptLock(store.directory + name)
    // The directory's own lock, which opening takes inside that of the epoch.
    let descriptor = name == "" ? open(store.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1
    if name == "" { try #require(flock(descriptor, LOCK_EX | LOCK_NB) == 0) }
    let cache = store.openRecovering()
    #expect(!cache.isAvailable)
    #expect(cache.value(.episode("a"), as: Episode.self) == nil)
    let refused = cache.statistics()
    #expect(refused.unavailable?.contains("look for one that is stopped") == true)
    #expect(refused.unavailableSince == store.clock.now())
    #expect(refused.nextAttempt.map { $0 > store.clock.now() } == true)
    #expect(store.log.all.count == 1)

    lock = nil
    if descriptor >= 0 { close(descriptor) }
    // Not before its time.
    #expect(!cache.isAvailable)
    store.clock.advance(by: .milliseconds(100))
    try await waitUntil("the cache is open again") { cache.isAvailable }
    #expect(cache.watermark() == mark(10))
    #expect(cache.value(.episode("a"), as: Episode.self) == .sample("a"))
    #expect(cache.statistics().unavailable == nil)
    #expect(store.log.all.count == 1)
    _ = lock
    cache.close()
    #expect(!cache.isAvailable)
  }

  @Test func `is tried again after pauses that double, up to a minute`() {
    let start = Timestamp(milliseconds: 1_000_000)
    var outage = Outage("first", at: start)
    var pauses: [Int64] = []
    for _ in 0..<14 {
      pauses.append(outage.nextAttempt.milliseconds - (outage.nextAttempt.milliseconds - outage.pause))
      #expect(!outage.isDue(at: Timestamp(milliseconds: outage.nextAttempt.milliseconds - 1)))
      #expect(outage.isDue(at: outage.nextAttempt))
      outage.failedAgain("again", at: outage.nextAttempt)
    }
    #expect(pauses == [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000, 60_000, 60_000])
    #expect(outage.since == start)
    #expect(outage.reason == "again")
    // A clock that is set back does not stop it for years.
    #expect(outage.isDue(at: Timestamp(milliseconds: 0)))
  }

  @Test func `for lack of descriptors comes back when there are some`() async throws {
    let store = try made()
    let (path, parent) = (store.directory, store.path)
    await #expect(processExitsWith: .success) { [path = path as String, parent = parent as String] in
      var limit = rlimit()
      getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
      let roomy = limit
      // Those that are open now may stay, and none more.
      let next = open(parent, O_RDONLY)
      close(next)
      limit.rlim_cur = rlim_t(next)
      setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
      let clock = ManualClock()
      let cache = LMDBCache.open(
        at: path, store: StoreIdentity(rawValue: "00112233445566778899aabbccddeeff"), clock: clock,
        logger: LogRecorder().logger)
      precondition(!cache.isAvailable)
      var again = roomy
      setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &again)
      clock.advance(by: .seconds(1))
      try await waitUntil("the cache is open again") { cache.isAvailable }
    }
  }

  @Test func `closed while it waits stays closed`() throws {
    let store = try made()
    let lock = try KeptLock(store.directory + "/epoch")
    let cache = store.openRecovering()
    cache.close()
    store.clock.advance(by: .seconds(1000))
    #expect(!cache.isAvailable)
    withExtendedLifetime(lock) {}
    #expect(!cache.isAvailable)
  }
}

#if os(Linux)
  @Suite struct `An index that gave way` {
    @Test func `is opened again without keeping files of the ones before`() async throws {
      let store = try ScratchStore()
      try FileManager.default.createDirectory(atPath: store.directory, withIntermediateDirectories: true)
      let path = store.directory + "/index"
      let index = LMDBSearchIndex.open(at: path, store: store.identity, clock: store.clock, logger: store.log.logger)
      func openFiles() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count {
          (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)"))?.hasPrefix(path) == true
        }
      }
      #expect(index.isAvailable)
      let first = try openFiles()
      #expect(first > 0)
      for _ in 0..<4 {
        index.giveWay()
        store.clock.advance(by: .seconds(61))
        try await waitUntil("the index is open again") { index.isAvailable }
      }
      #expect(try openFiles() == first)
      index.close()
    }
  }
#endif

@Suite struct `A cache whose files were taken away under it` {

  /// What is in the directory afterwards may be of an earlier life of the store: it has to be told of the primary first.
  @Test(arguments: ["data.mdb", "lock.mdb", "everything"])
  func `by removing them is created again, and is behind until it has caught up`(_ what: String) async throws {
    let store = try ScratchStore()
    let cache = store.openRecovering()
    #expect(cache.begin(at: 10))
    cache.fill(.episode("a"), with: Episode.sample("a"), asOf: mark(10))
    #expect(cache.value(.episode("a"), as: Episode.self) != nil)
    let path = what == "everything" ? store.directory : store.directory + "/" + what
    try FileManager.default.removeItem(atPath: path)
    // Looked at ten times a second.
    try await waitUntil("the cache notices") {
      _ = cache.value(.episode("a"), as: Episode.self)
      return !cache.isAvailable
    }
    #expect(cache.statistics().unavailable?.contains("was removed, replaced or cut short") == true)
    store.clock.advance(by: .seconds(1))
    try await waitUntil("the cache is open again") { cache.isAvailable }
    guard case .behind = cache.find(.episode("a"), .at(now)) else {
      Issue.record("it answered before it had caught up")
      return
    }
    #expect(cache.begin(at: 11))
    cache.fill(.episode("a"), with: Episode.sample("a"), asOf: mark(11))
    #expect(cache.value(.episode("a"), as: Episode.self) == .sample("a"))
    // One that it was closed for; the notice of its return is below the level.
    #expect(store.log.all.count == 1)
  }

  @Test(arguments: ["data.mdb", "lock.mdb", "policy"], [false, true])
  func `by cutting them short crashes no process that uses them afterwards`(
    _ name: String, _ writes: Bool
  ) async throws {
    let store = try ScratchStore()
    let path = store.directory
    await #expect(processExitsWith: .success) {
      [path = path as String, name = name as String, writes = writes as Bool] in
      let clock = ManualClock()
      let cache = LMDBCache.open(
        at: path, store: StoreIdentity(rawValue: "00112233445566778899aabbccddeeff"), clock: clock,
        logger: LogRecorder().logger)
      precondition(cache.begin(at: 10))
      cache.fill(.episode("a"), with: Episode.sample("a"), asOf: mark(10))
      // Longer than it trusts its last look.
      try await Task.sleep(for: .milliseconds(150))
      _ = cache.value(.episode("a"), as: Episode.self)
      precondition(truncate(path + "/" + name, 0) == 0)
      try await Task.sleep(for: .milliseconds(150))
      if writes {
        cache.fill(.episode("b"), with: Episode.sample("b"), asOf: mark(10))
      } else {
        _ = cache.value(.episode("a"), as: Episode.self)
      }
      precondition(!cache.isAvailable)
      clock.advance(by: .seconds(1))
      try await waitUntil("the cache is open again") { cache.isAvailable }
      precondition(cache.begin(at: 11))
      cache.close()
    }
  }

  @Test func `to make room on a full disk gives their bytes back and comes back after a minute`() async throws {
    let store = try ScratchStore()
    let cache = store.openRecovering()
    #expect(cache.begin(at: 10))
    cache.fill(.episode("a"), with: Episode.sample("a"), asOf: mark(10))
    #expect(cache.giveWay() > 0)
    for name in ["data.mdb", "lock.mdb", "policy"] {
      #expect(!FileManager.default.fileExists(atPath: store.directory + "/" + name))
    }
    #expect(!cache.isAvailable)
    #expect(cache.statistics().unavailable?.contains("full disk") == true)
    #expect(cache.giveWay() == 0)
    store.clock.advance(by: .seconds(59))
    #expect(!cache.isAvailable)
    store.clock.advance(by: .seconds(1))
    try await waitUntil("the cache is open again") { cache.isAvailable }
    #expect(cache.watermark() == nil)
  }
}
