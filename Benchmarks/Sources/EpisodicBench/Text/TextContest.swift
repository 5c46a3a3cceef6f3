import CRawSQLite
import Episodic
import Foundation

/// One kind of query, run by the library and by FTS5: latencies, and agreement with the exhaustive search of the library.
struct TextContest {
  /// Questions that the exhaustive search answers too: it ranks every match, as FTS5 does.
  private static let mostCompared = 20

  let kind: QuestionClass
  private(set) var search: Series
  private(set) var recall: Series
  private(set) var plain: Series
  /// Questions that the exhaustive search answered too, and those of them with equal results.
  private(set) var compared = 0
  private(set) var agreeing = 0
  /// Documents of FTS5's best tens, and those of them that the library found.
  private var ofFTS5 = 0
  private var shared = 0

  init(_ kind: QuestionClass) {
    self.kind = kind
    search = Series(kind.name, "memory.search, limit 10: \(kind.what)")
    recall = Series(kind.name, "memory.recall of the same")
    plain = Series(kind.name, "FTS5, ORDER BY bm25() LIMIT 10")
  }

  var agreement: Double { Double(agreeing) / Double(max(1, compared)) }
  var overlap: Double { Double(shared) / Double(max(1, ofFTS5)) }

  /// Runs a few queries by FTS5, then by the library.
  ///
  /// - Parameter repeats: Runs by the library for each by FTS5.
  mutating func ask(
    _ questions: ArraySlice<Question>, round: Int, repeats: Int, _ memory: Memory, _ fullText: PlainFullText
  ) async throws {
    var truths: [[RankedRow]] = []
    for question in questions {
      let start = raw_now()
      truths.append(try fullText.best(question))
      plain.record(since: start)
    }
    for turn in 0..<repeats {
      for (question, truth) in zip(questions, truths) {
        let start = raw_now()
        let hits = try await memory.search(question.query)
        search.record(since: start)
        guard round == 0, turn == 0 else { continue }
        let rows = try Self.rows(hits)
        let found = Set(rows.map(\.number))
        ofFTS5 += truth.count
        shared += truth.count { found.contains($0.number) }
        guard compared < Self.mostCompared else { continue }
        var exhaustive = question.query
        exhaustive.isExact = true
        compared += 1
        if rows.agrees(with: try Self.rows(try await memory.search(exhaustive))) { agreeing += 1 }
      }
      for question in questions {
        let start = raw_now()
        _ = try await memory.recall(question.query)
        recall.record(since: start)
      }
    }
  }
}

extension TextContest {
  private static func rows(_ hits: [SearchHit]) throws -> [RankedRow] {
    try hits.map { RankedRow(number: try NumberedEpisode.number(of: $0.id), score: $0.score) }
  }
}

/// One kind of query, as a line of the report.
struct TextRow: Encodable {
  let name: String
  let what: String
  let questions: Int
  let search: Times
  let recall: Times
  let plain: Times
  /// The share of the compared queries with the results of the exhaustive search, except for ties.
  let agreement: Double
  /// The share of FTS5's best tens that the library found.
  let overlap: Double

  struct Times: Encodable {
    let calls: Int
    let p50: UInt64
    let p99: UInt64

    init(_ series: Series) {
      calls = series.calls
      p50 = series.median
      p99 = series.p99
    }

    enum CodingKeys: String, CodingKey {
      case calls
      case p50 = "p50_ns"
      case p99 = "p99_ns"
    }
  }

  init(_ contest: TextContest) {
    name = contest.kind.name
    what = contest.kind.what
    questions = contest.kind.questions.count
    search = Times(contest.search)
    recall = Times(contest.recall)
    plain = Times(contest.plain)
    agreement = contest.agreement
    overlap = contest.overlap
  }

  static let titles = [
    "us", "questions", "search p50", "p99", "recall p50", "p99", "FTS5 p50", "p99", "FTS5 / search", "exhaustive",
    "in FTS5's",
  ]
  var cells: [String] {
    [name, questions.grouped] + [search, recall, plain].flatMap { [$0.p50.microseconds, $0.p99.microseconds] }
      + [
        String(format: "%.2f", Double(plain.p50) / Double(max(1, search.p50))),
        String(format: "%.1f %%", 100 * agreement), String(format: "%.1f %%", 100 * overlap),
      ]
  }

  enum CodingKeys: String, CodingKey {
    case name, what, questions, search, recall, agreement, overlap
    case plain = "fts5"
  }
}

/// A document with its score; higher is better.
struct RankedRow {
  let number: Int
  let score: Double
}

extension [RankedRow] {
  /// Sums of the same scores in another order differ by less.
  private static var tolerance: Double { 1e-9 }

  /// Whether two results, best first, agree: equal scores at every rank, and the same documents except for ties with one
  /// another or beyond the last rank.
  func agrees(with other: [RankedRow]) -> Bool {
    guard count == other.count, zip(self, other).allSatisfy({ Self.isTie($0.score, $1.score) }) else { return false }
    guard let last = last?.score else { return true }
    let scores = Dictionary(other.map { ($0.number, $0.score) }) { first, _ in first }
    return Set(map(\.number)).count == count
      && allSatisfy { row in scores[row.number].map { Self.isTie($0, row.score) } ?? Self.isTie(row.score, last) }
  }

  private static func isTie(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= tolerance }
}
