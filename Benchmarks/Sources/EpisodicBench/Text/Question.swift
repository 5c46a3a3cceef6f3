import Episodic

/// The same question for the library and for FTS5.
struct Question {
  enum Filter { case taskType, domain }

  let query: Query
  let expression: String
  let filter: Filter?

  /// - Parameter words: Any may match.
  init(words: [String], filter: Filter? = nil) {
    var seen: Set<String> = []
    let distinct = words.filter { seen.insert($0).inserted }
    self.init(distinct.map(Self.quoted).joined(separator: " OR "), filter: filter) {
      $0.text = distinct.joined(separator: " ")
    }
  }

  init(phrase: [String]) {
    let text = phrase.joined(separator: " ")
    self.init(Self.quoted(text), filter: nil) { $0.phrases = [text] }
  }

  init(prefix: String) {
    self.init(Self.quoted(prefix) + " *", filter: nil) { $0.prefixes = [prefix] }
  }

  private init(_ expression: String, filter: Filter?, _ say: (inout Query) -> Void) {
    var query = Query(scope: filter == .domain ? .domain(Portion.hundredth.name) : .everything)
    if filter == .taskType { query.filter.taskType = TaskType(Portion.tenth.name) }
    say(&query)
    self.query = query
    self.expression = expression
    self.filter = filter
  }

  private static func quoted(_ text: String) -> String { "\"" + text + "\"" }
}
