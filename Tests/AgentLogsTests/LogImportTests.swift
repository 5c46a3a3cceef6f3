import AgentLogs
import Episodic
import EpisodicMemory
import Foundation
import TestSupport
import Testing

@Suite struct `Importing logs` {
  private static let prompts = (1...5).map { number in
    Claude.prompt("task \(number)", "u\(number)", id: "p\(number)", at: number)
  }

  @Test func `lines that are cut, mixed, too deep or of later versions are counted, and the rest is taken`()
    async throws
  {
    let fixture = try await LogFixture()
    let deep = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
    try fixture.write(
      "S.jsonl",
      [
        Self.prompts[0], "{", "nonsense", "[]", "", "   ", #"{"type":"user","uuid":"#,
        #"{"type":"user","x":"# + deep + "}", #"{"type":"user","message":7,"sessionId":"S"}"#,
        #"{"type":"user","message":{"content":[{"type":"tool_result"}]}}"#,
        #"{"type":"assistant","message":{"content":{"no":"array"},"usage":"none"},"timestamp":"yesterday"}"#,
        #"{"type":"assistant","message":{"content":[{"type":"tool_use","id":7,"name":[]}]}}"#,
        #"{"type":"unheard-of","of":"a later version"}"#, #"{"of":"no type"}"#, #"{"type":{"a":1}}"#,
        #"{"type":"user","type":"user"}"#, Self.prompts[1],
      ])
    let report = try await fixture.take()
    #expect(report.added == 2 && report.badLines == 6 && report.resultsWithoutCall == 1, "\(report)")
    #expect(report.otherRecords == ["unheard-of": 1, "without a type": 2], "\(report)")
  }

  /// Mutations of whole logs, as a client that is killed, or a disk that is full, leaves them.
  @Test func `no sequence of damaged lines ends an import, and a second one finds the same`() async throws {
    var random = SeededGenerator(seed: 0x106)
    let seeds = (`Logs of Claude Code`.first + Self.prompts).map { Array($0.utf8) }
    for round in 0..<8 {
      let fixture = try await LogFixture()
      var lines: [UInt8] = []
      for _ in 0..<100 {
        var line = seeds[Int(random.next() % UInt64(seeds.count))]
        for _ in 0...Int(random.next() % 3) where !line.isEmpty {
          let at = Int(random.next() % UInt64(line.count))
          switch random.next() % 5 {
          case 0: line.remove(at: at)
          case 1: line[at] = UInt8(truncatingIfNeeded: random.next())
          case 2: line.insert(contentsOf: line[at...].prefix(Int(random.next() % 40)), at: at)
          case 3: line.removeSubrange(at...)
          default: break
          }
        }
        lines += line + [0x0A]
      }
      let path = fixture.directory.file("S.jsonl")
      try Data(lines).write(to: URL(filePath: path))
      try fixture.age(path)
      let report = try await fixture.take(LogImporter.Options(format: .claude))
      let episodes = try await fixture.episodes()
      #expect(episodes.count == report.added, "round \(round)")
      let again = try await fixture.take(LogImporter.Options(format: .claude))
      #expect(again.added == 0 && again.steps == 0, "round \(round): \(again)")
      #expect(try await fixture.episodes() == episodes, "round \(round)")
    }
  }

  @Test func `the form is found by the first lines, and a file of none is named`() async throws {
    let fixture = try await LogFixture()
    try fixture.write("a.jsonl", [#"{"type":"mode"}"#, Self.prompts[0]])
    try fixture.write("b.jsonl", [#"{"timestamp":"2026-11-21T06:48:14Z","type":"session_meta","payload":{"id":"T"}}"#])
    let other = try fixture.write("c.jsonl", [#"{"id":"x","task_type":"t"}"#])
    let empty = try fixture.write("d.jsonl", "")
    try fixture.write("e.txt", "no log")
    let report = try await fixture.take()
    #expect(report.files == 2 && Set(report.unknownFiles) == [other, empty], "\(report)")
    await #expect(throws: MemoryError.self) { try await fixture.take(from: fixture.directory.file("missing")) }
  }

  @Test func `a dry run stores nothing and says the same`() async throws {
    let fixture = try await LogFixture()
    try fixture.write("S.jsonl", Self.prompts)
    let files = try LogFile.all(at: [fixture.directory.path])
    let options = LogImporter.Options(isDryRun: true)
    let without = try await LogImporter.run(files, into: nil, options).report
    let dry = try await fixture.take(options)
    #expect(dry.added == 5 && without.added == 5)
    #expect(try await fixture.episodes().isEmpty)
    #expect(try await fixture.take() == dry)
  }

  @Test func `what is older than asked for is left out, and a domain that is given holds`() async throws {
    let fixture = try await LogFixture()
    try fixture.write("S.jsonl", Self.prompts)
    let since = try #require(Timestamp("2026-11-21T06:48:04Z"))
    let report = try await fixture.take(LogImporter.Options(since: since, domain: "d"))
    #expect(report.added == 2 && report.tooOld == 3, "\(report)")
    #expect(try await fixture.episodes().map(\.domain) == ["d", "d"])
  }

  @Test func `what was erased does not come back, and what was archived stays as it is`() async throws {
    let fixture = try await LogFixture()
    try fixture.write("S.jsonl", Self.prompts)
    try await fixture.take()
    let episodes = try await fixture.episodes()
    try await fixture.memory.forget(.episodes([episodes[0].id]), in: .everything)
    try await fixture.memory.archive(episodes[1].id)
    let report = try await fixture.take()
    #expect(report.erased == 1 && report.added == 0 && report.changed == 0 && report.unchanged == 4, "\(report)")
    #expect(try await fixture.memory.episode(episodes[0].id) == nil)
    #expect(try await fixture.memory.episode(episodes[1].id)?.status == .archived)
  }

  @Test func `logs of others are trusted no more than they are given`() async throws {
    let fixture = try await LogFixture()
    try fixture.write("S.jsonl", [Self.prompts[0], Claude.answer("Done.", "a", after: "u1", at: 2)])
    try await fixture.take(LogImporter.Options(provenance: ImportOptions(source: .imported)))
    #expect(try await fixture.episodes().map(\.trust) == [.unverified])
  }

  @Test func `logs that did not change are not read, unless they may still go on`() async throws {
    let fixture = try await LogFixture()
    let store = try TemporaryDirectory()
    let done = try fixture.write("a.jsonl", [Self.prompts[0], Claude.answer("Done.", "a", after: "u1", at: 2)])
    try fixture.write("b.jsonl", [Self.prompts[1], Claude.call("make", "c1", "a2", after: "u2", at: 3)])
    func sync() async throws -> LogReport {
      let files = try LogFile.all(at: [fixture.directory.path])
      let (report, state) = try await LogImporter.run(
        files, into: fixture.memory, .init(), state: SyncState(store: store.path))
      try state.save(in: store.path)
      return report
    }
    #expect(try await sync().files == 2)
    let second = try await sync()
    #expect(second.files == 1 && second.unchangedFiles == 1 && second.unchanged == 1, "\(second)")
    try fixture.write("a.jsonl", [Self.prompts[0], Claude.answer("Done, all of it.", "a", after: "u1", at: 2)])
    #expect(try await sync().changed == 1)
    // Without the file everything is read, and nothing is new.
    for damaged in ["", "{", #"{"files":{"\#(done)":7}}"#] {
      try Data(damaged.utf8).write(to: URL(filePath: store.file(SyncState.fileName)))
      let report = try await sync()
      #expect(report.files == 2 && report.added == 0 && report.changed == 0, "\(report)")
    }
  }

  @Test func `an episode of many calls keeps the memory that it needs within bounds`() async throws {
    let fixture = try await LogFixture()
    var lines = [Self.prompts[0]]
    let output = String(repeating: "word ", count: 3600)
    for number in 0..<700 {
      lines.append(Claude.call("run \(number)", "c\(number)", "a\(number)", after: "u1", at: 2))
      lines.append(Claude.result(output, of: "c\(number)", "r\(number)", after: "a\(number)", id: "p1", at: 3))
    }
    try fixture.write("S.jsonl", lines)
    #expect(try await fixture.take().steps == 700)
    let episode = try #require(try await fixture.episodes().first)
    let bytes = episode.steps.reduce(0) { $0 + ($1.result?.utf8.count ?? 0) }
    #expect(bytes < 10 << 20 && episode.steps.allSatisfy { $0.result?.hasPrefix("word") == true })
  }
}
