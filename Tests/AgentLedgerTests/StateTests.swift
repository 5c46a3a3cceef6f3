import AgentLedger
import StoreValues
import TestSupport
import Testing

@Suite struct `States of applications` {
  let clock = ManualClock()

  @Test func `each put is a new version, and the last ones are kept`() async throws {
    var limits = Ledger.Limits()
    limits.stateVersions = 3
    let ledger = try await Ledger.inMemory(clock: clock, limits: limits)
    for number in 1...5 {
      clock.advance(by: .seconds(1))
      #expect(try await ledger.put(state: "board", of: "chess", .integer(Int64(number))).version == number)
    }
    let state = try #require(try await ledger.state("board", of: "chess"))
    #expect(state.version == 5 && state.value == 5 && state.changedAt == clock.now())
    #expect(try await ledger.versions(ofState: "board", of: "chess").map(\.version) == [5, 4, 3])
    #expect(try await ledger.versions(ofState: "board", of: "chess", before: 4).map(\.value) == [3])
    #expect(try await ledger.state("board", of: "chess", version: 4)?.value == 4)
    #expect(try await ledger.state("board", of: "chess", version: 2) == nil)
    #expect(try await ledger.state("board", of: "go") == nil)
  }

  @Test func `compare-and-set fails if the version is another, and changes nothing`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    #expect(try await ledger.put(state: "s", of: "a", 1, expecting: 0).version == 1)
    for wrong in [0, 2] {
      await #expect { try await ledger.put(state: "s", of: "a", 2, expecting: wrong) } throws: {
        ($0 as? MemoryError)?.code == .conflict
      }
    }
    await #expect { try await ledger.put(state: "s", of: "a", 2, expecting: -1) } throws: {
      ($0 as? MemoryError)?.code == .invalid
    }
    #expect(try await ledger.put(state: "s", of: "a", 2, expecting: 1).version == 2)
    await #expect { try await ledger.delete(state: "s", of: "a", expecting: 1) } throws: {
      ($0 as? MemoryError)?.code == .conflict
    }
    #expect(try await ledger.state("s", of: "a")?.value == 2)
  }

  @Test func `of compare-and-sets at the same time one succeeds`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    try await ledger.put(state: "s", of: "a", 0)
    let succeeded = await withTaskGroup(of: Bool.self) { group in
      for number in 0..<20 {
        group.addTask {
          do {
            return try await ledger.put(state: "s", of: "a", .integer(Int64(number)), expecting: 1).version == 2
          } catch {
            return false
          }
        }
      }
      return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(succeeded == 1)
  }

  @Test func `a version is not given twice, also after the state was deleted`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    try await ledger.put(state: "s", of: "a", 1)
    #expect(try await ledger.delete(state: "s", of: "a"))
    #expect(try await !ledger.delete(state: "s", of: "a"))
    #expect(try await ledger.state("s", of: "a") == nil)
    #expect(try await ledger.versions(ofState: "s", of: "a").isEmpty)
    #expect(try await ledger.states(of: "a").isEmpty)
    await #expect { try await ledger.put(state: "s", of: "a", 2, expecting: 1) } throws: {
      "\($0)" == "state \"s\" of \"a\" is not there, and version 1 was expected; read it again"
    }
    #expect(try await ledger.put(state: "s", of: "a", 2, expecting: 0).version == 2)
  }

  @Test func `states are listed by application and name, in pages`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    for name in ["c", "a", "b"] { try await ledger.put(state: name, of: "x", .string(name)) }
    try await ledger.put(state: "a", of: "y", 1)
    #expect(try await ledger.states(of: "x", limit: 2).map(\.name) == ["a", "b"])
    #expect(try await ledger.states(of: "x", after: "b").map(\.name) == ["c"])
  }

  @Test(arguments: [("", "s"), ("a", ""), ("a", "b\0")]) func `a state without a name is refused`(
    _ application: String, _ name: String
  ) async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    await #expect { try await ledger.put(state: name, of: application, 1) } throws: {
      ($0 as? MemoryError)?.code == .invalid
    }
  }
}
