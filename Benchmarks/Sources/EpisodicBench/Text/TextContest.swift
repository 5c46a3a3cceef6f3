import CRawSQLite
import Episodic

/// One kind of question asked of the library and of FTS5: how long each took, and whether they agree.
struct TextContest {
  let kind: QuestionClass
  private(set) var search: Series
  private(set) var recall: Series
  private(set) var plain: Series
  /// Questions that both answered alike; each counts once, however often it is asked.
  private(set) var agreeing = 0

  init(_ kind: QuestionClass) {
    self.kind = kind
    search = Series(kind.name, "memory.search, limit 10: \(kind.what)")
    recall = Series(kind.name, "memory.recall of the same")
    plain = Series(kind.name, "FTS5, ORDER BY bm25() LIMIT 10")
  }

  var agreement: Double { Double(agreeing) / Double(max(1, kind.questions.count)) }

  /// Asks FTS5, then the library, a few questions at a time.
  ///
  /// - Parameter repeats: How often the library is asked for each time that FTS5 is.
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
        let rows = try hits.map { RankedRow(number: try NumberedEpisode.number(of: $0.id), score: $0.score) }
        if rows.agrees(with: truth) { agreeing += 1 }
      }
      for question in questions {
        let start = raw_now()
        _ = try await memory.recall(question.query)
        recall.record(since: start)
      }
    }
  }
}
