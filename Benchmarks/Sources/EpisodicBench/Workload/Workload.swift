import Episodic

/// Episodes as an agent would leave them: about 4 KB where they have 20 steps, in four domains, ten to a session.
struct Workload {
  static let domains = ["billing", "compiler", "search", "storage"]
  private static let taskTypes: [TaskType] = [.codeGeneration, .debugging, .refactoring, .testing, .analysis]
  private static let tools = ["shell", "read_file", "edit_file", "search", "run_tests"]
  private static let contextBytes = 200
  private static let actionBytes = 40
  private static let resultBytes = 100

  private var generator: SeededGenerator
  private let vocabulary: Vocabulary
  /// A second later for each episode, so that none is of the same moment.
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

  /// Three words as they come, but none of the 50 commonest: in a real language those are stop words.
  mutating func question() -> String {
    (0..<3).map { _ in vocabulary.word(rarerThan: 50, &generator) }.joined(separator: " ")
  }

  mutating func shuffled<Element>(_ elements: [Element]) -> [Element] {
    elements.shuffled(using: &generator)
  }
}
