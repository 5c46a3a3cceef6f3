import Episodic
import Foundation

/// A folder of episodes, queries and judgements.
struct RecallSet {
  let name: String
  let folder: String
  /// Those with a relevant episode, in the order of the file.
  let questions: [JudgedQuestion]
  /// `nil` if the folder has none.
  let vectors: VectorPair?

  var episodes: String { folder + "/episodes.jsonl" }
  var queries: String { folder + "/queries.jsonl" }

  /// A limit that leaves 100 results without the excluded ones.
  var limit: Int { min(1000, 100 + (questions.map(\.excluded.count).max() ?? 0)) }

  init(in folder: String, vectorsFrom model: String? = nil) throws {
    var relevance: [String: [String: Int]] = [:]
    for line in try LinesOfJSON.read(JudgementLine.self, from: folder + "/qrels.jsonl") where line.relevance > 0 {
      relevance[line.queryID, default: [:]][line.episodeID] = line.relevance
    }
    name = Self.name(of: folder)
    self.folder = folder
    questions = try LinesOfJSON.read(QuestionLine.self, from: folder + "/queries.jsonl").compactMap { line in
      relevance[line.id].map { JudgedQuestion(line, relevance: $0) }
    }
    vectors = try VectorPair(in: folder, model: model)
    guard !questions.isEmpty else { throw BenchError("\(folder)/qrels.jsonl names no relevant episode of a query") }
  }

  /// The last part of the path.
  static func name(of folder: String) -> String { URL(filePath: folder).standardizedFileURL.lastPathComponent }
}

/// A query with its relevant episodes.
struct JudgedQuestion {
  let id: String
  let text: String
  let category: String?
  let filters: QuestionFilters
  let excluded: Set<String>
  /// 1 or more, by episode; not empty.
  let relevance: [String: Int]

  init(_ line: QuestionLine, relevance: [String: Int]) {
    id = line.id
    text = line.text ?? ""
    category = line.category
    filters = line.filters ?? QuestionFilters()
    excluded = Set(line.excludeIDs ?? [])
    self.relevance = relevance
  }
}

/// A line of `queries.jsonl`, as far as scores and yardsticks need it.
struct QuestionLine: Decodable {
  let id: String
  let text: String?
  let category: String?
  let filters: QuestionFilters?
  let excludeIDs: [String]?

  enum CodingKeys: String, CodingKey {
    case id, text, category, filters
    case excludeIDs = "exclude_ids"
  }
}

/// The filters that the yardsticks apply.
struct QuestionFilters: Decodable, Hashable {
  var domain, session, taskType: String?

  enum CodingKeys: String, CodingKey, CaseIterable {
    case domain, session
    case taskType = "task_type"
  }

  init() {}

  private struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  /// - Throws: For a filter that the yardsticks do not apply: their figures would be of other questions.
  init(from decoder: any Decoder) throws {
    let known = Set(CodingKeys.allCases.map(\.rawValue))
    for key in try decoder.container(keyedBy: AnyKey.self).allKeys where !known.contains(key.stringValue) {
      throw BenchError(
        "a query has the filter \(key.stringValue); bench recall knows \(known.sorted().joined(separator: ", "))")
    }
    let container = try decoder.container(keyedBy: CodingKeys.self)
    domain = try container.decodeIfPresent(String.self, forKey: .domain)
    session = try container.decodeIfPresent(String.self, forKey: .session)
    taskType = try container.decodeIfPresent(String.self, forKey: .taskType)
  }
}

private struct JudgementLine: Decodable {
  let queryID, episodeID: String
  let relevance: Int

  enum CodingKeys: String, CodingKey {
    case queryID = "query_id"
    case episodeID = "episode_id"
    case relevance
  }
}

/// `NAME.episodes.f32` and `NAME.queries.f32`: the vectors of the lines.
struct VectorPair {
  let episodes: VectorSource
  let queries: VectorSource

  /// `nil` if the folder has none.
  init?(in folder: String, model wanted: String?) throws {
    let suffix = ".episodes.f32"
    let models = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      .filter { $0.hasSuffix(suffix) }.map { String($0.dropLast(suffix.count)) }
    guard let model = models.first(where: { wanted == nil || $0 == wanted }) else {
      guard let wanted, !models.isEmpty else { return nil }
      throw BenchError("\(folder) has no \(wanted)\(suffix); it has those of \(models.joined(separator: ", "))")
    }
    let path = folder + "/" + model + suffix
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
