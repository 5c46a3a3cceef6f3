import Episodic
import Foundation
import TestSupport
import Testing

/// A store in its own directory, opened and closed as by processes.
struct Store {
  let directory: TemporaryDirectory
  var path: String { directory.file("store") }
  var cachePath: String { path + "/cache.lmdb" }

  init() throws { directory = try TemporaryDirectory() }

  func open(_ adjust: (inout Memory.OpenOptions) -> Void = { _ in }) async throws -> Memory {
    var options = Memory.OpenOptions()
    options.durability = .normal
    adjust(&options)
    return try await Memory.open(at: path, options: options)
  }

  /// Opens the store, uses it, and closes it.
  @discardableResult
  func withMemory<Result>(_ body: (Memory) async throws -> Result) async throws -> Result {
    let memory = try await open()
    let result = try await body(memory)
    try await memory.close()
    return result
  }

  func fill(_ count: Int = 30) async throws {
    try await withMemory { memory in
      try await memory.insert(
        (0..<count).map { number in
          .sample(
            Episode.ID("e\(number)"), domain: number.isMultiple(of: 2) ? "even" : "odd",
            context: "task \(number) about topic\(number % 5)", steps: ["run command\(number)", "read output"])
        })
      _ = try await memory.record(Pattern.Draft(.toolSequence, data: ["tools": ["grep", "sed"]], successRate: 0.5))
    }
  }

  /// The results a caller gets: episodes, a pattern, hits. Read twice, so that the second read is a cache hit.
  func answers() async throws -> [String] {
    try await withMemory { memory in
      var seen: [[String]] = []
      for _ in 0..<2 {
        var answers: [String] = []
        for number in 0..<30 {
          answers.append("\(String(describing: try await memory.episode(Episode.ID("e\(number)"))))")
        }
        answers.append(
          "\(String(describing: try await memory.pattern(.toolSequence, data: ["tools": ["grep", "sed"]])))")
        for scope in [Query.Scope.everything, .domain("even")] {
          answers.append("\(try await memory.recall(Query(text: "output of topic3", scope: scope)))")
        }
        seen.append(answers)
      }
      #expect(seen[0] == seen[1])
      return seen[0]
    }
  }
}

@Suite struct `Cache loss` {
  static let accidents: [(name: String, happen: @Sendable (Store) throws -> Void)] = [
    ("deleted", { try FileManager.default.removeItem(atPath: $0.cachePath) }),
    ("its data file deleted", { try FileManager.default.removeItem(atPath: $0.cachePath + "/data.mdb") }),
    ("its lock file deleted", { try FileManager.default.removeItem(atPath: $0.cachePath + "/lock.mdb") }),
    ("cut in half", { try resize($0) { $0 / 2 } }),
    ("cut to a byte", { try resize($0) { _ in 1 } }),
    ("cut to nothing", { try resize($0) { _ in 0 } }),
    ("cut by a page", { try resize($0) { $0 - 4096 } }),
    (
      "overwritten with noise",
      { store in
        let size = try Data(contentsOf: URL(filePath: store.cachePath + "/data.mdb")).count
        var generator = SeededGenerator(seed: 1)
        try Data((0..<size).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
          .write(to: URL(filePath: store.cachePath + "/data.mdb"))
      }
    ),
    (
      "replaced by a file",
      { store in
        try FileManager.default.removeItem(atPath: store.cachePath)
        try Data("not a directory".utf8).write(to: URL(filePath: store.cachePath))
      }
    ),
  ]

  private static func resize(_ store: Store, _ size: (Int) -> Int) throws {
    let file = URL(filePath: store.cachePath + "/data.mdb")
    let bytes = try Data(contentsOf: file)
    try bytes.prefix(size(bytes.count)).write(to: file)
  }

  /// I1
  @Test(arguments: accidents.indices) func `results are the same after the cache was lost or damaged`(_ index: Int)
    async throws
  {
    let store = try Store()
    try await store.fill()
    let before = try await store.answers()
    let accident = Self.accidents[index]
    try accident.happen(store)
    #expect(try await store.answers() == before, "\(accident.name)")
    try await store.withMemory { memory in
      for check in try await memory.check() { #expect(check.outcome == .passed, "\(accident.name): \(check.name)") }
    }
  }

  /// I1
  @Test func `a cache of another store is discarded`() async throws {
    let mine = try Store(), theirs = try Store()
    try await mine.fill()
    let before = try await mine.answers()
    try await theirs.withMemory { memory in
      try await memory.insert((0..<30).map { .sample(Episode.ID("e\($0)"), context: "an impostor") })
    }
    _ = try await theirs.answers()
    try FileManager.default.removeItem(atPath: mine.cachePath)
    try FileManager.default.copyItem(atPath: theirs.cachePath, toPath: mine.cachePath)
    #expect(try await mine.answers() == before)
  }

  /// I1, I3
  @Test func `the cache of a newer primary is not used for a restored older one`() async throws {
    let store = try Store()
    try await store.fill()
    let file = store.path + "/memory.sqlite"
    try FileManager.default.copyItem(atPath: file, toPath: file + ".backup")
    let before = try await store.answers()
    try await store.withMemory { memory in
      for number in 0..<30 { try await memory.update(Episode.ID("e\(number)"), with: .init(context: "changed topic3")) }
    }
    #expect(try await store.answers() != before)
    for suffix in ["", "-wal", "-shm"] where FileManager.default.fileExists(atPath: file + suffix) {
      try FileManager.default.removeItem(atPath: file + suffix)
    }
    try FileManager.default.copyItem(atPath: file + ".backup", toPath: file)
    #expect(try await store.answers() == before)
  }

  /// I1, I3
  @Test func `a restored older cache catches up before it answers`() async throws {
    let store = try Store()
    try await store.fill()
    let before = try await store.answers()
    let aside = store.path + "/aside"
    try FileManager.default.copyItem(atPath: store.cachePath, toPath: aside)
    try await store.withMemory { memory in
      for number in 0..<30 { try await memory.update(Episode.ID("e\(number)"), with: .init(context: "changed topic3")) }
    }
    let after = try await store.answers()
    #expect(after != before)
    // Into the same directory: a cache in another one is discarded as a copy.
    for name in try FileManager.default.subpathsOfDirectory(atPath: aside) where name != "index" {
      let content = try Data(contentsOf: URL(filePath: "\(aside)/\(name)"))
      try content.write(to: URL(filePath: "\(store.cachePath)/\(name)"), options: [])
    }
    #expect(try await store.answers() == after)
    try await store.withMemory { memory in
      for check in try await memory.check() { #expect(check.outcome == .passed, "\(check.name)") }
    }
  }

  /// I3: the shell's `.restore` writes the older content in one commit, while the store is open.
  @Test(.enabled(if: Host.hasSQLiteShell, "needs the sqlite3 shell"))
  func `a backup restored while the store is open is shown by the next read`() async throws {
    let store = try Store()
    try await store.fill()
    let file = store.path + "/memory.sqlite"
    func shell(_ command: String) throws {
      let child = try Child(running: Host.sqliteShell, [file, command], in: store.directory)
      let (status, errors) = (child.wait(), try child.standardError)
      #expect(status == 0, "\(errors)")
    }
    try shell(".backup '\(store.path)/backup'")
    let memory = try await store.open()
    try await memory.update("e1", with: .init(context: "after the backup"))
    try await memory.insert([.sample("new", domain: "even", context: "after the backup")])
    for id in ["e1", "new"] as [Episode.ID] {
      for _ in 0..<2 { #expect(try await memory.episode(id)?.context == "after the backup") }
    }
    try shell(".restore '\(store.path)/backup'")
    for _ in 0..<2 {
      #expect(try await memory.episode("e1")?.context == "task 1 about topic1")
      #expect(try await memory.episode("new") == nil)
    }
    // New commits reuse revisions that the cache has applied with other contents.
    for number in 0..<3 { try await memory.update("e2", with: .init(context: "again \(number)")) }
    #expect(try await memory.episode("e1")?.context == "task 1 about topic1")
    #expect(try await memory.episode("e2")?.context == "again 2")
    #expect(try await memory.episode("new") == nil)
  }

  @Test func `rebuild empties the cache and rebuilds the text index`() async throws {
    let store = try Store()
    try await store.fill()
    let before = try await store.answers()
    try await store.withMemory { memory in
      var stages: [String] = []
      try await memory.rebuild { if stages.last != $0.stage { stages.append($0.stage) } }
      #expect(stages == ["cache", "full-text indexes", "words", "vectors"])
      #expect(try await memory.statistics().cache[.episode].entries == 0)
    }
    #expect(try await store.answers() == before)
  }
}

@Suite struct `Reading through the cache` {
  @Test func `the second read of an episode, a pattern and a query is a hit`() async throws {
    let store = try Store()
    try await store.fill()
    _ = try await store.answers()
    let cache = try await store.open().statistics().cache
    #expect(cache.unavailable == nil && cache.failures == 0)
    #expect(cache[.episode].misses == 30 && cache[.episode].hits >= 30)
    #expect(cache[.pattern].misses == 1 && cache[.pattern].hits == 1)
    #expect(cache[.query].misses == 2 && cache[.query].hits == 2)
  }

  /// I8: everything that decides a result is part of its key.
  @Test func `queries that differ in one property never share a cached result`() async throws {
    let store = try Store()
    try await store.fill()
    let cached = try await store.open()
    let plain = try await store.open { $0.cache.isEnabled = false }
    for number in 0..<30 {
      let id = Episode.ID("e\(number)"), angle = Float(number) / 5
      for model in ["m", "n"] {
        let vector = model == "m" ? [angle, 1] : [1, angle]
        try await cached.embed(.init(of: id, content: "", vector: vector, model: model))
      }
      if number < 10 { try await cached.archive(id) }
      if number < 20 { try await cached.update(id, with: .init(taskType: .testing, session: "s")) }
    }
    let space = EmbeddingSpace(model: "m", dimensions: 2)
    let base = Query(text: "topic3 output", vector: [1, 0.5], space: space, scope: .everything, limit: 7)
    let variations: [(inout Query) -> Void] = [
      { _ in }, { $0.scope = .domain("even") }, { $0.scope = .domain("odd") }, { $0.text = "topic2 output" },
      { $0.text = nil }, { $0.vector = [0.5, 1] }, { $0.vector = nil }, { $0.limit = 6 }, { $0.excerpts = true },
      { $0.space?.model = "n" }, { $0.space?.metric = .euclidean }, { $0.filter.session = "s" },
      { $0.filter.taskType = .testing }, { $0.filter.statuses = [.archived] }, { $0.phrases = ["topic3"] },
      { $0.prefixes = ["topic1"] }, { $0.filter.after = Timestamp(milliseconds: 1_999_999_999_999) },
      { $0.filter.before = Timestamp(milliseconds: 1) }, { $0.ranking.vectorWeight = 0.1 },
      { $0.ranking.stepWeight = 3 }, { $0.ranking.stepsPerEpisode = 1 },
    ]
    var different: Set<[Hit]> = []
    for _ in 0..<2 {
      for vary in variations {
        var query = base
        vary(&query)
        let hits = try await cached.recall(query)
        #expect(try await plain.recall(query) == hits)
        different.insert(hits)
      }
    }
    // No episode passes some filters; a result without a vector's part is not cached.
    #expect(different.count >= variations.count - 5)
    #expect(try await cached.statistics().cache[.query].hits >= variations.count - 4)
  }

  /// I3
  @Test func `every kind of change is seen by the next read of another process`() async throws {
    let store = try Store()
    try await store.fill()
    let reader = try await store.open(), writer = try await store.open()
    func read() async throws -> [String] {
      [
        "\(String(describing: try await reader.episode("e4")))",
        "\(try await reader.recall(Query(text: "topic4 peculiar", scope: .domain("even"), filter: .init(statuses: Set(Episode.Status.allCases)))))",
        "\(String(describing: try await reader.pattern(.toolSequence, data: ["tools": ["grep", "sed"]])))",
      ]
    }
    let pattern = try #require(try await writer.pattern(.toolSequence, data: ["tools": ["grep", "sed"]]))
    let changes: [(String, () async throws -> Void)] = [
      ("update", { try await writer.update("e4", with: .init(metadata: ["x": 1])) }),
      ("reopen", { try await writer.reopen("e4") }),
      ("append", { try await writer.append(Step.Draft("peculiar"), to: "e4") }),
      ("complete", { try await writer.complete("e4") }),
      ("embed", { try await writer.embed(.init(of: "e4", content: "", vector: [1, 2], model: "m")) }),
      ("mark used", { try await writer.markUsed(pattern.id, succeeded: true) }),
      ("insert", { try await writer.insert([.sample("new", domain: "even", context: "topic4")]) }),
      ("archive", { try await writer.archive("new") }),
      ("delete", { try await writer.delete("e4") }),
      ("delete pattern", { try await writer.delete(pattern: pattern.id) }),
    ]
    var before = try await read()
    for (name, change) in changes {
      try await change()
      let after = try await read()
      #expect(after != before, "\(name)")
      #expect(try await read() == after, "\(name)")
      before = after
    }
  }

  @Test func `appending steps to an active episode keeps the cached results of its domain`() async throws {
    let store = try Store()
    try await store.fill()
    let memory = try await store.open()
    let query = Query(text: "topic3", scope: .domain("even"))
    _ = try await memory.recall(query)
    let running = try await memory.begin(.init(.testing, domain: "even", context: "now"))
    try await memory.append(Step.Draft("a step"), to: running.id)
    _ = try await memory.recall(query)
    #expect(try await memory.statistics().cache[.query].hits == 1)
    try await memory.complete(running.id)
    _ = try await memory.recall(query)
    #expect(try await memory.statistics().cache[.query].hits == 1)
  }

  @Test func `an expired entry is read from the primary again`() async throws {
    let store = try Store()
    try await store.fill()
    let clock = ManualClock(Timestamp(Date()))
    let memory = try await store.open { $0.clock = clock }
    _ = try await memory.episode("e1")
    clock.advance(by: .seconds(3000))
    _ = try await memory.episode("e1")
    clock.advance(by: .seconds(1500))
    _ = try await memory.episode("e1")
    let counts = try await memory.statistics().cache[.episode]
    #expect(counts.hits == 1 && counts.misses == 2 && counts.expired == 1)
  }

  @Test(.enabled(if: Host.hasSQLiteShell, "needs the sqlite3 shell"))
  func `a commit by the sqlite3 shell is seen by the next read`() async throws {
    let store = try Store()
    try await store.fill()
    let memory = try await store.open()
    _ = try await memory.episode("e1")
    let statements = [
      "UPDATE episodes SET context = 'from the shell' WHERE id = 'e1'",
      "INSERT OR REPLACE INTO episodes (id, task_type, domain, context, status, created_at) VALUES ('e1', 't', 'odd', 'replaced', 'completed', 1)",
      "DELETE FROM episodes WHERE id = 'e1'",
    ]
    for (statement, context) in zip(statements, ["from the shell", "replaced", nil]) {
      let child = try Child(
        running: Host.sqliteShell, [store.path + "/memory.sqlite", "PRAGMA busy_timeout = 5000; " + statement],
        in: store.directory
      )
      #expect(child.wait() == 0)
      #expect(try await memory.episode("e1")?.context == context)
      #expect(
        try await memory.recall(Query(text: "task shell replaced", scope: .domain("odd"))).filter {
          $0.episode.id == "e1"
        }.map(\.episode.context) == [context].compactMap(\.self))
    }
    for check in try await memory.check() where check.name.hasPrefix("full text of episodes") {
      #expect(check.outcome == .passed)
    }
  }
}
