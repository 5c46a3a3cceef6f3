import Foundation

/// Plain Okapi bm25 over a list of texts: lower-case words of letters and digits, no stemming, no stop words.
struct Okapi {
  private static let (k1, b) = (1.2, 0.75)

  private struct Posting {
    let document: Int
    let count: Double
  }

  private let lengths: [Double]
  private let averageLength: Double
  private var postings: [Substring: [Posting]] = [:]

  init(_ texts: [String]) {
    var lengths: [Double] = []
    for (document, text) in texts.enumerated() {
      let words = Self.words(text)
      lengths.append(Double(words.count))
      for (word, count) in Dictionary(words.map { ($0, 1.0) }, uniquingKeysWith: +) {
        postings[word, default: []].append(Posting(document: document, count: count))
      }
    }
    self.lengths = lengths
    averageLength = max(1, lengths.mean)
  }

  /// Documents with a word of the question, best first; of equal scores the later one.
  func ranked(_ question: String) -> [Int] {
    var scores: [Int: Double] = [:]
    var seen: Set<Substring> = []
    for word in Self.words(question) where seen.insert(word).inserted {
      guard let having = postings[word] else { continue }
      let frequency = Double(having.count)
      let weight = log(1 + (Double(lengths.count) - frequency + 0.5) / (frequency + 0.5))
      for posting in having {
        let norm = Self.k1 * (1 - Self.b + Self.b * lengths[posting.document] / averageLength)
        scores[posting.document, default: 0] += weight * posting.count * (Self.k1 + 1) / (posting.count + norm)
      }
    }
    return scores.sorted { ($1.value, $1.key) < ($0.value, $0.key) }.map(\.key)
  }

  private static func words(_ text: String) -> [Substring] {
    text.lowercased().split { !$0.isLetter && !$0.isNumber }
  }
}

/// The answers of a simple method to every question of a set.
struct Yardstick {
  let name: String
  /// At most 100 each, best first, without what the query excludes.
  let answers: [[String]]

  private struct EpisodeLine: Decodable {
    struct Step: Decodable { let action, result, tool: String? }
    let id, domain, status: String
    let session, taskType: String?
    let context: String?
    let steps: [Step]?

    enum CodingKeys: String, CodingKey {
      case id, domain, status, session, context, steps
      case taskType = "task_type"
    }

    func passes(_ filters: QuestionFilters) -> Bool {
      (filters.domain == nil || filters.domain == domain) && (filters.session == nil || filters.session == session)
        && (filters.taskType == nil || filters.taskType == taskType)
    }

    var withSteps: String {
      ([context] + (steps ?? []).flatMap { [$0.action, $0.result, $0.tool] }).compactMap(\.self).joined(separator: "\n")
    }
  }

  /// bm25 over the contexts; over contexts and steps if there are steps; and the first fused with the vectors.
  ///
  /// - Parameter vectors: The answers by vector alone; `nil` if there are none.
  static func all(_ set: RecallSet, vectors: [[String]]?) throws -> [Yardstick] {
    let episodes = try LinesOfJSON.read(EpisodeLine.self, from: set.episodes)
      .filter { ["completed", "failed"].contains($0.status) }
    let contexts = Yardstick(
      name: "bm25 of contexts", answers: answers(set.questions, episodes) { $0.context ?? "" })
    var all = [contexts]
    if episodes.contains(where: { $0.steps?.isEmpty == false }) {
      all.append(
        Yardstick(name: "bm25 of contexts and steps", answers: answers(set.questions, episodes, text: \.withSteps)))
    }
    if let vectors {
      all.append(
        Yardstick(
          name: "rank fusion, bm25 and vectors", answers: zip(contexts.answers, vectors).map { fused([$0, $1]) }))
    }
    return all
  }

  /// Words count within the episodes that pass the filters.
  private static func answers(
    _ questions: [JudgedQuestion], _ episodes: [EpisodeLine], text: (EpisodeLine) -> String
  ) -> [[String]] {
    var indexes: [QuestionFilters: (okapi: Okapi, ids: [String])] = [:]
    return questions.map { question in
      let index =
        indexes[question.filters]
        ?? {
          let passing = episodes.filter { $0.passes(question.filters) }
          return (Okapi(passing.map(text)), passing.map(\.id))
        }()
      indexes[question.filters] = index
      return Array(
        index.okapi.ranked(question.text).lazy.map { index.ids[$0] }.filter { !question.excluded.contains($0) }
          .prefix(100))
    }
  }

  /// Reciprocal-rank fusion with the usual constant of 60.
  private static func fused(_ rankings: [[String]]) -> [String] {
    var scores: [String: Double] = [:]
    for ranking in rankings {
      for (rank, id) in ranking.enumerated() { scores[id, default: 0] += 1 / Double(60 + rank + 1) }
    }
    return scores.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(100).map(\.key)
  }
}
