/// A kind of question, as a line of a report.
struct TextRow: Encodable {
  let name: String
  let what: String
  let questions: Int
  let search: Times
  let recall: Times
  let plain: Times
  /// The share of the questions that FTS5 answers alike, ties aside.
  let agreement: Double

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
  }

  enum CodingKeys: String, CodingKey {
    case name, what, questions, search, recall, agreement
    case plain = "fts5"
  }
}
