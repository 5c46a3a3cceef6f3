import Foundation
import LMDB
import TestSupport
import Testing

@Suite struct `Another process` {
  @Test func `killed inside a read leaves a slot that checking the readers frees`() async throws {
    let directory = try TemporaryDirectory()
    let path = directory.path
    let environment = try Environment.open(at: path, options: .testing)
    let database = try environment.database(named: "d")
    try environment.put([1], for: "k", in: database)
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
      let environment = try Environment.open(at: path, options: .testing)
      try environment.read { _ throws(LMDBError) in _ = kill(getpid(), SIGKILL) }
    }
    try #expect(environment.statistics().readers == 1)
    try #expect(environment.checkReaders() == 1)
    try #expect(environment.statistics().readers == 0)
  }

  @Test func `killed inside a write leaves nothing, and the next writer goes on`() async throws {
    let directory = try TemporaryDirectory()
    let path = directory.path
    let environment = try Environment.open(at: path, options: .testing)
    let database = try environment.database(named: "d")
    try environment.put([1], for: "k", in: database)
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
      let environment = try Environment.open(at: path, options: .testing)
      let database = try environment.database(named: "d")
      try environment.write { transaction throws(LMDBError) in
        try transaction.put(octets(2).span.bytes, for: Array("k".utf8).span.bytes, in: database)
        _ = kill(getpid(), SIGKILL)
      }
    }
    try #expect(environment.get("k", in: database) == [1])
    try environment.put([3], for: "k", in: database)
    try #expect(environment.get("k", in: database) == [3])
  }

  @Test func `sees a commit of this one, and this one sees its commit`() async throws {
    let directory = try TemporaryDirectory()
    let path = directory.path
    let environment = try Environment.open(at: path, options: .testing)
    let database = try environment.database(named: "d")
    try environment.put([7], for: "ours", in: database)
    await #expect(processExitsWith: .success) { [path = path as String] in
      let environment = try Environment.open(at: path, options: .testing)
      let database = try environment.database(named: "d")
      let ours = try environment.get("ours", in: database)
      #expect(ours == [7])
      try environment.put([8], for: "theirs", in: database)
    }
    try #expect(environment.get("theirs", in: database) == [8])
  }
}
