import Foundation
import LMDB
import TestSupport
import Synchronization
import Testing

@Suite struct `An environment` {
  @Test func `is the same object for every path to it (I5)`() throws {
    let directory = try TemporaryDirectory()
    let first = try Environment.open(at: directory.path, options: .testing)
    let url = URL(filePath: directory.path)
    let link = directory.path + "-link"
    try FileManager.default.createSymbolicLink(
      atPath: link, withDestinationPath: url.deletingLastPathComponent().path(percentEncoded: false))
    defer { try? FileManager.default.removeItem(atPath: link) }
    for path in [directory.path, directory.path + "/.", directory.path + "//", "\(link)/\(url.lastPathComponent)"] {
      try #expect(Environment.open(at: path, options: .testing) === first)
    }
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/proc/self/smaps"), "needs /proc/self/smaps"))
  func `releases the pages that were read, and reads them again`() throws {
    let directory = try TemporaryDirectory()
    let environment = try Environment.open(at: directory.path, options: .testing)
    let database = try environment.database(named: "values", keys: .integers)
    let value = [UInt8](repeating: 7, count: 64 << 10)
    try environment.write { transaction throws(LMDBError) in
      for key in 0..<16 as Range<UInt64> { try transaction.put(value.span.bytes, for: key, in: database) }
    }
    func readAll() throws -> Int {
      try environment.read { transaction throws(LMDBError) in
        var sum = 0
        for key in 0..<16 as Range<UInt64> {
          guard let value = try transaction.get(key, in: database) else { continue }
          sum += value.withUnsafeBytes { bytes in bytes.reduce(0) { $0 + Int($1) } }
        }
        return sum
      }
    }
    let name = URL(filePath: directory.path).lastPathComponent + "/data.mdb"
    /// kB of the map that count as this process's.
    func resident() throws -> Int {
      // Not by its size, which the system gives as 0.
      let file = try #require(FileHandle(forReadingAtPath: "/proc/self/smaps"))
      let maps = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self).split(separator: "\n")
      let start = try #require(maps.firstIndex { $0.hasSuffix(name) })
      let line = try #require(maps[start...].first { $0.hasPrefix("Rss:") })
      return try #require(Int(line.split(separator: " ")[1]))
    }
    let sum = 7 * 16 * (64 << 10)
    #expect(try readAll() == sum)
    #expect(try resident() >= 1024)
    try environment.releaseMappedPages()
    #expect(try resident() < 128)
    #expect(try readAll() == sum)
    #expect(FileManager.default.fileExists(atPath: directory.dataFile))
  }

  @Test func `is opened once by many threads that open it at the same time`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path
    for _ in 0..<20 {
      let opened = Mutex<[Environment]>([])
      let open: @Sendable () throws -> Void = {
        let environment = try Environment.open(at: path, options: .testing)
        opened.withLock { $0.append(environment) }
      }
      try threadPerTask([open, open, open, open])
      let environments = opened.withLock { $0 }
      #expect(environments.count == 4 && environments.allSatisfy { $0 === environments[0] })
    }
  }

  @Test func `can be dropped and opened at the same time by many threads`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path
    let bodies = (0..<6).map { thread -> @Sendable () throws -> Void in
      {
        for round in 0..<50 as Range<UInt8> {
          let environment = try Environment.open(at: path, options: .testing)
          let database = try environment.database(named: "d")
          try environment.put([round], for: "\(thread)", in: database)
          try #expect(environment.get("\(thread)", in: database) == [round])
        }
      }
    }
    try threadPerTask(bodies)
  }

  @Test func `keeps its entries over close and open`() throws {
    let directory = try TemporaryDirectory()
    let first = try Environment.open(at: directory.path, options: .testing)
    try first.put([1, 2, 3], for: "k", in: first.database(named: "d"))
    #expect(first.close())
    #expect(first.isClosed)
    #expect(code { () throws(LMDBError) in try first.read { _ throws(LMDBError) in } } == .unavailable)
    #expect(code { () throws(LMDBError) in try first.write { _ throws(LMDBError) in } } == .unavailable)
    #expect(code { () throws(LMDBError) in try first.sync() } == .unavailable)
    #expect(first.close())

    let second = try Environment.open(at: directory.path, options: .testing)
    #expect(second !== first)
    try #expect(second.get("k", in: second.database(named: "d")) == [1, 2, 3])
  }

  @Test func `closed inside a read closes when the read ends`() throws {
    let directory = try TemporaryDirectory()
    let environment = try Environment.open(at: directory.path, options: .testing)
    let database = try environment.database(named: "d")
    try environment.put([1], for: "k", in: database)
    let path = directory.path
    try environment.read { transaction throws(LMDBError) in
      #expect(!environment.close())
      #expect(try transaction.get(Array("k".utf8).span.bytes, in: database)?.array == [1])
      #expect(code { () throws(LMDBError) in _ = try Environment.open(at: path, options: .testing) } == .busy)
      #expect(code { () throws(LMDBError) in try Environment.removeFiles(at: path) } == .busy)
    }
    try #expect(Environment.open(at: path, options: .testing) !== environment)
  }

  @Test func `has its files removed only when it is not open here`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path
    try {
      let environment = try Environment.open(at: path, options: .testing)
      try environment.put([1], for: "k", in: environment.database(named: "d"))
      #expect(code { () throws(LMDBError) in try Environment.removeFiles(at: path) } == .busy)
      #expect(code { () throws(LMDBError) in try Environment.removeDamagedFiles(at: path) } == .busy)
    }()
    try #expect(!Environment.removeDamagedFiles(at: path))
    #expect(FileManager.default.fileExists(atPath: directory.dataFile))
    try Environment.removeFiles(at: path)
    try #expect(FileManager.default.contentsOfDirectory(atPath: path).isEmpty)
    try Environment.removeFiles(at: path)
    try Environment.removeFiles(at: path + "/nothing")
    let environment = try Environment.open(at: path, options: .testing)
    try #expect(environment.get("k", in: environment.database(named: "d")) == nil)
  }

  @Test func `starts empty if its data file was deleted beside a lock file`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path
    let orphan = try Environment.open(at: path, options: .testing)
    let database = try orphan.database(named: "d")
    for value in 0..<9 { try orphan.put([UInt8(value)], for: "k", in: database) }
    try FileManager.default.removeItem(atPath: directory.dataFile)

    let fresh = try Environment.open(at: path, options: .testing)
    #expect(fresh !== orphan)
    try #expect(fresh.get("k", in: fresh.database(named: "d")) == nil)
    try #expect(orphan.get("k", in: database) == [8])
  }

  @Test func `refuses a database with other keys than it has`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path
    try {
      let environment = try Environment.open(at: path, options: .testing)
      _ = try environment.database(named: "d")
      _ = try environment.database(named: "i", keys: .integers)
      #expect(
        code { () throws(LMDBError) in _ = try environment.database(named: "d", keys: .integers) } == .incompatible)
    }()
    let environment = try Environment.open(at: path, options: .testing)
    #expect(code { () throws(LMDBError) in _ = try environment.database(named: "d", keys: .integers) } == .incompatible)
    #expect(code { () throws(LMDBError) in _ = try environment.database(named: "i") } == .incompatible)
    #expect(code { () throws(LMDBError) in _ = try environment.database(named: "") } == .invalid)
    #expect(code { () throws(LMDBError) in _ = try environment.database(named: "a\0b") } == .invalid)
    try #expect(environment.database(named: "d") == environment.database(named: "d"))
  }

  @Test func `refuses more databases than it was opened for`() throws {
    let directory = try TemporaryDirectory()
    var options = Environment.Options.testing
    options.maxDatabases = 2
    let environment = try Environment.open(at: directory.path, options: options)
    _ = try environment.database(named: "a")
    _ = try environment.database(named: "b")
    #expect(code { () throws(LMDBError) in _ = try environment.database(named: "c") } == .databasesFull)
  }

  @Test func `refuses one more reader than it has slots for`() throws {
    let directory = try TemporaryDirectory()
    var options = Environment.Options.testing
    options.maxReaders = 2
    let environment = try Environment.open(at: directory.path, options: options)
    try environment.read { _ throws(LMDBError) in
      try environment.read { _ throws(LMDBError) in
        let third = code { () throws(LMDBError) in try environment.read { _ throws(LMDBError) in } }
        #expect(third == .readersFull)
      }
    }
    try environment.read { _ throws(LMDBError) in }
  }

  @Test(arguments: [0, -1, Int.max, Int.min])
  func `refuses a map size out of range`(size: Int) throws {
    let directory = try TemporaryDirectory()
    let path = directory.path
    #expect(
      code { () throws(LMDBError) in _ = try Environment.open(at: path, options: .init(mapSize: size)) } == .invalid)
  }

  @Test(arguments: ["", "/no/such/parent/x", "a\0b", "/dev/null"])
  func `refuses a path that cannot hold one`(path: String) {
    #expect(code { () throws(LMDBError) in _ = try Environment.open(at: path, options: .testing) } != nil)
  }

  @Test func `counts its pages, readers and entries`() throws {
    let directory = try TemporaryDirectory()
    let environment = try Environment.open(at: directory.path, options: .testing)
    let database = try environment.database(named: "d")
    let value = [UInt8](repeating: 1, count: 100_000)
    for key in 0..<20 { try environment.put(value, for: "\(key)", in: database) }

    let full = try environment.statistics()
    #expect(full.entries == ["d": 20])
    #expect(full.mapSize == 16 << 20)
    #expect(full.maxReaders == 512)
    #expect(full.usedBytes >= 2_000_000 && full.usedBytes % full.pageSize == 0)
    #expect(full.readers == 0)

    try environment.write { transaction throws(LMDBError) in try transaction.removeAll(in: database) }
    let empty = try environment.statistics()
    #expect(empty.entries == ["d": 0])
    #expect(empty.usedBytes >= full.usedBytes)
    #expect(empty.freePages * empty.pageSize >= 1_900_000)
    #expect(empty.headroom > full.headroom && empty.headroom > 0.95)
    #expect(empty.lastTransaction == full.lastTransaction + 1)

    try environment.read { _ throws(LMDBError) in
      try environment.read { _ throws(LMDBError) in #expect(try environment.statistics().readers == 2) }
    }
    try #expect(environment.checkReaders() == 0)
    try environment.sync()
  }
}
