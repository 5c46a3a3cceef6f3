import ArgumentParser
import Foundation

/// A figure that must be reached: `[SET:][RUN:][CATEGORY:]METRIC>=X`.
struct Requirement: ExpressibleByArgument {
  let text: String
  /// Of a set, a run or a category, in any order.
  let names: [String]
  let metric: Metric
  let bound: Double

  init?(argument: String) {
    guard let sign = argument.firstRange(of: ">="),
      let bound = Double(argument[sign.upperBound...].filter { $0 != " " })
    else { return nil }
    let parts = argument[..<sign.lowerBound].split(separator: ":").map { part in
      String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
    guard let last = parts.last, let metric = Metric(named: last) else { return nil }
    text = argument
    names = parts.dropLast().map { ["words": "text", "vectors": "vector"][$0] ?? $0 }
    self.metric = metric
    self.bound = bound
  }

  /// - Throws: If a name is of no set, run or category, or no figure has all of them.
  func check(_ qualities: [Quality]) throws -> [RequirementResult] {
    let sets = Set(qualities.map(\.set))
    let runs = Set(qualities.map(\.run))
    let categories = Set(qualities.compactMap(\.category))
    var set: String?, run: String?, category: String?
    for name in names {
      if sets.contains(name), set == nil {
        set = name
      } else if runs.contains(name), run == nil {
        run = name
      } else if categories.contains(name), category == nil {
        category = name
      } else {
        throw BenchError(
          """
          --require \(text): \(name) is no set (\(sets.sorted().joined(separator: ", "))), no run \
          (\(runs.sorted().joined(separator: "; "))) and no category (\(categories.sorted().joined(separator: ", ")))
          """)
      }
    }
    let results = sets.sorted().filter { set == nil || $0 == set }.compactMap { set in
      let ofSet = qualities.filter { $0.set == set && $0.category == category }
      let wanted = run ?? (ofSet.contains { $0.run == "hybrid" } ? "hybrid" : "text")
      return ofSet.first { $0.run == wanted }.map {
        RequirementResult(text: text, set: set, run: wanted, value: $0.mean(metric), bound: bound)
      }
    }
    guard !results.isEmpty else { throw BenchError("--require \(text): no figure has these names together") }
    return results
  }
}

/// A requirement beside the figure of one set.
struct RequirementResult: Encodable {
  let text: String
  let set: String
  let run: String
  let value: Double
  let bound: Double

  /// Rounding of the mean must not decide.
  var isMet: Bool { value >= bound - 1e-9 }

  static let titles = ["required", "set", "run", "value", ""]
  var cells: [String] { [text, set, run, String(format: "%.4f", value), isMet ? "met" : "MISSED"] }

  enum CodingKeys: String, CodingKey { case required, set, run, value, met }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(text, forKey: .required)
    try container.encode(set, forKey: .set)
    try container.encode(run, forKey: .run)
    try container.encode(value, forKey: .value)
    try container.encode(isMet, forKey: .met)
  }
}
