import Episodic
import Foundation
import TestSupport
import Testing

@Suite struct `Search index under kills and rebuilds` {
  /// I1, I2, I4.
  @Test func `a kill while the index follows leaves a correct index`() async throws {
    let store = try Store()
    var acknowledged: [Int] = []
    for round in 0..<6 {
      let worker = try Child("StoreWorker", ["index", store.path, "w\(round)", "100000"], in: store.directory)
      try await worker.waitForLines(30 + 7 * round)
      worker.kill()
      acknowledged.append(try worker.lines.count)
      try await store.withMemory { memory in
        for (life, count) in acknowledged.enumerated() {
          let found = try await memory.recall(Query(text: "indexed\(count - 1)", scope: .domain("w\(life)")))
          #expect(found.map(\.episode.id) == [Episode.ID("w\(life)-\(count - 1)")])
        }
        for check in try await memory.check() { #expect(check.outcome == .passed, "\(check.name)") }
      }
    }
  }

  @Test func `queries during a rebuild are correct, in this process and in others`() async throws {
    let store = try Store()
    let builder = try await store.open()
    let asker = try await store.open { $0.cache.isEnabled = false }
    try await builder.insert((0..<200).map { .sample(Episode.ID("e\($0)"), context: "task number\($0)") })
    try await builder.embed(
      (0..<200).map { .init(of: Episode.ID("e\($0)"), content: "", vector: [Float($0), 100], model: "m") })
    async let rebuilding: Void = {
      for _ in 0..<20 { try await builder.rebuild() }
    }()
    for round in 0..<200 {
      let number = (round * 7) % 200
      let found = try await asker.search(Query(text: "number\(number)", scope: .everything))
      #expect(found.map(\.id) == [Episode.ID("e\(number)")])
      let near = try await asker.search(Query(vector: [Float(number), 100], scope: .everything, limit: 1))
      #expect(near.map(\.id) == [Episode.ID("e\(number)")])
    }
    try await rebuilding
    for check in try await asker.check() { #expect(check.outcome == .passed, "\(check.name)") }
    try await asker.close()
    try await builder.close()
  }

  /// The feed is pruned; an index whose position is gone is rebuilt.
  @Test func `a restored old index, or one of another store, is rebuilt`() async throws {
    let store = try Store()
    try await store.fill()
    let other = try Store()
    try await other.withMemory { memory in
      try await memory.insert((0..<100).map { .sample(Episode.ID("x\($0)"), context: "output of topic3") })
    }
    let before = try await store.answers()
    for name in ["data.mdb", "epoch"] {
      let content = try Data(contentsOf: URL(filePath: "\(other.cachePath)/index/\(name)"))
      try content.write(to: URL(filePath: "\(store.cachePath)/index/\(name)"))
    }
    #expect(try await store.answers() == before)
  }

  /// I1, I3: the index has applied commits that the restored primary does not have.
  @Test func `a restored older primary makes the index rebuild`() async throws {
    let store = try Store()
    try await store.fill()
    _ = try await store.answers()
    let file = store.path + "/memory.sqlite"
    try FileManager.default.copyItem(atPath: file, toPath: file + ".backup")
    try await store.withMemory { memory in
      for number in 0..<30 { try await memory.update(Episode.ID("e\(number)"), with: .init(context: "changed")) }
      _ = try await memory.search(Query(text: "changed", scope: .everything))
    }
    for suffix in ["", "-wal", "-shm"] where FileManager.default.fileExists(atPath: file + suffix) {
      try FileManager.default.removeItem(atPath: file + suffix)
    }
    try FileManager.default.copyItem(atPath: file + ".backup", toPath: file)
    try await store.withMemory { memory in
      #expect(try await memory.search(Query(text: "changed", scope: .everything)).isEmpty)
      #expect(try await memory.search(Query(text: "topic3", scope: .everything, limit: 100)).count == 6)
      try await memory.optimize()
      for check in try await memory.check() { #expect(check.outcome == .passed, "\(check.name)") }
      #expect(try await memory.statistics().index.watermark == memory.statistics().primary.watermark)
    }
  }

  @Test(arguments: [[], [0, 0], [.nan, 1], [1, .infinity], [1, 2, 3]] as [[Float]])
  func `an invalid vector for the space is refused with the reason`(vector: [Float]) async throws {
    let store = try Store()
    try await store.withMemory { memory in
      try await memory.insert([.sample("e")])
      try await memory.embed(.init(of: "e", content: "", vector: [1, 2], model: "m"))
      await #expect(throws: MemoryError.self) { try await memory.search(Query(vector: vector, scope: .everything)) }
      await #expect(throws: MemoryError.self) {
        try await memory.embed([.init(of: "e", content: "", vector: vector, model: "m")])
      }
      #expect(try await memory.embeddings(of: "e").count == 1)
    }
  }

  @Test(arguments: [0, -1, 1001, 1_000_000]) func `a limit outside 1 to 1,000 is refused`(limit: Int) async throws {
    let store = try Store()
    try await store.withMemory { memory in
      await #expect(throws: MemoryError.self) {
        try await memory.search(Query(text: "a", scope: .everything, limit: limit))
      }
    }
  }

  @Test func `an unknown space is refused by name`() async throws {
    let store = try Store()
    try await store.withMemory { memory in
      try await memory.insert([.sample("e")])
      try await memory.embed(.init(of: "e", content: "", vector: [1, 2], model: "m"))
      let query = Query(vector: [1, 2], space: EmbeddingSpace(model: "unheard", dimensions: 2), scope: .everything)
      let error = await #expect(throws: MemoryError.self) { try await memory.search(query) }
      #expect(error?.message.contains("unheard") == true)
    }
  }

  @Test func `a disabled index changes no result`() async throws {
    let store = try Store()
    try await store.fill()
    let queries = ["output of topic3", "run command7", "task"].map { Query(text: $0, scope: .everything, limit: 1000) }
    var answers: [[[SearchHit]]] = []
    for isEnabled in [true, false] {
      let memory = try await store.open { $0.index.isEnabled = isEnabled }
      var found: [[SearchHit]] = []
      for query in queries { found.append(try await memory.search(query)) }
      answers.append(found)
      try await memory.close()
    }
    #expect(answers[0] == answers[1])
  }
}
