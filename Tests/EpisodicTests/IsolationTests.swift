import Episodic
import EpisodicMemory
import Foundation
import MetricsTestKit
import Logging
import TestSupport
import Testing

/// I8, verb by verb: what a handle of one domain gets beside another whose every field holds a canary word.
///
/// `DomainMemoryTests` compares random sequences of verbs; these hold that no verb, and no overload of one, is left out.
@Suite struct `Isolation of domains` {
  /// Names what is in a domain. All names begin with the domain's canary word, but for ids that the engine makes.
  private struct Known: Sendable {
    let canary: String
    var step: Step.ID
    var pattern: Pattern.ID
    var embedding: Embedding.ID

    /// An episode that has ended, and one that is active.
    var episode: Episode.ID { Episode.ID("\(canary)episode") }
    var open: Episode.ID { Episode.ID("\(canary)open") }
    var session: String { "\(canary)session" }
    var key: String { "\(canary)key" }
    var source: String { "\(canary)source" }
    var word: String { "\(canary)context" }
    var data: JSON { .object([canary + "use": .string(canary + "data")]) }
    var model: String { "\(canary)model" }

    static func nothing(_ canary: String) -> Known {
      Known(
        canary: canary, step: Step.ID("\(canary)step"), pattern: Pattern.ID("\(canary)pattern"),
        embedding: Embedding.ID("\(canary)embedding"))
    }
  }

  /// What the outcome of a verb is compared with, if ids of the other domain are used.
  private enum Comparison {
    /// The outcome with names that are nowhere.
    case nowhere
    /// An id that is taken in the domain itself: the one thing that a handle may learn (see `DomainMemory`).
    case taken
  }

  private struct Trial: Sendable {
    /// As in the list of public names.
    let verb: String
    let comparison: Comparison
    let call: @Sendable (Memory, DomainMemory, Known) async throws -> Any

    init(
      _ verb: String, _ comparison: Comparison = .nowhere,
      _ call: @escaping @Sendable (DomainMemory, Known) async throws -> Any
    ) {
      (self.verb, self.comparison) = (verb, comparison)
      self.call = { _, handle, known in try await call(handle, known) }
    }

    /// A verb of `Memory` with a scope that the handle has not.
    init(scoped verb: String, _ call: @escaping @Sendable (Memory, DomainMemory, Known) async throws -> Any) {
      (self.verb, self.comparison, self.call) = ("Memory." + verb, .nowhere, call)
    }
  }

  private static func episode(_ id: Episode.ID, _ handle: DomainMemory) -> Episode {
    .sample(id, domain: handle.name, context: "inserted", steps: ["one"])
  }

  /// At least one for each verb and each of its overloads; those that erase are the last.
  private static let trials: [Trial] = [
    Trial("episode") { handle, known in try await [handle.episode(known.episode), handle.episode(known.open)] },
    Trial("episodes") { handle, known in try await handle.episodes([known.episode, known.open]) },
    Trial("episodes") { handle, known in
      try await handle.episodes(
        Episode.Filter(session: known.session, step: Step.Filter(tool: known.canary + "tool"))
      ).elements
    },
    Trial("episodes") { handle, _ in try await handle.episodes(limit: 100).elements },
    Trial("steps") { handle, known in try await handle.steps(of: known.episode) },
    Trial("recall") { handle, known in try await handle.recall(Query(text: known.word, scope: .everything)) },
    Trial("recall") { handle, known in
      try await handle.recall(Query(text: known.word + " shared", scope: .everything), neighbors: 2)
    },
    Trial("recall") { handle, known in
      try await handle.recall(Query(text: known.word + " shared", scope: .everything), tokens: 1000)
    },
    Trial("recall") { handle, known in try await handle.recall("shared words of \(known.word)", limit: 20) },
    Trial("recall") { handle, known in
      try await handle.recall(
        Query(phrases: ["\(known.word) shared"], prefixes: [known.canary], scope: .domain("\(known.canary)domain")))
    },
    Trial("recall") { handle, known in
      try await handle.recall(
        Query(text: "shared", scope: .everything, filter: .init(session: known.session), minimumTrust: .quarantined))
    },
    Trial("recall") { handle, _ in try await handle.recall(Query(vector: [1, 2, 3], scope: .everything)) },
    Trial("recall") { handle, known in
      try await handle.recall(
        Query(vector: [1, 2, 3, 4], space: EmbeddingSpace(model: known.model, dimensions: 4), scope: .everything))
    },
    Trial("recall") { handle, known in
      try await handle.recall(
        Query(vector: [1, 2, 3], space: EmbeddingSpace(model: known.model, dimensions: 3), scope: .everything))
    },
    Trial("search") { handle, known in try await handle.search(Query(text: known.word, scope: .everything)) },
    Trial("search") { handle, _ in try await handle.search(Query(text: "shared words", scope: .everything)) },
    Trial("pattern") { handle, known in try await handle.pattern(.toolSequence, data: known.data) as Any },
    Trial("patterns") { handle, known in try await handle.patterns(Pattern.Filter(text: "\(known.canary)data")) },
    Trial("patterns") { handle, known in try await handle.patterns(Pattern.Filter(episode: known.episode)) },
    Trial("patterns") { handle, known in try await handle.patterns(of: known.episode) },
    Trial("embeddings") { handle, known in try await handle.embeddings(of: known.episode) },
    Trial("embeddings") { handle, known in
      try await handle.embeddings(in: EmbeddingSpace(model: known.model, dimensions: 3), after: known.embedding)
    },
    Trial("sessions") { handle, _ in
      try await sessions(handle)
    },
    Trial("analytics") { handle, _ in
      var analytics: [Analytics] = []
      for dimension in [nil] + Analytics.Dimension.allCases {
        analytics.append(try await handle.analytics(by: dimension, timeZone: .gmt))
      }
      return analytics
    },
    Trial("changes") { handle, _ in
      let last = try await handle.begin(.testing, context: "the last change")
      var seen: [String] = []
      for try await element in handle.changes(after: .beginning) {
        guard case .change(let change) = element else { continue }
        seen.append("\(change.kind as Any) \(change.subject) \(change.domain ?? "none")")
        if change.subject == .episode(last.id) { break }
      }
      return seen
    },
    // A place in the history of the whole store: its number is of all domains, and is documented as such.
    Trial("changeCursor") { handle, _ in try await handle.changeCursor().rawValue.isEmpty },
    Trial("trustDecisions") { handle, known in try await handle.trustDecisions(on: known.episode) },
    Trial("audit") { handle, _ in
      // Numbers count the records of all domains, and are documented as such.
      try await handle.audit(limit: 1000).map { record in
        "\(record.actor) \(record.verb) \(record.countsText) \(record.subjects.map(\.kind)) in \(record.domain as Any)"
      }
    },
    Trial("retention") { handle, _ in try await handle.retention() as Any },
    Trial(scoped: "explain") { memory, handle, known in
      try await memory.explain(
        Query(text: "\(known.word) shared \(known.canary)action", scope: .domain(handle.name)),
        whyNot: [known.episode, known.open])
    },
    Trial(scoped: "explain") { memory, handle, known in
      try await memory.explain(
        Query(
          vector: [1, 2, 3], space: EmbeddingSpace(model: known.model, dimensions: 3), scope: .domain(handle.name)))
    },
    Trial(scoped: "episodes") { memory, handle, known in
      try await memory.episodes(.init(session: known.session), in: .domain(handle.name)).elements
    },
    Trial(scoped: "patterns") { memory, handle, known in
      try await memory.patterns(.init(text: "\(known.canary)data \(known.canary)use"), in: .domain(handle.name))
    },
    Trial(scoped: "advise") { memory, handle, known in
      let running = Episode.sample(
        Episode.ID("\(known.canary)running"), domain: handle.name, steps: ["\(known.canary)action"])
      return try await [memory.advise(for: running).count, memory.loopWarning(for: running) == nil ? 0 : 1]
    },
    Trial("setRetention") { handle, _ in
      try await handle.setRetention(RetentionPolicy(archiveAfter: .seconds(8_640_000)))
    },
    Trial("applyRetention") { handle, _ in try await handle.applyRetention(dryRun: true) },
    Trial("applyRetention") { handle, _ in try await handle.applyRetention() },

    Trial("begin", .taken) { handle, known in try await handle.begin(.testing, context: "new", id: known.episode) },
    Trial("begin") { handle, known in
      try await handle.begin(.testing, context: "new", session: known.session, idempotencyKey: known.key + "begin")
    },
    Trial("append") { handle, known in try await handle.append(.init("a step"), to: known.open) },
    Trial("append") { handle, known in
      try await handle.append([.init("one"), .init("two")], to: known.open, idempotencyKey: known.key)
    },
    Trial("complete") { handle, known in try await handle.complete(known.open) },
    Trial("reopen") { handle, known in try await handle.reopen(known.episode) },
    Trial("fail") { handle, known in try await handle.fail(known.episode, successRate: 0.5) },
    Trial("archive") { handle, known in try await handle.archive(known.episode) },
    Trial("update") { handle, known in try await handle.update(known.episode, with: .init(context: "changed")) },
    Trial("insert", .taken) { handle, known in try await handle.insert([episode(known.episode, handle)]) },
    Trial("insert") { handle, known in
      try await handle.insert(
        [
          Episode(
            id: Episode.ID("derived from \(known.canary)"), taskType: .testing, domain: handle.name, context: "derived",
            createdAt: Timestamp(milliseconds: 1_767_225_600_000), parents: [known.episode])
        ], existing: .replace)
    },
    Trial("record") { handle, known in
      try await handle.record(.init(.optimization, data: known.data), from: known.episode)
    },
    Trial("link") { handle, known in try await handle.link(known.pattern, to: known.open) },
    Trial("unlink") { handle, known in try await handle.unlink(known.pattern, from: known.open) },
    Trial("markUsed") { handle, known in try await handle.markUsed(known.pattern, succeeded: true) },
    Trial("embed") { handle, known in
      try await handle.embed(.init(of: known.open, content: "x", vector: [1, 2, 3], model: "m"))
    },
    Trial("embed") { handle, known in
      try await handle.embed(
        [.init(of: known.episode, step: known.step, content: "x", vector: [1, 2, 3], model: "m")], replacing: true)
    },
    Trial("trust") { handle, known in
      try await handle.trust(.episode(known.episode), as: .unverified, by: "a judge", because: "a reason")
    },
    Trial("trust") { handle, known in try await handle.trust(.source(known.source), as: .untrusted, by: "a judge") },
    Trial("quarantine") { handle, known in try await handle.quarantine(.step(known.step), by: "a judge") },
    Trial("promote") { handle, known in try await handle.promote(.episode(known.episode), by: "a judge") },
    Trial("quarantine") { handle, known in try await handle.quarantine(.pattern(known.pattern), by: "a judge") },

    Trial("write") { handle, known in try await handle.write { batch in try batch.episode(known.episode) != nil } },
    Trial("Batch.episode") { handle, known in
      try await handle.write { batch in "\(try batch.episode(known.episode) as Any)" }
    },
    Trial("Batch.begin", .taken) { handle, known in
      try await handle.write { batch in try batch.begin(.testing, context: "new", id: known.episode) }
    },
    Trial("Batch.begin") { handle, known in
      try await handle.write { batch in
        try batch.begin(
          .testing, context: "new", from: Provenance(.user), parents: [known.episode], session: known.session,
          idempotencyKey: known.key + "batch"
        ).trust
      }
    },
    Trial("Batch.append") { handle, known in
      try await handle.write { batch in try batch.append(.init("a step"), to: known.episode) }
    },
    Trial("Batch.append") { handle, known in
      try await handle.write { batch in try batch.append([.init("a"), .init("b")], to: known.episode) }
    },
    Trial("Batch.reopen") { handle, known in try await handle.write { batch in try batch.reopen(known.episode) } },
    Trial("Batch.complete") { handle, known in try await handle.write { batch in try batch.complete(known.episode) } },
    Trial("Batch.fail") { handle, known in try await handle.write { batch in try batch.fail(known.episode) } },
    Trial("Batch.archive") { handle, known in try await handle.write { batch in try batch.archive(known.episode) } },
    Trial("Batch.update") { handle, known in
      try await handle.write { batch in try batch.update(known.episode, with: .init(session: .some(nil))) }
    },
    Trial("Batch.insert", .taken) { handle, known in
      try await handle.write { batch in try batch.insert([episode(known.episode, handle)]) }
    },
    Trial("Batch.record") { handle, known in
      try await handle.write { batch in
        try batch.record(.init(.testingStrategy, data: known.data), from: known.episode)
      }
    },
    Trial("Batch.link") { handle, known in
      try await handle.write { batch in try batch.link(known.pattern, to: known.episode) }
    },
    Trial("Batch.unlink") { handle, known in
      try await handle.write { batch in try batch.unlink(known.pattern, from: known.episode) }
    },
    Trial("Batch.markUsed") { handle, known in try await handle.write { batch in try batch.markUsed(known.pattern) } },
    Trial("Batch.embed") { handle, known in
      try await handle.write { batch in
        try batch.embed(.init(of: known.episode, content: "x", vector: [1, 2, 3], model: "m"), replacing: true)
      }
    },
    Trial("Batch.embed") { handle, known in
      try await handle.write { batch in
        try batch.embed([.init(of: known.open, content: "x", vector: [1, 2, 3], model: "m")], replacing: true)
      }
    },
    Trial("Batch.delete") { handle, known in
      try await handle.write { batch in try batch.delete(embedding: known.embedding) }
    },
    Trial("Batch.delete") { handle, known in
      try await handle.write { batch in try batch.delete(pattern: known.pattern) }
    },
    Trial("Batch.delete") { handle, known in try await handle.write { batch in try batch.delete(known.open) } },
    Trial("delete") { handle, known in try await handle.delete(embedding: known.embedding) },
    Trial("delete") { handle, known in try await handle.delete(pattern: known.pattern) },
    Trial("delete") { handle, known in try await handle.delete(known.open) },
    Trial("forget") { handle, known in try await handle.forget(.episodes([known.episode]), dryRun: true).counts },
    Trial("forget") { handle, known in try await handle.forget(.session(known.session), dryRun: true).counts },
    Trial("forget") { handle, known in
      try await handle.forget(.source(known.source), dryRun: true).counts
    },
    Trial("forget") { handle, known in
      try await handle.forget(.metadata(path: ["\(known.canary)name"], .string("\(known.canary)value"))).counts
    },
    Trial("forget") { handle, known in try await handle.forget(.text(known.canary)).counts },
    Trial("forget") { handle, _ in try await handle.forget(.everything).counts },
  ]

  /// Fills a domain; every text has its canary word.
  private static func fill(_ memory: Memory, _ canary: String) async throws -> Known {
    let handle = memory.domain("\(canary)domain")
    var known = Known.nothing(canary)
    func draft(_ id: Episode.ID, _ source: Provenance.Source) -> Episode.Draft {
      Episode.Draft(
        TaskType("\(canary)type"), domain: handle.name, context: "\(canary)context shared words",
        session: known.session,
        metadata: .object(["\(canary)name": .string("\(canary)value")]), id: id,
        provenance: Provenance(source, id: known.source, actor: "\(canary)actor"))
    }
    for (id, source) in [(known.episode, .user), (known.open, .tool)] as [(Episode.ID, Provenance.Source)] {
      try await memory.begin(draft(id, source), idempotencyKey: "\(known.key)\(id)")
      let steps = try await handle.append(
        [
          Step.Draft(
            "\(canary)action", result: "\(canary)error: it broke", tool: "\(canary)tool", duration: .milliseconds(20),
            success: false, provenance: Provenance(.tool, id: "\(canary)server", actor: "\(canary)agent")),
          Step.Draft("shared words", result: "fine", success: true),
        ], to: id)
      if id == known.episode { known.step = try #require(steps.first).id }
    }
    try await handle.fail(known.episode)
    let pattern = try await handle.record(
      .init(.toolSequence, data: known.data, metadata: .object(["\(canary)note": 1])), from: known.episode)
    known.pattern = pattern.id
    known.embedding = try await handle.embed(
      .init(of: known.episode, content: "\(canary)content", vector: [1, 2, 3], model: known.model)
    ).id
    try await handle.embed(.init(of: known.episode, content: "\(canary)other", vector: [3, 2, 1], model: "m"))
    try await handle.trust(
      .episode(known.episode), as: .trusted, by: "\(canary)judge", because: "\(canary)reason")
    try await handle.setRetention(RetentionPolicy(archiveAfter: .seconds(86_400 * 365)))
    return known
  }

  private static func sessions(_ handle: DomainMemory) async throws -> [String] {
    // A dictionary is printed in no order.
    try await handle.sessions().elements.map { session in
      let counts = session.episodes.map { "\($0.key.rawValue) \($0.value)" }.sorted()
      return "\(session.name) \(session.domain) \(counts) \(session.firstActivity) \(session.lastActivity)"
    }
  }

  /// All that a domain has.
  private static func everything(_ handle: DomainMemory, _ known: Known) async throws -> String {
    var parts: [String] = []
    for episode in try await handle.episodes(limit: 1000).elements {
      parts.append("\(episode)")
      parts.append("\(try await handle.embeddings(of: episode.id)) \(try await handle.trustDecisions(on: episode.id))")
    }
    parts.append("\(try await handle.patterns(.init(minimumTrust: .quarantined))) \(try await sessions(handle))")
    parts.append("\(try await handle.retention() as Any) \(try await handle.recall("shared words \(known.word)"))")
    return parts.joined(separator: "\n")
  }

  /// What a call returns or throws, without ids and digests that differ between stores, and without what it was given.
  private func outcome(
    _ trial: Trial, _ memory: Memory, _ handle: DomainMemory, _ known: Known
  ) async -> String {
    var said: String
    do {
      said = "\(try await trial.call(memory, handle, known))"
    } catch {
      said = "\((error as? MemoryError)?.code.rawValue ?? "?"): \(error)"
    }
    for given in [known.step.rawValue, known.pattern.rawValue, known.embedding.rawValue] {
      said = said.replacing(given, with: "ID")
    }
    return said.replacing(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/, with: "ID")
      .replacing(/[0-9a-f]{64}/, with: "DIGEST")
  }

  private static let readsOnly: Set = [
    "episode", "episodes", "steps", "recall", "search", "pattern", "patterns", "embeddings", "sessions", "analytics",
    "trustDecisions", "audit", "retention", "Memory.explain", "Memory.episodes", "Memory.patterns", "Memory.advise",
  ]
  private static let (mine, theirs) = ("quokkamine", "wombattheirs")

  /// What is tried: with names of the domain itself, which is compared with a store that has no other domain, and with names of
  /// the other domain, which is compared with names that are nowhere.
  @Test func `every verb of a handle tells nothing of another domain, and changes nothing there`() async throws {
    let clock = ManualClock()
    let (shared, single) = (try Store(), try Store())
    let log = LogRecorder(from: .trace, withMetadata: true)
    let metrics = TestMetrics()
    let memory = try await shared.open {
      ($0.clock, $0.logger, $0.metrics, $0.audit) = (clock, log.logger, metrics, .on(actor: "anna"))
    }
    let alone = try await single.open { ($0.clock, $0.audit) = (clock, .on(actor: "anna")) }
    let own = try await Self.fill(memory, Self.mine)
    let other = try await Self.fill(memory, Self.theirs)
    let ownAlone = try await Self.fill(alone, Self.mine)
    let handle = memory.domain("\(Self.mine)domain")
    let handleAlone = alone.domain("\(Self.mine)domain")
    let otherHandle = memory.domain("\(Self.theirs)domain")
    // The index answers from here on, in both.
    try await memory.optimize()
    try await alone.optimize()
    // As long as the other domain's word, so that excerpts and budgets are cut alike.
    let nowhere = Known.nothing("numbatnobody")
    let before = try await Self.everything(otherHandle, other)
    for (number, trial) in Self.trials.enumerated() {
      // What the cache keeps of the answers to others is not for this domain.
      if Self.readsOnly.contains(trial.verb) {
        for known in [other, own, nowhere] { _ = await outcome(trial, memory, otherHandle, known) }
        for word in [own.word, other.word, "shared"] {
          _ = try await memory.recall(Query(text: word, scope: .everything))
        }
      }
      let foreign = await outcome(trial, memory, handle, other)
      let isTold = trial.comparison == .taken
      let compared =
        isTold ? await outcome(trial, memory, handle, own) : await outcome(trial, memory, handle, nowhere)
      let names = isTold ? Self.mine : nowhere.canary
      let expected = compared.replacing(names, with: Self.theirs)
      if trial.verb != "changes" {
        #expect(
          foreign.replacing(Self.mine, with: Self.theirs) == expected.replacing(Self.mine, with: Self.theirs),
          "\(number) \(trial.verb)")
      }
      // The same in the store without the other domain, so that both have the same rows.
      for known in isTold ? [ownAlone] : [other, nowhere] { _ = await outcome(trial, alone, handleAlone, known) }
      let found = await outcome(trial, memory, handle, own)
      let foundAlone = await outcome(trial, alone, handleAlone, ownAlone)
      #expect(found == foundAlone, "\(number) \(trial.verb)")
      // Names of the other domain that the handle itself has written are not told by the other.
      let told = found.replacing("derived from \(Self.theirs)", with: "").replacing(/parents: \[[^\]]*\]/, with: "")
      if !trial.verb.contains("begin"), !trial.verb.contains("insert") {
        let known = told.replacing("\(Self.theirs)session", with: "")
        #expect(!known.contains(Self.theirs), "\(number) \(trial.verb): \(known)")
      }
    }
    #expect(try await Self.everything(otherHandle, other) == before)
    #expect(try await handle.episodes().elements.isEmpty)
    for check in try await memory.check() { #expect(check.outcome == .passed, "\(check.name)") }
    try await memory.close()
    try await alone.close()

    // What an operator sees has names of no domain: no text, no id, no session, no source.
    for canary in [Self.mine, Self.theirs] {
      for line in log.all { #expect(!line.contains(canary), "\(line)") }
      let labels =
        metrics.counters.map { "\($0.label) \($0.dimensions)" } + metrics.timers.map { "\($0.label) \($0.dimensions)" }
        + metrics.recorders.map { "\($0.label) \($0.dimensions)" }
        + metrics.meters.map { "\($0.label) \($0.dimensions)" }
      #expect(!labels.isEmpty)
      for label in labels { #expect(!label.contains(canary), "\(label)") }
    }
  }

  @Test func `every public verb of a handle is tried, and every overload`() throws {
    let list = try Documentation.text("Tests/EpisodicTests/PublicNames.txt").split(separator: "\n")
    let listed = Set(list.filter { $0.hasPrefix("DomainMemory.") }.map { String($0.dropFirst("DomainMemory.".count)) })
      .subtracting(["Batch", "name"])
    let tried = Dictionary(grouping: Self.trials, by: \.verb).mapValues(\.count)
    let verbs = Set(tried.keys.filter { !$0.hasPrefix("Memory.") })
    #expect(verbs == listed, "\(verbs.symmetricDifference(listed).sorted())")

    let domains = try Layers.files(of: "EpisodicMemory").filter { $0.key.contains("DomainMemory") }
    #expect(domains.count >= 5)
    var declared: [String: Int] = [:]
    for (file, text) in domains {
      for match in text.matches(of: /public func (\w+)/) where match.1 != "domain" {
        declared[(file.contains("Batch") ? "Batch." : "") + match.1, default: 0] += 1
      }
    }
    #expect(Set(declared.keys) == listed)
    for (verb, count) in declared { #expect(tried[verb] ?? 0 >= count, "\(verb) has \(count) overloads") }

    // What a runtime is handed is the same type, whose verbs are all verbs of the handle.
    let agent = list.filter { $0.hasPrefix("AgentMemory.") }.map { String($0.dropFirst("AgentMemory.".count)) }
    #expect(agent.count > 20 && Set(agent).subtracting(listed) == ["name"])

    // A verb of a memory that takes a scope is one of the handle's, or is tried itself.
    var scoped: Set<String> = []
    for (_, text) in try Layers.files(of: "EpisodicMemory") where text.contains("extension Memory {") {
      for match in text.matches(of: /public func (\w+)(\([^{]*)\{/)
      where match.2.contains("Query.Scope") || match.2.contains(": Query") {
        scoped.insert(String(match.1))
      }
    }
    #expect(scoped.isSuperset(of: ["episodes", "explain", "recall", "search", "analytics", "forget", "audit"]))
    for verb in scoped { #expect(listed.contains(verb) || tried["Memory.\(verb)"] != nil, "\(verb)") }
  }

  @Test func `what is learned of two domains tells each its own words, agents and episodes`() async throws {
    let store = try Store()
    let memory = try await store.open()
    for canary in [Self.mine, Self.theirs] {
      let episodes = LookingEpisodes.episodes(0..<200, domain: "\(canary)domain", agent: "\(canary)agent").map {
        var episode = $0
        episode.steps = episode.steps.map { step in
          Step(
            id: step.id, number: step.number, action: "\(canary)\(step.action)", result: step.result,
            success: step.success, timestamp: step.timestamp)
        }
        return episode
      }
      try await memory.insert(episodes)
    }
    try await memory.learn()
    for (canary, other) in [(Self.mine, Self.theirs), (Self.theirs, Self.mine)] {
      let handle = memory.domain("\(canary)domain")
      let patterns = try await handle.patterns(.init(limit: 100))
      #expect(patterns.count > 1)
      for pattern in patterns {
        #expect(!"\(pattern)".contains(other), "\(pattern)")
        #expect(!"\(try await memory.explain(pattern: pattern.id))".contains(other))
      }
      var running = LookingEpisodes.running(domain: "\(canary)domain", agent: "\(other)agent")
      running.steps = [
        .init(
          id: "s", number: 1, action: "\(other)try(1)", result: "Error: bad", success: false,
          timestamp: running.createdAt)
      ]
      #expect(try await memory.advise(for: running).isEmpty)
    }
    try await memory.close()
  }
}
