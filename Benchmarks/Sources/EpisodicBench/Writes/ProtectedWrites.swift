import CRawSQLite
import Episodic

/// The same writes without an audit and encryption, with each, and with both, in stores of their own, in turns.
struct ProtectedWrites {
  /// Consecutive calls of one side.
  private static let turn = 16
  private static let appenders = 16
  /// An audit may take 15 % more time than none.
  private static let auditTarget = Ratio.Target.atMost(1.15)

  let episodes: Int
  let steps: Int
  let batch: Int
  let commits: Int
  private let protections = Protection.built
  private let sides: [Memory]
  private let section: String

  init(
    episodes: Int, steps: Int, batch: Int, commits: Int, durability: Memory.Durability, scratch: ScratchDirectory
  ) async throws {
    (self.episodes, self.steps, self.batch, self.commits) = (episodes, steps, batch, commits)
    section = "protected, durability \(durability.rawValue)"
    var options = Memory.OpenOptions()
    options.durability = durability
    var sides: [Memory] = []
    for protection in protections {
      let folder = scratch.path(of: "\(durability.rawValue) \(protection.name)")
      sides.append(try await protection.open(at: folder, domains: Workload.domains, options))
    }
    self.sides = sides
  }

  func run(_ workload: inout Workload, _ rows: inout [Row], _ ratios: inout [Ratio]) async throws {
    try await appends(of: 1, count: commits, &workload, &rows, &ratios)
    try await appends(of: steps, count: episodes, &workload, &rows, &ratios)
    try await inserts(&workload, &rows, &ratios)
    try await concurrent(&workload, &rows, &ratios)
    for (protection, memory) in zip(protections, sides) {
      try await requireProtection(protection, memory)
      try await memory.close()
    }
  }

  /// - Throws: If a side was not what its name says.
  private func requireProtection(_ protection: Protection, _ memory: Memory) async throws {
    let verification = try await memory.verifyAudit(rows: true)
    guard verification.isPassed, try await (memory.auditHead().number > 0) == protection.isAudited else {
      throw BenchError("the audit of the side \"\(protection.name)\" is not whole: \(verification.findings)")
    }
    guard try await memory.domainKeys().isEmpty != protection.isEncrypted else {
      throw BenchError("the side \"\(protection.name)\" has the wrong domains encrypted")
    }
  }

  private func appends(
    of size: Int, count: Int, _ workload: inout Workload, _ rows: inout [Row], _ ratios: inout [Ratio]
  ) async throws {
    let name = size == 1 ? "append" : "append of many"
    let what = "memory.append of \(size == 1 ? "one step" : "\(size) steps")"
    let targets = workload.episodes((count * size + steps - 1) / steps + 1, steps: 0, status: .active)
    for memory in sides { try await memory.insert(targets) }
    var series = series(name, what)
    let warmUp = min(4 * Self.turn, count)
    for (round, start) in stride(from: 0, to: count, by: Self.turn).enumerated() {
      let calls = start..<min(start + Self.turn, count)
      let drafts = calls.map { call in
        (target: targets[call * size / steps].id, steps: (1...size).map { Step.Draft(workload.step($0)) })
      }
      for side in Protection.order(of: round, sides.count) {
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
    var series = series("insert", "memory.insert of \(batch) episodes with \(steps) steps each")
    for round in -1..<max(2, episodes / batch) {
      let whole = workload.episodes(batch, steps: steps)
      for side in Protection.order(of: round + 1, sides.count) {
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
    var series = series(name, "\(Self.appenders) tasks, each appending to its own episode, a step a call")
    let targets = workload.episodes(Self.appenders, steps: 0, status: .active)
    for memory in sides { try await memory.insert(targets) }
    let draft = Step.Draft(workload.step(1))
    for round in -1..<24 {
      for side in Protection.order(of: round + 1, sides.count) {
        let start = raw_now()
        let latencies = try await WritesBenchmark.append(draft, times: 16, to: targets.map(\.id), sides[side])
        if round >= 0 { series[side].record(concurrent: latencies, elapsed: raw_now() - start) }
      }
    }
    report(series, name, &rows, &ratios, "rate of none / its rate") { none, other in
      (none.itemsPerSecond, other.itemsPerSecond)
    }
  }

  /// - Parameter figures: Of the side without protection and of another, the one that grows with the cost first.
  private func report(
    _ series: [Series], _ name: String, _ rows: inout [Row], _ ratios: inout [Ratio],
    _ what: String = "p50 / that of none",
    _ figures: (_ none: Series, _ other: Series) -> (Double, Double) = { none, other in (other.p50, none.p50) }
  ) {
    rows += series.map { Row($0, section: section) }
    for (protection, other) in zip(protections, series).dropFirst() {
      let (above, below) = figures(series[0], other)
      ratios.append(
        Ratio(
          "\(name), \(protection.name), \(what)", section: section, above, over: below,
          target: protection == .audit ? Self.auditTarget : nil))
    }
  }

  private func series(_ name: String, _ what: String) -> [Series] {
    protections.map { protection in
      protection == .none
        ? Series(name, what) : Series("\(name), \(protection.name)", "the same with \(protection.name)")
    }
  }
}
