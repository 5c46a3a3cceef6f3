import Episodic
import Foundation
import TestSupport
import Testing

private func failure(_ body: () async throws -> Void) async -> MemoryError? {
  do { try await body() } catch { return error as? MemoryError }
  return nil
}

@Suite struct `The directory of a store` {
  @Test func `is one store through a link, with dots and as a path`() async throws {
    let store = try Store()
    try await store.withMemory { memory in try await memory.insert([.sample("e")]) }
    let link = store.directory.file("link")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: store.path)
    for name in [store.path, link, store.directory.path + "/./store/../link/"] {
      let memory = try await Memory.open(at: name)
      #expect(try await memory.episode("e") == .sample("e"))
      // One LMDB environment per cache: two would break each other's locks.
      #expect(try await memory.statistics().cache.unavailable == nil)
      try await memory.close()
    }
  }

  @Test func `may have a name that looks like a URI`() async throws {
    let directory = try TemporaryDirectory()
    for name in ["file:x", "file:x?mode=memory", "a%20b", "ü#?"] {
      let memory = try await Memory.open(at: directory.file(name))
      try await memory.insert([.sample("e")])
      try await memory.close()
      #expect(FileManager.default.fileExists(atPath: directory.file(name) + "/memory.sqlite"), "\(name)")
    }
  }

  @Test(arguments: ["", "~nobody", "~nobody/store", "a\0b"])
  func `is refused if its name is empty or cannot be resolved`(
    _ name: String
  ) async throws {
    #expect(await failure { _ = try await Memory.open(at: name) }?.code == .invalid)
  }

  @Test func `expands a tilde to the home directory`() async throws {
    let directory = try TemporaryDirectory()
    var environment = ProcessInfo.processInfo.environment
    environment["HOME"] = directory.path
    let program = Child.products.appending(path: "StoreWorker").path(percentEncoded: false)
    let child = try Child(
      running: program, ["index", "~/in home", "d", "1"], environment: environment, in: directory)
    let status = child.wait()
    let errors = try child.standardError
    #expect(status == 0, "\(errors)")
    #expect(FileManager.default.fileExists(atPath: directory.file("in home/memory.sqlite")))
  }

  @Test func `is not created through a dangling link`() async throws {
    let directory = try TemporaryDirectory()
    try FileManager.default.createSymbolicLink(
      atPath: directory.file("link"), withDestinationPath: directory.file("target"))
    #expect(await failure { _ = try await Memory.open(at: directory.file("link")) }?.code == .unavailable)
    #expect(!FileManager.default.fileExists(atPath: directory.file("target")))
  }
}

@Suite struct `The files of a store` {
  @Test(arguments: ["000", "022", "077", "777"]) func `are accessible to their owner only, with any umask`(
    _ umask: String
  ) async throws {
    let directory = try TemporaryDirectory()
    let store = directory.file("above/store")
    let worker = Child.products.appending(path: "StoreWorker").path(percentEncoded: false)
    let child = try Child(
      running: "/bin/sh", ["-c", "umask \(umask); exec '\(worker)' record '\(store)' k"], in: directory)
    try await child.waitForLines(4)
    // Including the log, while the store is open.
    func mode(_ name: String) throws -> Int? {
      try FileManager.default.attributesOfItem(atPath: name)[.posixPermissions] as? Int
    }
    for name in [directory.file("above"), store] { #expect(try mode(name) == 0o700, "\(name)") }
    for name in ["memory.sqlite", "memory.sqlite-wal", "memory.sqlite-shm", "memory.sqlite-lock"] {
      #expect(try mode(store + "/" + name) == 0o600, "\(name)")
    }
    child.kill()
  }

  @Test func `of concurrent processes: the last to close leaves only memory.sqlite and its lock file`() async throws {
    let store = try Store()
    for round in 0..<3 {
      let children = try (0..<4).map {
        try Child("StoreWorker", ["index", store.path, "r\(round)c\($0)", "3"], in: store.directory)
      }
      for child in children {
        let status = child.wait()
        let errors = try child.standardError
        #expect(status == 0, "\(errors)")
      }
      let names = try FileManager.default.contentsOfDirectory(atPath: store.path).filter { $0.hasPrefix("memory") }
      #expect(Set(names) == ["memory.sqlite", "memory.sqlite-lock"])
    }
    let kept = try await store.withMemory { memory in
      try await memory.episodes(in: .everything, limit: 100).elements.count
    }
    #expect(kept == 36)
  }

  @Test func `after a kill at any moment of the first opening can be opened or created`() async throws {
    let directory = try TemporaryDirectory()
    var generator = SeededGenerator(seed: 11)
    for round in 0..<40 {
      let store = directory.file("store\(round)")
      let child = try Child("StoreWorker", ["record", store, "k"], in: directory)
      usleep(UInt32.random(in: 0...40_000, using: &generator))
      child.kill()
      let acknowledged = try child.lines
      let memory = try await Memory.open(at: store)
      for line in acknowledged where line.hasPrefix("episode") {
        #expect(try await memory.episode(Episode.ID(String(line.split(separator: " ")[1]))) != nil, "\(line)")
      }
      try await memory.insert([.sample("afterwards")])
      try await memory.close()
      let names = try FileManager.default.contentsOfDirectory(atPath: store).filter { $0.hasPrefix("memory") }
      #expect(Set(names) == ["memory.sqlite", "memory.sqlite-lock"])
    }
  }
}

@Suite struct `A store that is locked` {
  /// Stands for another process that holds the lock of a commit, until `release`.
  private func lock(_ store: Store) throws -> Held {
    let descriptor = open(store.path + "/memory.sqlite-lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    try #require(flock(descriptor, LOCK_EX) == 0)
    return Held { close(descriptor) }
  }

  @Test func `can be read, and a write fails as busy after the timeout and as cancelled when its task is`() async throws
  {
    let store = try Store()
    try await store.fill(3)
    let held = try lock(store)
    let impatient = try await store.open { $0.busyTimeout = .milliseconds(50) }
    #expect(try await impatient.episode("e1") != nil)
    #expect(try await impatient.recall(Query(text: "topic1", scope: .everything)).isEmpty == false)
    #expect(await failure { try await impatient.insert([.sample("x")]) }?.code == .busy)
    let patient = try await store.open { $0.busyTimeout = .seconds(3600) }
    let writing = Task { try await patient.insert([.sample("y")]) }
    writing.cancel()
    #expect(await failure { _ = try await writing.value }?.code == .cancelled)
    try await patient.close()
    try await impatient.close()
    #expect(held.isHeld)
    held.release()
    let kept = try await store.withMemory { memory in
      try await memory.episodes(in: .everything, limit: 10).elements.count
    }
    #expect(kept == 3)
  }

  @Test func `answers read-only without cache and index, with the reason why it is not written`() async throws {
    let store = try Store()
    try await store.fill(3)
    let before = try FileManager.default.subpathsOfDirectory(atPath: store.path).sorted()
    let held = try lock(store)
    let memory = try await store.open { $0.access = .readOnly }
    #expect(try await memory.episode("e1")?.steps.count == 2)
    #expect(try await memory.recall(Query(text: "topic1", scope: .everything)).isEmpty == false)
    let statistics = try await memory.statistics()
    #expect(statistics.cache.unavailable?.contains("reading only") == true)
    let error = await failure { try await memory.insert([.sample("x")]) }
    #expect(error?.code == .readOnly && error?.message.contains("reading only") == true)
    try await memory.close()
    held.release()
    #expect(try FileManager.default.subpathsOfDirectory(atPath: store.path).sorted() == before)
  }

  @Test func `a replaced primary is detected by processes that have it open, also on a cache hit`() async throws {
    let store = try Store()
    try await store.fill(3)
    let memory = try await store.open()
    for _ in 0..<3 { #expect(try await memory.episode("e1") != nil) }
    let path = store.path + "/memory.sqlite"
    let shell = try Child(
      running: "/bin/sh", ["-c", "cp '\(path)' '\(path).b' && mv '\(path).b' '\(path)'"], in: store.directory)
    try #require(shell.wait() == 0)
    try await waitUntilAsync("reads of the replaced store fail") {
      await failure { _ = try await memory.episode("e1") }?.code == .unavailable
    }
    #expect(await failure { try await memory.insert([.sample("x")]) }?.code == .unavailable)
    try await memory.close()
    let again = try await store.withMemory { memory in try await memory.episode("e1") }
    #expect(again != nil)
  }
}

private func waitUntilAsync(_ what: String, _ condition: () async throws -> Bool) async throws {
  let deadline = ContinuousClock.now + .seconds(600)
  while try await !condition() {
    try #require(ContinuousClock.now < deadline, "\(what)")
    try await Task.sleep(for: .milliseconds(2))
  }
}
