@testable import EpisodicMemory
import GRDB
import Logging
import TestSupport
import Testing
import Vectors

@testable import MemorySQLite

/// Copies of the rows that a snapshot lent.
private struct Lent: Hashable {
  var row: Int64
  var episode: Int64
  var texts: [String] = []
  var attributes: EpisodeAttributes?

  init(_ episode: IndexedEpisode) {
    row = episode.row
    self.episode = episode.row
    texts = episode.texts.prefix(1).map { String(decoding: $0, as: UTF8.self) }
    attributes = episode.attributes
  }

  init(_ step: IndexedStep) {
    row = step.row
    episode = step.episode
    texts = step.texts.map { String(decoding: $0, as: UTF8.self) }
  }

  init(_ vector: IndexedVector) {
    row = vector.row
    episode = vector.episode
    texts = [vector.model, "\(vector.dimensions)", "\([Float](littleEndianFloat32: vector.components.bytes) ?? [])"]
    attributes = vector.attributes
  }
}

private enum Comparison: CaseIterable { case withAnotherLength, ofOne, ofAnEpisode, ofTheSpace }

@Suite struct `A snapshot` {
  private func lend(_ table: IndexedTable, _ selection: RowSelection, _ primary: SQLitePrimaryStore) async throws
    -> [Lent]
  {
    try await primary.read { snapshot throws(MemoryError) in
      var lent: [Lent] = []
      switch table {
      case .episodes:
        try snapshot.episodes(selection) { (it) throws(MemoryError) in
          lent.append(Lent(it))
          return true
        }
      case .steps:
        try snapshot.steps(selection) { (it) throws(MemoryError) in
          lent.append(Lent(it))
          return true
        }
      case .vectors:
        try snapshot.vectors(selection) { (it) throws(MemoryError) in
          lent.append(Lent(it))
          return true
        }
      }
      return lent
    }
  }

  /// Twelve episodes of every status, two domains, with and without sessions, their steps and vectors of two models.
  private func filled() async throws -> (bench: Bench, episodes: [Episode], vectors: [Embedding]) {
    let bench = try await Bench()
    var episodes: [Episode] = []
    var vectors: [Embedding] = []
    for index in 0..<12 {
      let id = Episode.ID("e\(index)")
      var episode = Episode.sample(
        id, domain: index.isMultiple(of: 2) ? "even" : "\u{F6}dd",
        context: index == 5 ? "" : "context \(index) \u{1F9E8}",
        status: Episode.Status.allCases[index % 4], steps: (0..<index % 3).map { "do \($0)" }, at: Int64(index))
      episode.session = index.isMultiple(of: 3) ? "s\(index / 6)" : nil
      episode.taskType = index < 6 ? .testing : .analysis
      for step in episode.steps.indices {
        episode.steps[step].result = index == 4 ? "" : nil
        episode.steps[step].tool = index.isMultiple(of: 2) ? "tool" : nil
      }
      episodes.append(episode)
      for copy in 0..<index % 4 {
        vectors.append(
          Embedding(
            id: Embedding.ID("m\(index).\(copy)"), episodeID: id, stepID: nil, content: "", vector: [Float(index), 1],
            model: copy == 0 ? "m" : "n", createdAt: Timestamp(milliseconds: 0)))
      }
    }
    _ = try await bench.primary.insert(episodes, embeddings: vectors, existing: .fail)
    return (bench, episodes, vectors)
  }

  @Test func `lends every episode, step and vector with the values of the tables, in the order of rows`() async throws {
    let (bench, episodes, vectors) = try await filled()
    let lentEpisodes = try await lend(.episodes, .after(0, limit: 1000), bench.primary)
    let attributes = episodes.map { episode in
      EpisodeAttributes(
        domain: episode.domain, session: episode.session, taskType: episode.taskType, status: episode.status,
        createdAt: episode.createdAt)
    }
    #expect(lentEpisodes.map(\.row) == Array(1...12))
    #expect(lentEpisodes.map(\.texts) == episodes.map { [$0.context] })
    #expect(lentEpisodes.map(\.attributes) == attributes)
    let lentSteps = try await lend(.steps, .after(0, limit: 1000), bench.primary)
    #expect(lentSteps.map(\.row) == Array(1...Int64(lentSteps.count)))
    #expect(
      lentSteps.map(\.texts)
        == episodes.flatMap { $0.steps.map { [$0.action, $0.result, $0.tool, ""].compactMap(\.self) } })
    let lentVectors = try await lend(.vectors, .after(0, limit: 1000), bench.primary)
    #expect(lentVectors.map(\.texts) == vectors.map { [$0.model, "2", "\($0.vector)"] })
    #expect(lentVectors.map(\.attributes) == lentVectors.map { attributes[Int($0.episode) - 1] })
  }

  @Test(arguments: IndexedTable.allCases)
  private func `a selection lends each existing row that it names once, in order`(
    _ table: IndexedTable
  ) async throws {
    let (bench, _, _) = try await filled()
    let all = try await lend(table, .after(0, limit: .max), bench.primary)
    #expect(!all.isEmpty && all.map(\.row) == all.map(\.row).sorted())
    #expect(
      try await lend(table, .after(3, limit: 4), bench.primary) == all.filter { $0.row > 3 }.prefix(4).map(\.self))
    #expect(try await lend(table, .after(.max, limit: 4), bench.primary).isEmpty)
    let listed: [Int64] = [5, 2, 999, -1, 5, 0, 7]
    #expect(try await lend(table, .listed(listed), bench.primary) == all.filter { listed.contains($0.row) })
    let owners: [Int64] = [8, 3, 8, 77, 6]
    #expect(try await lend(table, .ofEpisodes(owners), bench.primary) == all.filter { owners.contains($0.episode) })
    let last = try await bench.primary.read { snapshot throws(MemoryError) in try snapshot.lastRow(of: table) }
    #expect(last == all.last?.row)
    let empty = try await Bench()
    #expect(try await empty.primary.read { snapshot throws(MemoryError) in try snapshot.lastRow(of: table) } == 0)
    #expect(try await lend(table, .listed([]), bench.primary).isEmpty)
    #expect(try await lend(table, .ofEpisodes([]), bench.primary).isEmpty)
  }

  @Test(arguments: [RowSelection.after(0, limit: 9), .listed([1, 2, 3, 4])])
  func `a reading ends with the row for which its closure returns false`(_ selection: RowSelection) async throws {
    let (bench, _, _) = try await filled()
    let lent = try await bench.primary.read { snapshot throws(MemoryError) in
      var lent = 0
      try snapshot.episodes(selection) { (_) throws(MemoryError) in
        lent += 1
        return lent < 2
      }
      return lent
    }
    #expect(lent == 2)
  }

  @Test func `a closure may read other rows, and its error ends the reading`() async throws {
    let (bench, _, _) = try await filled()
    let pairs = try await bench.primary.read { snapshot throws(MemoryError) in
      var pairs: [[Int64]] = []
      try snapshot.episodes(.listed([1, 2])) { (outer) throws(MemoryError) in
        try snapshot.episodes(.listed([3, 4])) { (inner) throws(MemoryError) in
          pairs.append([outer.row, inner.row])
          return true
        }
        return true
      }
      return pairs
    }
    #expect(pairs == [[1, 3], [1, 4], [2, 3], [2, 4]])
    await #expect {
      try await bench.primary.read { snapshot throws(MemoryError) in
        try snapshot.vectors(.after(0, limit: 9)) { (_) throws(MemoryError) in throw MemoryError(.invalid, "enough") }
      }
    } throws: { ($0 as? MemoryError)?.message == "enough" }
  }

  @Test func `shows the state of its watermark, independent of later commits`() async throws {
    let (bench, _, _) = try await filled()
    let primary = bench.primary
    let (before, feed) = try await primary.read { snapshot throws(MemoryError) in
      let before = try snapshot.watermark()
      return (before, try snapshot.changes(after: .beginning, limit: 1000))
    }
    #expect(feed.end == before && feed.isComplete && !feed.changes.isEmpty)
    let same = try await primary.changes(after: .beginning, limit: 1000)
    #expect(feed.changes == same.changes && feed.end == same.end)
    #expect(feed.changes.allSatisfy { $0.row != nil })
    _ = try await primary.delete("e1" as Episode.ID)
    let after = try await primary.read { snapshot throws(MemoryError) in
      try snapshot.changes(after: before, limit: 1)
    }
    #expect(after.changes.count == 1 && !after.isComplete && after.continues)
  }
}

extension `A snapshot` {
  @Test func `similarities are those of the stored vectors, for one vector, for an episode and over the space`()
    async throws
  {
    let bench = try await Bench()
    _ = try await bench.primary.insert(
      [.sample("a"), .sample("b", domain: "other"), .sample("c")],
      embeddings: [.sample("1", of: "a", [1, 0]), .sample("2", of: "a", [0, 2]), .sample("3", of: "b", [3, 4])],
      existing: .fail)
    let query = VectorQuery(try Vector([1, 0]), metric: .dotProduct)
    let space = EmbeddingSpace(model: "m", dimensions: 2)
    let (one, ofEpisode, all, some) = try await bench.primary.read { snapshot throws(MemoryError) in
      var one: [Double?] = [], ofEpisode: [Double?] = [], all: [[Double]] = [], some: [[Double]] = []
      for row in 1...4 as ClosedRange<Int64> {
        one.append(try snapshot.similarity(of: row, ofEpisode: 1, to: query))
      }
      let best = try snapshot.similarities(ofEpisodes: [4, 2, 3, 1], to: SpaceQuery(query, in: space))
      ofEpisode = (1...4).map { best[$0] }
      try snapshot.neighbors(query, in: space, .everything, .init()) { all.append([Double($0), Double($1), $2]) }
      try snapshot.neighbors(query, in: space, .domain("other"), .init()) { some.append([Double($0), Double($1), $2]) }
      return (one, ofEpisode, all, some)
    }
    #expect(one == [1, 0, 3, nil])
    #expect(ofEpisode == [1, 3, nil, nil])
    #expect(all.sorted { $0[0] < $1[0] } == [[1, 1, 1], [2, 1, 0], [3, 2, 3]])
    #expect(some == [[3, 2, 3]])
  }

  @Test(arguments: Comparison.allCases)
  fileprivate func
    `a vector of another length is corrupted, and one with a component that is not finite has no similarity`(
      _ comparison: Comparison
    ) async throws
  {
    let bench = try await Bench()
    _ = try await bench.primary.insert(
      [.sample("a")], embeddings: [.sample("1", of: "a"), .sample("2", of: "a")], existing: .fail)
    _ = try await bench.primary.writeRows { db in
      try db.execute(sql: "UPDATE embeddings SET embedding = x'0000c07f0000803f' WHERE id = '2'")
    }
    let query = VectorQuery(try Vector([1, 0]), metric: .cosine)
    let longer = VectorQuery(try Vector([1, 0, 0]), metric: .cosine)
    let space = EmbeddingSpace(model: "m", dimensions: 2)
    let compared = await Result {
      try await bench.primary.read { snapshot throws(MemoryError) in
        var found: [Double?] = []
        switch comparison {
        case .withAnotherLength: found = [try snapshot.similarity(of: 1, ofEpisode: 1, to: longer)]
        case .ofOne: found = [try snapshot.similarity(of: 2, ofEpisode: 1, to: query)]
        case .ofAnEpisode:
          found = [try snapshot.similarities(ofEpisodes: [1], to: SpaceQuery(query, in: space))[1]]
        case .ofTheSpace:
          try snapshot.neighbors(query, in: space, .everything, .init()) { found.append($2) }
        }
        return found
      }
    }
    switch comparison {
    case .withAnotherLength: #expect(throws: MemoryError.self) { try compared.get() }
    case .ofOne: #expect(try compared.get() == [nil])
    case .ofAnEpisode, .ofTheSpace: #expect(try compared.get() == [1])
    }
  }

  @Test func `spaces are those of all vectors, or those of a corpus`() async throws {
    let (bench, _, _) = try await filled()
    _ = try await bench.primary.insert([.sample("own", of: "e0", [1, 2, 3]).with(model: "own")], replacing: false)
    let request = RecallRequest(Query(vector: [1, 2], scope: .domain("\u{F6}dd")), terms: nil)
    let (all, odd) = try await bench.primary.read { snapshot throws(MemoryError) in
      let all = try snapshot.spaces()
      return (all, try snapshot.candidates(for: request).spaces(among: all))
    }
    #expect(
      all == [
        EmbeddingSpace(model: "m", dimensions: 2), EmbeddingSpace(model: "n", dimensions: 2),
        EmbeddingSpace(model: "own", dimensions: 3),
      ])
    #expect(odd == Array(all.prefix(2)))
  }

  @Test func `search returns the ids, scores and steps of the hits that recall loads`() async throws {
    let bench = try await Bench()
    try await bench.memory.insert([
      .sample("a", context: "repair the login", steps: ["swift test", "grep timeout", "timeout of the login"]),
      .sample("b", context: "write notes", steps: ["login"]), .sample("c", context: "nothing"),
    ])
    let query = Query(text: "login timeout", scope: .everything)
    let named = try await bench.memory.search(query)
    let loaded = try await bench.memory.recall(query)
    #expect(Set(named.map(\.id)) == ["a", "b"])
    #expect(named.map(\.id) == loaded.map(\.episode.id))
    #expect(named.map(\.shares) == loaded.map(\.shares) && named.map(\.score) == loaded.map(\.score))
    #expect(named.map(\.steps) == loaded.map { $0.matches.compactMap(\.step) })
    #expect(named.first { $0.id == "a" }?.steps.sorted() == [2, 3])
  }
}

extension Embedding {
  func with(model: String) -> Embedding {
    Embedding(
      id: id, episodeID: episodeID, stepID: stepID, content: content, vector: vector, model: model,
      createdAt: createdAt)
  }
}

extension Result where Failure == any Error {
  fileprivate init(_ body: () async throws -> Success) async {
    do { self = .success(try await body()) } catch { self = .failure(error) }
  }
}
