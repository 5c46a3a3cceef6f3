import Episodic

/// Queries of one kind.
struct QuestionClass {
  let name: String
  let what: String
  /// The target: how many times faster than FTS5 the library is; `nil` for at most 1.1 times slower.
  let timesFaster: Double?
  let questions: [Question]
  /// How often all are run.
  var rounds = 1
}

extension TextPopulation {
  /// Kinds of questions, `count` in all.
  func questions(_ count: Int) -> [QuestionClass] {
    var generator = SeededGenerator(seed: seed &+ 1)
    func share(_ thousandths: Int) -> Range<Int> { 0..<max(1, count * thousandths / 1000) }
    func eight() -> [String] { (0..<8).map { _ in spoken.words[spoken.draw(&generator)] } }
    func phrase(_ length: Int) -> [String] {
      let words = words(Int.random(in: 0..<self.count, using: &generator))
      let start = Int.random(in: 0...words.count - length, using: &generator)
      return Array(words[start..<start + length])
    }
    let common = words(inAbout: Double(self.count) / 50, count: share(25).count)
    let rare = words(inAbout: 10, count: share(50).count)
    return [
      QuestionClass(
        name: "OR of 8", what: "8 words drawn by their frequency", timesFaster: 20,
        questions: share(600).map { _ in Question(words: eight()) }),
      QuestionClass(
        name: "commonest word", what: "the same query repeated", timesFaster: 20,
        questions: [Question(words: [spoken.words[0]])], rounds: 20),
      QuestionClass(
        name: "word in 2 %", what: "words in about 2 % of the documents", timesFaster: 20,
        questions: common.map { Question(words: [$0]) }),
      QuestionClass(
        name: "rare word", what: "words in 10 documents, or the rarest", timesFaster: nil,
        questions: rare.map { Question(words: [$0]) }),
      QuestionClass(
        name: "phrase of 2", what: "two words in a row, from a document", timesFaster: 5,
        questions: share(100).map { _ in Question(phrase: phrase(2)) }),
      QuestionClass(
        name: "phrase of 3", what: "three words in a row, from a document", timesFaster: 5,
        questions: share(100).map { _ in Question(phrase: phrase(3)) }),
      QuestionClass(
        name: "prefix", what: "the first four letters of a word in about 2 % of the documents", timesFaster: nil,
        questions: common.map { Question(prefix: String($0.prefix(4))) }),
      QuestionClass(
        name: "OR of 8, 10 %", what: "the same among the tenth of one task type", timesFaster: nil,
        questions: share(50).map { _ in Question(words: eight(), filter: .taskType) }),
      QuestionClass(
        name: "OR of 8, 1 %", what: "the same among the hundredth of one domain", timesFaster: nil,
        questions: share(50).map { _ in Question(words: eight(), filter: .domain) }),
    ]
  }
}

/// The same query for the library and for FTS5.
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
