import Foundation

/// A figure of retrieval, of one question or as a mean over several.
enum Metric: String, CaseIterable {
  case recall5 = "R@5"
  case recall10 = "R@10"
  case recall20 = "R@20"
  case ndcg10 = "nDCG@10"
  case reciprocalRank = "MRR"

  /// - Parameter answer: Best first, without what the query excludes.
  /// - Parameter relevance: Of the relevant episodes, 1 or more; not empty.
  func score(_ answer: [String], relevance: [String: Int]) -> Double {
    switch self {
    case .recall5: Self.share(answer, among: 5, relevance)
    case .recall10: Self.share(answer, among: 10, relevance)
    case .recall20: Self.share(answer, among: 20, relevance)
    case .ndcg10:
      Self.gain(answer.prefix(10).map { relevance[$0] ?? 0 }) / Self.gain(relevance.values.sorted(by: >).prefix(10))
    case .reciprocalRank:
      answer.prefix(100).firstIndex { relevance[$0] != nil }.map { 1 / Double($0 + 1) } ?? 0
    }
  }

  private static func share(_ answer: [String], among count: Int, _ relevance: [String: Int]) -> Double {
    Double(answer.prefix(count).count { relevance[$0] != nil }) / Double(relevance.count)
  }

  private static func gain(_ relevances: some Sequence<Int>) -> Double {
    relevances.enumerated().reduce(0) { $0 + (pow(2, Double($1.element)) - 1) / log2(Double($1.offset + 2)) }
  }

  /// The member of the report in JSON.
  var key: String {
    switch self {
    case .recall5: "recall_5"
    case .recall10: "recall_10"
    case .recall20: "recall_20"
    case .ndcg10: "ndcg_10"
    case .reciprocalRank: "mrr_100"
    }
  }

  /// - Parameter name: `recall@10`, `R@10`, `ndcg@10`, `MRR` and so on.
  init?(named name: String) {
    let key = name.lowercased().replacing("@", with: "_")
    let found = Self.allCases.first { metric in
      [metric.key, metric.rawValue.lowercased().replacing("@", with: "_")].contains(key)
    }
    guard let found else { return nil }
    self = found
  }
}

/// The metrics of one run over one category of the questions of a set, as means with their intervals.
struct Quality: Encodable {
  let set: String
  let run: String
  /// `nil`: all questions.
  let category: String?
  let questions: Int
  let means: [Metric: Double]
  let intervals: [Metric: ClosedRange<Double>]

  /// - Parameter answers: Of each question of the category: best first, without what the query excludes.
  init(
    set: String, run: String, category: String? = nil, _ answers: [(question: JudgedQuestion, answer: [String])],
    bootstrap: Bootstrap
  ) {
    var means: [Metric: Double] = [:]
    var intervals: [Metric: ClosedRange<Double>] = [:]
    for metric in Metric.allCases {
      let scores = answers.map { metric.score($0.answer, relevance: $0.question.relevance) }
      means[metric] = scores.mean
      intervals[metric] = bootstrap.interval(of: scores)
    }
    self.set = set
    self.run = run
    self.category = category
    questions = answers.count
    self.means = means
    self.intervals = intervals
  }

  func mean(_ metric: Metric) -> Double { means[metric] ?? 0 }

  static let titles =
    ["questions"] + Metric.allCases.map(\.rawValue) + ["R@10, 95 %", "nDCG@10, 95 %"]
  var cells: [String] {
    [run, questions.grouped] + Metric.allCases.map { mean($0).thousandths }
      + [Metric.recall10, .ndcg10].map { (intervals[$0] ?? 0...0).thousandths }
  }

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(set, forKey: Key("set"))
    try container.encode(run, forKey: Key("mode"))
    try container.encodeIfPresent(category, forKey: Key("category"))
    try container.encode(questions, forKey: Key("queries"))
    var nested = container.nestedContainer(keyedBy: Key.self, forKey: Key("intervals"))
    for metric in Metric.allCases {
      try container.encode(mean(metric), forKey: Key(metric.key))
      let interval = intervals[metric] ?? 0...0
      try nested.encode([interval.lowerBound, interval.upperBound], forKey: Key(metric.key))
    }
  }
}

/// What one signal adds to a metric: the mean over the questions of the difference between the defaults and the run
/// without it.
struct Effect: Encodable {
  let set: String
  let mode: String
  let signal: String
  let metric: Metric
  let mean: Double
  let interval: ClosedRange<Double>

  enum CodingKeys: String, CodingKey { case set, mode, signal, metric, mean, interval }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(set, forKey: .set)
    try container.encode(mode, forKey: .mode)
    try container.encode(signal, forKey: .signal)
    try container.encode(metric.key, forKey: .metric)
    try container.encode(mean, forKey: .mean)
    try container.encode([interval.lowerBound, interval.upperBound], forKey: .interval)
  }
}

/// Intervals by resampling with replacement; the same seed gives the same ones.
struct Bootstrap {
  let samples: Int
  let seed: UInt64

  /// The middle 95 % of the means of the samples.
  func interval(of values: [Double]) -> ClosedRange<Double> {
    guard values.count > 1 else { return values.mean...values.mean }
    var generator = SeededGenerator(seed: seed)
    let count = UInt64(values.count)
    let means = (0..<samples).map { _ in
      var sum = 0.0
      for _ in values.indices { sum += values[Int(generator.next() % count)] }
      return sum / Double(values.count)
    }.sorted()
    func at(_ share: Double) -> Double { means[Int((share * Double(samples - 1)).rounded())] }
    return at(0.025)...at(0.975)
  }
}

extension [Double] {
  /// 0 if there is none.
  var mean: Double { isEmpty ? 0 : reduce(0, +) / Double(count) }
}

extension Double {
  /// Three decimals.
  var thousandths: String { String(format: "%.3f", self) }
  /// Three decimals with the sign.
  var signedThousandths: String { String(format: "%+.3f", self) }
}

extension ClosedRange<Double> {
  var thousandths: String { "\(lowerBound.thousandths) to \(upperBound.thousandths)" }
  var signedThousandths: String { "\(lowerBound.signedThousandths) to \(upperBound.signedThousandths)" }
}
