/// Questions of one kind.
struct QuestionClass {
  let name: String
  let what: String
  /// How many times faster than FTS5 the library is to be; `nil` where it must only not be slower.
  let timesFaster: Double?
  let questions: [Question]
  /// How often all are asked.
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
        name: "OR of 8", what: "8 words drawn as common as they are", timesFaster: 20,
        questions: share(600).map { _ in Question(words: eight()) }),
      QuestionClass(
        name: "commonest word", what: "the same question again and again", timesFaster: 20,
        questions: [Question(words: [spoken.words[0]])], rounds: 20),
      QuestionClass(
        name: "word in 2 %", what: "words in about 2 % of the documents", timesFaster: 20,
        questions: common.map { Question(words: [$0]) }),
      QuestionClass(
        name: "rare word", what: "words in 10 documents, or the rarest there are", timesFaster: nil,
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
