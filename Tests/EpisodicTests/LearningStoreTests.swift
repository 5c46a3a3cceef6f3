import Episodic
import EpisodicMemory
import Foundation
import Learning
import Synchronization
import TestSupport
import Testing

/// Episodes of an agent that tries, fails, and then looks or tries again: looking helps.
struct LookingEpisodes {
  static func episode(
    _ number: Int, domain: String = "d", agent: String = "a", isGood: Bool = true, status: Episode.Status? = nil
  ) -> Episode {
    let looks = number % 2 == 0
    let succeeded = looks == isGood ? number % 20 < 18 : number % 10 < 2
    let start = 1_700_000_000_000 + Int64(number) * 60_000
    let actions = [("try(\(number))", false), (looks ? "look()" : "try(-\(number))", looks), ("end()", true)]
    return Episode(
      id: Episode.ID("\(domain)-\(agent)-\(number)"), taskType: .testing, domain: domain, context: "task \(number)",
      status: status ?? (succeeded ? .completed : .failed), successRate: succeeded ? 1 : 0,
      createdAt: Timestamp(milliseconds: start), completedAt: Timestamp(milliseconds: start + 5000),
      metadata: ["agent": .string(agent), "task": .integer(Int64(number))],
      steps: actions.enumerated().map { index, action in
        Step(
          id: Step.ID("\(domain)-\(agent)-\(number)-\(index)"), number: index + 1, action: action.0,
          result: action.1 ? "done" : "Error: bad '\(number)'", success: action.1,
          timestamp: Timestamp(milliseconds: start + Int64(index)))
      })
  }

  static func episodes(_ numbers: Range<Int> = 0..<200, domain: String = "d", agent: String = "a") -> [Episode] {
    numbers.map { episode($0, domain: domain, agent: agent) }
  }

  /// One that has failed its first step.
  static func running(domain: String = "d", agent: String = "a", id: String = "running") -> Episode {
    var episode = episode(1000, domain: domain, agent: agent, status: .active)
    episode.steps = episode.steps.prefix(1).map { step in
      Step(
        id: Step.ID("\(id)/\(step.number)"), number: step.number, action: step.action, result: step.result,
        tool: step.tool, success: step.success, timestamp: step.timestamp)
    }
    return Episode(
      id: Episode.ID(id), taskType: .testing, domain: domain, context: episode.context, createdAt: episode.createdAt,
      metadata: episode.metadata, steps: episode.steps)
  }
}

@Suite struct `Learning in a store` {
  private static func traces(_ memory: Memory) async throws -> [String: [UInt8]] {
    try await memory.followRuns()
    return Dictionary(
      uniqueKeysWithValues: try await memory.primaryStore.traces(maximumSteps: .max).map {
        ($0.episode.rawValue, $0.trace.encoded)
      })
  }

  private static func look(_ result: LearningResult) throws -> LearnedPattern {
    try #require(result.patterns.first { $0.key.then == "look" }, "\(result)")
  }

  @Test func `what is found is kept as a pattern of its domain, linked to examples, and advised after the step`()
    async throws
  {
    let store = try Store()
    let memory = try await store.open()
    try await memory.insert(LookingEpisodes.episodes())
    let result = try await memory.learn()
    let found = try Self.look(result)
    #expect(found.direction == .prefer && found.grade == .provisional && found.key.when == ["try failed"])
    let kept = try #require(try await memory.patterns(.init(data: found.key.json), in: .domain("d")).first)
    #expect(kept.type == .errorResolution && kept.domain == "d")
    #expect(LearnedPattern(kept)?.evidence.observed == found.evidence.observed)
    #expect(try await memory.patterns(of: Episode.ID("d-a-196")).map(\.id).contains(kept.id))
    let advice = try await memory.advise(for: LookingEpisodes.running())
    #expect(advice.contains { $0.pattern == kept.id && $0.own.runs >= 10 && $0.text.contains("do: look") }, "\(advice)")
    #expect(advice.contains { $0.learned.key.then == "try" && $0.learned.direction == .avoid })
    #expect(try await memory.advise(for: LookingEpisodes.running(), limit: 1).count == 1)
    try await memory.close()
  }

  // I8
  @Test func `another agent, another domain and another situation are told nothing`() async throws {
    let store = try Store()
    let memory = try await store.open()
    try await memory.insert(LookingEpisodes.episodes() + LookingEpisodes.episodes(0..<4, domain: "e", agent: "b"))
    try await memory.learn()
    #expect(try await memory.advise(for: LookingEpisodes.running(agent: "b")).isEmpty)
    #expect(try await memory.advise(for: LookingEpisodes.running(domain: "e", agent: "b")).isEmpty)
    #expect(try await memory.advise(for: LookingEpisodes.running(domain: "f")).isEmpty)
    var looked = LookingEpisodes.running()
    looked.steps = Array(LookingEpisodes.episode(0).steps.prefix(2))
    #expect(try await memory.advise(for: looked).isEmpty)
    // What is kept in a domain names no agent of another.
    for pattern in try await memory.patterns(.init(), in: .domain("e")) {
      #expect(!pattern.metadata.canonicalText.contains("\"a\""), "\(pattern)")
    }
    try await memory.close()
  }

  @Test func `what strangers' episodes teach is trusted no more than these, and a quarantined pattern is not advised`()
    async throws
  {
    let store = try Store()
    let memory = try await store.open()
    try await memory.insert(
      LookingEpisodes.episodes().map { episode in
        var episode = episode
        episode.provenance = Provenance(.web, id: "page \(episode.id)")
        return episode
      })
    try await memory.learn()
    let patterns = try await memory.patterns(.init(limit: 100), in: .everything)
    #expect(patterns.count > 1 && patterns.allSatisfy { $0.trust == .untrusted }, "\(patterns.map(\.trust))")
    let advised = try await memory.advise(for: LookingEpisodes.running())
    let first = try #require(advised.first)
    try await memory.quarantine(.pattern(first.pattern), by: "anna")
    let left = try await memory.advise(for: LookingEpisodes.running(), limit: 100)
    #expect(!left.contains { $0.pattern == first.pattern })
    // Learning again does not take back what was decided.
    try await memory.learn()
    #expect(try await memory.pattern(first.pattern)?.trust == .quarantined)
    try await memory.close()
  }

  @Test func `two learnings of one seed are equal, and the second changes nothing`() async throws {
    let store = try Store()
    let memory = try await store.open()
    try await memory.insert(LookingEpisodes.episodes())
    let first = try await memory.learn()
    let patterns = try await memory.patterns(.init(limit: 100), in: .everything)
    #expect(try await memory.learn() == first)
    #expect(try await memory.patterns(.init(limit: 100), in: .everything) == patterns)
    try await memory.close()
  }

  @Test func `a pattern grows to advice with new tasks, and what is not found again is forgotten`() async throws {
    let store = try Store()
    let memory = try await store.open()
    try await memory.insert(LookingEpisodes.episodes())
    try await memory.learn()
    try await memory.insert(LookingEpisodes.episodes(200..<240))
    #expect(try Self.look(await memory.learn()).grade == .advice)
    try await memory.insert((240..<1000).map { LookingEpisodes.episode($0, isGood: false) })
    let turned = try await memory.learn()
    #expect(turned.patterns.allSatisfy { $0.key.then != "look" || $0.direction == .avoid || $0.grade == .contested })
    #expect(!(try await memory.advise(for: LookingEpisodes.running())).contains { $0.text.contains("do: look") })
    try await memory.close()
  }

  @Test func `erasing 500 episodes leaves the traces of a store that never had them`() async throws {
    let store = try Store()
    let memory = try await store.open()
    try await memory.insert(LookingEpisodes.episodes(0..<900))
    try await memory.learn()
    var random = SystemRandomNumberGenerator()
    let erased = Set((0..<900).shuffled(using: &random).prefix(500))
    _ = try await memory.forget(.episodes(erased.map { Episode.ID("d-a-\($0)") }), in: .everything)
    let otherStore = try Store()
    let other = try await otherStore.open()
    try await other.insert(
      LookingEpisodes.episodes(0..<900).enumerated().filter { !erased.contains($0.offset) }.map(\.element))
    #expect(try await Self.traces(memory) == Self.traces(other))
    // It has learned again by itself.
    try await other.learn()
    func metadata(_ memory: Memory) async throws -> [String: JSON] {
      Dictionary(
        uniqueKeysWithValues: try await memory.patterns(.init(limit: 100), in: .everything).map {
          ($0.dataHash, $0.metadata)
        })
    }
    #expect(try await metadata(memory) == metadata(other))
    #expect(try await memory.learn().patterns == (try await other.learn()).patterns)
    try await memory.close()
    try await other.close()
  }

  @Test func `traces follow every way in which an episode changes`() async throws {
    let store = try Store()
    let memory = try await store.open()
    try await memory.insert(LookingEpisodes.episodes(0..<10))
    #expect(try await Self.traces(memory).count == 10)
    let id = Episode.ID("d-a-0")
    let before = try await Self.traces(memory)[id.rawValue]
    // The key of its task changes.
    _ = try await memory.update(id, with: .init(metadata: ["agent": "a", "task": "other"]))
    #expect(try await Self.traces(memory)[id.rawValue] != before)
    _ = try await memory.archive(id)
    #expect(try await Self.traces(memory)[id.rawValue] == nil)
    _ = try await memory.reopen(id)
    #expect(try await Self.traces(memory)[id.rawValue] == nil)
    try await memory.append(Step.Draft("more()"), to: id)
    _ = try await memory.fail(id)
    #expect(try await Self.traces(memory)[id.rawValue] != nil)
    _ = try await memory.delete(Episode.ID("d-a-1"))
    #expect(try await Self.traces(memory).count == 9)
    try await memory.quarantine(.episode(Episode.ID("d-a-2")), by: "test", because: "a test")
    #expect(try await Self.traces(memory).count == 8)
    try await memory.close()
  }

  @Test func `an episode of many steps has a trace of 200, and is said to be cut`() async throws {
    let store = try Store()
    let memory = try await store.open()
    try await memory.insert(LookingEpisodes.episodes())
    let id = try await memory.begin(.init(.testing, domain: "d", context: "long", metadata: ["agent": "a"])).id
    try await memory.append((0..<1000).map { Step.Draft("step(\($0))", success: true) }, to: id)
    _ = try await memory.complete(id)
    let result = try await memory.learn()
    #expect(result.report.cutRuns == 1 && result.report.reasons.contains { $0.contains("200 steps") })
    try await memory.close()
  }

  @Test func `a learning that is cut short at any operation is gone on with`() async throws {
    let store = try Store()
    let expected = try await store.withMemory { memory in
      try await memory.insert(LookingEpisodes.episodes())
      return try await memory.learn()
    }
    // A copy of the episodes in a second store, whose learning fails after each of its operations in turn.
    let other = try Store()
    let memory = try await other.open()
    try await memory.insert(LookingEpisodes.episodes())
    for count in 0..<6 {
      let left = Mutex(count)
      let faulty = Memory(
        primary: FaultyPrimary(memory.primaryStore) { operation, moment throws(MemoryError) in
          guard moment == .after, operation.hasPrefix("followRuns") || operation.hasPrefix("write") else { return }
          let isOver = left.withLock { left in
            left -= 1
            return left < 0
          }
          if isOver { throw MemoryError(.unavailable, "injected") }
        }, cache: NoCache(because: "a test"))
      do { _ = try await faulty.learn() } catch { #expect(error.code == .unavailable) }
    }
    #expect(try await memory.learn().patterns == expected.patterns)
    try await memory.close()
  }

  @Test func `killed at random moments, the next learning finds what one that was not killed finds`() async throws {
    let directory = try TemporaryDirectory()
    let whole = directory.file("whole")
    let memory = try await Memory.open(at: whole)
    try await memory.insert(LookingEpisodes.episodes(0..<400))
    try await memory.close()
    var generator = SeededGenerator(seed: 3)
    var found: [LearnedPattern]?
    // 500 with EPISODIC_KILLS=500; the first is not killed.
    for round in 0...(ProcessInfo.processInfo.environment["EPISODIC_KILLS"].flatMap(Int.init) ?? 8) {
      let store = directory.file("store")
      try FileManager.default.copyItem(atPath: whole, toPath: store)
      let child = try Child("StoreWorker", ["learn", store, "learner"], in: directory)
      try await child.waitForLines(round == 0 ? 2 : 1)
      if round > 0 {
        // Making traces takes most of it; all of it a second on a slow machine.
        usleep(UInt32.random(in: 0...400_000, using: &generator))
      }
      child.kill()
      let opened = try await Memory.open(at: store)
      let kept = try await opened.patterns(.init(limit: 100), in: .everything)
      let patterns = try await opened.learn().patterns
      let expected = found ?? patterns
      found = expected
      #expect(!patterns.isEmpty && patterns == expected, "kill \(round)")
      #expect(kept.isEmpty || kept.count == expected.count, "kill \(round)")
      for check in try await opened.check() { #expect(check.outcome == .passed, "\(check) after kill \(round)") }
      try await opened.close()
      try FileManager.default.removeItem(atPath: store)
    }
  }

  @Test func `two that learn at once both end, and one set of patterns is left`() async throws {
    let store = try Store()
    let (first, second) = (try await store.open(), try await store.open())
    try await first.insert(LookingEpisodes.episodes())
    async let one = first.learn()
    async let two = second.learn()
    let (a, b) = try await (one, two)
    #expect(a.patterns == b.patterns)
    #expect(try await first.patterns(.init(limit: 100), in: .domain("d")).count == a.patterns.count)
    try await first.close()
    try await second.close()
  }

  @Test func `advice is held back at random by the id, and the experiment is reported`() async throws {
    let store = try Store()
    let memory = try await store.open()
    try await memory.insert(LookingEpisodes.episodes())
    try await memory.learn()
    var told = 0
    for number in 0..<60 {
      let running = LookingEpisodes.running(id: "run-\(number)")
      try await memory.insert([running])
      let advice = try await memory.advise(for: running, holdOut: 0.5)
      #expect(try await memory.advise(for: running, holdOut: 0.5) == advice)
      if !advice.isEmpty { told += 1 }
      _ = try await memory.complete(running.id)
    }
    #expect((10...50).contains(told))
    let experiment = try #require(try await memory.learn().experiment)
    #expect(experiment.shown == told && experiment.heldBack == 60 - told && experiment.lift == 1)
    await #expect(throws: MemoryError.self) {
      try await memory.advise(for: LookingEpisodes.running(), holdOut: 0.6)
    }
    try await memory.close()
  }

  @Test func `an episode that followed advice is no evidence for it`() async throws {
    let store = try Store()
    let memory = try await store.open()
    try await memory.insert(LookingEpisodes.episodes())
    let before = try Self.look(await memory.learn())
    let advice = try #require(try await Self.advice(memory))
    try await memory.feedback(advice, taken: true, helped: true)
    #expect(try Self.look(await memory.learn()).evidence.runs == before.evidence.runs - 1)
    try await memory.close()
  }

  /// That of `look`, as if it had been given to an episode that has ended since.
  private static func advice(_ memory: Memory) async throws -> Advice? {
    var advice = try await memory.advise(for: LookingEpisodes.running()).first { $0.learned.key.then == "look" }
    advice?.episode = Episode.ID("d-a-0")
    return advice
  }

  @Test func `a pattern is explained by cells, examples, counter-examples and shuffles`() async throws {
    let store = try Store()
    let memory = try await store.open()
    try await memory.insert(LookingEpisodes.episodes() + LookingEpisodes.episodes(0..<100, domain: "e"))
    let found = try Self.look(await memory.learn())
    let kept = try #require(try await memory.patterns(.init(data: found.key.json), in: .domain("d")).first)
    let explanation = try await memory.explain(pattern: kept.id)
    #expect(explanation.cells.map(\.agent) == ["a"] && explanation.cells[0].step == 2)
    #expect(explanation.cells[0].evidence.runs + explanation.elsewhere.runs == found.evidence.runs)
    #expect(explanation.elsewhere.runs == 50)
    #expect(explanation.examples.count + explanation.counterexamples.count == 100)
    #expect(explanation.examples.allSatisfy { $0.rawValue.hasPrefix("d-") })
    #expect(explanation.shuffles.count == 100 && explanation.observed > (explanation.shuffles.last ?? .infinity))
    await #expect(throws: MemoryError.self) { try await memory.explain(pattern: Pattern.ID("none")) }
    try await memory.close()
  }

  @Test func `what half of the tasks teach holds in the other half`() async throws {
    let store = try Store()
    let memory = try await store.open()
    try await memory.insert(LookingEpisodes.episodes(0..<600))
    let validation = try await memory.validateLearning(splits: 2)
    #expect(validation.checks.count >= 4)
    #expect(validation.agreeing == validation.checks.count && validation.reversed == 0)
    #expect(try await memory.patterns(.init(), in: .everything).isEmpty)
    try await memory.close()
  }

  @Test func `a repeated action is warned of where it harms, and only there`() async throws {
    let store = try Store()
    let memory = try await store.open()
    try await memory.insert(
      (0..<300).map { number in
        var episode = LookingEpisodes.episode(
          number, status: number % 3 == 0 && number % 30 != 0 ? .failed : .completed)
        let action = { (step: Int) in number % 3 == 0 ? "same()" : "other(\(step))" }
        episode.steps = (0..<5).map { step in
          Step(
            id: Step.ID("s-\(number)-\(step)"), number: step + 1, action: action(step), result: "x", success: true,
            timestamp: episode.createdAt)
        }
        return episode
      })
    try await memory.learn()
    var running = LookingEpisodes.running()
    func repeated(_ count: Int) -> [Step] {
      (0..<count).map {
        Step(id: Step.ID("r-\($0)"), number: $0 + 1, action: "same()", result: "x", timestamp: running.createdAt)
      }
    }
    let (two, three) = (repeated(2), repeated(3))
    running.steps = two
    #expect(try await memory.loopWarning(for: running) == nil)
    running.steps = three
    #expect(try await memory.loopWarning(for: running)?.learned.direction == .avoid)
    try await memory.close()
  }

  @Test(arguments: [
    LearningOptions(shuffles: 19), LearningOptions(falseDiscoveryRate: 0), LearningOptions(minimumSuccessRate: 2),
    LearningOptions(minimumRuns: 9), LearningOptions(minimumTasks: 1),
  ]) func `an option out of its range is refused`(_ options: LearningOptions) async throws {
    let store = try Store()
    let memory = try await store.open()
    await #expect(throws: MemoryError.self) { try await memory.learn(options) }
    try await memory.close()
  }

  @Test func `success can be asked of the rate`() async throws {
    let store = try Store()
    let memory = try await store.open()
    try await memory.insert(
      LookingEpisodes.episodes().map { episode in
        var episode = episode
        episode.status = .completed
        return episode
      })
    #expect(try await memory.learn().report.reasons.contains { $0.contains("failed") })
    #expect(try Self.look(await memory.learn(LearningOptions(minimumSuccessRate: 0.5))).direction == .prefer)
    try await memory.close()
  }
}
