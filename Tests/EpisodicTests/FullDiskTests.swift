import Episodic
import FileLocks
import Foundation
import TestSupport
import Testing

/// A small file system, unmounted with the value.
private final class SmallDisk {
  let path: String
  private let directory: TemporaryDirectory

  init(megabytes: Int) throws {
    directory = try TemporaryDirectory()
    path = directory.file("disk")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    try #require(run("mount -t tmpfs -o size=\(megabytes)m tmpfs '\(path)'") == 0)
  }

  var space: FileSystemSpace { get throws { try FileSystemSpace(of: path) } }

  /// Lets the file of another program take all but so many bytes.
  func fill(leaving bytes: Int64) throws {
    let ballast = path + "/ballast"
    try? FileManager.default.removeItem(atPath: ballast)
    try Data().write(to: URL(filePath: ballast))
    let file = try FileHandle(forWritingTo: URL(filePath: ballast))
    var left = try max(0, space.free - bytes)
    while left > 0 {
      try file.write(contentsOf: Data(repeating: 1, count: Int(min(left, 1 << 20))))
      left -= 1 << 20
    }
    try file.close()
  }

  deinit { _ = try? run("umount -l '\(path)'") }

  private func run(_ command: String) throws -> Int32 {
    try Child(running: "/bin/sh", ["-c", command], in: directory).wait()
  }
}

@Suite(.enabled(if: Host.canMount, "only root can mount a small disk")) struct `On a full disk` {
  /// I1: derived files are deleted to make room for the primary.
  @Test func `cache and index are deleted to make room for a write of the primary`() async throws {
    let disk = try SmallDisk(megabytes: 16)
    var options = Memory.OpenOptions()
    options.durability = .normal
    let memory = try await Memory.open(at: disk.path + "/store", options: options)
    let text = String(repeating: "words of a context ", count: 20)
    try await memory.insert((0..<200).map { .sample(Episode.ID("e\($0)"), context: "\($0) \(text)") })
    for number in 0..<200 { _ = try await memory.episode(Episode.ID("e\(number)")) }
    #expect(try await memory.statistics().cache.unavailable == nil)
    // A file of another program takes the rest.
    let ballast = disk.path + "/ballast"
    try Data().write(to: URL(filePath: ballast))
    let file = try FileHandle(forWritingTo: URL(filePath: ballast))
    let piece = Data(repeating: 1, count: 4096)
    while (try? file.write(contentsOf: piece)) != nil {}
    try file.close()

    for number in 0..<20 {
      try await memory.insert([.sample(Episode.ID("late\(number)"), context: "\(number) \(text)")])
      #expect(try await memory.episode(Episode.ID("late\(number)")) != nil)
    }
    let statistics = try await memory.statistics()
    #expect(statistics.cache.unavailable?.contains("full disk") == true)
    #expect(statistics.cache.unavailableSince != nil)
    #expect(try await memory.recall(Query(text: "context", scope: .everything, limit: 5)).count == 5)
    try await memory.close()
  }

  private static func store(on disk: SmallDisk) async throws -> String {
    let path = disk.path + "/store"
    let memory = try await Memory.open(at: path)
    let text = String(repeating: "words of a context ", count: 20)
    try await memory.insert((0..<200).map { .sample(Episode.ID("e\($0)"), context: "\($0) \(text)") })
    for number in 0..<200 { _ = try await memory.episode(Episode.ID("e\(number)")) }
    try await memory.optimize()
    try await memory.close()
    return path
  }

  private static func withoutDerivedFiles() -> Memory.OpenOptions {
    var options = Memory.OpenOptions()
    options.cache.isEnabled = false
    options.index.isEnabled = false
    return options
  }

  @Test func `below the floor cache and index give way also to a process that does not use them`() async throws {
    let disk = try SmallDisk(megabytes: 64)
    let path = try await Self.store(on: disk)
    // A twentieth of the disk is the floor; the files of cache and index are more than a mebibyte.
    try disk.fill(leaving: try disk.space.size / 20 - 1 << 20)
    let memory = try await Memory.open(at: path, options: Self.withoutDerivedFiles())
    try await memory.insert([.sample("late")])
    #expect(!FileManager.default.fileExists(atPath: path + "/cache.lmdb/policy"))
    #expect(!FileManager.default.fileExists(atPath: path + "/cache.lmdb/index/data.mdb"))
    try await memory.close()
    let again = try await Memory.open(at: path)
    #expect(try await again.episode("late") != nil)
    try await again.close()
  }

  @Test func `below the floor what makes the store no larger goes on, and on a full disk maintenance says what failed`()
    async throws
  {
    let disk = try SmallDisk(megabytes: 64)
    let path = try await Self.store(on: disk)
    let before = try await Memory.open(at: path, options: Self.withoutDerivedFiles())
    let active = try await before.begin(.init(.debugging, domain: "d", context: "words"))
    try await before.close()
    try FileManager.default.removeItem(atPath: path + "/cache.lmdb")
    try disk.fill(leaving: 3 << 20)
    // It looks at the disk with its first write, and then once a second.
    let memory = try await Memory.open(at: path, options: Self.withoutDerivedFiles())
    let refusal = await #expect(throws: MemoryError.self) { try await memory.insert([.sample("late")]) }
    #expect(refusal?.code == .unavailable && refusal?.message.contains("less than the floor") == true)
    try await memory.complete(active.id)
    #expect(try await memory.delete("e1"))
    let receipt = try await memory.forget(.episodes(["e2"]), in: .everything)
    #expect(receipt.pending == nil, "\(receipt)")
    try await memory.setRetention(RetentionPolicy(maximumEpisodes: 100))
    let report = try await memory.maintain()
    #expect(report.tasks.allSatisfy { $0.outcome == .done }, "\(report)")
    let counts = try await memory.statistics().primary.episodes
    #expect(counts.values.reduce(0, +) == 101, "\(counts)")
    // Not one byte: the lock is what makes it the one that maintains.
    try FileManager.default.removeItem(atPath: path + "/memory.sqlite-maintenance")
    try disk.fill(leaving: 0)
    let full = try await memory.maintain(.init(isFull: true))
    #expect(!full.isHeld && full.tasks.count == MaintenanceTask.allCases.count)
    #expect(full.tasks.contains { $0.outcome == .failed }, "\(full)")
    for check in try await memory.check() { #expect(check.outcome == .passed, "\(check.name): \(check.outcome)") }
    try await memory.close()
  }

  @Test func `below the floor retention deletes what is due, also beside episodes that were abandoned`() async throws {
    let disk = try SmallDisk(megabytes: 64)
    let path = try await Self.store(on: disk)
    let clock = ManualClock()
    var options = Self.withoutDerivedFiles()
    options.clock = clock
    let before = try await Memory.open(at: path, options: options)
    let active = try await before.begin(.init(.debugging, domain: "d", context: "words"))
    try await before.setRetention(RetentionPolicy(abandonAfter: .seconds(3600), maximumEpisodes: 100))
    try await before.close()
    try FileManager.default.removeItem(atPath: path + "/cache.lmdb")
    try disk.fill(leaving: 3 << 20)
    clock.advance(by: .seconds(7200))
    let memory = try await Memory.open(at: path, options: options)
    await #expect(throws: MemoryError.self) { try await memory.insert([.sample("late")]) }
    let report = try await memory.applyRetention()
    #expect(report.counts == [.maximumEpisodes: 100, .abandonAfter: 1], "\(report.counts)")
    #expect(report.decisions.last?.episode == active.id)
    #expect(try await memory.episode(active.id)?.metadata["abandoned"] != nil)
    try await memory.close()
  }

  /// LMDB creates its lock file with a hole, and a write to a mapped hole on a full disk raises SIGBUS.
  @Test(arguments: [0, 4, 8, 16, 24, 48, 64, 72, 80, 96, 160])
  func `opening with little space works with or without a cache, and crashes no process`(
    _ kilobytes: Int
  ) async throws {
    let disk = try SmallDisk(megabytes: 8)
    let path = disk.path
    do {
      let memory = try await Memory.open(at: path + "/store")
      try await memory.insert([.sample("e", context: "words")])
      try await memory.close()
      try FileManager.default.removeItem(atPath: path + "/store/cache.lmdb")
    }
    await #expect(processExitsWith: .success) { [path = path as String, kilobytes = kilobytes as Int] in
      // The files that the primary needs.
      var options = Memory.OpenOptions()
      options.cache.isEnabled = false
      options.index.isEnabled = false
      let first = try await Memory.open(at: path + "/store", options: options)
      _ = try await first.episode("e")
      try Data().write(to: URL(filePath: path + "/ballast"))
      let file = try FileHandle(forWritingTo: URL(filePath: path + "/ballast"))
      while (try? file.write(contentsOf: Data(repeating: 1, count: 4096))) != nil {}
      let size = try file.offset()
      try file.truncate(atOffset: size - min(UInt64(kilobytes) << 10, size))
      try file.close()
      let memory = try await Memory.open(at: path + "/store")
      for _ in 0..<3 {
        let found = try await memory.episode("e")
        precondition(found != nil)
      }
      let hits = try await memory.recall(Query(text: "words", scope: .everything))
      precondition(hits.count == 1)
    }
  }
}

@Suite(.enabled(if: Host.isRoot, "only root can make PID namespaces")) struct `Processes with equal process ids` {
  /// As in two containers on one volume, where both are process 1.
  @Test func `in different PID namespaces have a cache each, and leave none behind`() async throws {
    let store = try Store()
    try await store.fill(3)
    let directory = try TemporaryDirectory()
    let worker = Child.products.appending(path: "StoreWorker").path(percentEncoded: false)
    func start(_ name: String) throws -> Child {
      try Child(
        running: "/usr/bin/unshare",
        // With a /proc of its own: libdispatch looks its threads up there.
        ["--pid", "--fork", "--kill-child", "--mount-proc", worker, "share", store.path, name, "3"],
        in: directory)
    }
    let children = [try start("a"), try start("b")]
    try await waitUntil("one has a cache of its own") {
      children.allSatisfy(\.isOver)
        || (try? FileManager.default.contentsOfDirectory(atPath: store.cachePath).contains { $0.hasPrefix("pid-") })
          == true
    }
    for child in children {
      #expect(child.wait() == 0, "\((try? child.standardError) ?? "")")
      #expect(try !child.standardError.contains("warning"))
      let line = try #require(try child.lines.last)
      #expect(!line.contains("hits 0 "))
    }
  }
}
