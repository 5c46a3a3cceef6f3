import ArgumentParser
import Episodic
import Foundation

/// Runs the queries of a folder and scores the results.
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
    var series = Series(mode.rawValue, "memory.recall of one query, \(judgements.limit) results, a cache miss each")
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

struct RecallCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "recall",
    abstract: "Retrieval metrics on a folder of episodes, queries and judgements.",
    discussion: """
      Imports episodes.jsonl, runs every query of queries.jsonl with the defaults of the library, and scores the \
      results by qrels.jsonl (a gain of 2^relevance - 1; the exclude_ids of a query are dropped first). By text; \
      and, if the folder has NAME.episodes.f32 and NAME.queries.f32, by vector and by both.

      EXAMPLE
        bench recall --data DIR
      """)

  @Option(help: "The folder with episodes.jsonl, queries.jsonl and qrels.jsonl.")
  var data: String

  @OptionGroup var common: CommonOptions

  func validate() throws {
    for name in ["episodes.jsonl", "queries.jsonl", "qrels.jsonl"] {
      guard FileManager.default.isReadableFile(atPath: data + "/" + name) else {
        throw ValidationError("\(data) has no \(name) that can be read")
      }
    }
  }

  func run() async throws {
    try await common.report { scratch in try await RecallBenchmark(data: data, scratch: scratch).run() }
  }
}

/// `NAME.episodes.f32` and `NAME.queries.f32`: the vectors of the lines.
struct VectorPair {
  let episodes: VectorSource
  let queries: VectorSource

  /// `nil` if the folder has none.
  init?(in folder: String) throws {
    let suffix = ".episodes.f32"
    let files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    guard let file = files.first(where: { $0.hasSuffix(suffix) }) else { return nil }
    let model = String(file.dropLast(suffix.count))
    let path = folder + "/" + file
    let text = try Data(contentsOf: URL(filePath: folder + "/episodes.jsonl"))
    let lines = text.split(separator: UInt8(ascii: "\n")).count
    let bytes = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
    guard lines > 0, bytes > 0, bytes.isMultiple(of: 4 * lines) else {
      throw BenchError("\(path) has \(bytes) bytes, no float32 rows for \(lines) episodes")
    }
    let dimensions = bytes / 4 / lines
    episodes = VectorSource(.file(path), model: model, dimensions: dimensions)
    queries = VectorSource(.file("\(folder)/\(model).queries.f32"), model: model, dimensions: dimensions)
  }
}

/// A file with a JSON object a line.
enum LinesOfJSON {
  static func read<Line: Decodable>(_ type: Line.Type, from path: String) throws -> [Line] {
    let decoder = JSONDecoder()
    let bytes = try Data(contentsOf: URL(filePath: path))
    return try bytes.split(separator: UInt8(ascii: "\n")).map { try decoder.decode(type, from: $0) }
  }
}
