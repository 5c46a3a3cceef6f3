extension Simulator.Scenario {
  /// Everybody at once.
  static let large: [Self] = [
    Self(
      "one key",
      [
        .reader("reader 1", in: 0, of: .a), .writer("writer 1", in: 0, of: .a),
        .reader("reader 2", in: 1, of: .a, .a), .writer("writer 2", in: 1, of: .a), .shell(committing: .a),
      ]),
    Self(
      "two keys",
      [
        .reader("reader 1", in: 0, of: .a), .writer("writer 1", in: 0, of: .a),
        .reader("reader 2", in: 1, of: .both, .b), .writer("writer 2", in: 1, of: .b), .shell(committing: .a),
      ]),
    Self(
      "a writer that catches up",
      [
        .reader("reader 1", in: 0, of: .a), .writer("writer 1", in: 0, of: .a, catchingUp: true),
        .reader("reader 2", in: 1, of: .a), .shell(committing: .a),
      ]),
    Self(
      "a cache that is lost",
      [
        .reader("reader 1", in: 0, of: .a), .reader("reader 2", in: 1, of: .a, .a), .shell(committing: .a, .b),
        .mishap("loss"),
      ]),
    Self(
      "a backup restored in place",
      [
        .reader("reader 1", in: 0, of: .a), .reader("reader 2", in: 1, of: .b, .a),
        .shell(committing: .a, restoring: 0, committing: .b, .b),
      ]),
  ]

  /// Small enough to be tried once for every guard.
  static let small: [Self] =
    [sharing, reopening, keys, queries] + [keys, queries].map(\.withoutRoomForTags)
    + [keys, queries].map(\.inSmallBatches) + [reopening, sharing, keys, queries].map(\.cold)

  static let keys = Self(
    "keys", [.reader("reader 1", in: 0, of: .a), .reader("reader 2", in: 1, of: .a, .b), .shell(committing: .a, .b)])
  private static let queries = Self(
    "a query",
    [.reader("reader 1", in: 0, of: .a), .reader("reader 2", in: 1, of: .both, .both), .shell(committing: .a, .b)])
  private static let sharing = Self(
    "one process",
    [.reader("reader 1", in: 0, of: .a), .reader("reader 2", in: 0, of: .a), .shell(committing: .a, .a)])
  private static let reopening = Self(
    "two lives",
    [
      .reader("reader 1", in: 0, of: .a), .reader("reader 2", in: 1, of: .a), .shell(committing: .b, .a),
      .reader("reader 3", in: 0, of: .a, life: 1),
    ]
  ).with { $0.isReopened = true }

  var cold: Self { with { $0.isWarm = false } }
  var withoutRoomForTags: Self { with { $0.forgetsTags = true } }
  var inSmallBatches: Self { with { $0.batchLimit = 1 } }

  private func with(_ change: (inout Self) -> Void) -> Self {
    var scenario = self
    change(&scenario)
    return scenario
  }
}
