import Episodic
import Foundation
import TestSupport
import Testing

@Suite struct `Trust of episodes` {
  private let memory: Memory
  private let clock = ManualClock()

  init() async throws { memory = try await Memory.inMemory(clock: clock) }

  private func begin(
    _ id: Episode.ID, _ provenance: Provenance = Provenance(), parents: [Episode.ID] = [], domain: String = "web",
    context: String = "reset the password"
  ) async throws -> Episode {
    let draft = Episode.Draft(
      .debugging, domain: domain, context: context, id: id, provenance: provenance, parents: parents)
    return try await memory.begin(draft)
  }

  private func trust(of id: Episode.ID) async throws -> Trust { try #require(try await memory.episode(id)).trust }

  private func recalled(_ query: Query) async throws -> [String] {
    try await memory.recall(query).map(\.episode.id.rawValue)
  }

  @Test(arguments: Provenance.Source.allCases) func `an episode is trusted as its source is`(
    _ source: Provenance.Source
  ) async throws {
    _ = try await begin("e", Provenance(source, id: "x", actor: "a"))
    let episode = try #require(try await memory.episode("e"))
    #expect(episode.trust == source.defaultTrust)
    #expect(episode.provenance == Provenance(source, id: "x", actor: "a"))
  }

  @Test func `an episode without a source is trusted, and one that says so as it says`() async throws {
    #expect(try await begin("plain").trust == .trusted)
    _ = try await begin("low", Provenance(.user, trust: .untrusted))
    #expect(try await trust(of: "low") == .untrusted)
    _ = try await begin("high", Provenance(.web, trust: .verified))
    #expect(try await trust(of: "high") == .verified)
  }

  @Test func `a step that is trusted less lowers its episode, and everything derived from that`() async throws {
    _ = try await begin("e")
    _ = try await begin("child", parents: ["e"])
    _ = try await begin("grandchild", Provenance(.user, trust: .verified), parents: ["child", "gone"])
    #expect(try await trust(of: "grandchild") == .trusted)
    let pattern = try await memory.record(Pattern.Draft(.toolSequence, data: ["a": 1]))
    try await memory.link(pattern.id, to: "grandchild")
    #expect(try await memory.patterns(of: "grandchild").map(\.trust) == [.trusted])
    try await memory.append(Step.Draft("look"), to: "e")
    #expect(try await trust(of: "e") == .trusted)
    try await memory.append([Step.Draft("read"), Step.Draft("fetch", provenance: Provenance(.web))], to: "e")
    for id in ["e", "child", "grandchild"] as [Episode.ID] { #expect(try await trust(of: id) == .untrusted) }
    #expect(try await memory.patterns(of: "grandchild").map(\.trust) == [.untrusted])
    _ = try await begin("later", Provenance(.agent, trust: .verified), parents: ["grandchild"])
    #expect(try await trust(of: "later") == .untrusted)
  }

  @Test func `a summary stays untrusted when its parent is deleted`() async throws {
    _ = try await begin("attack", Provenance(.web))
    _ = try await begin("summary", Provenance(.agent), parents: ["attack"])
    try await memory.delete("attack")
    #expect(try await trust(of: "summary") == .untrusted)
    #expect(try await memory.episode("summary")?.parents == ["attack"])
  }

  @Test func `a parent in another domain neither lowers nor shows anything`() async throws {  // I8
    _ = try await begin("other", Provenance(.web), domain: "b")
    _ = try await begin("mine", parents: ["other"], domain: "a")
    #expect(try await trust(of: "mine") == .trusted)
    _ = try await begin("deeper", parents: ["mine"], domain: "b")
    let report = try await memory.quarantine(.episode("other"), by: "anna")
    #expect(report.episodes == 1)
    #expect(try await trust(of: "mine") == .trusted)
    #expect(try await trust(of: "deeper") == .trusted)
    try await memory.append(Step.Draft("read", provenance: Provenance(.web, trust: .quarantined)), to: "other")
    #expect(try await trust(of: "mine") == .trusted)
  }

  @Test func `an erasure in one domain leaves the parents that an episode of another names`() async throws {  // I8
    _ = try await begin("page", Provenance(.web), domain: "a")
    _ = try await begin("theirs", parents: ["page"], domain: "b")
    _ = try await begin("mine", Provenance(.user), parents: ["page"], domain: "a")
    let cursor = try await memory.changeCursor()
    try await memory.domain("a").forget(.episodes(["page"]))
    #expect(try await memory.episode("theirs")?.parents == ["page"])
    #expect(try await memory.episode("mine")?.parents == [])
    let written = try await memory.begin(.init(.testing, domain: "b", context: "next"))
    for try await element in memory.domain("b").changes(after: cursor) {
      guard case .change(let change) = element else { continue }
      #expect(change.subject == .episode(written.id), "\(element)")
      break
    }
    // Whoever erases in the whole store leaves the id nowhere.
    _ = try await begin("page", Provenance(.web), domain: "a")
    try await memory.forget(.episodes(["page"]), in: .everything)
    #expect(try await memory.episode("theirs")?.parents == [])
  }

  @Test func `a parent that comes after its child, or takes the place of another, lowers the child and its patterns`()
    async throws
  {
    _ = try await begin("child", parents: ["late"])
    _ = try await begin("grandchild", parents: ["child"])
    let pattern = try await memory.record(Pattern.Draft(.toolSequence, data: ["a": 1]))
    try await memory.link(pattern.id, to: "child")
    #expect(try await trust(of: "grandchild") == .trusted)
    _ = try await begin("late", Provenance(.web))
    for id in ["child", "grandchild"] as [Episode.ID] { #expect(try await trust(of: id) == .untrusted) }
    #expect(try await memory.patterns(of: "child").map(\.trust) == [.untrusted])

    _ = try await begin("plain")
    _ = try await begin("summary", parents: ["plain"])
    let learned = try await memory.record(Pattern.Draft(.toolSequence, data: ["b": 1]))
    try await memory.link(learned.id, to: "plain")
    var replacement = try #require(try await memory.episode("plain"))
    replacement.provenance = Provenance(.tool)
    try await memory.insert([replacement], existing: .replace)
    #expect(try await trust(of: "summary") == .unverified)
    #expect(try await memory.patterns(of: "plain").map(\.trust) == [.unverified])
  }

  @Test func `quarantine keeps an episode and what was made of it out of recall, and promote takes it back`()
    async throws
  {
    for id in ["e", "child"] as [Episode.ID] {
      _ = try await begin(id, parents: id == "child" ? ["e"] : [])
      try await memory.complete(id)
    }
    let query = Query(text: "password", scope: .domain("web"))
    #expect(try await recalled(query) == ["child", "e"])
    let report = try await memory.quarantine(.episode("e"), by: "anna", because: "asks for the password")
    #expect(report.episodes == 2)
    #expect(try await recalled(query) == [])
    #expect(try await recalled(Query(text: "password", scope: .everything, minimumTrust: .quarantined)).count == 2)
    #expect(try await memory.episodes(.init(trust: .quarantined ... .quarantined), in: .everything).elements.count == 2)
    try await memory.promote(.episode("e"), by: "anna")
    #expect(try await recalled(query) == ["e"])
    await #expect(throws: MemoryError.self) { try await memory.promote(.episode("e"), by: "anna") }
    let decisions = try await memory.trustDecisions(on: "e")
    #expect(decisions.map(\.trust) == [.quarantined, .trusted])
    #expect(decisions.map(\.before) == [.trusted, .quarantined])
    #expect(decisions.first?.actor == "anna" && decisions.first?.reason == "asks for the password")
    for check in try await memory.check() { #expect(check.outcome == .passed, "\(check.name)") }
  }

  @Test func `a decision on a source holds for its episodes, and for those with a step of it`() async throws {
    _ = try await begin("a", Provenance(.web, id: "evil.example"))
    clock.advance(by: .seconds(10))
    let middle = clock.now()
    _ = try await begin("b", Provenance(.web, id: "evil.example"))
    _ = try await begin("c")
    try await memory.append(Step.Draft("read", provenance: Provenance(.web, id: "evil.example")), to: "c")
    _ = try await begin("d", Provenance(.web, id: "good.example"))
    try await memory.quarantine(.source("evil.example", since: middle), by: "anna")
    #expect(try await trust(of: "a") == .untrusted)
    #expect(try await trust(of: "b") == .quarantined)
    #expect(try await trust(of: "c") == .quarantined)
    #expect(try await trust(of: "d") == .untrusted)
    await #expect(throws: MemoryError.self) { try await memory.quarantine(.source("nobody"), by: "anna") }
  }

  @Test func `a step is named by its id, and a decision on it is told with its episode's`() async throws {
    _ = try await begin("e")
    let step = try await memory.append(Step.Draft("look"), to: "e")
    let report = try await memory.trust(.step(step.id), as: .unverified, by: "anna")
    #expect(report.steps == 1 && report.episodes == 1)
    #expect(try await memory.episode("e")?.steps.first?.provenance.trust == .unverified)
    #expect(try await trust(of: "e") == .unverified)
    #expect(try await memory.trustDecisions(on: "e").map(\.subject) == [.step(step.id)])
  }

  @Test func `an import that replaces an episode does not take it out of quarantine`() async throws {
    let episode = Episode.sample("e", context: "reset the password", status: .completed)
    try await memory.insert([episode])
    try await memory.quarantine(.episode("e"), by: "anna")
    try await memory.insert([episode], existing: .replace)
    #expect(try await trust(of: "e") == .quarantined)
    #expect(try await memory.trustDecisions(on: "e").count == 1)
  }

  @Test func `an import that replaces an episode does not take a step of it out of quarantine`() async throws {
    _ = try await begin("e")
    let step = try await memory.append([Step.Draft("look"), Step.Draft("read")], to: "e")[1]
    let before = try #require(try await memory.episode("e"))
    try await memory.quarantine(.step(step.id), by: "anna")
    try await memory.insert([before], existing: .replace)
    let after = try #require(try await memory.episode("e"))
    #expect(after.trust == .quarantined)
    #expect(after.steps.map(\.provenance.trust) == [nil, .quarantined])
    #expect(try await memory.trustDecisions(on: "e").map(\.subject) == [.step(after.steps[1].id)])
  }

  @Test func `a promoted episode that an import replaces says of itself what its new source says`() async throws {
    _ = try await begin("e", Provenance(.web))
    let before = try #require(try await memory.episode("e"))
    try await memory.promote(.episode("e"), by: "anna")
    try await memory.insert([before], existing: .replace)
    let after = try #require(try await memory.episode("e"))
    #expect(after.trust == .untrusted && after.provenance == Provenance(.web))
  }

  @Test func `a handle of a domain decides on nothing of another`() async throws {  // I8
    _ = try await begin("mine", Provenance(.web, id: "x"), domain: "a")
    _ = try await begin("theirs", Provenance(.web, id: "x"), domain: "b")
    let step = try await memory.append(Step.Draft("look"), to: "theirs")
    let handle = memory.domain("a")
    for subject in [.episode("theirs"), .step(step.id)] as [TrustSubject] {
      await #expect(throws: MemoryError.self) { try await handle.trust(subject, as: .verified, by: "a") }
    }
    await #expect(throws: MemoryError.self) { try await handle.trustDecisions(on: "theirs") }
    #expect(try await handle.quarantine(.source("x"), by: "a").episodes == 1)
    #expect(try await trust(of: "theirs") == .untrusted)
  }

  @Test(arguments: ["", String(repeating: "x", count: 1025)]) func `an actor has a name`(_ actor: String) async throws {
    _ = try await begin("e")
    let error = await #expect(throws: MemoryError.self) { try await memory.quarantine(.episode("e"), by: actor) }
    #expect(error?.code == .invalid && error?.message.contains("actor") == true)
  }

  @Test func `a line of an import keeps where it came from, as it is exported`() async throws {
    _ = try await begin("p")
    _ = try await begin("e", Provenance(.web, id: "x", actor: "a"), parents: ["p"])
    try await memory.append(Step.Draft("look", provenance: Provenance(.tool, id: "t", trust: .untrusted)), to: "e")
    let episode = try #require(try await memory.episode("e"))
    let decoded = try JSONDecoder().decode(Episode.self, from: JSONEncoder().encode(episode))
    #expect(decoded.provenance == episode.provenance && decoded.parents == ["p"])
    #expect(decoded.steps.map(\.provenance) == episode.steps.map(\.provenance))
    #expect(decoded.trust == .untrusted)
  }

  @Test func `neighbours in a session are trusted no less than the hit`() async throws {
    let handle = memory.domain("web")
    for (id, source) in [("a", .web), ("b", .user), ("c", .agent), ("d", .web)] as [(Episode.ID, Provenance.Source)] {
      _ = try await handle.begin(
        .debugging, context: id == "b" ? "needle" : "hay", from: Provenance(source), session: "s", id: id)
      try await memory.complete(id)
      clock.advance(by: .seconds(1))
    }
    let hit = try #require(try await memory.recall(Query(text: "needle", scope: .domain("web"), neighbors: 3)).first)
    #expect(hit.neighbors.before.isEmpty)
    #expect(hit.neighbors.after.map(\.id) == ["c"])
  }

  @Test func `the limit of one source holds, and near-duplicates are counted`() async throws {
    for number in 0..<9 {
      let id = Episode.ID("flood\(number)")
      _ = try await begin(
        id, Provenance(.tool, id: "server"), context: "reset the password of the portal now \(number)")
      try await memory.complete(id)
    }
    for number in 0..<5 {
      let id = Episode.ID("mine\(number)")
      _ = try await begin(
        id, Provenance(.user, id: "bob"), context: "password \(["of", "or", "on", "by", "at"][number])")
      try await memory.complete(id)
    }
    let hits = try await memory.recall(
      Query(text: "reset the password of the portal", scope: .domain("web"), limit: 20))
    let flood = hits.filter { $0.episode.id.rawValue.hasPrefix("flood") }
    #expect(flood.count == 3)
    #expect(flood.map(\.copies).reduce(0, +) == 6)
    #expect(hits.prefix(5).allSatisfy { $0.episode.trust == .trusted })
    let scores = hits.map(\.score)
    #expect(scores == scores.sorted(by: >))
    let narrow = Query(text: "password", scope: .domain("web"), limit: 20, maximumPerSource: 1)
    #expect(try await memory.recall(narrow).count == 2)
    let again = try await memory.recall(
      Query(text: "reset the password of the portal", scope: .domain("web"), limit: 20))
    #expect(again == hits)
  }
}
