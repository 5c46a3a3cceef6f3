import CRawSQLite
import Episodic

/// Calls beside automatic maintenance and without it, in turns on one store.
struct MaintenanceContest {
  /// Turns of each side; the first two warm up.
  private static let rounds = 22
  private static let activeEpisodes = 16
  private static let batch = 100

  let benchmark: String
  let episodes: Int
  let steps: Int
  let seed: UInt64
  let scratch: ScratchDirectory

  /// - Parameter turn: Calls of one turn, on the memory, an active episode or several, and finished ones.
  @concurrent
  func run(
    _ turn: @Sendable (Memory, [Episode.ID], [Episode.ID], inout Series) async throws -> Void
  ) async throws -> Report {
    let probe = try SyncProbe(in: scratch)
    let folder = scratch.path(of: "store")
    var workload = Workload(seed: seed)
    let active = workload.episodes(Self.activeEpisodes, steps: 0, status: .active)
    let memory = try await Memory.open(at: folder)
    try await memory.insert(active)
    var finished: [Episode.ID] = []
    while finished.count < episodes {
      let batch = workload.episodes(min(Self.batch, episodes - finished.count), steps: steps)
      try await memory.insert(batch)
      finished += batch.map(\.id)
    }
    try await memory.setRetention(RetentionPolicy(maximumEpisodes: 1_000_000))
    var without = Series("without", "the calls while nobody maintains the store")
    var beside = Series("beside", "the same while another memory of the process maintains it, ten times a second")
    var options = Memory.OpenOptions()
    options.maintenance = .automatic(every: .milliseconds(100))
    for round in 0..<Self.rounds {
      for isMaintained in round.isMultiple(of: 2) ? [false, true] : [true, false] {
        let maintaining = isMaintained ? try await Memory.open(at: folder, options: options) : nil
        var series = isMaintained ? beside : without
        try await turn(memory, active.map(\.id), finished, &series)
        if round >= 2 { if isMaintained { beside = series } else { without = series } }
        try await maintaining?.close()
      }
      try probe.sample()
    }
    try await memory.close()
    return Report(
      benchmark: "\(benchmark) beside maintenance", parameters: ["episodes": episodes, "steps": steps],
      machine: Machine(durability: Memory.Durability.full.rawValue, sync: probe.series),
      rows: [Row(without, section: benchmark), Row(beside, section: benchmark)],
      ratios: [
        Ratio("beside / without, p50", section: benchmark, beside.p50, over: without.p50, target: .atMost(1.05)),
        Ratio("beside / without, mean", section: benchmark, without.itemsPerSecond, over: beside.itemsPerSecond),
      ])
  }

  static func appends(_ count: Int, to episodes: [Episode.ID], _ memory: Memory, _ series: inout Series) async throws {
    for number in 0..<count {
      let start = raw_now()
      try await memory.append(Step.Draft("step \(number)", result: "passed"), to: episodes[number % episodes.count])
      series.record(since: start)
    }
  }

  static func reads(of episodes: [Episode.ID], _ memory: Memory, _ series: inout Series) async throws {
    for id in episodes {
      let start = raw_now()
      _ = try await memory.episode(id)
      series.record(since: start)
    }
  }
}
