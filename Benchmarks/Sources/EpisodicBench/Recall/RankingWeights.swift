import ArgumentParser
import Episodic

/// Weights of the ranking that differ from the defaults: `vectorWeight=.5,sessionWeight=.3`.
struct RankingWeights: ExpressibleByArgument {
  let text: String
  private let values: [(name: String, value: Double)]

  private static let weights: [(name: String, set: @Sendable (inout Query.Ranking, Double) -> Void)] = [
    ("stepWeight", { $0.stepWeight = $1 }), ("stepsTogetherWeight", { $0.stepsTogetherWeight = $1 }),
    ("vectorWeight", { $0.vectorWeight = $1 }), ("neighborWeight", { $0.neighborWeight = $1 }),
    ("sessionWeight", { $0.sessionWeight = $1 }), ("timeWeight", { $0.timeWeight = $1 }),
    ("successWeight", { $0.successWeight = $1 }),
  ]

  static var names: String { weights.map(\.name).joined(separator: ", ") }

  init?(argument: String) {
    var values: [(name: String, value: Double)] = []
    for part in argument.split(separator: ",") {
      let sides = part.split(separator: "=")
      guard sides.count == 2, let value = Double(sides[1]), Self.weights.contains(where: { $0.name == sides[0] }) else {
        return nil
      }
      values.append((String(sides[0]), value))
    }
    guard !values.isEmpty else { return nil }
    text = argument
    self.values = values
  }

  /// The defaults with these weights.
  var ranking: Query.Ranking {
    var ranking = Query.Ranking()
    for (name, value) in values {
      for weight in Self.weights where weight.name == name { weight.set(&ranking, value) }
    }
    return ranking
  }
}
