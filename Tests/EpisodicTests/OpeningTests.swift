import Episodic
import Foundation
import Logging
import MemorySQLite
import TestSupport
import Testing

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

private func failure(_ body: () async throws -> Void) async -> MemoryError? {
  do { try await body() } catch { return error as? MemoryError }
  return nil
}

@Suite struct `Opening a store` {
  @Test func `creates a missing store only if requested`() async throws {
    let store = try Store()
    let error = await failure { _ = try await store.open { $0.create = false } }
    #expect(error?.code == .notAStore)
    #expect(!FileManager.default.fileExists(atPath: store.path))
    _ = try await store.open()
    #expect(FileManager.default.fileExists(atPath: store.path + "/memory.sqlite"))
  }

  @Test func `a store is named by a path, a URL or a FilePath, and each is the same store`() async throws {
    let store = try Store()
    let byPath = try await Memory.open(at: store.path)
    try await byPath.domain("web").begin(.testing, context: "one store", metadata: ["path": store.path], id: "e")
    let byURL = try await Memory.open(at: URL(filePath: store.path))
    let byFilePath = try await Memory.open(at: FilePath(store.path))
    for memory in [byURL, byFilePath] {
      #expect(try await memory.episode("e")?.metadata == ["path": .string(store.path)])
    }
    for memory in [byPath, byURL, byFilePath] { try await memory.close() }
    #expect(InputFile(FilePath("/a/b")) == .file("/a/b") && OutputFile(FilePath("/a/b")) == .file("/a/b"))
  }

  @Test func `a file that is not a database is named and not changed`() async throws {
    let store = try Store()
    try FileManager.default.createDirectory(atPath: store.path, withIntermediateDirectories: true)
    let text = Data(String(repeating: "this is a diary ", count: 500).utf8)
    try text.write(to: URL(filePath: store.path + "/memory.sqlite"))
    let error = await failure { _ = try await store.open() }
    #expect(error?.code == .notAStore)
    #expect(error?.message.contains(store.path) == true)
    #expect(try Data(contentsOf: URL(filePath: store.path + "/memory.sqlite")) == text)
  }

  @Test func `a primary truncated to 0 bytes is not an empty store`() async throws {
    let store = try Store()
    try await store.fill(1)
    for suffix in ["-wal", "-shm"] {
      try? FileManager.default.removeItem(atPath: store.path + "/memory.sqlite" + suffix)
    }
    try Data().write(to: URL(filePath: store.path + "/memory.sqlite"))
    let error = await failure { _ = try await store.open { $0.create = false } }
    #expect(error?.code == .notAStore && error?.message.contains("restore a backup") == true)
  }

  @Test func `a damaged primary is reported with the remedy, and reads and checks do not trap`() async throws {
    let store = try Store()
    try await store.fill(300)
    try FileManager.default.removeItem(atPath: store.path + "/cache.lmdb")
    let file = URL(filePath: store.path + "/memory.sqlite")
    var bytes = try Data(contentsOf: file)
    var generator = SeededGenerator(seed: 3)
    for page in 2..<bytes.count / 4096 where !page.isMultiple(of: 5) {
      for offset in 0..<64 { bytes[page * 4096 + offset] = UInt8.random(in: .min ... .max, using: &generator) }
    }
    try bytes.write(to: file)
    var errors: [MemoryError] = []
    if let error = await failure({
      let memory = try await store.open()
      let damaged = try await memory.check().filter {
        if case .damaged(let how) = $0.outcome { how.contains("restore") } else { false }
      }
      #expect(!damaged.isEmpty)
      for number in 0..<300 {
        if let error = await failure({ _ = try await memory.episode(Episode.ID("e\(number)")) }) {
          errors.append(error)
        }
      }
      if let error = await failure({ _ = try await memory.recall(Query(text: "topic3", scope: .everything)) }) {
        errors.append(error)
      }
    }) {
      errors.append(error)
    }
    #expect(errors.contains { $0.code == .corrupted && $0.message.contains("restore a backup") })
  }

  @Test(.enabled(if: !Host.isRoot, "root may do everything; the command line tests do this as another user"))
  func `the error for lack of permission says so`() async throws {
    let store = try Store()
    try await store.fill(1)
    try FileManager.default.setAttributes([.posixPermissions: 0o000], ofItemAtPath: store.path + "/memory.sqlite")
    #expect(await failure { _ = try await store.open() }?.code == .unavailable)
  }

  @Test(arguments: Memory.Durability.allCases) func `every durability opens and stores`(_ durability: Memory.Durability)
    async throws
  {
    let store = try Store()
    let memory = try await store.open { $0.durability = durability }
    try await memory.insert([.sample("e")])
    #expect(try await store.open().episode("e") == .sample("e"))
  }

  @Test func `without a cache every result is the same`() async throws {
    let store = try Store()
    try await store.fill()
    let cached = try await store.answers()
    let memory = try await store.open { $0.cache.isEnabled = false }
    #expect("\(String(describing: try await memory.episode("e0")))" == cached[0])
    #expect(try await memory.statistics().cache.unavailable == "it is switched off")
  }
}

@Suite struct `A full disk` {
  /// I2
  @Test func `keeps acknowledged writes, refuses the write without space, and writes again with space`()
    async throws
  {
    let store = try Store()
    let primary = try await SQLitePrimaryStore(
      path: store.path + "/memory.sqlite", maximumPageCount: 120, logger: Logger(label: "test"))
    let memory = Memory(primary: primary, cache: NoCache(because: "a test of the primary"))
    var kept: [Episode] = []
    let error = await failure {
      for number in 0..<1000 {
        let episode = Episode.sample(Episode.ID("e\(number)"), steps: [String(repeating: "word\(number) ", count: 200)])
        try await memory.insert([episode])
        kept.append(episode)
      }
    }
    #expect(error?.code == .unavailable && error?.message.contains("free some space") == true)
    #expect(kept.count > 5)
    for episode in kept { #expect(try await memory.episode(episode.id) == episode) }
    try await memory.close()
    let roomy = try await store.open()
    for check in try await roomy.check() { #expect(check.outcome == .passed, "\(check.name)") }
    try await roomy.insert([.sample("afterwards")])
    #expect(try await roomy.episodes(in: .everything, limit: 1000).elements.count == kept.count + 1)
  }
}
