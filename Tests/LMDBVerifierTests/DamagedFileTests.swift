import Foundation
import LMDB
import TestSupport
import Testing

@Suite struct `A data file` {
  @Test func `truncated at any length is refused as damaged`() throws {
    let directory = try TemporaryDirectory()
    let whole = try makeFile(in: directory)
    var random = SeededGenerator(seed: 1)
    var lengths = [0, 1, 16, 151, 152, 4_095, 4_096, 4_097, 4_248, 8_191, 8_192, 8_193, 12_288, whole.count - 1]
    lengths += (0..<100).map { _ in Int.random(in: 0..<whole.count, using: &random) }
    for length in lengths {
      try whole.prefix(length).write(to: URL(fileURLWithPath: directory.dataFile))
      #expect(openCode(directory) == .damaged, "at \(length) of \(whole.count) bytes")
    }
    try whole.write(to: URL(fileURLWithPath: directory.dataFile))
    #expect(openCode(directory) == nil)
  }

  @Test(arguments: [0, 10, 152, 4_096, 8_192, 100_000])
  func `of random bytes is refused as damaged`(count: Int) throws {
    let directory = try TemporaryDirectory()
    var random = SeededGenerator(seed: UInt64(count))
    try Data(random.bytes(count)).write(to: URL(fileURLWithPath: directory.dataFile))
    #expect(openCode(directory) == .damaged)
  }

  /// Offsets in a meta page: see `MetaPage`.
  @Test(arguments: [0, 4_096], [10, 16, 40, 44, 83, 131, 142])
  func `with a wrong field in a meta page is refused as damaged`(page: Int, offset: Int) throws {
    let directory = try TemporaryDirectory()
    var whole = try makeFile(in: directory)
    for index in offset..<(offset + 2) { whole[page + index] ^= 0x5F }
    // Only the newest meta page says where the roots are; make it this one.
    whole[page + 150] = 1
    try whole.write(to: URL(fileURLWithPath: directory.dataFile))
    #expect(openCode(directory) == .damaged)
  }

  @Test func `of another format is refused by its version`() throws {
    let directory = try TemporaryDirectory()
    var whole = try makeFile(in: directory)
    whole[20] = 2
    try whole.write(to: URL(fileURLWithPath: directory.dataFile))
    #expect(openCode(directory) == .versionMismatch)
    try #expect(Environment.removeDamagedFiles(at: directory.path))
    #expect(openCode(directory) == nil)
  }

  @Test func `that is a directory is refused`() throws {
    let directory = try TemporaryDirectory()
    try FileManager.default.createDirectory(atPath: directory.dataFile, withIntermediateDirectories: false)
    #expect(openCode(directory) != nil)
  }

  @Test func `whose mode forbids it is refused`() throws {
    let directory = try TemporaryDirectory()
    _ = try makeFile(in: directory)
    try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: directory.dataFile)
    // The superuser may read anything.
    #expect(openCode(directory) == (getuid() == 0 ? nil : .accessDenied))
  }

  @Test func `of random flips never crashes the opening`() throws {
    let directory = try TemporaryDirectory()
    let whole = try makeFile(in: directory)
    var random = SeededGenerator(seed: 3)
    for _ in 0..<300 {
      var flipped = whole
      let index = Int.random(in: 0..<304, using: &random)
      flipped[index < 152 ? index : 4_096 + index - 152] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      try flipped.write(to: URL(fileURLWithPath: directory.dataFile))
      _ = openCode(directory)
    }
  }

  @Test func `with a garbage lock file beside it opens`() throws {
    let directory = try TemporaryDirectory()
    _ = try makeFile(in: directory)
    var random = SeededGenerator(seed: 4)
    try Data(random.bytes(10_000)).write(to: URL(fileURLWithPath: directory.lockFile))
    #expect(openCode(directory) == nil)
  }

  /// A page that a transaction takes from the end of the file and gives back is counted but never written.
  @Test func `that lacks only free pages opens, and opens with all its entries at any length it opens at`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path
    let value = [UInt8](repeating: 1, count: 40_000)
    var entries: [[UInt8]: [UInt8]] = [:]
    try {
      let environment = try Environment.open(at: path, options: .testing)
      let database = try environment.database(named: "d")
      for key in 0..<8 { try environment.put(value, for: "\(key % 3)", in: database) }
      try environment.write { transaction throws(LMDBError) in
        try transaction.put(value.span.bytes, for: octets(1).span.bytes, in: database)
        let large = [UInt8](repeating: 2, count: 400_000)
        try transaction.put(large.span.bytes, for: octets(2).span.bytes, in: database)
        try transaction.delete(octets(2).span.bytes, in: database)
      }
      entries = try environment.entries(of: database)
      let used = try environment.statistics().usedBytes
      // Asked for by name: opening and closing the file here would drop LMDB's locks on it.
      let size = try FileManager.default.attributesOfItem(atPath: path + "/data.mdb")[.size] as? Int
      try #require(try #require(size) < used)
    }()
    let whole = try Data(contentsOf: URL(fileURLWithPath: directory.dataFile))
    #expect(openCode(directory) == nil)
    for pages in 0...(whole.count / 4_096) {
      try whole.prefix(pages * 4_096).write(to: URL(fileURLWithPath: directory.dataFile))
      do throws(LMDBError) {
        let environment = try Environment.open(at: path, options: .testing)
        let found = try environment.entries(of: environment.database(named: "d"))
        #expect(found == entries)
      } catch {
        #expect(error.code == .damaged && pages < whole.count / 4_096)
      }
    }
  }

  /// A file of some 300 KiB with every kind of page in it, closed.
  private func makeFile(in directory: borrowing TemporaryDirectory) throws -> Data {
    try fill(directory.path)
    return try Data(contentsOf: URL(fileURLWithPath: directory.dataFile))
  }

  private func fill(_ path: String) throws {
    let environment = try Environment.open(at: path, options: .testing)
    let database = try environment.database(named: "d")
    try environment.write { transaction throws(LMDBError) in
      for key in 0..<2_000 as Range<UInt64> {
        let bytes = withUnsafeBytes(of: key.bigEndian) { Array($0) }
        try transaction.put([UInt8](repeating: 1, count: 100).span.bytes, for: bytes.span.bytes, in: database)
      }
    }
    try environment.put([UInt8](repeating: 2, count: 30_000), for: "large", in: database)
    try environment.put([1], for: "small", in: database)
  }

  /// `nil` if it opens.
  private func openCode(_ directory: borrowing TemporaryDirectory) -> LMDBError.Code? {
    let path = directory.path
    return code { () throws(LMDBError) in _ = try Environment.open(at: path, options: .testing) }
  }
}
