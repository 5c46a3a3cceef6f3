import EpisodicMemory
import Foundation
import LMDB
import TestSupport
import Testing

@testable import MemoryLMDB

@Suite struct `Opening a cache` {
  /// A store whose cache was filled and closed.
  private func filled() throws -> ScratchStore {
    let store = try ScratchStore()
    let cache = try store.begun()
    cache.fill(.sample("a"), asOf: 10)
    cache.close()
    return store
  }

  @Test func `finds what was filled before`() throws {
    let store = try filled()
    let cache = try store.open()
    #expect(cache.watermark() == mark(10))
    #expect(cache.episode("a") == .sample("a"))
    try #expect(cache.problems() == [])
  }

  @Test func `for another store starts empty`() throws {
    var store = try filled()
    store.identity = StoreIdentity(rawValue: "ffffffffffffffffffffffffffffffff")
    let cache = try store.open()
    #expect(cache.watermark() == nil)
    #expect(cache.episode("a") == nil)
    try #expect(cache.problems() == [])
  }

  @Test func `after a restart of the machine starts empty`() throws {
    var store = try filled()
    store.sizes.boot = BootID(id: "another boot")
    var cache: LMDBCache? = try store.open()
    #expect(cache?.watermark() == nil)
    #expect(cache?.begin(at: 20) == true)
    cache = nil
    cache = try store.open()
    #expect(cache?.watermark() == mark(20))
  }

  @Test func `where the system does not name its boot always starts empty`() throws {
    var store = try ScratchStore()
    store.sizes.boot = BootID(id: nil)
    try store.begun().close()
    try #expect(store.open().watermark() == nil)
  }

  @Test func `of a copied directory starts empty`() throws {
    let store = try filled()
    let copy = store.path + "/copy"
    try FileManager.default.copyItem(atPath: store.directory, toPath: copy)
    let cache = try store.open(at: copy)
    #expect(cache.watermark() == nil)
  }

  @Test(arguments: ["", "e0a52e8f", "\n", "e0a52e8f-b365-41d2-8a82-2afdc197399a 1:1\nmore"])
  func `with any other line in the epoch file starts empty`(_ line: String) throws {
    let store = try filled()
    try line.write(toFile: store.directory + "/epoch", atomically: false, encoding: .utf8)
    try #expect(store.open().watermark() == nil)
  }

  @Test func `of an unknown format starts empty`() throws {
    let store = try filled()
    let cache = try store.open()
    try cache.tier.environment.write { transaction throws(LMDBError) in
      let foreign = MetaTable.Identity(format: CacheTables.layout.format + 1, generation: 1, store: store.identity)
      try foreign.put(in: cache.tables.meta.database, &transaction)
    }
    cache.close()
    let opened = try store.open()
    #expect(opened.watermark() == nil)
    #expect(opened.tier.generation != cache.tier.generation)
  }

  @Test func `of files of another store that were put in its place starts empty`() throws {
    let store = try filled()
    var other = try ScratchStore()
    other.identity = StoreIdentity(rawValue: "ffffffffffffffffffffffffffffffff")
    let theirs = try other.begun()
    theirs.fill(.sample("a", context: "theirs"), asOf: 10)
    theirs.close()
    try FileManager.default.removeItem(atPath: store.dataFile)
    try FileManager.default.copyItem(atPath: other.dataFile, toPath: store.dataFile)
    let cache = try store.open()
    #expect(cache.watermark() == nil)
    #expect(cache.episode("a") == nil)
  }

  @Test func `of a database with other keys starts empty`() throws {
    let store = try filled()
    try FileManager.default.removeItem(atPath: store.dataFile)
    let foreign = try Environment.open(at: store.directory, options: .init(mapSize: 1 << 20))
    _ = try foreign.database(named: "tags", keys: .bytes)
    foreign.close()
    try #expect(store.open().watermark() == nil)
  }

  @Test func `twice in a process shares the files`() throws {
    let store = try ScratchStore()
    let one = try store.begun()
    let two = try store.open()
    #expect(one.tier === two.tier)
    one.fill(.sample("a"), asOf: 10)
    #expect(two.episode("a") != nil)
    one.close()
    #expect(one.episode("a") == nil)
    #expect(two.episode("a") != nil)
    two.close()
    #expect(two.episode("a") == nil)
    try #expect(store.open().episode("a") != nil)
  }

  @Test func `under two names shares the files`() throws {
    let store = try ScratchStore()
    let one = try store.begun()
    let link = store.path + "/link"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: store.path)
    try #expect(store.open(at: link + "/cache.lmdb").tier === one.tier)
  }

  @Test func `for two stores at once leaves the second without a cache`() throws {
    var store = try ScratchStore()
    let one = try store.begun()
    store.identity = StoreIdentity(rawValue: "ffffffffffffffffffffffffffffffff")
    let two = store.openRecovering()
    #expect(!two.isAvailable)
    #expect(two.statistics().unavailable?.contains(store.directory) == true)
    #expect(one.watermark() == mark(10))
  }

  // MARK: What stands in the way

  @Test func `at a plain file leaves the store without a cache, and says so once`() throws {
    let store = try ScratchStore()
    try "in the way".write(toFile: store.directory, atomically: false, encoding: .utf8)
    let cache = store.openRecovering()
    #expect(!cache.isAvailable)
    #expect(cache.statistics().unavailable?.contains("\(store.directory) is not a directory; remove it") == true)
    #expect(store.log.all.count == 1)
    try #expect(String(contentsOfFile: store.directory, encoding: .utf8) == "in the way")
  }

  @Test(arguments: ["", "a\0b", "/proc/no/such/cache.lmdb", "/proc/cache.lmdb"])
  func `where nothing can be made leaves the store without a cache`(_ directory: String) {
    let log = LogRecorder()
    let cache = LMDBCache.open(
      at: directory, store: StoreIdentity(rawValue: "s"), clock: ManualClock(), logger: log.logger)
    #expect(!cache.isAvailable)
    #expect(log.all.count == 1)
  }

  @Test(.enabled(if: getuid() != 0, "root may write everywhere"))
  func `without permission to write leaves the store without a cache`() throws {
    let store = try ScratchStore()
    try FileManager.default.setAttributes([.posixPermissions: 0o500], ofItemAtPath: store.path)
    defer { try? FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: store.path) }
    let cache = store.openRecovering()
    #expect(cache.statistics().unavailable?.contains("make it writable for this user") == true)
  }

  @Test func `where the epoch or the data file is a directory leaves the store without a cache`() throws {
    for name in ["epoch", "data.mdb"] {
      let store = try ScratchStore()
      try FileManager.default.createDirectory(
        atPath: store.directory + "/" + name, withIntermediateDirectories: true)
      #expect(!store.openRecovering().isAvailable)
      #expect(store.log.all.count == 1)
    }
  }

  // MARK: Closing

  @Test func `and closing it makes every call a miss`() throws {
    let store = try ScratchStore()
    let cache = try store.begun()
    cache.fill(.sample("a"), asOf: 10)
    cache.close()
    cache.close()
    #expect(!cache.isAvailable)
    #expect(cache.episode("a") == nil)
    #expect(cache.watermark() == nil)
    cache.fill(.sample("b"), asOf: 10)
    cache.removeAll()
    #expect(
      cache.apply(ChangeBatch(asked: nil, continues: false, changes: [], end: mark(1), isComplete: true)).isUnavailable)
    #expect(cache.statistics().unavailable != nil)
    #expect(store.log.all == [])
    try #expect(store.open().episode("a") != nil)
  }

  @Test func `and dropping it closes it`() throws {
    let store = try ScratchStore()
    var cache: LMDBCache? = try store.begun()
    weak let tier = cache?.tier
    #expect(tier != nil)
    cache = nil
    #expect(tier == nil)
  }

  @Test func `and closing it while others read is safe`() async throws {
    let store = try ScratchStore()
    for _ in 0..<20 {
      let cache = try store.open()
      if cache.watermark() == nil { #expect(cache.begin(at: 10)) }
      cache.fill(.sample("a", steps: 20), asOf: 10)
      await withTaskGroup { group in
        for _ in 0..<4 {
          group.addTask {
            while cache.isAvailable {
              _ = cache.episode("a")
              await Task.yield()
            }
          }
        }
        group.addTask { cache.close() }
      }
    }
    #expect(store.log.all == [])
  }
}
