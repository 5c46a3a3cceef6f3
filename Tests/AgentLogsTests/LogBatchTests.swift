import AgentLogs
import Episodic
import EpisodicMemory
import TestSupport
import Testing

/// Imports that take several batches of 32 episodes, each of which is stored while the next one is read.
@Suite struct `Batches of logs` {
  /// Prompts of one log, two a second.
  private static func log(of count: Int, _ prompt: (Int) -> String = { "task \($0)" }) -> [String] {
    (0..<count).map { number in Claude.prompt(prompt(number), "u\(number)", id: "p\(number)", at: number / 2) }
  }

  @Test func `every batch is stored once, the last as well`() async throws {
    let fixture = try await LogFixture()
    try fixture.write("S.jsonl", Self.log(of: 100))
    let report = try await fixture.take()
    #expect(report.added == 100 && report.unchanged == 0, "\(report)")
    let stored = try await fixture.episodes().map(\.context)
    #expect(stored.count == 100 && Set(stored) == Set((0..<100).map { "task \($0)" }))
    let again = try await fixture.take()
    #expect(again.added == 0 && again.unchanged == 100, "\(again)")
  }

  @Test func `a batch that cannot be stored ends the import, and none after it is stored`() async throws {
    let fixture = try await LogFixture(limits: Memory.Limits(fieldBytes: 10_000))
    let tooLong = String(repeating: "long ", count: 4000)
    try fixture.write("S.jsonl", Self.log(of: 100) { $0 == 40 ? tooLong : "task \($0)" })
    let error = await #expect(throws: MemoryError.self) { try await fixture.take() }
    #expect(error?.code == .limitExceeded)
    let stored = try await fixture.episodes().map(\.context)
    #expect(stored.count == 32 && Set(stored) == Set((0..<32).map { "task \($0)" }), "\(stored)")
  }

  @Test func `a cancelled import keeps whole batches`() async throws {
    let fixture = try await LogFixture()
    try fixture.write("a.jsonl", Self.log(of: 59))
    try fixture.write("b.jsonl", Self.log(of: 1) { _ in "after" })
    let files = try LogFile.all(at: [fixture.directory.path])
    let importing = Task {
      try await LogImporter.run(files, into: fixture.memory, LogImporter.Options()) { _, _ in
        withUnsafeCurrentTask { $0?.cancel() }
      }
    }
    let error = await #expect(throws: MemoryError.self) { try await importing.value }
    #expect(error?.code == .cancelled)
    let stored = try await fixture.episodes().count
    #expect(stored == 0 || stored == 32, "\(stored)")
  }
}
