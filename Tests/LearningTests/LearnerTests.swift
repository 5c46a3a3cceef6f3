import Learning
import Testing

@Suite struct `Learning from runs` {
  private static func advised(_ learner: Learner) -> [LearnedPattern] {
    learner.patterns.filter { $0.grade != .symptom && $0.grade != .contested }
  }

  // The seeds are fixed, so that the figures are the same in every run; they were not chosen.
  @Test func `most planted effects are found, and little that is wrong`() throws {
    var (found, advised, wrong) = (0, 0, 0)
    for seed in 1...12 as ClosedRange<UInt64> {
      let learner = try #require(Learner(PlantedRuns(seed: seed).traces))
      let patterns = Self.advised(learner)
      found += Set(patterns.filter(PlantedRuns.isRight).map(\.key.then)).count
      advised += patterns.count
      wrong += patterns.count { !PlantedRuns.isRight($0) }
    }
    #expect(Double(found) / (12 * 6) >= 0.75)
    #expect(Double(wrong) / Double(advised) <= 0.05, "\(wrong) of \(advised)")
  }

  @Test func `without effects next to nothing is found`() throws {
    var wrong = 0
    for seed in 101...120 as ClosedRange<UInt64> {
      wrong += Self.advised(try #require(Learner(PlantedRuns(seed: seed, isNull: true).traces))).count
    }
    #expect(wrong <= 4, "at most 0.2 a set")
  }

  @Test func `at most one shuffle in ten discovers anything`() throws {
    let learner = try #require(Learner(PlantedRuns(seed: 3).traces, options: LearningOptions(shuffles: 200)))
    #expect(learner.report.shuffles == 200)
    #expect(learner.report.shufflesWithFindings <= 20)
  }

  @Test func `what goes with hard tasks only is a symptom`() throws {
    let learner = try #require(Learner(PlantedRuns(seed: 5, tasks: 1200).traces))
    let deep = learner.patterns.filter { $0.key.then == "deep" }
    #expect(!deep.isEmpty)
    #expect(deep.allSatisfy { $0.grade == .symptom && $0.direction == .avoid })
    #expect(deep.allSatisfy { !$0.holds(for: "a0") })
  }

  @Test func `neither the order of the runs nor those that came and went change a bit`() throws {
    let traces = PlantedRuns(seed: 7).traces
    var random = SplitMix64(seed: 1)
    let first = try #require(Learner(traces))
    let shuffled = try #require(Learner(traces.shuffled(using: &random)))
    #expect(first.patterns == shuffled.patterns)
    #expect(first.report == shuffled.report)
    let rest = Array(traces.shuffled(using: &random).dropLast(500))
    var order = rest
    order.shuffle(using: &random)
    #expect(try #require(Learner(rest)).patterns == (try #require(Learner(order))).patterns)
  }

  @Test func `another seed makes other shuffles`() throws {
    let traces = PlantedRuns(seed: 7).traces
    let scores = try [1, 2].map { seed in
      try #require(Learner(traces, options: LearningOptions(seed: seed))).patterns.map(\.score)
    }
    #expect(scores[0] != scores[1])
  }

  @Test func `a pattern is provisional, then advice, then established, and contested when it turns`() throws {
    func runs(_ count: Int, from start: Int, isGood: Bool) -> [RunTrace] {
      (start..<start + count).map { number in
        // Every other run looks first; of those nine in ten succeed, or two.
        let looks = number % 2 == 0
        let succeeded = looks == isGood ? number % 20 < 18 : number % 10 < 2
        return Self.run(number, [("try", false), (looks ? "look" : "try", true), ("end", true)], succeeded: succeeded)
      }
    }
    func grade(_ traces: [RunTrace], _ history: Learner.History) throws -> LearnedPattern? {
      try #require(Learner(traces, history: history)).patterns.first { $0.key.then == "look" }
    }
    let early = runs(200, from: 0, isGood: true)
    let found = try #require(try grade(early, [:]))
    #expect(found.grade == .provisional)
    let history = [found.key: Int64(199)]
    #expect(try grade(early + runs(10, from: 200, isGood: true), history)?.grade == .provisional)
    #expect(try grade(early + runs(30, from: 200, isGood: true), history)?.grade == .advice)
    #expect(try grade(early + runs(120, from: 200, isGood: true), history)?.grade == .established)
    let contested = try #require(try grade(early + runs(50, from: 200, isGood: false), history))
    #expect(contested.grade == .contested)
    #expect(!contested.holds(for: "a"))
  }

  @Test func `a pattern holds for agents with ten runs that agree, and says for whom it is reversed`() throws {
    var pattern = try #require(Learner(PlantedRuns(seed: 1).traces)?.patterns.first { $0.direction == .prefer })
    pattern.byAgent = [
      "few": .init(runs: 9, observed: 9, expected: 1), "same": .init(runs: 10, observed: 9, expected: 3),
      "other": .init(runs: 10, observed: 1, expected: 3),
    ]
    #expect(["few", "same", "other", "unknown"].map(pattern.holds) == [false, true, false, false])
    #expect(pattern.reversed == ["other"])
  }

  @Test func `advised occurrences are no evidence`() throws {
    let traces = PlantedRuns(seed: 1).traces
    let all = try #require(Learner(traces)?.patterns.first { $0.key.then == "p0" })
    let some = Set(traces.prefix(600).map { Learner.Advised(run: $0.run, key: all.key) })
    let rest = try #require(Learner(traces, advised: some)?.patterns.first { $0.key.then == "p0" })
    #expect(rest.evidence.runs < all.evidence.runs)
  }

  // MARK: Bad input

  private static func run(_ number: Int, _ steps: [(String, Bool)], succeeded: Bool, task: Int? = nil) -> RunTrace {
    RunTrace(
      agent: "a", domain: "d", task: UInt64(task ?? number), run: UInt64(number), time: Int64(number),
      succeeded: succeeded,
      steps: steps.map { RunTrace.Step(symbol: StepSymbol(action: $0.0, outcome: $0.1 ? .ok : .failed)) })
  }

  private static let look = [("try", false), ("look", true), ("end", true)]

  /// Runs of an idle agent, and why nothing is learned from them.
  private struct Silence: CustomStringConvertible, Sendable {
    let description: String
    let traces: [RunTrace]

    init(
      _ reason: String, runs: Int = 500, _ steps: [(String, Bool)] = look, task: Int? = nil, _ succeeded: (Int) -> Bool
    ) {
      description = reason
      traces = (0..<runs).map { run($0, steps, succeeded: succeeded($0), task: task) }
    }

    static let all: [Silence] = [
      Silence("0 tasks, about 90 needed", runs: 0) { _ in true },
      Silence("1 tasks, about 90 needed", task: 1) { $0 % 2 == 0 },
      Silence("0 of 500 runs failed") { _ in true },
      Silence("0 of 500 runs succeeded") { _ in false },
      Silence("no pattern occurred", []) { $0 % 2 == 0 },
      Silence("no pattern occurred") { $0 % 2 == 0 },
    ]
  }

  @Test(arguments: Silence.all) private func `silence has a reason`(_ silence: Silence) throws {
    let learner = try #require(Learner(silence.traces))
    #expect(learner.patterns.isEmpty)
    #expect(learner.report.reasons.contains { $0.contains(silence.description) }, "\(learner.report.reasons)")
  }

  @Test func `times that run backwards and equal ones change no score`() throws {
    let traces = PlantedRuns(seed: 2).traces
    var backwards = traces
    for index in backwards.indices { backwards[index].time = -backwards[index].time / 100 }
    #expect(
      try #require(Learner(traces)).patterns.map(\.score) == (try #require(Learner(backwards))).patterns.map(\.score))
  }

  @Test func `of too many steps the latest runs are taken, and it is said`() throws {
    var options = LearningOptions()
    options.maximumCells = 3000
    let learner = try #require(Learner(PlantedRuns(seed: 2).traces, options: options))
    #expect(learner.report.runs < 1200 && learner.report.omittedRuns == 1200 - learner.report.runs)
    #expect(learner.report.reasons.contains { $0.contains("oldest") })
  }

  @Test func `a cancelled learning has no result`() {
    #expect(Learner(PlantedRuns(seed: 2).traces, isCancelled: { true }) == nil)
  }
}
