import LMDB
import TestSupport
import Synchronization
import Testing

@Suite struct `Threads` {
  @Test func `read whole transactions while one writes`() throws {
    let directory = try TemporaryDirectory()
    let environment = try Environment.open(at: directory.path, options: .testing)
    let database = try environment.database(named: "d", keys: .integers)
    try stamp(0, database, environment)
    let done = Flag()
    let write: @Sendable () throws -> Void = {
      defer { done.raise() }
      for round in 1...300 as ClosedRange<UInt64> { try stamp(round, database, environment) }
    }
    let read: @Sendable () throws -> Void = {
      var newest: UInt64 = 0
      while !done.isRaised {
        let seen = try rounds(database, environment)
        #expect(seen.count == 1)
        let round = try #require(seen.first)
        #expect(round >= newest)
        newest = round
      }
    }
    try threadPerTask([write, read, read, read, read])
    try #expect(rounds(database, environment) == [300])
    try #expect(environment.statistics().readers == 0)
  }

  @Test func `that write wait for each other and lose nothing`() throws {
    let directory = try TemporaryDirectory()
    let environment = try Environment.open(at: directory.path, options: .testing)
    let database = try environment.database(named: "d", keys: .integers)
    let count: @Sendable () throws -> Void = {
      for _ in 0..<100 {
        try environment.write { transaction throws(LMDBError) in
          let count = try transaction.integer(at: 0, in: database) ?? 0
          try transaction.put(reserving: 8, for: 0, in: database) { $0.append(count + 1, as: UInt64.self) }
        }
      }
    }
    try threadPerTask([count, count, count, count])
    let total = try environment.read { transaction throws(LMDBError) in
      try transaction.integer(at: 0, in: database)
    }
    #expect(total == 400)
  }

  @Test func `that read while one closes end in a value or in unavailable`() throws {
    let directory = try TemporaryDirectory()
    for _ in 0..<20 {
      let environment = try Environment.open(at: directory.path, options: .testing)
      let database = try environment.database(named: "d")
      try environment.put([1], for: "k", in: database)
      let read: @Sendable () -> Void = {
        while true {
          do throws(LMDBError) {
            let value = try environment.get("k", in: database)
            #expect(value == [1])
          } catch {
            #expect(error.code == .unavailable)
            return
          }
        }
      }
      try threadPerTask([read, read, read, { environment.close() }])
    }
  }

  private static let keys = 0..<50 as Range<UInt64>

  private func stamp(_ round: UInt64, _ database: Database, _ environment: Environment) throws(LMDBError) {
    try environment.write { transaction throws(LMDBError) in
      for key in Self.keys {
        try transaction.put(reserving: 8, for: key, in: database) { $0.append(round, as: UInt64.self) }
      }
    }
  }

  private func rounds(_ database: Database, _ environment: Environment) throws(LMDBError) -> Set<UInt64> {
    try environment.read { transaction throws(LMDBError) in
      var rounds: Set<UInt64> = []
      for key in Self.keys {
        if let round = try transaction.integer(at: key, in: database) { rounds.insert(round) }
      }
      return rounds
    }
  }
}

private final class Flag: Sendable {
  private let value = Atomic<Bool>(false)

  var isRaised: Bool { value.load(ordering: .acquiring) }

  func raise() { value.store(true, ordering: .releasing) }
}
