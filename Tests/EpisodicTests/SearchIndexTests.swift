import Episodic
import Foundation
import TestSupport
import Testing

/// A store with random changes, and queries; the exhaustive search is the oracle of the index.
private struct Wanderer {
  static let words = (0..<40).map { "word\($0)" } + ["naïve", "Größe", "run", "running", "runs"]
  var random: SeededGenerator
  let dimensions: Int
  let name: String
  var ids: [Episode.ID] = []
  var made = 0

  init(seed: UInt64, dimensions: Int, name: String) {
    random = SeededGenerator(seed: seed)
    self.dimensions = dimensions
    self.name = name
  }

  /// Thousandths of ten days from 1 January 2026.
  static func time(_ part: Int64) -> Int64 { 1_767_225_600_000 + part * 864_000 }

  mutating func text(_ most: Int = 12) -> String {
    // Squared, so that some words are common and some are rare.
    (0..<Int.random(in: 1...most, using: &random)).map { _ in
      let share = Double.random(in: 0..<1, using: &random)
      return Self.words[Int(share * share * Double(Self.words.count))]
    }.joined(separator: " ")
  }

  mutating func vector() -> [Float] { (0..<dimensions).map { _ in Float.random(in: -1...1, using: &random) } }

  mutating func episode() -> Episode {
    made += 1
    let steps = (0..<Int.random(in: 0...3, using: &random)).map { _ in text(6) }
    var episode = Episode.sample(
      Episode.ID("\(name)-\(made)"), domain: "d\(Int.random(in: 0..<3, using: &random))", context: text(),
      status: [.completed, .completed, .failed, .active].randomElement(using: &random) ?? .completed, steps: steps,
      at: Self.time(Int64.random(in: 0..<1000, using: &random)))
    episode.taskType = [.debugging, .testing].randomElement(using: &random) ?? .debugging
    episode.session = [nil, "s", "t", "u"].randomElement(using: &random) ?? nil
    if episode.status != .active { episode.successRate = [nil, 0, 0.5, 1].randomElement(using: &random) ?? nil }
    return episode
  }

  mutating func newcomers() -> (episodes: [Episode], drafts: [Embedding.Draft]) {
    let episodes = (0..<Int.random(in: 1...4, using: &random)).map { _ in episode() }
    var drafts: [Embedding.Draft] = []
    for episode in episodes where Bool.random(using: &random) {
      drafts.append(Embedding.Draft(of: episode.id, content: "", vector: vector(), model: "m"))
    }
    return (episodes, drafts)
  }

  mutating func replacement(of id: Episode.ID) -> Episode {
    let again = episode()
    return Episode(
      id: id, taskType: again.taskType, domain: again.domain, context: again.context, status: .completed,
      createdAt: again.createdAt, completedAt: again.createdAt, steps: again.steps)
  }

  mutating func draw(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }

  mutating func change(_ memory: Memory) async throws {
    let die = draw(14)
    guard die >= 4, !ids.isEmpty else {
      let (episodes, drafts) = newcomers()
      try await memory.insert(episodes, embeddings: drafts)
      ids += episodes.map(\.id)
      return
    }
    let id = ids[draw(ids.count)]
    switch die {
    case 4:
      try await memory.delete(id)
      ids.removeAll { $0 == id }
    case 5:
      let again = replacement(of: id)
      // An episode of another domain is not replaced; its id may be inserted again after a delete.
      if try await memory.episode(id)?.domain != again.domain { try await memory.delete(id) }
      try await memory.insert([again], existing: .replace)
    case 6, 7:
      let draft = Embedding.Draft(of: id, content: "", vector: vector(), model: "m")
      try await memory.embed(draft, replacing: draw(2) == 0)
    case 8:
      for embedding in try await memory.embeddings(of: id).prefix(1) {
        try await memory.delete(embedding: embedding.id)
      }
    case 9:
      let text = text()
      try await memory.update(id, with: .init(context: text))
    case 10: try await memory.update(id, with: .init(taskType: .testing, session: "s"))
    case 11, 12:
      let (first, second) = (text(6), text(3))
      if try await memory.episode(id)?.status == .active {
        try await memory.append([.init(first), .init(second)], to: id)
        try await memory.complete(id)
      } else {
        try await memory.reopen(id)
      }
    default: if try await memory.episode(id)?.status != .archived { try await memory.archive(id) }
    }
  }

  mutating func query() -> Query {
    var query = Query(
      scope: Bool.random(using: &random) ? .everything : .domain("d\(Int.random(in: 0..<3, using: &random))"))
    let kind = Int.random(in: 0..<7, using: &random)
    if kind != 0, kind != 6 { query.text = text(5) }
    if kind == 4 {
      query.phrases = [text(2).split(separator: " ").prefix(2).joined(separator: " ")]
    }
    if kind > 4 {
      for _ in 0..<Int.random(in: 1...2, using: &random) {
        query.prefixes.append(String(text(1).prefix(Int.random(in: 1...8, using: &random))))
      }
      if kind == 6, Bool.random(using: &random) { query.phrases = [text(1)] }
    }
    if kind != 0, kind != 6, draw(3) == 0 {
      let times = ["on 3 January 2026", "since 5 January 2026", "the day after \(text(2))"]
      query.text?.append(" " + times[draw(times.count)])
    }
    if kind < 2 { query.vector = vector() }
    if kind < 2, Bool.random(using: &random) {
      query.space = EmbeddingSpace(
        model: "m", dimensions: dimensions, metric: Metric.allCases.randomElement(using: &random) ?? .cosine)
    }
    query.limit = [1, 3, 10, 1000].randomElement(using: &random) ?? 10
    if Int.random(in: 0..<3, using: &random) == 0 { query.filter.taskType = .testing }
    if Int.random(in: 0..<4, using: &random) == 0 { query.filter.statuses = Set(Episode.Status.allCases) }
    if Int.random(in: 0..<4, using: &random) == 0 {
      query.filter.after = Timestamp(milliseconds: Self.time(300))
      query.filter.before = Timestamp(milliseconds: Self.time(700))
    }
    if Int.random(in: 0..<5, using: &random) == 0 { query.filter.session = "s" }
    return query
  }
}

/// Compares episodes and scores: without a vector to the last bit, else equal scores may be in any order, and at the end be any
/// of them.
private func expectSame(_ found: [Hit], _ expected: [Hit], _ query: Query, _ place: String) {
  #expect(found.count == expected.count, "\(place): \(query)")
  if query.vector == nil {
    #expect(found.map(\.episode.id) == expected.map(\.episode.id), "\(place): \(query)")
    #expect(found.map(\.shares) == expected.map(\.shares), "\(place): \(query)")
    #expect(found.map(\.matches) == expected.map(\.matches), "\(place): \(query)")
    return
  }
  let alike = zip(found, expected).allSatisfy { abs($0.score - $1.score) <= 1e-9 * max(1, abs($1.score)) }
  #expect(alike, "\(place): \(query): \(found.map(\.score)) for \(expected.map(\.score))")
  let last = expected.last.map { $0.score + 1e-9 } ?? 0
  #expect(
    Set(found.filter { $0.score > last }.map(\.episode.id))
      == Set(expected.filter { $0.score > last }.map(\.episode.id)),
    "\(place): \(query)")
}

@Suite struct `Search index` {
  /// I1, I3, I4.
  @Test(arguments: [(1, 5), (2, 160), (3, 24)])
  func `returns the results of an exhaustive search, after any changes by two writers`(seed: UInt64, dimensions: Int)
    async throws
  {
    let store = try Store()
    let first = try await store.open { $0.cache.isEnabled = false }
    let second = try await store.open { $0.cache.isEnabled = false }
    var wanderers = [
      Wanderer(seed: seed, dimensions: dimensions, name: "a"),
      Wanderer(seed: seed + 100, dimensions: dimensions, name: "b"),
    ]
    for round in 0..<250 {
      let place = round % 2
      try await wanderers[place].change(place == 0 ? first : second)
      guard round % 3 == 0 else { continue }
      var query = wanderers[place].query()
      let found = try await (place == 0 ? second : first).recall(query)
      query.isExact = true
      expectSame(found, try await first.recall(query), query, "seed \(seed), round \(round)")
      if round % 60 == 0 { try await first.rebuild() }
    }
    for check in try await second.check() { #expect(check.outcome == .passed, "\(check.name)") }
    // A rebuild makes the files again, which another user of the old ones notices at its next use.
    var isBuilt = false
    for _ in 0..<6000 where !isBuilt {
      _ = try await first.recall(wanderers[0].query())
      isBuilt = try await first.statistics().index.isBuilt
      if !isBuilt { try await Task.sleep(for: .milliseconds(10)) }
    }
    #expect(isBuilt)
    try await first.close()
    try await second.close()
  }

  /// I4, between processes.
  @Test func `finds the commits of another process in the next query`() async throws {
    let store = try Store()
    try await store.withMemory { memory in
      try await memory.insert([.sample("seed", context: "seed")])
      _ = try await memory.recall(Query(text: "seed", scope: .everything))
    }
    let worker = try Child("StoreWorker", ["index", store.path, "w", "40"], in: store.directory)
    let memory = try await store.open()
    var seen = 0
    while seen < 40 {
      try await worker.waitForLines(seen + 1)
      let acknowledged = try worker.lines.count
      for number in seen..<acknowledged {
        var vector = [Float](repeating: 0, count: 64)
        vector[number] = 1
        let near = try await memory.recall(Query(vector: vector, scope: .everything, limit: 1))
        #expect(near.first?.episode.id == Episode.ID("w-\(number)") && near.first?.score == 1)
        let named = try await memory.recall(Query(text: "indexed\(number)", scope: .domain("w"), limit: 1))
        #expect(named.first?.episode.id == Episode.ID("w-\(number)"))
      }
      seen = acknowledged
    }
    #expect(worker.wait() == 0)
    for check in try await memory.check() { #expect(check.outcome == .passed, "\(check.name)") }
    try await memory.close()
  }

  /// I1.
  @Test func `gives the same results after it is lost, and after a rebuild`() async throws {
    let store = try Store()
    var wanderer = Wanderer(seed: 9, dimensions: 32, name: "a")
    var queries: [Query] = []
    for _ in 0..<40 { queries.append(wanderer.query()) }
    var answers: [[[Hit]]] = []
    for round in 0..<3 {
      try await store.withMemory { memory in
        if round == 0 { for _ in 0..<120 { try await wanderer.change(memory) } }
        if round == 2 { try await memory.rebuild() }
        // The first query may find no index, and builds it.
        if round == 1 { _ = try await memory.recall(queries[0]) }
        var found: [[Hit]] = []
        for query in queries { found.append(try await memory.recall(query)) }
        answers.append(found)
      }
      if round == 0 { try FileManager.default.removeItem(atPath: store.cachePath) }
    }
    #expect(answers[1] == answers[0])
    #expect(answers[2] == answers[0])
  }

  /// I8
  @Test func `gives one domain the same scores, whatever other domains and running episodes there are`() async throws {
    let store = try Store()
    try await store.withMemory { memory in
      var wanderer = Wanderer(seed: 11, dimensions: 8, name: "a")
      for _ in 0..<80 { try await wanderer.change(memory) }
      var queries: [Query] = []
      for number in 0..<60 {
        var query = wanderer.query()
        query.scope = .domain("d0")
        query.filter.statuses = nil
        query.isExact = number.isMultiple(of: 2)
        queries.append(query)
      }
      var before: [[SearchHit]] = []
      for query in queries { before.append(try await memory.search(query)) }
      #expect(before.contains { $0.contains { $0.shares.session > 0 && $0.shares.time > 0 } })

      var others = Wanderer(seed: 12, dimensions: 8, name: "b")
      var added: [Episode] = []
      while added.count < 60 {
        let made = others.episode()
        guard made.domain != "d0" || made.status == .active else { continue }
        added.append(made)
      }
      try await memory.insert(
        added, embeddings: added.map { .init(of: $0.id, content: "", vector: others.vector(), model: "m") })
      for (query, expected) in zip(queries, before) {
        #expect(try await memory.search(query) == expected, "\(query)")
      }
    }
  }

  @Test(arguments: [1, 2, 3, 64, 129, 4096])
  func `finds the nearest vectors in any number of dimensions, including equal ones and duplicates`(dimensions: Int)
    async throws
  {
    let store = try Store()
    try await store.withMemory { memory in
      var random = SeededGenerator(seed: UInt64(dimensions))
      let same = [Float](repeating: 0.5, count: dimensions)
      try await memory.insert((0..<12).map { .sample(Episode.ID("e\($0)")) })
      try await memory.embed((0..<6).map { .init(of: Episode.ID("e\($0)"), content: "", vector: same, model: "m") })
      let all = try await memory.recall(Query(vector: same, scope: .everything, limit: 100))
      #expect(all.map(\.episode.id) == (0..<6).reversed().map { Episode.ID("e\($0)") })
      #expect(all.allSatisfy { $0.score == 1 })
      for number in 6..<12 {
        let vector = (0..<dimensions).map { _ in Float.random(in: 0.1...1, using: &random) }
        for episode in [number, number] {
          try await memory.embed(.init(of: Episode.ID("e\(episode)"), content: "", vector: vector, model: "m"))
        }
      }
      for metric in Metric.allCases {
        var query = Query(
          vector: (0..<dimensions).map { _ in Float.random(in: -1...1, using: &random) },
          space: EmbeddingSpace(model: "m", dimensions: dimensions, metric: metric), scope: .everything, limit: 12)
        let found = try await memory.recall(query)
        query.isExact = true
        expectSame(found, try await memory.recall(query), query, "\(dimensions) dimensions, \(metric)")
        #expect(found.count == 12)
      }
      for check in try await memory.check() { #expect(check.outcome == .passed, "\(check.name)") }
    }
  }

  @Test func `finds one vector in a store of one, and none in a store of none`() async throws {
    let store = try Store()
    try await store.withMemory { memory in
      #expect(try await memory.recall(Query(vector: [1, 2], scope: .everything)).isEmpty)
      try await memory.insert([.sample("e")])
      try await memory.embed(.init(of: "e", content: "", vector: [3, 4], model: "m"))
      let found = try await memory.search(Query(vector: [3, 4], scope: .everything, limit: 1000))
      #expect(found == [SearchHit(id: "e", score: 1, shares: .init(vector: 1, success: 0.02), steps: [])])
      #expect(try await memory.recall(Query(vector: [3, 4], scope: .domain("other"))).isEmpty)
    }
  }

  @Test func `an episode with many vectors does not displace others`() async throws {
    let store = try Store()
    try await store.withMemory { memory in
      try await memory.insert((0..<20).map { .sample(Episode.ID("e\($0)")) })
      var random = SeededGenerator(seed: 5)
      func near(_ centre: Float) -> [Float] {
        (0..<128).map { _ in centre + Float.random(in: -0.1...0.1, using: &random) }
      }
      try await memory.embed((0..<1500).map { _ in .init(of: "e0", content: "", vector: near(1), model: "m") })
      try await memory.embed(
        (1..<20).map { number in
          .init(
            of: Episode.ID("e\(number)"), content: "", vector: near(number.isMultiple(of: 2) ? -1 : 0.2), model: "m")
        })
      let found = try await memory.search(Query(vector: [Float](repeating: 1, count: 128), scope: .everything))
      #expect(found.count == 10 && found.first?.id == "e0" && Set(found.map(\.id)).count == 10)
    }
  }

  @Test func `omits hits below the minimum score`() async throws {
    let store = try Store()
    try await store.withMemory { memory in
      try await memory.insert([.sample("near"), .sample("far")])
      try await memory.embed(.init(of: "near", content: "", vector: [1, 0.1], model: "m"))
      try await memory.embed(.init(of: "far", content: "", vector: [0.1, 1], model: "m"))
      let query = Query(vector: [1, 0], scope: .everything, minimumScore: 0.5)
      #expect(try await memory.recall(query).map(\.episode.id) == ["near"])
      await #expect(throws: MemoryError.self) {
        try await memory.recall(Query(vector: [1, 0], scope: .everything, minimumScore: .nan))
      }
    }
  }

  /// Flips bits of a closed index that is marked as closed cleanly.
  @Test func `a damaged index is rebuilt and never gives a wrong result`() async throws {
    let store = try Store()
    var wanderer = Wanderer(seed: 77, dimensions: 48, name: "a")
    try await store.withMemory { memory in for _ in 0..<150 { try await wanderer.change(memory) } }
    var queries: [(Query, [Hit])] = []
    try await store.withMemory { memory in
      for _ in 0..<12 {
        var query = wanderer.query()
        query.isExact = true
        let expected = try await memory.recall(query)
        query.isExact = false
        queries.append((query, expected))
        _ = try await memory.recall(query)
      }
    }
    let file = store.cachePath + "/index/data.mdb"
    let sound = try Data(contentsOf: URL(filePath: file))
    let rounds = Int(ProcessInfo.processInfo.environment["EPISODIC_MUTATIONS"] ?? "") ?? 40
    for round in 0..<min(rounds, 2000) {
      var bytes = sound
      switch round % 4 {
      case 0: bytes = bytes.prefix(Int.random(in: 0..<bytes.count, using: &wanderer.random))
      case 1: bytes.replaceSubrange(0..<0, with: Data(count: 4096))
      default:
        for _ in 0..<(round % 4 == 2 ? 1 : 40) {
          let place = Int.random(in: 0..<bytes.count, using: &wanderer.random)
          bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &wanderer.random)
        }
      }
      try bytes.write(to: URL(filePath: file))
      try await store.withMemory { memory in
        for (query, expected) in queries {
          expectSame(try await memory.recall(query), expected, query, "round \(round)")
        }
      }
    }
  }
}
