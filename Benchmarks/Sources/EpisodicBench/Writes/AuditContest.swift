import CRawSQLite
import Episodic

/// The same writes without an audit and with one, in two stores, alternately.
struct AuditContest {
  /// Consecutive calls of one side.
  private static let turn = 16
  private static let appenders = 16
  /// An audit may take 15 % more time than none.
  private static let target = Ratio.Target.atMost(1.15)

  let episodes: Int
  let steps: Int
  let batch: Int
  let commits: Int
  private let sides: [Memory]
  private let section: String
  private let durability: Memory.Durability

  init(
    episodes: Int, steps: Int, batch: Int, commits: Int, durability: Memory.Durability, scratch: ScratchDirectory
  ) async throws {
    (self.episodes, self.steps, self.batch, self.commits) = (episodes, steps, batch, commits)
    self.durability = durability
    section = "audit, durability \(durability.rawValue)"
    var options = Memory.OpenOptions()
    options.durability = durability
    let folder = scratch.path(of: "audit-\(durability.rawValue)")
    let plain = try await Memory.open(at: folder + "-off", options: options)
    options.audit = .on(actor: "bench")
    sides = [plain, try await Memory.open(at: folder + "-on", options: options)]
  }

  func run(_ workload: inout Workload, _ rows: inout [Row], _ ratios: inout [Ratio]) async throws {
    try await appends(of: 1, count: commits, &workload, &rows, &ratios)
    try await appends(of: steps, count: episodes, &workload, &rows, &ratios)
    try await inserts(&workload, &rows, &ratios)
    try await concurrent(&workload, &rows, &ratios)
    let verification = try await sides[1].verifyAudit(rows: true)
    guard verification.isPassed, try await sides[0].auditHead().number == 0 else {
      throw MemoryError(.corrupted, "the audit of the benchmark is not whole: \(verification.findings)")
    }
    for memory in sides { try await memory.close() }
  }

  private func appends(
    of size: Int, count: Int, _ workload: inout Workload, _ rows: inout [Row], _ ratios: inout [Ratio]
  ) async throws {
    let name = size == 1 ? "append" : "append of many"
    let what = "memory.append of \(size == 1 ? "one step" : "\(size) steps")"
    let targets = workload.episodes((count * size + steps - 1) / steps + 1, steps: 0, status: .active)
    for memory in sides { try await memory.insert(targets) }
    var series = Self.series(name, what)
    let warmUp = min(4 * Self.turn, count)
    for (round, start) in stride(from: 0, to: count, by: Self.turn).enumerated() {
      let calls = start..<min(start + Self.turn, count)
      let drafts = calls.map { call in
        (target: targets[call * size / steps].id, steps: (1...size).map { Step.Draft(workload.step($0)) })
      }
      for side in Self.order(of: round) {
        for (call, draft) in zip(calls, drafts) {
          let start = raw_now()
          _ = try await sides[side].append(draft.steps, to: draft.target)
          if call >= warmUp || count == warmUp { series[side].record(since: start, items: size) }
        }
      }
    }
    report(series, name, &rows, &ratios)
  }

  private func inserts(_ workload: inout Workload, _ rows: inout [Row], _ ratios: inout [Ratio]) async throws {
    var series = Self.series("insert", "memory.insert of \(batch) episodes with \(steps) steps each")
    for round in -1..<max(2, episodes / batch) {
      let whole = workload.episodes(batch, steps: steps)
      for side in Self.order(of: round + 1) {
        let start = raw_now()
        try await sides[side].insert(whole)
        // The first round warms up.
        if round >= 0 { series[side].record(since: start, items: batch * steps) }
      }
    }
    report(series, "insert", &rows, &ratios)
  }

  private func concurrent(_ workload: inout Workload, _ rows: inout [Row], _ ratios: inout [Ratio]) async throws {
    let name = "\(Self.appenders) at once"
    var series = Self.series(name, "\(Self.appenders) tasks, each appending to its own episode, a step a call")
    let targets = workload.episodes(Self.appenders, steps: 0, status: .active)
    for memory in sides { try await memory.insert(targets) }
    let draft = Step.Draft(workload.step(1))
    for round in -1..<24 {
      for side in Self.order(of: round + 1) {
        let start = raw_now()
        let latencies = try await WritesBenchmark.append(draft, times: 16, to: targets.map(\.id), sides[side])
        if round >= 0 { series[side].record(concurrent: latencies, elapsed: raw_now() - start) }
      }
    }
    rows += series.map { Row($0, section: section) }
    ratios.append(
      Ratio(
        "\(name), rate without / with", section: section, series[0].itemsPerSecond, over: series[1].itemsPerSecond,
        target: Self.target))
  }

  private func report(_ series: [Series], _ name: String, _ rows: inout [Row], _ ratios: inout [Ratio]) {
    rows += series.map { Row($0, section: section) }
    ratios.append(
      Ratio("\(name) with / without, p50", section: section, series[1].p50, over: series[0].p50, target: Self.target))
  }

  private static func series(_ name: String, _ what: String) -> [Series] {
    [Series(name, what), Series("\(name), audited", "the same with an audit")]
  }

  /// The first side alternates from round to round.
  private static func order(of round: Int) -> [Int] { round.isMultiple(of: 2) ? [0, 1] : [1, 0] }
}
