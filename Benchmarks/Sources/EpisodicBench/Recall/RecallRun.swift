import Episodic

/// Every query of a set, asked in one way.
struct RecallRun {
  let name: String
  let mode: RecallMode
  let ranking: Query.Ranking
  /// The signal that is switched off; `nil` for the defaults.
  let without: String?

  /// The defaults.
  init(_ mode: RecallMode) {
    name = mode.rawValue
    self.mode = mode
    ranking = Query.Ranking()
    without = nil
  }

  private init(_ mode: RecallMode, without signal: RankingSignal) {
    var ranking = Query.Ranking()
    signal.switchOff(&ranking)
    name = "\(mode.rawValue), no \(signal.name)"
    self.mode = mode
    self.ranking = ranking
    without = signal.name
  }

  private init(_ mode: RecallMode, with weights: RankingWeights) {
    name = "\(mode.rawValue), \(weights.text)"
    self.mode = mode
    ranking = weights.ranking
    without = nil
  }

  /// Text alone without vectors.
  ///
  /// - Parameter tries: Runs with other weights.
  static func all(hasVectors: Bool, ablations: Bool, tries: [RankingWeights]) -> [RecallRun] {
    let modes: [RecallMode] = hasVectors ? [.text, .vector, .hybrid] : [.text]
    return modes.map { RecallRun($0) }
      + modes.filter { $0 != .vector }.flatMap { mode in tries.map { RecallRun(mode, with: $0) } }
      + (ablations ? modes.filter { $0 != .vector } : []).flatMap { mode in
        RankingSignal.all.map { RecallRun(mode, without: $0) }
      }
  }
}

/// A signal of the ranking that can be switched off.
struct RankingSignal: Sendable {
  let name: String
  let switchOff: @Sendable (inout Query.Ranking) -> Void

  /// The words of the context and the vectors are the modes.
  static let all = [
    RankingSignal(name: "steps") {
      $0.stepWeight = 0
      $0.stepsTogetherWeight = 0
    },
    RankingSignal(name: "steps together") { $0.stepsTogetherWeight = 0 },
    RankingSignal(name: "neighbors") { $0.neighborWeight = 0 },
    RankingSignal(name: "session") { $0.sessionWeight = 0 },
    RankingSignal(name: "time") { $0.timeWeight = 0 },
    RankingSignal(name: "success") { $0.successWeight = 0 },
  ]
}
