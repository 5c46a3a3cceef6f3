import LMDB
import TestSupport
import Testing

@Suite struct `A database` {
  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func `with byte keys holds what a dictionary holds, over random transactions`(seed: UInt64) throws {
    let directory = try TemporaryDirectory()
    var random = SeededGenerator(seed: seed)
    var environment: Environment? = try .open(at: directory.path, options: .testing)
    var oracle: [[UInt8]: [UInt8]] = [:]

    for round in 0..<150 {
      let open = try #require(environment)
      let database = try open.database(named: "bytes")
      let (outcome, kept) = try mutate(oracle, in: database, of: open, &random)
      if kept { oracle = outcome }
      try #expect(open.entries(of: database) == oracle)
      try #expect(open.read { transaction throws(LMDBError) in try transaction.count(in: database) } == oracle.count)
      try expectBoundsAgree(oracle, in: database, of: open, &random)
      if round % 10 == 9 {
        environment = nil
        environment = try .open(at: directory.path, options: .testing)
      }
    }
  }

  @Test func `with integer keys sorts them as numbers`() throws {
    let directory = try TemporaryDirectory()
    let environment = try Environment.open(at: directory.path, options: .testing)
    let database = try environment.database(named: "numbers", keys: .integers)
    var random = SeededGenerator(seed: 5)
    var oracle: [UInt64: [UInt8]] = [0: [], .max: [1], 256: [2], 1: [3]]
    for _ in 0..<500 { oracle[random.next() >> UInt64.random(in: 0..<64, using: &random)] = random.bytes(9) }

    try environment.write { transaction throws(LMDBError) in
      for (key, value) in oracle { try transaction.put(value.span.bytes, for: key, in: database) }
    }
    let sorted = try environment.read { transaction throws(LMDBError) in
      var keys: [UInt64] = []
      var cursor = try transaction.cursor(in: database)
      while let entry = try cursor.next() { keys.append(entry.integerKey ?? 0) }
      return keys
    }
    #expect(sorted == oracle.keys.sorted())
    for probe in [0, 2, 257, 1 << 40, .max] as [UInt64] {
      let found = try environment.read { transaction throws(LMDBError) in
        var cursor = try transaction.cursor(in: database)
        return try cursor.seek(atOrAfter: probe)?.integerKey
      }
      #expect(found == sorted.first { $0 >= probe })
    }
    for (key, value) in oracle {
      let found = try environment.read { transaction throws(LMDBError) in
        try transaction.get(key, in: database)?.array
      }
      #expect(found == value)
    }
    try environment.write { transaction throws(LMDBError) in
      for key in sorted {
        let deleted = try transaction.delete(key, in: database)
        #expect(deleted)
      }
      let deleted = try transaction.delete(7, in: database)
      #expect(!deleted)
    }
    try #expect(environment.entries(of: database).isEmpty)
  }

  /// One transaction of random changes to a copy of `start`; every fifth is aborted.
  private func mutate(
    _ start: [[UInt8]: [UInt8]], in database: Database, of environment: Environment, _ random: inout SeededGenerator
  ) throws -> (outcome: [[UInt8]: [UInt8]], kept: Bool) {
    var outcome = start
    let aborts = random.next() % 5 == 0
    do throws(LMDBError) {
      try environment.write { transaction throws(LMDBError) in
        for _ in 0..<Int.random(in: 1...30, using: &random) {
          try change(&outcome, in: database, &transaction, &random)
        }
        if aborts { throw LMDBError(.aborted, message: "on purpose") }
      }
      return (outcome, true)
    } catch {
      #expect(error.code == .aborted)
      return (start, false)
    }
  }

  private func change(
    _ oracle: inout [[UInt8]: [UInt8]], in database: Database, _ transaction: inout WriteTransaction,
    _ random: inout SeededGenerator
  ) throws(LMDBError) {
    // Few keys, so that they meet again; sizes on both sides of a page, so that values overflow.
    let key = [UInt8](repeating: UInt8.random(in: 0..<60, using: &random), count: [1, 8, 511][Int(random.next() % 3)])
    let value = random.bytes([0, 5, 300, 5_000, 20_000][Int(random.next() % 5)])
    switch random.next() % 100 {
    case 0..<40:
      try transaction.put(value.span.bytes, for: key.span.bytes, in: database)
      oracle[key] = value
    case 40..<50:
      try transaction.put(reserving: value.count, for: key.span.bytes, in: database) { output in
        for byte in value { output.append(byte) }
      }
      oracle[key] = value
    case 50..<60:
      let inserted = try transaction.insert(value.span.bytes, for: key.span.bytes, in: database)
      let known = oracle[key] != nil
      #expect(inserted != known)
      if inserted { oracle[key] = value }
    case 60..<92:
      let deleted = try transaction.delete(key.span.bytes, in: database)
      let known = oracle.removeValue(forKey: key) != nil
      #expect(deleted == known)
    case 92..<99:
      let doomed = oracle.keys.filter { !$0.lexicographicallyPrecedes(key) }.sorted { $0.lexicographicallyPrecedes($1) }
      let deleted = try deleteFour(atOrAfter: key, in: database, &transaction)
      #expect(deleted == Array(doomed.prefix(4)))
      for victim in deleted { oracle[victim] = nil }
    default:
      try transaction.removeAll(in: database)
      oracle = [:]
    }
    let stored = try transaction.get(key.span.bytes, in: database)?.array
    #expect(stored == oracle[key])
  }

  private func deleteFour(
    atOrAfter key: [UInt8], in database: Database, _ transaction: inout WriteTransaction
  ) throws(LMDBError) -> [[UInt8]] {
    var deleted: [[UInt8]] = []
    var cursor = try transaction.writeCursor(in: database)
    var key = try cursor.seek(atOrAfter: key.span.bytes)?.key.array
    while let current = key, deleted.count < 4 {
      try cursor.delete()
      deleted.append(current)
      key = try cursor.next()?.key.array
    }
    return deleted
  }

  private func expectBoundsAgree(
    _ oracle: [[UInt8]: [UInt8]], in database: Database, of environment: Environment, _ random: inout SeededGenerator
  ) throws {
    let probe = random.bytes(1)
    let keys = oracle.keys.sorted { $0.lexicographicallyPrecedes($1) }
    try environment.read { transaction throws(LMDBError) in
      var cursor = try transaction.cursor(in: database)
      let first = try cursor.first()?.key.array
      let beforeFirst = try cursor.previous()?.key.array
      let last = try cursor.last()?.key.array
      let found = try cursor.seek(atOrAfter: probe.span.bytes)?.key.array
      let before = try cursor.previous()?.key.array
      #expect(first == keys.first && last == keys.last && beforeFirst == nil)
      #expect(found == keys.first { !$0.lexicographicallyPrecedes(probe) })
      #expect(found == nil || before == keys.last { $0.lexicographicallyPrecedes(probe) })
    }
  }
}

extension LMDBError.Code {
  fileprivate static let aborted = Self(rawValue: "test.aborted")
}
