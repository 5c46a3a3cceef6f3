import Episodic
import Foundation
import GRDB
import TestSupport
import Testing

@Suite struct `A finished run` {
  /// Starts a run of a task, with a prompt and a tool call, and ends it.
  private static func finished(
    _ ledger: Ledger, domain: String = "web", request: String = "the login test fails",
    answer: String = "reads the log",
    as status: Ledger.Run.Status = .completed
  ) async throws -> Ledger.Run {
    var draft = Ledger.Task.Draft("repair", domain: domain, session: "s")
    draft.request = request
    let task = try await ledger.add(draft).task
    var run = Ledger.Run.Draft(.debugging, domain: domain)
    run.task = task.id
    run.status = .executing
    let started = try await ledger.start(run)
    try await ledger.add(Ledger.Prompt.Draft("what is wrong?", response: answer), to: started.id)
    try await ledger.add(
      Ledger.ToolCall.Draft("shell", arguments: ["command": "swift test"], result: "1 failure", success: false),
      to: started.id)
    return try await ledger.finish(run: started.id, as: status, error: status == .failed ? "no idea" : nil)
  }

  @Test func `becomes one episode, with the words of its task and its prompts and tool calls as steps`() async throws {
    let directory = try TemporaryDirectory()
    let store = try await AgentStore.open(at: directory.file("store"), options: .manual)
    let run = try await Self.finished(store.ledger)
    let report = try await store.consolidate()
    #expect(report.episodes == [Episode.ID(run.id.rawValue)])
    let episode = try #require(try await store.memory.episode(Episode.ID(run.id.rawValue)))
    #expect(episode.context == "the login test fails")
    #expect(episode.session == "s")
    #expect(episode.taskType == .debugging)
    #expect(episode.status == .completed)
    #expect(episode.successRate == 0.5)
    #expect(episode.steps.map(\.action) == ["what is wrong?", #"shell({"command":"swift test"})"#])
    #expect(episode.steps.map(\.result) == ["reads the log", "1 failure"])
    #expect(episode.steps.map(\.tool) == [nil, "shell"])
    #expect(
      try await store.memory.recall(Query(text: "login", scope: .domain("web"))).map(\.episode.id) == [episode.id])
    #expect(try await store.consolidate() == ConsolidationReport())
    #expect(try await store.ledger.run(run.id)?.episode == run.id.rawValue)
    try await store.close()
  }

  @Test func `becomes an episode by itself while a store is open`() async throws {
    let directory = try TemporaryDirectory()
    let store = try await AgentStore.open(at: directory.file("store"))
    let run = try await Self.finished(store.ledger)
    while try await store.memory.episode(Episode.ID(run.id.rawValue)) == nil {
      try await Task.sleep(for: .milliseconds(20))
    }
    try await store.close()
  }

  @Test func `does not become another one when its episode was deleted, whatever the ledger knows of it`() async throws
  {
    let directory = try TemporaryDirectory()
    let store = try await AgentStore.open(at: directory.file("store"), options: .manual)
    let run = try await Self.finished(store.ledger)
    try await store.consolidate()
    try await store.memory.delete(Episode.ID(run.id.rawValue))
    // As after a kill between the commits of the two files.
    try await DatabaseQueue(path: directory.file("store") + "/ledger.sqlite").write { db in
      try db.execute(sql: "UPDATE runs SET episode_id = NULL")
    }
    #expect(try await store.consolidate().known == 1)
    #expect(try await store.memory.episode(Episode.ID(run.id.rawValue)) == nil)
    try await store.close()
  }

  @Test func `is erased with its episode, and no byte of it is left`() async throws {
    let directory = try TemporaryDirectory()
    let store = try await AgentStore.open(at: directory.file("store"), options: .manual)
    let secret = "violet-otter-4711"
    let run = try await Self.finished(store.ledger, request: "find \(secret)", answer: "it is \(secret)")
    let kept = try await Self.finished(store.ledger)
    try await store.consolidate()
    let receipt = try await store.memory.forget(.text(secret), in: .everything)
    #expect(receipt.cleanedAt != nil, "\(receipt.pending ?? "")")
    #expect(try await store.ledger.run(run.id) == nil)
    #expect(try await store.ledger.run(kept.id) != nil)
    try await store.close()
    for file in try FileManager.default.subpathsOfDirectory(atPath: directory.file("store")) {
      guard let bytes = FileManager.default.contents(atPath: directory.file("store") + "/" + file) else { continue }
      #expect(bytes.firstRange(of: Data(secret.utf8)) == nil, "\(file)")
    }
  }

  @Test func `whose episode was erased is erased by the next consolidation`() async throws {
    let directory = try TemporaryDirectory()
    let store = try await AgentStore.open(at: directory.file("store"), options: .manual)
    let run = try await Self.finished(store.ledger)
    try await store.consolidate()
    try await DatabaseQueue(path: directory.file("store") + "/ledger.sqlite").write { db in
      try db.execute(sql: "UPDATE runs SET episode_id = NULL")
    }
    // The ledger is elsewhere while the episode is erased.
    let (here, elsewhere) = (directory.file("store") + "/ledger.sqlite", directory.file("elsewhere"))
    try await store.ledger.close()
    try FileManager.default.moveItem(atPath: here, toPath: elsewhere)
    try await store.memory.forget(.episodes([Episode.ID(run.id.rawValue)]), in: .everything)
    try FileManager.default.moveItem(atPath: elsewhere, toPath: here)
    let ledger = try await Ledger.open(at: directory.file("store"))
    #expect(try await store.memory.consolidate(ledger).erased == 1)
    #expect(try await ledger.run(run.id) == nil)
    #expect(try await store.memory.episodes(in: .everything).elements.isEmpty)
    try await ledger.close()
    try await store.memory.close()
  }

  @Test func `with a text that no episode takes is cut; one with an id that is taken stays, and is named`() async throws
  {
    let directory = try TemporaryDirectory()
    var options = AgentStore.OpenOptions.manual
    options.memory.limits.fieldBytes = 1000
    let store = try await AgentStore.open(at: directory.file("store"), options: options)
    let long = try await Self.finished(store.ledger, answer: String(repeating: "long ", count: 1000))
    _ = try await store.memory.begin(.init(.testing, domain: "web", context: "mine", id: "taken"))
    var draft = Ledger.Run.Draft(.debugging, domain: "web", context: "theirs")
    draft.id = "taken"
    draft.status = .executing
    _ = try await store.ledger.start(draft)
    try await store.ledger.finish(run: "taken")
    let report = try await store.consolidate()
    #expect(report.episodes == [Episode.ID(long.id.rawValue)])
    #expect(report.failures.map(\.run) == ["taken"])
    #expect(try await store.memory.episode("taken")?.context == "mine")
    let steps = try #require(try await store.memory.episode(Episode.ID(long.id.rawValue))).steps
    #expect(steps[0].result?.utf8.count ?? 0 <= 1000)
    try await store.close()
  }

  @Test(arguments: [Ledger.Run.Status.failed, .cancelled]) func `that did not succeed becomes a failed episode`(
    _ status: Ledger.Run.Status
  ) async throws {
    let directory = try TemporaryDirectory()
    let store = try await AgentStore.open(at: directory.file("store"), options: .manual)
    let run = try await Self.finished(store.ledger, as: status)
    try await store.consolidate()
    let episode = try #require(try await store.memory.episode(Episode.ID(run.id.rawValue)))
    #expect(episode.status == .failed)
    #expect(episode.metadata["outcome"] == (status == .cancelled ? "cancelled" : nil))
    try await store.close()
  }
}

extension AgentStore.OpenOptions {
  /// Runs become episodes only when they are told to.
  static var manual: Self {
    var options = Self()
    options.consolidatesByItself = false
    return options
  }
}

@Suite struct `Signals` {
  @Test func `become a pattern a selector, with its counts and its success rate, brought up to date`() async throws {
    let directory = try TemporaryDirectory()
    let store = try await AgentStore.open(at: directory.file("store"), options: .manual)
    func record(_ selector: String, _ outcomes: [Bool], in domain: String = "web") async throws {
      try await store.ledger.record(
        outcomes.map { Ledger.Signal.Draft(selector, type: .css, success: $0, domain: domain) })
    }
    try await record("#login", [true, true, false, true])
    try await record("#other", [false])
    try await record("#login", [false], in: "shop")
    #expect(try await store.consolidate().patterns == 3)
    #expect(try await store.consolidate().patterns == 0)
    try await record("#login", [false, false, false, false])
    #expect(try await store.consolidate().patterns == 1)
    let patterns = try await store.memory.patterns(in: .domain("web"))
    #expect(patterns.count == 2 && patterns.allSatisfy { $0.type == .optimization })
    let login = try #require(patterns.first { $0.data["selector"] == "#login" })
    #expect(login.successRate == 3.0 / 8)
    #expect(login.metadata == ["count": 8, "successes": 3])
    try await store.close()
  }
}
