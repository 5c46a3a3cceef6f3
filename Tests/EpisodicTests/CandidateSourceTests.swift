@testable import EpisodicMemory
import Foundation
import GRDB
import Logging
import MemoryLMDB
import MemorySQLite
import TestSupport
import Testing
import Vectors

/// All that a source says about a request, in words that compare by every bit.
private struct Answer: Hashable, Sendable {
  let statistics: WordStatistics
  let best: [String]
  let bestOfTime: [String]
  let newest: [Int64]
  let given: [String: String]
  let sessions: [Set<Int64>]
  let neighbors: [Int64: [Int64?]]
  let attributes: [Int64: CandidateAttributes]
  let spaces: [EmbeddingSpace]
  /// By space.
  let similarities: [[Int64: Double]]
  let nearest: [[String]]

  init(_ source: any CandidateSource, rows: [Int64], spaces: [EmbeddingSpace]) throws(MemoryError) {
    statistics = try source.wordStatistics()
    best = try source.wordCandidates(in: nil).map { words in words.exactText }
    let time = Timestamp(milliseconds: 2)..<Timestamp(milliseconds: 4)
    bestOfTime = try source.wordCandidates(in: time).map { words in words.exactText }
    newest = try source.newest(in: time)
    var given: [String: String] = [:]
    for words in try source.words(of: rows) { given["\(words.row)"] = words.exactText }
    self.given = given
    let places = try source.sessionPlaces(of: rows)
    // Numbers of sessions are a source's own: what counts is which episodes share one.
    sessions = Dictionary(grouping: places.keys) { row in places[row]?.session }.values.map(Set.init)
      .sorted { $0.min() ?? 0 < $1.min() ?? 0 }
    neighbors = places.mapValues { [$0.previous, $0.next] }
    attributes = try source.attributes(of: rows)
    self.spaces = try source.spaces(among: spaces)
    var similarities: [[Int64: Double]] = []
    var nearest: [[String]] = []
    for space in spaces {
      guard let vector = try? Vector([3, -1]) else { continue }
      let query = SpaceQuery(VectorQuery(vector, metric: .cosine), in: space)
      similarities.append(try source.similarities(of: rows, to: query))
      nearest.append(try source.nearest(to: query, in: nil).map { "\($0.episode) \($0.similarity.bitPattern)" })
    }
    self.similarities = similarities
    self.nearest = nearest
  }
}

extension Candidates.Words {
  fileprivate var exactText: String {
    "\(row): \(context.bitPattern) " + steps.map { "\($0.row)=\($0.score.bitPattern)" }.joined(separator: " ")
      + " together \(stepOccurrences) of \(stepTokens)"
  }
}

@Suite struct `Candidates of the index` {
  private static let words = (0..<30).map { "word\($0)" }
  private static let domains = ["a", "b", "c"]

  private struct Changes {
    var random: SeededGenerator
    var made = 0

    mutating func text(_ most: Int) -> String {
      (0..<Int.random(in: 0...most, using: &random)).map { _ in
        let share = Double.random(in: 0..<1, using: &random)
        return words[Int(share * share * Double(words.count))]
      }.joined(separator: " ")
    }

    mutating func pick<Value>(_ values: [Value]) -> Value { values[Int.random(in: 0..<values.count, using: &random)] }

    /// SQL, as any program may write it.
    mutating func script() -> String {
      let id = "e\(Int.random(in: 0...max(0, made), using: &random))"
      let session = pick(["NULL", "'s'", "'t'"])
      let time = Int.random(in: 0...5, using: &random)
      switch Int.random(in: 0..<12, using: &random) {
      case 0: return "UPDATE episodes SET domain = '\(pick(domains))' WHERE id = '\(id)'"
      case 1, 2:
        return "UPDATE episodes SET status = '\(pick(["active", "completed", "failed"]))' WHERE id = '\(id)'"
      case 3: return "DELETE FROM episodes WHERE id = '\(id)'"
      case 4: return "UPDATE episodes SET session = \(session), created_at = \(time) WHERE id = '\(id)'"
      case 5:
        return
          "UPDATE episodes SET context = '\(text(8))', success_rate = \(pick(["NULL", "0.5", "1"])) WHERE id = '\(id)'"
      case 6:
        return "DELETE FROM steps WHERE id = '\(id)/1'; DELETE FROM embeddings WHERE id = '\(pick(["m", "n"]))/\(id)'"
      case 7:
        let model = pick(["m", "n"])
        return """
          INSERT OR IGNORE INTO embeddings (id, episode_id, content, embedding, model_name, dimensions, created_at)
          SELECT '\(model)/' || id, id, '', x'0000803f0000\(pick(["0040", "803f", "80bf", "4040"]))', '\(model)', 2, 1
          FROM episodes WHERE id = '\(id)'
          """
      default:
        made += 1
        let steps = (1...3).map { number in
          "INSERT INTO steps (id, episode_id, step_number, action, timestamp) VALUES ('e\(made)/\(number)', 'e\(made)', \(number), '\(text(6)) x', 1);"
        }
        return """
          INSERT INTO episodes (id, task_type, domain, session, context, status, created_at)
          VALUES ('e\(made)', 't', '\(pick(domains))', \(session), '\(text(10))', '\(pick(["active", "completed", "failed", "archived"]))', \(time));
          """ + steps.joined()
      }
    }

    mutating func query() -> Query {
      let scope: Query.Scope = Bool.random(using: &random) ? .everything : .domain(pick(domains + ["none"]))
      var query = Query(text: text(6) + " word1", vector: [1, 2], scope: scope)
      if Int.random(in: 0..<3, using: &random) == 0 { query.phrases = [pick(words)] }
      if Int.random(in: 0..<3, using: &random) == 0 { query.prefixes = [pick(["word1", "word2", "wor"])] }
      if Int.random(in: 0..<8, using: &random) == 0 { query.text = words.joined(separator: " ") + " unknown" }
      query.filter.statuses = pick([nil, nil, [.failed], [.active, .completed], Set(Episode.Status.allCases)])
      if Int.random(in: 0..<4, using: &random) == 0 { query.filter.session = "s" }
      query.limit = pick([1, 5, 1000])
      query.ranking.depth = query.limit
      return query
    }
  }

  /// I1, I4, I8.
  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func `are those of the primary to the last bit, whatever any program changes`(seed: UInt64) async throws {
    let store = try Store()
    let logger = Logger(label: "test")
    let primary = try await SQLitePrimaryStore(
      path: store.path + "/memory.sqlite", durability: .normal, logger: logger)
    let index = LMDBSearchIndex.open(at: store.path + "/cache.lmdb/index", store: primary.identity, logger: logger)
    let shell = try DatabaseQueue(path: store.path + "/memory.sqlite")
    var changes = Changes(random: SeededGenerator(seed: seed))
    for round in 0..<60 {
      for _ in 0..<Int.random(in: 1...6, using: &changes.random) {
        let script = changes.script()
        try await shell.write { db in try db.execute(sql: script) }
      }
      if round % 20 == 19 { _ = index.removeAll() }
      var progress = IndexProgress.following
      while progress != .arrived {
        progress = try await primary.read { snapshot throws(MemoryError) in try index.advance(in: snapshot) }
      }
      for _ in 0..<4 {
        let query = changes.query()
        let terms = try SearchTerms(text: query.text, phrases: query.phrases, prefixes: query.prefixes)
        let request = RecallRequest(query, terms: terms)
        let rows = (0..<12).map { _ in Int64.random(in: 1...Int64(changes.made + 1), using: &changes.random) }
        let (found, expected) = try await primary.read { snapshot throws(MemoryError) in
          let spaces = try snapshot.spaces()
          var found: Answer?
          let answer = try index.search(request, in: snapshot, catchesUp: true) { source throws(MemoryError) in
            try Answer(source, rows: rows, spaces: spaces)
          }
          if case .found(let answer) = answer { found = answer }
          return (found, try Answer(snapshot.candidates(for: request), rows: rows, spaces: spaces))
        }
        #expect(found == expected, "seed \(seed), round \(round): \(query)")
      }
    }
    let checks = try await primary.read { snapshot throws(MemoryError) in try index.check(in: snapshot) }
    for check in try #require(checks) { #expect(check.outcome == .passed, "\(check.name)") }
    index.close()
    try await primary.close()
  }

  @Test func `wait for the background if a long episode has ended`() async throws {
    let store = try Store()
    let logger = Logger(label: "test")
    let primary = try await SQLitePrimaryStore(
      path: store.path + "/memory.sqlite", durability: .normal, logger: logger)
    let index = LMDBSearchIndex.open(at: store.path + "/cache.lmdb/index", store: primary.identity, logger: logger)
    let shell = try DatabaseQueue(path: store.path + "/memory.sqlite")
    func run(_ script: String) async throws { try await shell.write { db in try db.execute(sql: script) } }
    func arrive() async throws {
      var progress = IndexProgress.following
      while progress != .arrived {
        progress = try await primary.read { snapshot throws(MemoryError) in try index.advance(in: snapshot) }
      }
    }
    try await run(
      """
      INSERT INTO episodes (id, task_type, domain, context, status, created_at)
          VALUES ('e', 't', 'a', 'long', 'active', 1), ('f', 't', 'a', 'short', 'active', 1);
      INSERT INTO steps (id, episode_id, step_number, action, timestamp)
          WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
          SELECT 'e/' || i, 'e', i, 'word' || i, 1 FROM n;
      """)
    try await arrive()
    let query = Query(text: "word7 short", scope: .domain("a"))
    let request = RecallRequest(query, terms: try SearchTerms(text: query.text, phrases: [], prefixes: []))
    func found() async throws -> [Int64]? {
      try await primary.read { snapshot throws(MemoryError) in
        let answer = try index.search(request, in: snapshot, catchesUp: true) { source throws(MemoryError) in
          try source.wordCandidates(in: nil).map(\.row)
        }
        if case .found(let rows) = answer { return rows }
        return nil
      }
    }
    #expect(try await found() == [])
    try await run("UPDATE episodes SET status = 'completed' WHERE id = 'f'")
    #expect(try await found() == [2])
    try await run("UPDATE episodes SET status = 'completed' WHERE id = 'e'")
    #expect(try await found() == nil)
    try await arrive()
    #expect(try await found().map(Set.init) == [1, 2])
    index.close()
    try await primary.close()
  }
}
