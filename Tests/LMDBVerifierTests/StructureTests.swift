import Foundation
import LMDB
import TestSupport
import Testing

@Suite struct `The structure of a data file` {
  @Test(arguments: FileShape.allCases)
  func `that LMDB wrote is accepted`(shape: FileShape) throws {
    let directory = try TemporaryDirectory()
    var random = SeededGenerator(seed: 1)
    for _ in 0..<3 {
      try shape.fill(directory.path, &random)
      #expect(verdict(directory.path) == nil)
    }
  }

  @Test func `that a killed writer left is accepted`() async throws {
    let directory = try TemporaryDirectory()
    let path = directory.path
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
      var random = SeededGenerator(seed: 2)
      try FileShape.random.fill(path, &random)
      let environment = try Environment.open(at: path, options: .testing)
      let database = try environment.database(named: "bytes")
      try environment.write { transaction throws(LMDBError) in
        // More than LMDB keeps in memory, so that uncommitted pages are in the file.
        let value = [UInt8](repeating: 9, count: 2_000)
        for key in 0..<1_000 as Range<UInt64> {
          let bytes = withUnsafeBytes(of: key.bigEndian) { Array($0) }
          try transaction.put(value.span.bytes, for: bytes.span.bytes, in: database)
        }
        _ = kill(getpid(), SIGKILL)
      }
    }
    #expect(verdict(directory.path) == nil)
  }

  @Test func `is examined only with the option`() throws {
    let directory = try TemporaryDirectory()
    var random = SeededGenerator(seed: 3)
    try FileShape.databases.fill(directory.path, &random)
    var pages = try PageFile(directory.dataFile)
    let leaf = try #require(pages.first(withFlags: 2))
    pages.bytes[leaf * PageFile.pageSize + 10] |= 0x10
    try pages.write(to: directory.dataFile)
    let path = directory.path
    #expect(code { () throws(LMDBError) in _ = try Environment.open(at: path, options: .testing) } == nil)
  }

  /// Offsets in a page and in a meta page: see `Page`, `MetaPage` and `TreeRecord`.
  @Test(arguments: [0, 7, 10, 11, 12, 14, 16, 17])
  func `with a wrong byte in the head of a leaf is refused, by the page's number`(offset: Int) throws {
    let directory = try TemporaryDirectory()
    var random = SeededGenerator(seed: 4)
    try FileShape.oneEntry.fill(directory.path, &random)
    var pages = try PageFile(directory.dataFile)
    // The entry is one page, the record of its database another.
    let newest = pages.newestMeta * PageFile.pageSize
    let root = pages.word(at: newest + 128)
    pages.bytes[root * PageFile.pageSize + offset] ^= 0x44
    try pages.write(to: directory.dataFile)
    let path = directory.path
    let found = try #require(verdict(path))
    #expect(found.code == .damaged)
    #expect(found.message.contains("page \(root) "))
  }

  @Test(arguments: [44, 46, 48, 56, 64, 72, 80, 92, 94, 96, 104, 112, 120, 128, 136, 144])
  func `with a wrong byte in the newest meta page is refused`(offset: Int) throws {
    let directory = try TemporaryDirectory()
    var random = SeededGenerator(seed: 5)
    try FileShape.random.fill(directory.path, &random)
    var pages = try PageFile(directory.dataFile)
    let newest = pages.newestMeta
    pages.bytes[newest * PageFile.pageSize + offset] ^= 0x01
    try pages.write(to: directory.dataFile)
    // Of an older transaction it is not the newest any more, and the other one counts.
    #expect(verdict(directory.path)?.code == .damaged || pages.newestMeta != newest)
  }

  @Test func `with a page on the free list that is in use is refused`() throws {
    let directory = try TemporaryDirectory()
    var random = SeededGenerator(seed: 6)
    for _ in 0..<3 { try FileShape.oneEntry.fill(directory.path, &random) }
    var pages = try PageFile(directory.dataFile)
    let meta = pages.newestMeta * PageFile.pageSize
    let root = pages.word(at: meta + 80) * PageFile.pageSize
    // The last node's value: how many pages, then their numbers.
    let list = root + pages.half(at: root + pages.half(at: root + 12) - 2) + 16
    let count = pages.word(at: list)
    try #require((1...100).contains(count))
    var numbers = (1...count).map { pages.word(at: list + 8 * $0) }
    numbers[0] = pages.word(at: meta + 128)
    for (index, number) in numbers.sorted(by: >).enumerated() { pages.setWord(number, at: list + 8 * (index + 1)) }
    try pages.write(to: directory.dataFile)
    let found = verdict(directory.path)
    #expect(found?.code == .damaged)
    #expect(found?.message.contains("page \(numbers[0]) ") == true)
  }

  @Test func `whose free list leads back to itself, in a file that claims to be huge, is refused in time`() throws {
    let directory = try TemporaryDirectory()
    var random = SeededGenerator(seed: 7)
    for _ in 0..<3 { try FileShape.oneEntry.fill(directory.path, &random) }
    var pages = try PageFile(directory.dataFile)
    let meta = pages.newestMeta * PageFile.pageSize
    let number = pages.word(at: meta + 80)
    let root = number * PageFile.pageSize
    // A branch page with a hundred children, each of them itself.
    pages.setWord(0x01 << 16 | (16 + 2 * 100) << 32 | 400 << 48, at: root + 8)
    for slot in stride(from: 16, to: 216, by: 8) { pages.setWord(0x0190_0190_0190_0190, at: root + slot) }
    pages.setWord(number, at: root + 400)
    pages.setWord(1 << 40, at: meta + 136)
    try pages.write(to: directory.dataFile)
    let path = directory.path
    #expect(code { () throws(LMDBError) in _ = try Environment.open(at: path, options: .testing) } == .damaged)
    #expect(verdict(path)?.code == .damaged)
  }

  /// Whatever is done to a file: refused, or LMDB can read, change and empty it without a crash or a hang.
  @Test(arguments: [1, 2, 3, 4, 5, 6, 7] as [UInt64])
  func `that is accepted after random damage does LMDB no harm`(seed: UInt64) async throws {
    let directory = try TemporaryDirectory()
    let path = directory.path
    await #expect(processExitsWith: .success) { [path = path as String, seed = seed as UInt64] in
      // A loop inside LMDB ends here.
      alarm(120)
      var random = SeededGenerator(seed: seed)
      let shape = FileShape.allCases[Int(seed) % FileShape.allCases.count]
      try shape.fill(path, &random)
      let older = try PageFile(path + "/data.mdb")
      try shape.fill(path, &random)
      let newer = try PageFile(path + "/data.mdb")
      for _ in 0..<60 {
        var damaged = newer
        damaged.damage(older, &random)
        try damaged.write(to: path + "/data.mdb")
        do throws(LMDBError) {
          try FileShape.exercise(path, &random)
        } catch {
          // Incompatible: a name or a kind of keys is another now, which is no matter of structure.
          #expect([.damaged, .versionMismatch, .incompatible].contains(error.code), "\(error)")
        }
      }
    }
  }

  private func verdict(_ path: String) -> LMDBError? {
    do throws(LMDBError) {
      _ = try Environment.open(at: path, options: .verifying)
      return nil
    } catch {
      return error
    }
  }
}
