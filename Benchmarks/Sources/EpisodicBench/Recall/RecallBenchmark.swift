import Episodic
import Foundation

/// Asks the queries of a folder and scores the answers.
struct RecallBenchmark {
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

  let data: String
  let scratch: ScratchDirectory
  private let progress = Progress()

  init(data: String, scratch: ScratchDirectory) {
    self.data = data
    self.scratch = scratch
  }

  @concurrent
  func run() async throws -> Report {
    let probe = try SyncProbe(in: scratch)
    for _ in 0..<32 { try probe.sample() }
    let judgements = try Judgements(in: data)
    let memory = try await Memory.open(at: scratch.path(of: "store"))
    let vectors = try VectorPair(in: data)
    let imported = try await memory.importEpisodes(
      from: [.file(data + "/episodes.jsonl")], vectors: vectors?.episodes,
      progress: { progress.show("importing", Int($0.bytesDone), of: Int($0.bytes)) })
    var report = Report(
      benchmark: "recall", parameters: ["episodes": imported.imported, "steps": imported.steps],
      machine: Machine(durability: Memory.Durability.full.rawValue, sync: probe.series))
    for mode in vectors == nil ? [.text] : RecallMode.allCases {
      progress.show("asking by \(mode.rawValue)", 0, of: 1)
      let output = scratch.path(of: "\(mode.rawValue).jsonl")
      try await memory.recall(
        queries: .file(data + "/queries.jsonl"), vectors: vectors?.queries, to: .file(output),
        options: .init(mode: mode, limit: judgements.limit))
      try score(output, mode, judgements, &report)
    }
    progress.clear()
    try await memory.close()
    return report
  }

  private func score(_ output: String, _ mode: RecallMode, _ judgements: Judgements, _ report: inout Report) throws {
    var quality = Quality(mode: mode.rawValue)
    var series = Series(mode.rawValue, "memory.recall of one query, \(judgements.limit) answers, each new to the cache")
    for line in try LinesOfJSON.read(ResultLine.self, from: output) {
      series.record(nanoseconds: UInt64(line.milliseconds * 1e6))
      guard let relevance = judgements.relevance[line.queryID] else { continue }
      let excluded = judgements.excluded[line.queryID] ?? []
      quality.add(line.results.map(\.id).filter { !excluded.contains($0) }, relevance: relevance)
    }
    report.quality.append(quality)
    report.rows.append(Row(series, section: "recall"))
  }
}
