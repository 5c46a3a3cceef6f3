import Episodic
import Foundation

/// Asks every query of some sets in every way and scores the results.
struct RecallBenchmark {
  let sets: [RecallSet]
  let options: RecallOptions
  let scratch: ScratchDirectory
  private let progress = Progress()

  init(sets: [RecallSet], options: RecallOptions, scratch: ScratchDirectory) {
    self.sets = sets
    self.options = options
    self.scratch = scratch
  }

  @concurrent
  func run() async throws -> RecallReport {
    let probe = try SyncProbe(in: scratch)
    for _ in 0..<32 { try probe.sample() }
    var report = RecallReport(machine: Machine(durability: Memory.Durability.full.rawValue, sync: probe.series))
    for set in sets { try await measure(set, &report) }
    progress.clear()
    report.requirements = try options.requirements.flatMap { try $0.check(report.quality) }
    report.tolerance = options.tolerance
    return report
  }

  private typealias Answers = [(question: JudgedQuestion, answer: [String])]

  private func measure(_ set: RecallSet, _ report: inout RecallReport) async throws {
    let memory = try await Memory.open(at: scratch.path(of: set.name))
    let imported = try await memory.importEpisodes(
      from: [.file(set.episodes)], vectors: set.vectors?.episodes,
      progress: { progress.show("importing \(set.name)", Int($0.bytesDone), of: Int($0.bytes)) })
    report.sets.append(
      RecallReport.SetSize(
        name: set.name, episodes: imported.imported, steps: imported.steps, questions: set.questions.count))
    let runs = RecallRun.all(hasVectors: set.vectors != nil, ablations: options.hasAblations, tries: options.tries)
    var answers: [String: Answers] = [:]
    for (number, run) in runs.enumerated() {
      progress.show("asking \(set.name): \(run.name)", number, of: runs.count)
      answers[run.name] = try await ask(set, run, memory, &report)
    }
    try await memory.close()
    progress.show("yardsticks of \(set.name)", 0, of: 1)
    let yardsticks = try Yardstick.all(set, vectors: answers[RecallMode.vector.rawValue]?.map(\.answer))
    for yardstick in yardsticks { answers[yardstick.name] = Array(zip(set.questions, yardstick.answers)) }
    let defaults = runs.filter { $0.without == nil }.map(\.name) + yardsticks.map(\.name)
    score(set, defaults, runs.filter { $0.without != nil }, answers, &report)
  }

  private func score(
    _ set: RecallSet, _ defaults: [String], _ ablations: [RecallRun], _ answers: [String: Answers],
    _ report: inout RecallReport
  ) {
    let bootstrap = Bootstrap(samples: options.samples, seed: options.seed)
    for name in defaults + ablations.map(\.name) {
      let all = answers[name] ?? []
      report.quality.append(Quality(set: set.name, run: name, all, bootstrap: bootstrap))
      guard defaults.contains(name) else { continue }
      for (category, some) in parts(of: all) {
        report.quality.append(Quality(set: set.name, run: name, category: category, some, bootstrap: bootstrap))
      }
    }
    for run in ablations {
      guard let signal = run.without, let with = answers[run.mode.rawValue], let without = answers[run.name] else {
        continue
      }
      for metric in [Metric.recall10, .ndcg10] {
        let differences = zip(with, without).map { with, without in
          metric.score(with.answer, relevance: with.question.relevance)
            - metric.score(without.answer, relevance: without.question.relevance)
        }
        report.effects.append(
          Effect(
            set: set.name, mode: run.mode.rawValue, signal: signal, metric: metric, mean: differences.mean,
            interval: bootstrap.interval(of: differences)))
      }
    }
  }

  /// The questions by category, if there are several, then those that `--apart` separates.
  private func parts(of answers: Answers) -> [(category: String, answers: Answers)] {
    let categories = Set(answers.compactMap(\.question.category)).sorted()
    var parts = (categories.count > 1 ? categories : []).map { category in
      (category, answers.filter { $0.question.category == category })
    }
    if let text = options.apart {
      parts.append(("\(text) in the id", answers.filter { $0.question.id.contains(text) }))
      parts.append(("no \(text) in the id", answers.filter { !$0.question.id.contains(text) }))
    }
    return parts.filter { !$0.1.isEmpty }
  }

  private struct ResultLine: Decodable {
    struct Hit: Decodable { let id: String }
    let queryID: String
    let results: [Hit]
    let milliseconds: Double
    enum CodingKeys: String, CodingKey {
      case queryID = "query_id"
      case results
      case milliseconds = "ms"
    }
  }

  private func ask(
    _ set: RecallSet, _ run: RecallRun, _ memory: Memory, _ report: inout RecallReport
  ) async throws -> Answers {
    let output = scratch.path(of: "results.jsonl")
    try await memory.recall(
      queries: .file(set.queries), vectors: set.vectors?.queries, to: .file(output),
      options: .init(mode: run.mode, limit: set.limit, ranking: run.ranking))
    var series = Series(
      "\(set.name), \(run.name)", "memory.recall of one query, \(set.limit) results, a cache miss each")
    var found: [String: [String]] = [:]
    for line in try LinesOfJSON.read(ResultLine.self, from: output) {
      series.record(nanoseconds: UInt64(line.milliseconds * 1e6))
      found[line.queryID] = line.results.map(\.id)
    }
    if run.without == nil { report.rows.append(Row(series, section: "recall")) }
    return set.questions.map { question in
      (question, (found[question.id] ?? []).filter { !question.excluded.contains($0) })
    }
  }
}
