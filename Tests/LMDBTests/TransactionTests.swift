import LMDB
import TestSupport
import Testing

@Suite struct `A write transaction` {
  @Test func `leaves nothing when its body throws`() throws {
    let directory = try TemporaryDirectory()
    let environment = try Environment.open(at: directory.path, options: .testing)
    let database = try environment.database(named: "d")
    try environment.put([1], for: "kept", in: database)
    let before = try environment.statistics()

    let thrown = code { () throws(LMDBError) in
      try environment.write { transaction throws(LMDBError) in
        try transaction.put(octets(2).span.bytes, for: Array("kept".utf8).span.bytes, in: database)
        try transaction.put(octets(3).span.bytes, for: Array("new".utf8).span.bytes, in: database)
        throw LMDBError(LMDBError.Code(rawValue: "mine"), message: "abort")
      }
    }

    #expect(thrown == LMDBError.Code(rawValue: "mine"))
    try #expect(environment.get("kept", in: database) == [1])
    try #expect(environment.get("new", in: database) == nil)
    try #expect(environment.statistics() == before)
    try environment.put([4], for: "new", in: database)
    try #expect(environment.get("new", in: database) == [4])
  }

  @Test func `reads its own writes, which a snapshot begun before does not`() throws {
    let directory = try TemporaryDirectory()
    let environment = try Environment.open(at: directory.path, options: .testing)
    let database = try environment.database(named: "d")
    let key = Array("k".utf8)
    try environment.read { snapshot throws(LMDBError) in
      try environment.write { transaction throws(LMDBError) in
        try transaction.put(octets(9).span.bytes, for: key.span.bytes, in: database)
        #expect(try transaction.get(key.span.bytes, in: database)?.array == [9])
      }
      #expect(try snapshot.get(key.span.bytes, in: database)?.array == nil)
    }
    try #expect(environment.get("k", in: database) == [9])
  }

  @Test func `inside another on the same thread is refused, and the outer one goes on`() throws {
    let directory = try TemporaryDirectory()
    let environment = try Environment.open(at: directory.path, options: .testing)
    let database = try environment.database(named: "d")
    try environment.write { transaction throws(LMDBError) in
      #expect(code { () throws(LMDBError) in try environment.write { _ throws(LMDBError) in } } == .busy)
      #expect(code { () throws(LMDBError) in _ = try environment.database(named: "other") } == .busy)
      try transaction.put(octets(1).span.bytes, for: octets(1).span.bytes, in: database)
    }
    try #expect(environment.entries(of: database) == [[1]: [1]])
  }

  @Test(arguments: [0, 512, 5_000])
  func `refuses a key of a wrong size, and goes on`(count: Int) throws {
    let directory = try TemporaryDirectory()
    let environment = try Environment.open(at: directory.path, options: .testing)
    let database = try environment.database(named: "d")
    let key = [UInt8](repeating: 7, count: count)
    try environment.write { transaction throws(LMDBError) in
      #expect(
        code { () throws(LMDBError) in try transaction.put(key.span.bytes, for: key.span.bytes, in: database) }
          == .keySize)
      #expect(code { () throws(LMDBError) in _ = try transaction.get(key.span.bytes, in: database) } == .keySize)
      #expect(code { () throws(LMDBError) in try transaction.delete(key.span.bytes, in: database) } == .keySize)
      try transaction.put(key.span.bytes, for: octets(1).span.bytes, in: database)
    }
    try #expect(environment.entries(of: database) == [[1]: key])
  }

  @Test func `refuses integers for bytes and bytes for integers`() throws {
    let directory = try TemporaryDirectory()
    let environment = try Environment.open(at: directory.path, options: .testing)
    let bytes = try environment.database(named: "b")
    let integers = try environment.database(named: "i", keys: .integers)
    try environment.write { transaction throws(LMDBError) in
      #expect(code { () throws(LMDBError) in try transaction.put(octets(1).span.bytes, for: 1, in: bytes) } == .invalid)
      let key = [UInt8](repeating: 1, count: 8)
      #expect(
        code { () throws(LMDBError) in try transaction.put(octets(1).span.bytes, for: key.span.bytes, in: integers) }
          == .invalid)
    }
  }

  @Test func `appends in order only`() throws {
    let directory = try TemporaryDirectory()
    let environment = try Environment.open(at: directory.path, options: .testing)
    let database = try environment.database(named: "i", keys: .integers)
    try environment.write { transaction throws(LMDBError) in
      for key in 0..<1_000 as Range<UInt64> { try transaction.append(octets(1).span.bytes, for: key, in: database) }
    }
    let thrown = code { () throws(LMDBError) in
      try environment.write { transaction throws(LMDBError) in
        try transaction.append(octets(1).span.bytes, for: 5, in: database)
      }
    }
    #expect(thrown == .keyOrder)
    try #expect(environment.read { transaction throws(LMDBError) in try transaction.count(in: database) } == 1_000)
  }

  @Test func `zeroes the reserved bytes that were not filled, and throws`() throws {
    let directory = try TemporaryDirectory()
    let environment = try Environment.open(at: directory.path, options: .testing)
    let database = try environment.database(named: "d")
    try environment.write { transaction throws(LMDBError) in
      let thrown = code { () throws(LMDBError) in
        try transaction.put(reserving: 9_000, for: octets(1).span.bytes, in: database) { $0.append(UInt8(5)) }
      }
      #expect(thrown == .valueSize)
    }
    try #expect(environment.entries(of: database) == [[1]: [5] + [UInt8](repeating: 0, count: 8_999)])
  }

  @Test func `refuses a database of another environment`() throws {
    let one = try TemporaryDirectory()
    let two = try TemporaryDirectory()
    let first = try Environment.open(at: one.path, options: .testing)
    let second = try Environment.open(at: two.path, options: .testing)
    let foreign = try second.database(named: "d")
    _ = try first.database(named: "d")
    #expect(code { () throws(LMDBError) in _ = try first.get("k", in: foreign) } == .invalid)
  }
}
