import Episodic
import Foundation

/// Episodes like those of an agent: about 4 KB with 20 steps, in four domains, ten per session.
struct Workload {
  static let domains = ["billing", "compiler", "search", "storage"]
  private static let taskTypes: [TaskType] = [.codeGeneration, .debugging, .refactoring, .testing, .analysis]
  private static let tools = ["shell", "read_file", "edit_file", "search", "run_tests"]
  private static let contextBytes = 200
  private static let actionBytes = 40
  private static let resultBytes = 100

  private var generator: SeededGenerator
  private let vocabulary: Vocabulary
  /// One second later for each episode, so that no two times are equal.
  private var now = Timestamp(milliseconds: 1_750_000_000_000)
  private var made = 0

  init(seed: UInt64) {
    generator = SeededGenerator(seed: seed)
    vocabulary = Vocabulary(count: 20_000, &generator)
  }

  mutating func episode(steps: Int, status: Episode.Status = .completed) -> Episode {
    defer { made += 1 }
    now = Timestamp(milliseconds: now.milliseconds + 1000)
    let isDone = status != .active
    return Episode(
      id: .generate(at: now), taskType: Self.taskTypes[made % Self.taskTypes.count],
      domain: Self.domains[made % Self.domains.count], session: "session-\(made / 10)",
      context: vocabulary.text(bytes: Self.contextBytes, &generator), status: status, successRate: isDone ? 0.5 : nil,
      createdAt: now, completedAt: isDone ? now : nil, steps: (0..<steps).map { step($0 + 1) })
  }

  mutating func episodes(_ count: Int, steps: Int, status: Episode.Status = .completed) -> [Episode] {
    (0..<count).map { _ in episode(steps: steps, status: status) }
  }

  mutating func step(_ number: Int) -> Step {
    Step(
      id: .generate(at: now), number: number, action: vocabulary.text(bytes: Self.actionBytes, &generator),
      result: vocabulary.text(bytes: Self.resultBytes, &generator),
      tool: Self.tools[Int.random(in: Self.tools.indices, using: &generator)],
      duration: .milliseconds(Int64.random(in: 1...30_000, using: &generator)),
      success: Bool.random(using: &generator), timestamp: now)
  }

  /// Three words by frequency, without the 50 commonest, which in a real language are stop words.
  mutating func question() -> String {
    (0..<3).map { _ in vocabulary.word(rarerThan: 50, &generator) }.joined(separator: " ")
  }

  mutating func shuffled<Element>(_ elements: [Element]) -> [Element] {
    elements.shuffled(using: &generator)
  }
}

/// Words with frequencies by Zipf's law: the one of rank r in proportion to 1/r.
struct Vocabulary {
  private let words: [String]

  init(count: Int, _ generator: inout SeededGenerator) {
    let onsets = ["b", "br", "c", "d", "f", "g", "gr", "k", "l", "m", "n", "p", "pl", "r", "s", "st", "t", "tr", "v"]
    let vowels = ["a", "e", "i", "o", "u", "ai", "ou"]
    let codas = ["", "", "n", "r", "s", "l", "t", "ck"]
    var seen: Set<String> = []
    var words: [String] = []
    while words.count < count {
      var word = ""
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        for part in [onsets, vowels, codas] { word += part[Int.random(in: part.indices, using: &generator)] }
      }
      if seen.insert(word).inserted { words.append(word) }
    }
    self.words = words
  }

  /// - Parameter rank: The number of commonest words to exclude.
  func word(rarerThan rank: Int = 0, _ generator: inout SeededGenerator) -> String {
    let least = log(Double(rank + 1)) / log(Double(words.count))
    let drawn = pow(Double(words.count), Double.random(in: least..<1, using: &generator))
    return words[min(max(Int(drawn), rank + 1), words.count) - 1]
  }

  /// Words up to about the given number of bytes.
  func text(bytes: Int, _ generator: inout SeededGenerator) -> String {
    var text = word(&generator)
    while text.utf8.count < bytes {
      text += " "
      text += word(&generator)
    }
    return text
  }
}

/// Lines of a file of episodes of about 20 steps, most of them short and a few long.
struct MixedEpisodes {
  private static let stepsPerEpisode = 20
  private static let firstMoment: Int64 = 1_750_000_000_000

  private var generator: SeededGenerator
  private let vocabulary: Vocabulary

  init(seed: UInt64) {
    generator = SeededGenerator(seed: seed)
    vocabulary = Vocabulary(count: 50_000, &generator)
  }

  /// - Returns: The bytes of the file.
  func write(steps: Int, to path: String, _ progress: (Int) -> Void) throws -> Int {
    var episodes = self
    guard FileManager.default.createFile(atPath: path, contents: nil), let file = FileHandle(forWritingAtPath: path)
    else { throw BenchError("\(path) cannot be written") }
    var (written, bytes) = (0, 0)
    for number in 0... where written < steps {
      let count = min(Self.stepsPerEpisode, steps - written)
      let line = Data((episodes.line(number, steps: count) + "\n").utf8)
      try file.write(contentsOf: line)
      written += count
      bytes += line.count
      if number.isMultiple(of: 256) { progress(written) }
      if written == steps { break }
    }
    try file.close()
    return bytes
  }

  private mutating func line(_ number: Int, steps: Int) -> String {
    let moment = Timestamp(milliseconds: Self.firstMoment + Int64(number) * 1000).description
    let texts = (1...steps).map { step in
      #"{"step_number":\#(step),"action":"\#(vocabulary.text(bytes: 40, &generator))","result":"\#(result())","#
        + #""tool":"shell","success":true,"timestamp":"\#(moment)"}"#
    }
    return #"{"id":"mixed-\#(number)","task_type":"testing","domain":"bench-\#(number % 4)","#
      + #""context":"\#(vocabulary.text(bytes: 200, &generator))","status":"completed","created_at":"\#(moment)","#
      + #""completed_at":"\#(moment)","steps":[\#(texts.joined(separator: ","))]}"#
  }

  private mutating func result() -> String {
    let bytes =
      switch Int.random(in: 0..<1000, using: &generator) {
      case 0: Int.random(in: 20_000...200_000, using: &generator)
      case 1..<100: Int.random(in: 500...8_000, using: &generator)
      default: Int.random(in: 50...500, using: &generator)
      }
    return vocabulary.text(bytes: bytes, &generator)
  }
}

/// SplitMix64: the same numbers for the same seed, on every machine.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

extension Episode {
  /// A sum over every field, so that no read can be optimised away; equal to that of `raw_read`.
  ///
  /// The metadata is `{}` in every measured episode, two bytes as text.
  var digest: UInt64 {
    var sum = Int64(
      id.rawValue.utf8.count + taskType.rawValue.utf8.count + domain.utf8.count + (session?.utf8.count ?? 0)
        + context.utf8.count + status.rawValue.utf8.count + (metadata == [:] ? 2 : 0))
    sum &+= createdAt.milliseconds &+ (completedAt?.milliseconds ?? 0) &+ embeddingVersion
    sum &+= Int64((successRate ?? 0) * 1000)
    for step in steps {
      sum &+= Int64(
        step.id.rawValue.utf8.count + step.action.utf8.count + (step.result?.utf8.count ?? 0)
          + (step.tool?.utf8.count ?? 0) + step.number)
      sum &+= step.timestamp.milliseconds
      if step.success == true { sum &+= 1 }
      if let duration = step.duration, duration >= .zero { sum &+= 1 }
    }
    return UInt64(bitPattern: sum)
  }
}
