import EpisodicMemory
import MemorySQLite
import Foundation
import TestSupport
import Testing

private func code(_ body: () async throws -> Void) async -> MemoryError.Code? {
  do { try await body() } catch { return (error as? MemoryError)?.code }
  return nil
}

@Suite struct `Recording episodes` {
  @Test(arguments: Backend.allCases)
  func `an episode is begun, appended to and completed, and reads back as written`(_ backend: Backend) async throws {
    let bench = try await Bench(backend)
    let memory = bench.memory
    let begun = try await memory.begin(
      .init(.testing, domain: "swift", context: "make it pass", session: "s1", metadata: ["branch": "main"]))
    #expect(begun.status == .active)
    bench.clock.advance(by: .seconds(2))
    let first = try await memory.append(
      Step.Draft("swift build", tool: "swift", duration: .milliseconds(1500), success: true), to: begun.id)
    let rest = try await memory.append(
      [Step.Draft("swift test", result: "1 failure", success: false), Step.Draft("think")], to: begun.id)
    #expect([first.number] + rest.map(\.number) == [1, 2, 3])
    bench.clock.advance(by: .seconds(2))
    let completed = try await memory.complete(begun.id)
    #expect(completed.status == .completed)
    #expect(completed.successRate == 0.5)
    #expect(completed.completedAt == bench.clock.now())
    #expect(completed.steps == [first] + rest)
    #expect(try await memory.episode(begun.id) == completed)
  }

  @Test(arguments: Backend.allCases)
  func `appends that share a commit get consecutive numbers, and refused ones do not affect the others`(
    _ backend: Backend
  )
    async throws
  {
    let bench = try await Bench(backend, durability: .full)
    let memory = bench.memory
    try await memory.insert([.sample("open", status: .active), .sample("closed")])
    let (kept, refused) = await withTaskGroup(of: (kept: [Int], refused: Int).self) { group in
      for appender in 0..<32 {
        group.addTask {
          var kept: [Int] = [], refused = 0
          for round in 0..<5 {
            let target: Episode.ID = appender.isMultiple(of: 4) ? "closed" : appender % 4 == 1 ? "missing" : "open"
            let drafts = [Step.Draft("a\(appender)r\(round)"), Step.Draft("b", number: appender == 2 ? 1 : nil)]
            do { kept += try await memory.append(drafts, to: target).map(\.number) } catch { refused += 1 }
          }
          return (kept, refused)
        }
      }
      return await group.reduce(into: ([Int](), 0)) { $0 = ($0.0 + $1.kept, $0.1 + $1.refused) }
    }
    // At most one of the five appends that name number 1 can succeed.
    #expect((84...85).contains(refused))
    #expect(kept.count == 2 * (160 - refused) && Set(kept).count == kept.count)
    let steps = try #require(try await memory.episode("open")).steps
    #expect(steps.map(\.number) == kept.sorted())
    #expect(try await memory.episode("closed")?.steps.isEmpty == true)
    for check in try await memory.check() { #expect(check.outcome == .passed, "\(check.name)") }
  }

  @Test(arguments: [Episode.Status.completed, .failed, .archived], Backend.allCases)
  func `an append to an episode that is not active is refused and stores nothing`(
    _ status: Episode.Status, _ backend: Backend
  ) async throws {
    let bench = try await Bench(backend)
    try await bench.memory.insert([.sample("e", status: status, steps: ["one"])])
    #expect(await code { _ = try await bench.memory.append(Step.Draft("two"), to: "e") } == .conflict)
    #expect(try await bench.memory.episode("e")?.steps.count == 1)
  }

  @Test(arguments: Backend.allCases)
  func `a step keeps the number given by the caller, and the engine continues after the highest`(_ backend: Backend)
    async throws
  {
    let bench = try await Bench(backend)
    try await bench.memory.insert([.sample("e", status: .active)])
    let steps = try await bench.memory.append(
      [Step.Draft("a", number: 10), Step.Draft("b"), Step.Draft("c", number: 3), Step.Draft("d")], to: "e")
    #expect(steps.map(\.number) == [10, 11, 3, 12])
    #expect(try await bench.memory.episode("e")?.steps.map(\.action) == ["c", "a", "b", "d"])
  }

  @Test(arguments: Backend.allCases)
  func `a step number that is taken is a conflict, and nothing of the call is stored`(_ backend: Backend) async throws {
    let bench = try await Bench(backend)
    try await bench.memory.insert([.sample("e", status: .active, steps: ["one"])])
    #expect(
      await code { _ = try await bench.memory.append([Step.Draft("x"), Step.Draft("y", number: 1)], to: "e") }
        == .conflict)
    #expect(
      await code { _ = try await bench.memory.append([Step.Draft("x", number: .max), Step.Draft("y")], to: "e") }
        == .conflict)
    #expect(try await bench.memory.episode("e")?.steps.count == 1)
  }

  @Test(arguments: Backend.allCases)
  func `reopening undoes completing, failing and archiving`(_ backend: Backend) async throws {
    let bench = try await Bench(backend)
    let memory = bench.memory
    try await memory.insert([.sample("e", status: .active)])
    for end in [memory.complete, memory.fail] as [@Sendable (Episode.ID, Double?) async throws(MemoryError) -> Episode]
    {
      _ = try await end("e", 0.25)
      let reopened = try await memory.reopen("e")
      #expect(reopened == .sample("e", status: .active))
    }
    _ = try await memory.archive("e")
    #expect(try await memory.reopen("e").status == .active)
    #expect(await code { _ = try await memory.reopen("e") } == .conflict)
  }

  @Test(arguments: Backend.allCases)
  func `without a rate, an ended episode takes the mean over its steps with an outcome, else one or zero`(
    _ backend: Backend
  )
    async throws
  {
    let bench = try await Bench(backend)
    let memory = bench.memory
    for (id, outcomes, rate) in [("a", [true, true, false, nil], 2.0 / 3), ("b", [nil], 1), ("c", [], 1)]
      as [(String, [Bool?], Double)]
    {
      try await memory.insert([.sample(Episode.ID(id), status: .active)])
      _ = try await memory.append(outcomes.map { Step.Draft("x", success: $0) }, to: Episode.ID(id))
      #expect(try await memory.complete(Episode.ID(id)).successRate == rate)
    }
    try await memory.insert([.sample("d", status: .active)])
    #expect(try await memory.fail("d").successRate == 0)
  }

  @Test(arguments: Backend.allCases)
  func `a clock that was set back does not end an episode before its beginning`(_ backend: Backend) async throws {
    let bench = try await Bench(backend)
    let begun = try await bench.memory.begin(.init(.testing, domain: "d", context: ""))
    bench.clock.advance(by: .seconds(-60))
    #expect(try await bench.memory.complete(begun.id).completedAt == begun.createdAt)
  }

  @Test(arguments: Backend.allCases)
  func `fields not named in a change stay as they are`(_ backend: Backend) async throws {
    let bench = try await Bench(backend)
    let memory = bench.memory
    _ = try await memory.begin(
      .init(.testing, domain: "d", context: "old words", session: "s", metadata: ["k": 1], id: "e"))
    let renamed = try await memory.update("e", with: .init(context: "new words"))
    #expect(renamed.context == "new words" && renamed.session == "s" && renamed.metadata == ["k": 1])
    #expect(try await memory.update("e", with: .init(session: .some(nil))).session == nil)
    _ = try await memory.complete("e")
    #expect(try await memory.recall(Query(text: "old", scope: .everything)).isEmpty)
    #expect(try await memory.recall(Query(text: "new", scope: .everything)).count == 1)
  }

  @Test(arguments: Backend.allCases)
  func `deleting an episode deletes its steps, vectors, links and words, and no pattern`(_ backend: Backend)
    async throws
  {
    let bench = try await Bench(backend)
    let memory = bench.memory
    try await memory.insert([.sample("e", context: "unmistakable", steps: ["peculiar"])])
    try await memory.embed(.init(of: "e", content: "c", vector: [1, 0], model: "m"))
    let pattern = try await memory.record(Pattern.Draft(.optimization, data: ["x": 1]))
    try await memory.link(pattern.id, to: "e")
    #expect(try await memory.delete("e"))
    #expect(try await !memory.delete("e"))
    #expect(try await memory.episode("e") == nil)
    #expect(try await memory.embeddings(of: "e").isEmpty)
    #expect(try await memory.patterns(of: "e").isEmpty)
    #expect(try await memory.pattern(.optimization, data: ["x": 1]) == pattern)
    #expect(try await memory.recall(Query(text: "unmistakable peculiar", scope: .everything)).isEmpty)
    for check in try await memory.check() { #expect(check.outcome == .passed, "\(check.name)") }
  }

  @Test(arguments: Backend.allCases)
  func `verbs on an id that does not exist report not found`(_ backend: Backend) async throws {
    let bench = try await Bench(backend)
    let memory = bench.memory
    #expect(await code { _ = try await memory.append(Step.Draft("x"), to: "no") } == .notFound)
    #expect(await code { _ = try await memory.complete("no") } == .notFound)
    #expect(await code { _ = try await memory.update("no", with: .init(context: "x")) } == .notFound)
    #expect(await code { _ = try await memory.markUsed("no") } == .notFound)
    #expect(await code { _ = try await memory.link("no", to: "no") } == .notFound)
    #expect(
      await code { _ = try await memory.embed(.init(of: "no", content: "", vector: [1], model: "m")) } == .notFound)
    #expect(try await memory.episode("no") == nil)
  }
}

@Suite struct `Importing episodes` {
  @Test(arguments: Backend.allCases)
  func `an id that is taken is refused, skipped or replaced, as the policy says`(_ backend: Backend) async throws {
    let bench = try await Bench(backend)
    let memory = bench.memory
    try await memory.insert([.sample("e", context: "first", steps: ["s"])])
    #expect(await code { _ = try await memory.insert([.sample("new"), .sample("e", context: "second")]) } == .conflict)
    #expect(try await memory.episode("new") == nil)
    #expect(try await memory.insert([.sample("e", context: "second")], existing: .skip).episodes == 0)
    #expect(try await memory.episode("e")?.context == "first")
    #expect(try await memory.insert([.sample("e", context: "second")], existing: .replace).episodes == 1)
    #expect(try await memory.episode("e") == .sample("e", context: "second"))
  }

  @Test(arguments: Backend.allCases)
  func `a replaced episode keeps its place in a list`(_ backend: Backend) async throws {
    let bench = try await Bench(backend)
    let memory = bench.memory
    try await memory.insert(["a", "b", "c"].map { .sample($0) })
    try await memory.insert([.sample("a", context: "new")], existing: .replace)
    #expect(try await memory.episodes(in: .everything).elements.map(\.id) == ["c", "b", "a"])
  }

  @Test(arguments: Backend.allCases)
  func `a vector of an episode outside the import, or of another episode's step, is refused`(_ backend: Backend)
    async throws
  {
    let bench = try await Bench(backend)
    let memory = bench.memory
    try await memory.insert([.sample("old", domain: "x", steps: ["s"])])
    let stray = Embedding.Draft(of: "old", content: "", vector: [1], model: "m")
    #expect(await code { _ = try await memory.insert([.sample("new")], embeddings: [stray]) } == .invalid)
    let foreign = Embedding.Draft(of: "new", step: "old/1", content: "", vector: [1], model: "m")
    #expect(await code { _ = try await memory.insert([.sample("new")], embeddings: [foreign]) } == .invalid)
    #expect(try await memory.episode("new") == nil)
  }

  @Test(arguments: Episode.Status.allCases, Backend.allCases) func `every status survives a round trip`(
    _ status: Episode.Status, _ backend: Backend
  )
    async throws
  {
    let bench = try await Bench(backend)
    let memory = bench.memory
    let episode = Episode.sample("e", status: status, steps: ["a", "b"])
    try await memory.insert([episode])
    #expect(try await memory.episode("e") == episode)
  }
}

@Suite struct `Listing episodes` {
  @Test(arguments: Backend.allCases)
  func `pages of any size list every episode once, newest first, while others are added and deleted`(_ backend: Backend)
    async throws
  {
    let bench = try await Bench(backend)
    let memory = bench.memory
    try await memory.insert((0..<50).map { .sample(Episode.ID("e\($0)"), at: 1_767_225_600_000 + Int64($0 / 3)) })
    let all = try await memory.episodes(in: .everything, limit: 1000).elements.map(\.id)
    #expect(all == (0..<50).reversed().map { Episode.ID("e\($0)") })
    for size in [1, 7, 50] {
      var seen: [Episode.ID] = []
      var cursor: Episode.Page.Cursor?
      repeat {
        let page = try await memory.episodes(in: .everything, after: cursor, limit: size)
        seen += page.elements.map(\.id)
        cursor = page.next
        try await memory.insert([.sample(.generate(at: Timestamp(milliseconds: 0)), at: 1_999_999_999_999)])
      } while cursor != nil
      #expect(Array(seen.suffix(50)) == all)
    }
  }

  @Test(arguments: Backend.allCases)
  func `each filter selects exactly the episodes it names`(_ backend: Backend) async throws {
    let bench = try await Bench(backend)
    let memory = bench.memory
    var episodes: [Episode] = []
    for (index, status) in Episode.Status.allCases.enumerated() {
      for domain in ["x", "y"] {
        var episode = Episode.sample(
          Episode.ID("\(status)-\(domain)"), domain: domain, status: status, at: Int64(index) * 1000)
        episode.session = domain == "x" ? "s" : nil
        episode.taskType = index.isMultiple(of: 2) ? .testing : .analysis
        episodes.append(episode)
      }
    }
    try await memory.insert(episodes)
    func ids(_ filter: Episode.Filter, _ scope: Query.Scope = .everything) async throws -> Set<Episode.ID> {
      Set(try await memory.episodes(filter, in: scope).elements.map(\.id))
    }
    func expected(_ isIncluded: (Episode) -> Bool) -> Set<Episode.ID> { Set(episodes.filter(isIncluded).map(\.id)) }
    #expect(try await ids(.init(), .domain("x")) == expected { $0.domain == "x" })
    #expect(try await ids(.init(session: "s")) == expected { $0.session == "s" })
    #expect(try await ids(.init(taskType: .testing)) == expected { $0.taskType == .testing })
    #expect(try await ids(.init(statuses: [.failed, .active])) == expected { [.failed, .active].contains($0.status) })
    #expect(try await ids(.init(statuses: [])).isEmpty)
    let after = Timestamp(milliseconds: 1000), before = Timestamp(milliseconds: 3000)
    #expect(try await ids(.init(after: after, before: before)) == expected { (after..<before).contains($0.createdAt) })
  }
}

@Suite struct `Patterns` {
  @Test(arguments: Backend.allCases)
  func `the same data twice is one pattern, whatever the order of its members`(_ backend: Backend) async throws {
    let bench = try await Bench(backend)
    let memory = bench.memory
    let first = try await memory.record(Pattern.Draft(.toolSequence, data: ["a": 1, "b": [true]], successRate: 0.5))
    let again = try await memory.record(
      Pattern.Draft(.toolSequence, data: ["b": [true], "a": 1.0], metadata: ["seen": 2]))
    #expect(again.id == first.id && again.successRate == 0.5 && again.metadata == ["seen": 2])
    #expect(try await memory.record(Pattern.Draft(.optimization, data: ["a": 1, "b": [true]])).id != first.id)
  }

  @Test(arguments: Backend.allCases)
  func `a pattern with a number is found whether the number was written or queried as integer or fraction`(
    _ backend: Backend
  )
    async throws
  {
    let memory = try await Bench(backend).memory
    let recorded = try await memory.record(Pattern.Draft(.optimization, data: ["limit": .number(30)]))
    for data in [["limit": .integer(30)], ["limit": .unsigned(30)], try JSON(text: #"{"limit":3e1}"#)] as [JSON] {
      #expect(try await memory.pattern(.optimization, data: data)?.id == recorded.id)
      #expect(try await memory.record(Pattern.Draft(.optimization, data: data)).id == recorded.id)
    }
  }

  @Test(arguments: Backend.allCases)
  func `a pattern hashed by an earlier version, with another form of its number, is found and not recorded twice`(
    _ backend: Backend
  )
    async throws
  {
    let bench = try await Bench(backend)
    // printf '{"limit":30.0}' | sha256sum: earlier versions hashed 30.0 and 30 differently.
    let hash = "adf21ee0cbd2caac41af9f1505b92e60d8dab0b231997216f03c17b33e4d95d5"
    let data: JSON = ["limit": .number(30)]
    let old = try await bench.primary.record(
      Pattern(
        id: "old", type: .optimization, data: data, dataHash: hash, successRate: 0.5, usageCount: 0, lastUsed: nil,
        createdAt: bench.clock.now(), metadata: [:]))
    #expect(try await bench.memory.pattern(.optimization, data: data)?.id == old.id)
    #expect(try await bench.memory.record(Pattern.Draft(.optimization, data: data)).id == old.id)
    #expect(try await bench.memory.patterns(in: .everything).count == 1)
  }

  @Test(arguments: Backend.allCases)
  func `uses are counted, and the success rate is their mean`(_ backend: Backend) async throws {
    let bench = try await Bench(backend)
    let pattern = try await bench.memory.record(Pattern.Draft(.optimization, data: "x"))
    _ = try await bench.memory.markUsed(pattern.id, succeeded: true)
    bench.clock.advance(by: .seconds(1))
    let used = try await bench.memory.markUsed(pattern.id, succeeded: false)
    #expect(used.usageCount == 2 && used.successRate == 0.5 && used.lastUsed == bench.clock.now())
    #expect(try await bench.memory.markUsed(pattern.id).successRate == 0.5)
  }

  @Test(arguments: Backend.allCases)
  func `patterns are found by type and success, best first, and in a domain only those linked to it`(_ backend: Backend)
    async throws
  {
    let bench = try await Bench(backend)
    let memory = bench.memory
    try await memory.insert([.sample("x", domain: "x"), .sample("y", domain: "y")])
    var ids: [Pattern.ID] = []
    for rate in [0.2, 0.9, 0.5] {
      ids.append(try await memory.record(Pattern.Draft(.optimization, data: JSON(rate), successRate: rate)).id)
    }
    _ = try await memory.record(Pattern.Draft(.toolSequence, data: 1, successRate: 1))
    try await memory.link(ids[0], to: "x")
    try await memory.link(ids[1], to: "y")
    #expect(
      try await memory.patterns(.init(type: .optimization), in: .everything).map(\.id) == [ids[1], ids[2], ids[0]])
    #expect(try await memory.patterns(.init(type: .optimization, minimumSuccessRate: 0.5), in: .everything).count == 2)
    #expect(try await memory.patterns(in: .domain("x")).map(\.id) == [ids[0]])
    #expect(try await memory.patterns(in: .domain("z")).isEmpty)
    #expect(try await memory.unlink(ids[0], from: "x"))
    #expect(try await memory.patterns(in: .domain("x")).isEmpty)
    #expect(try await memory.delete(pattern: ids[1]))
    #expect(try await memory.patterns(of: "y").isEmpty)
  }
}

@Suite struct `Embeddings` {
  @Test(arguments: Backend.allCases)
  func `vectors are added, replaced, paged and counted by their episode`(_ backend: Backend) async throws {
    let bench = try await Bench(backend)
    let memory = bench.memory
    try await memory.insert([.sample("e", steps: ["s"]), .sample("f", domain: "other")])
    let step = try #require(try await memory.episode("e")?.steps.first)
    let first = try await memory.embed(.init(of: "e", content: "one", vector: [1, 0], model: "m"))
    let ofStep = try await memory.embed(.init(of: "e", step: step.id, content: "two", vector: [0, 1], model: "m"))
    let other = try await memory.embed(.init(of: "f", content: "three", vector: [1, 1], model: "m"))
    #expect(try await memory.embeddings(of: "e") == [first, ofStep])
    let second = try await memory.embed(.init(of: "e", content: "one", vector: [0.5, 0], model: "m"), replacing: true)
    #expect(try await memory.embeddings(of: "e") == [ofStep, second])
    #expect(try await memory.episode("e")?.embeddingVersion == 4)
    let space = EmbeddingSpace(model: "m", dimensions: 2)
    #expect(try await memory.embeddings(in: space, scope: .everything, limit: 2) == [ofStep, other])
    #expect(try await memory.embeddings(in: space, scope: .everything, after: other.id) == [second])
    #expect(try await memory.embeddings(in: space, scope: .domain("other")) == [other])
    #expect(try await memory.delete(embedding: second.id))
  }

  @Test(arguments: [[], [0, 0], [1, .nan], [.infinity, 1]] as [[Float]], Backend.allCases)
  func `an invalid vector is refused`(_ vector: [Float], _ backend: Backend) async throws {
    let bench = try await Bench(backend)
    let memory = bench.memory
    try await memory.insert([.sample("e")])
    #expect(
      await code { _ = try await memory.embed(.init(of: "e", content: "", vector: vector, model: "m")) } == .invalid)
    #expect(await code { _ = try await memory.recall(Query(vector: vector, scope: .everything)) } == .invalid)
  }

  @Test(arguments: Backend.allCases)
  func `a model's vectors have one length`(_ backend: Backend) async throws {
    let bench = try await Bench(backend)
    let memory = bench.memory
    try await memory.insert([.sample("e")])
    try await memory.embed(.init(of: "e", content: "", vector: [1, 2], model: "m"))
    #expect(
      await code { _ = try await memory.embed(.init(of: "e", content: "", vector: [1], model: "m")) }
        == .dimensionMismatch)
    #expect(await code { _ = try await memory.recall(Query(vector: [1], scope: .everything)) } == .dimensionMismatch)
  }

  @Test(arguments: Backend.allCases)
  func `a vector cannot name a step of another episode`(_ backend: Backend) async throws {
    let bench = try await Bench(backend)
    let memory = bench.memory
    try await memory.insert([.sample("e", steps: ["s"]), .sample("f")])
    #expect(
      await code { _ = try await memory.embed(.init(of: "f", step: "e/1", content: "", vector: [1], model: "m")) }
        == .notFound)
  }
}
