import Episodic

/// Runs readers and writers on one store, kills some, and sums up their counts.
struct CoherenceBenchmark {
  /// The pause between two statements of the shell.
  private static let tick = Duration.milliseconds(10)
  private static let betweenKills = Duration.milliseconds(50)
  private static let patience = Duration.seconds(60)

  let processes: Int
  let seconds: Int
  let kills: Bool
  let scratch: ScratchDirectory
  private let progress = Progress()

  init(processes: Int, seconds: Int, kills: Bool, scratch: ScratchDirectory) {
    self.processes = processes
    self.seconds = seconds
    self.kills = kills
    self.scratch = scratch
  }

  @concurrent
  func run() async throws -> CoherenceReport {
    let store = scratch.path(of: "store")
    let memory = try await fill(store)
    let tallies = try SharedTallies(path: scratch.path(of: "tallies"))
    let crew = Crew(processes: processes, store: store, tallies: scratch.path(of: "tallies"))
    defer { crew.killAll() }
    try crew.start()
    let begin = ContinuousClock.now
    var totals = try await drive(crew, memory)
    let elapsed = (ContinuousClock.now - begin) / .seconds(1)
    tallies.stop()
    try await crew.end(within: Self.patience)
    progress.clear()
    totals.add(try await memory.statistics().cache)
    let problems = crew.problems + (try await failedChecks(memory))
    try await memory.close()
    return CoherenceReport(
      seconds: elapsed, crew: crew, tallies: tallies, cache: totals.counted, problems: problems)
  }

  private func fill(_ store: String) async throws -> Memory {
    var options = Memory.OpenOptions()
    options.durability = .normal
    let memory = try await Memory.open(at: store, options: options)
    try await memory.insert((0..<Population.episodes).map(Population.episode))
    for number in 0..<Population.patterns { try await memory.record(Population.pattern(number)) }
    return memory
  }

  /// Runs statements in the shell and kills processes, until the time is over.
  private func drive(_ crew: Crew, _ memory: Memory) async throws -> CacheTotals {
    let begin = ContinuousClock.now
    var elapsed = Duration.zero
    var nextKill = Self.betweenKills
    var nextSample = Duration.seconds(1)
    var totals = CacheTotals()
    while elapsed < .seconds(seconds) {
      try crew.tell(Population.telling(Int.random(in: 0..<Population.episodes)))
      if kills && elapsed >= nextKill {
        try crew.killOne()
        nextKill += Self.betweenKills
      }
      try crew.lookAround()
      if elapsed >= nextSample {
        totals.add(try await memory.statistics().cache)
        nextSample += .seconds(1)
        progress.show("coherence", Int(elapsed / .seconds(1)), of: seconds)
      }
      try await Task.sleep(for: Self.tick)
      elapsed = ContinuousClock.now - begin
    }
    return totals
  }

  private func failedChecks(_ memory: Memory) async throws -> [String] {
    try await memory.check().compactMap { check in
      switch check.outcome {
      case .passed: nil
      case .failed(let reason), .damaged(let reason): "the check \"\(check.name)\" failed: \(reason)"
      }
    }
  }
}

/// Hits and misses summed over the lives of the cache: wiping it resets its counters.
private struct CacheTotals {
  private(set) var counted = CoherenceReport.Counted()
  private var last = CoherenceReport.Counted()

  mutating func add(_ statistics: CacheStatistics) {
    var now = CoherenceReport.Counted()
    for kind in CacheStatistics.Kind.allCases {
      now.hits += statistics[kind].hits
      now.misses += statistics[kind].misses
    }
    counted.hits += now.hits < last.hits ? now.hits : now.hits - last.hits
    counted.misses += now.misses < last.misses ? now.misses : now.misses - last.misses
    last = now
  }
}
