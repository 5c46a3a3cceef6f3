import LMDB
import TestSupport
import Testing

@Suite struct `A full map` {
  @Test func `is reported, and the environment stays usable`() throws {
    let directory = try TemporaryDirectory()
    var options = Environment.Options(mapSize: 1 << 20)
    options.durability = .noSync
    let environment = try Environment.open(at: directory.path, options: options)
    let database = try environment.database(named: "d", keys: .integers)
    let value = [UInt8](repeating: 3, count: 3_000)

    var stored: UInt64 = 0
    var failure: LMDBError?
    while failure == nil, stored < 10_000 {
      do throws(LMDBError) {
        try environment.write { transaction throws(LMDBError) in
          try transaction.put(value.span.bytes, for: stored, in: database)
        }
        stored += 1
      } catch { failure = error }
    }
    #expect(failure?.code == .mapFull)
    #expect(failure?.message.contains(directory.path) == true)
    #expect(stored > 100)
    try #expect(environment.statistics().entries == ["d": Int(stored)])
    try #expect(environment.statistics().headroom < 0.1)

    // A few at a time: a transaction copies what it changes before it frees anything.
    for key in 0..<(stored / 2) {
      _ = try environment.write { transaction throws(LMDBError) in try transaction.delete(key, in: database) }
    }
    try environment.write { transaction throws(LMDBError) in
      try transaction.put(value.span.bytes, for: .max, in: database)
    }
    try #expect(environment.statistics().entries == ["d": Int(stored - stored / 2) + 1])
  }

  @Test func `caught inside a transaction does not let it commit`() throws {
    let directory = try TemporaryDirectory()
    let environment = try Environment.open(at: directory.path, options: .init(mapSize: 1 << 20))
    let database = try environment.database(named: "d")
    let thrown = code { () throws(LMDBError) in
      try environment.write { transaction throws(LMDBError) in
        try transaction.put(octets(1).span.bytes, for: octets(1).span.bytes, in: database)
        let tooMuch = [UInt8](repeating: 0, count: 2 << 20)
        #expect(
          code { () throws(LMDBError) in
            try transaction.put(tooMuch.span.bytes, for: octets(2).span.bytes, in: database)
          } == .mapFull)
      }
    }
    #expect(thrown == .invalid)
    try #expect(environment.entries(of: database).isEmpty)
  }
}
