import ArgumentParser
import CRawSQLite
import Episodic
import Foundation

struct LearningCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "learning",
    abstract: "What is learned from a folder of runs, whether it holds in held-out tasks, and what learning costs.",
    discussion: """
      Imports DIR/episodes.jsonl, learns from it, and learns from half of the tasks of five splits to judge what is found by the \
      other half. Without --data only the costs are measured: completing an episode of 20 steps before anything was learned and \
      afterwards, learning from synthetic episodes with and without traces, and advising.

      Targets: of the directions at least .9 hold, none is reversed; completing at most 0.5 ms longer at the median and 5 ms at the \
      99th percentile; 20,000 episodes in 5 s; advice within 1 ms at the 99th percentile.

      EXAMPLES
        bench learning --data ../shared/data/sql
        bench learning --episodes 20000
      """)

  @Option(help: "A folder with episodes.jsonl.")
  var data: String?

  @Option(help: "Synthetic episodes to measure the costs with; 0 for none.")
  var episodes = 20_000

  @Option(help: "Splits of the tasks into halves.")
  var splits = 5

  @Option(help: "Count an episode as a success only with this success rate.")
  var minimumSuccessRate: Double?

  @OptionGroup var common: CommonOptions

  func run() async throws {
    try await common.report { scratch in
      let options = LearningOptions(seed: common.seed, minimumSuccessRate: minimumSuccessRate)
      var measurements = LearningMeasurements()
      if let data {
        measurements.data = try await LearningBenchmark.learn(data, splits, options, in: scratch.path(of: "data"))
      }
      if episodes > 0 {
        measurements.costs = try await LearningBenchmark.costs(episodes, common.seed, in: scratch.path(of: "store"))
      }
      return measurements
    }
  }
}

enum LearningBenchmark {
  static func learn(
    _ folder: String, _ splits: Int, _ options: LearningOptions, in store: String
  ) async throws -> LearningMeasurements.Found {
    var opening = Memory.OpenOptions()
    opening.durability = .normal
    let memory = try await Memory.open(at: store, options: opening)
    _ = try await memory.importEpisodes(from: [.file(folder + "/episodes.jsonl")])
    let result = try await memory.learn(options)
    let validation = try await memory.validateLearning(splits: splits, options: options)
    try await memory.close()
    return LearningMeasurements.Found(
      patterns: result.patterns.map { pattern in
        LearningMeasurements.Pattern(
          text: pattern.key.text, direction: pattern.direction.rawValue, grade: pattern.grade.rawValue,
          observed: pattern.evidence.observed, expected: pattern.evidence.expected, runs: pattern.evidence.runs,
          tasks: pattern.tasks, q: pattern.rate)
      }, tested: result.report.tested, tasks: result.report.tasks, reasons: result.report.reasons,
      shuffles: result.report.shuffles, shufflesWithFindings: result.report.shufflesWithFindings,
      directions: validation.checks.map { check in
        LearningMeasurements.Direction(
          split: check.split, pattern: check.key.text, direction: check.direction.rawValue, score: check.score,
          heldOut: check.heldOut)
      }, agreeing: validation.agreeing, reversed: validation.reversed)
  }

  /// Runs of five agents that fail, and look or try again; looking helps.
  private static func episode(_ number: Int, _ random: inout some RandomNumberGenerator) -> Episode {
    let looks = Bool.random(using: &random)
    let succeeded = Int.random(in: 0..<10, using: &random) < (looks ? 7 : 3)
    let actions = ["look", "open", "list", "edit", "note", "run"]
    let steps = (0..<8).map { step in
      let action = step == 1 ? (looks ? "look" : "run") : actions[Int.random(in: 0..<actions.count, using: &random)]
      let failed = step == 0 || Int.random(in: 0..<5, using: &random) == 0
      return Step(
        id: .generate(at: time(number)), number: step + 1, action: "\(action)({\"x\": \(number % 97)})",
        result: failed ? "Error: bad value '\(number)' in \(action)" : "done", success: !failed, timestamp: time(number)
      )
    }
    return Episode(
      id: Episode.ID("e\(number)"), taskType: .testing, domain: "d\(number / 5 % 7)", context: "task \(number / 5)",
      status: succeeded ? .completed : .failed, successRate: succeeded ? 1 : 0, createdAt: time(number),
      completedAt: time(number),
      metadata: ["agent": .string("a\(number % 5)"), "task": .integer(Int64(number / 5))], steps: steps)
  }

  private static func time(_ number: Int) -> Timestamp {
    Timestamp(milliseconds: 1_700_000_000_000 + Int64(number) * 1000)
  }

  static func costs(_ count: Int, _ seed: UInt64, in store: String) async throws -> LearningMeasurements.Costs {
    let memory = try await Memory.open(at: store)
    var random = SystemRandomNumberGenerator()
    let before = try await completions(memory, "before")
    for start in stride(from: 0, to: count, by: 1000) {
      try await memory.insert((start..<min(start + 1000, count)).map { episode($0, &random) })
    }
    let first = try await seconds { _ = try await memory.learn(LearningOptions(seed: seed)) }
    let again = try await seconds { _ = try await memory.learn(LearningOptions(seed: seed)) }
    let after = try await completions(memory, "after")
    var advice = Series("advise", "advice")
    var given = 0
    for number in 0..<2000 {
      var running = episode(number, &random)
      running.steps = Array(running.steps.prefix(1 + number % 7))
      let start = raw_now()
      if try await !memory.advise(for: running).isEmpty { given += 1 }
      advice.record(since: start)
    }
    try await memory.close()
    return LearningMeasurements.Costs(
      episodes: count, firstSeconds: first, againSeconds: again, completionBefore: before, completionAfter: after,
      adviceMedian: advice.median, adviceP99: advice.p99, advised: given)
  }

  private static func seconds(_ work: () async throws -> Void) async rethrows -> Double {
    let start = raw_now()
    try await work()
    return Double(raw_now() - start) / 1e9
  }

  /// Completes episodes of 20 steps, one by one.
  private static func completions(_ memory: Memory, _ name: String) async throws -> LearningMeasurements.Completion {
    var series = Series("complete", name)
    for number in 0..<300 {
      let id = Episode.ID("\(name)-\(number)")
      _ = try await memory.begin(.init(.testing, domain: "complete", context: "completed", id: id))
      try await memory.append((0..<20).map { Step.Draft("run({\"x\": \($0)})", result: "done", success: true) }, to: id)
      let start = raw_now()
      _ = try await memory.complete(id)
      series.record(since: start)
    }
    return LearningMeasurements.Completion(median: series.median, p99: series.p99)
  }
}

/// What was learned, how it held, and what it cost.
struct LearningMeasurements: BenchReport {
  struct Pattern: Encodable {
    let text: String, direction: String, grade: String
    let observed: Int, expected: Double, runs: Int, tasks: Int
    let q: Double
  }

  struct Direction: Encodable {
    let split: Int, pattern: String, direction: String
    let score: Double, heldOut: Double
  }

  struct Found: Encodable {
    let patterns: [Pattern]
    let tested: Int, tasks: Int
    let reasons: [String]
    let shuffles: Int, shufflesWithFindings: Int
    let directions: [Direction]
    let agreeing: Int, reversed: Int
  }

  /// Nanoseconds.
  struct Completion: Encodable { let median: UInt64, p99: UInt64 }

  struct Costs: Encodable {
    let episodes: Int
    let firstSeconds: Double, againSeconds: Double
    let completionBefore: Completion, completionAfter: Completion
    /// Nanoseconds.
    let adviceMedian: UInt64, adviceP99: UInt64
    let advised: Int
  }

  var data: Found?
  var costs: Costs?

  var text: String {
    var lines: [String] = []
    if let data {
      lines.append(
        "bench learning: \(data.tasks.grouped) tasks, \(data.tested) patterns tested, \(data.patterns.count) found; of \(data.shuffles) shuffles \(data.shufflesWithFindings) found something"
      )
      lines += data.reasons
      var table = TextTable(["", "observed", "expected", "runs", "tasks", "q"])
      for pattern in data.patterns {
        table.add([
          "\(pattern.grade) \(pattern.direction) \(pattern.text)", "\(pattern.observed)",
          String(format: "%.1f", pattern.expected), "\(pattern.runs)", "\(pattern.tasks)",
          String(format: "%.4f", pattern.q),
        ])
      }
      if !data.patterns.isEmpty { lines.append(table.text) }
      for direction in data.directions {
        lines.append(
          String(
            format: "split %d  %@ %@  found %.2f, held out %.2f", direction.split, direction.direction,
            direction.pattern, direction.score, direction.heldOut))
      }
      lines.append(
        "\(data.agreeing) of \(data.directions.count) directions hold in tasks not seen; \(data.reversed) are reversed")
    }
    if let costs {
      lines.append(
        String(
          format: "learn %d episodes: %.2f s with their traces, %.2f s again", costs.episodes, costs.firstSeconds,
          costs.againSeconds))
      lines.append(
        "complete, median / p99 ns: \(costs.completionBefore.median.grouped) / \(costs.completionBefore.p99.grouped) before, "
          + "\(costs.completionAfter.median.grouped) / \(costs.completionAfter.p99.grouped) after")
      lines.append(
        "advise, median / p99 ns: \(costs.adviceMedian.grouped) / \(costs.adviceP99.grouped); advice in \(costs.advised) of 2,000 calls"
      )
    }
    return lines.joined(separator: "\n")
  }

  var failure: String? {
    if let data, data.reversed > 0 { return "\(data.reversed) directions are reversed in held-out tasks" }
    if let data, !data.directions.isEmpty, Double(data.agreeing) < 0.9 * Double(data.directions.count) {
      return "\(data.agreeing) of \(data.directions.count) directions hold in held-out tasks, fewer than nine in ten"
    }
    if let costs, costs.adviceP99 > 1_000_000 { return "advice took \(costs.adviceP99) ns at the 99th percentile" }
    if let costs, costs.firstSeconds > 5 * Double(max(20_000, costs.episodes)) / 20_000 {
      return "learning took \(costs.firstSeconds) s"
    }
    return nil
  }
}
