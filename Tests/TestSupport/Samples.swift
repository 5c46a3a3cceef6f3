public import EpisodicMemory

/// Random numbers that are the same in every run with the same seed (SplitMix64, Steele et al. 2014).
public struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}

extension Episode {
  /// A finished episode with one step per text.
  public static func sample(
    _ id: ID, domain: String = "swift", context: String = "make the flaky test pass", status: Status = .completed,
    steps: [String] = [], at milliseconds: Int64 = 1_767_225_600_000
  ) -> Episode {
    Episode(
      id: id, taskType: .debugging, domain: domain, context: context, status: status,
      successRate: status == .active ? nil : 1, createdAt: Timestamp(milliseconds: milliseconds),
      completedAt: status == .active ? nil : Timestamp(milliseconds: milliseconds + 1000),
      steps: steps.enumerated().map { index, text in
        Step(
          id: Step.ID("\(id)/\(index + 1)"), number: index + 1, action: text, success: true,
          timestamp: Timestamp(milliseconds: milliseconds))
      })
  }
}
