import EpisodicMemory
import Foundation
import GRDB
import Logging
import TestSupport
import Testing

@testable import MemorySQLite

/// A failing read and a locked file are no damage.
@Suite struct `A check that cannot read or lock` {
  @Test func `passes while a writer holds the lock`() async throws {
    let store = try TestStore()
    try await store.fill()
    let primary = try await SQLitePrimaryStore(
      path: store.path, busyTimeout: .milliseconds(20), logger: Logger(label: "test"))
    // A stopped writer looks to others like one that holds the lock.
    let lock = open(store.path + "-lock", O_RDWR | O_CLOEXEC)
    try #require(lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0)
    let checks = try await primary.check()
    close(lock)
    #expect(checks.contains { $0.name == "full text of steps" })
    for check in checks { #expect(check.outcome == .passed, "\(check.name)") }
    try await primary.close()
  }

  @Test(arguments: [(266, 10), (8458, 10), (7, 7)])
  func `does not report a page as damaged that could not be read`(code: Int, result: CInt) {
    let problem = "*** in database main ***\nPage 31: unable to get the page. error code=\(code)"
    let failure = StructureCheck.readFailure(in: ["another problem", problem])
    #expect(failure?.resultCode.rawValue == result)
    #expect(failure?.message?.contains("page 31") == true && failure?.message?.contains("call check() again") == true)
  }

  @Test(arguments: [
    "ok", "*** in database main ***\nPage 31: unable to get the page. error code=11", "row 3 missing from index x",
  ])
  func `reports no failed read for any other problem`(_ problem: String) {
    #expect(StructureCheck.readFailure(in: [problem]) == nil)
  }
}
