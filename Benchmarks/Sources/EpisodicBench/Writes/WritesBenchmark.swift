import CRawSQLite
import Episodic

/// Writes the same rows through the library and through raw SQLite, alternately.
struct WritesBenchmark {
  /// Consecutive calls of one side.
  private static let turn = 16
  private static let appenders = [1, 4, 16, 64]
  private static let appenderRounds = 12

  let episodes: Int
  let steps: Int
  let batch: Int
  let commits: Int
  let seed: UInt64
  let scratch: ScratchDirectory
  private let progress = Progress()

  init(episodes: Int, steps: Int, batch: Int, commits: Int, seed: UInt64, scratch: ScratchDirectory) {
    self.episodes = episodes
    self.steps = steps
    self.batch = batch
    self.commits = commits
    self.seed = seed
    self.scratch = scratch
  }

  /// On the global executor, so that no hop from the main thread is measured.
  @concurrent
  func run() async throws -> Report {
    let probe = try SyncProbe(in: scratch)
    var rows: [Row] = []
    var ratios: [Ratio] = []
    for durability in Memory.Durability.allCases {
      var options = Memory.OpenOptions()
      options.durability = durability
      let folder = scratch.path(of: durability.rawValue)
      let pair = StorePair(
        memory: try await Memory.open(at: folder + "-library", options: options),
        raw: try await RawStore.make(in: folder + "-raw", durability: durability), durability: durability, probe: probe)
      var workload = Workload(seed: seed)
      try await oneByOne(pair, &workload, &rows, &ratios)
      try await batched(pair, &workload, &rows, &ratios)
      try await concurrent(pair, &workload, &rows, &ratios)
      try await pair.memory.close()
      progress.show("protected, durability \(durability.rawValue)", 0, of: 0)
      try await ProtectedWrites(
        episodes: episodes, steps: steps, batch: batch, commits: commits, durability: durability, scratch: scratch
      ).run(&workload, &rows, &ratios)
    }
    progress.clear()
    return Report(
      benchmark: "writes",
      parameters: ["episodes": episodes, "steps": steps, "batch": batch, "commits": commits],
      machine: Machine(durability: "per section", sync: probe.series), rows: rows, ratios: ratios,
      notes: [Protection.note].compactMap(\.self))
  }

  // MARK: Stages

  /// One step per transaction.
  private func oneByOne(
    _ pair: StorePair, _ workload: inout Workload, _ rows: inout [Row], _ ratios: inout [Ratio]
  ) async throws {
    let warmUp = 4 * Self.turn
    let writing = try await PreparedAppends(
      pair, workload: &workload, episodes: (commits + warmUp + steps - 1) / steps, stepsPerEpisode: steps)
    try await turns(pair, writing, from: 0, count: warmUp, size: 1, Contest.appends)
    let contest = try await turns(pair, writing, from: warmUp, count: commits, size: 1, Contest.appends)
    contest.report(&rows, section: pair.section)
    ratios.append(
      Ratio(
        "append / raw append, p50", section: pair.section, contest.library.p50, over: contest.raw.p50,
        target: pair.durability == .full ? .atMost(1.5) : nil))
  }

  private func batched(
    _ pair: StorePair, _ workload: inout Workload, _ rows: inout [Row], _ ratios: inout [Ratio]
  ) async throws {
    let warmUp = 4
    let writing = try await PreparedAppends(
      pair, workload: &workload, episodes: episodes + warmUp, stepsPerEpisode: steps)
    let appends = Contest.appendsOfMany(steps)
    try await turns(pair, writing, from: 0, count: warmUp, size: steps, appends)
    let many = try await turns(pair, writing, from: warmUp * steps, count: episodes, size: steps, appends)
    many.report(&rows, section: pair.section)
    ratios.append(
      Ratio(
        "append of many, rate / raw", section: pair.section, many.library.itemsPerSecond,
        over: many.raw.itemsPerSecond))

    var inserts = Contest.inserts(batch: batch, steps: steps)
    let batches = (episodes + batch - 1) / batch
    // The first round warms up.
    for round in -1..<batches {
      progress.show("\(pair.section): inserts", round, of: batches)
      let count = round < 0 ? batch : min(batch, episodes - round * batch)
      let whole = workload.episodes(count, steps: steps)
      let prepared = RawEpisodes(whole)
      for side in Contest.Side.order(of: round) {
        let start = raw_now()
        switch side {
        case .library:
          try await pair.memory.insert(whole)
          inserts.library.record(since: start, items: count * steps)
        case .raw:
          try pair.raw.insert(prepared)
          inserts.raw.record(since: start, items: count * steps)
        }
      }
      if round < 0 { inserts = Contest.inserts(batch: batch, steps: steps) }
      try pair.probe.sample()
    }
    inserts.report(&rows, section: pair.section)
    ratios.append(
      Ratio(
        "insert, rate / raw", section: pair.section, inserts.library.itemsPerSecond, over: inserts.raw.itemsPerSecond,
        target: .atLeast(0.6)))
  }

  /// Concurrent tasks, each appending to its own episode, one step after the other.
  private func concurrent(
    _ pair: StorePair, _ workload: inout Workload, _ rows: inout [Row], _ ratios: inout [Ratio]
  ) async throws {
    var series = Self.appenders.map { count in
      Series(
        "\(count) at once",
        "\(count == 1 ? "one task that appends" : "\(count) tasks, each appending") to its own episode, a step a call")
    }
    let targets = workload.episodes(Self.appenders.max() ?? 1, steps: 0, status: .active)
    try await pair.memory.insert(targets)
    let draft = Step.Draft(workload.step(1))
    for round in -1..<Self.appenderRounds {
      progress.show("\(pair.section): appenders", round, of: Self.appenderRounds)
      for (index, count) in Self.appenders.enumerated() {
        // More tasks write more steps, so that each measurement takes about as long.
        let each = max(8, 64 / count)
        let start = raw_now()
        let latencies = try await Self.append(draft, times: each, to: targets.prefix(count).map(\.id), pair.memory)
        let elapsed = raw_now() - start
        if round >= 0 { series[index].record(concurrent: latencies, elapsed: elapsed) }
      }
      try pair.probe.sample()
    }
    rows += series.map { Row($0, section: pair.section) }
    for other in series.dropFirst() {
      let isAsked = pair.durability == .full && other.name == "16 at once"
      ratios.append(
        Ratio(
          "\(other.name) / 1 at once, rate", section: pair.section, other.itemsPerSecond,
          over: series[0].itemsPerSecond, target: isAsked ? .atLeast(4) : nil))
    }
  }

  // MARK: Alternation

  /// Writes `count` transactions of `size` steps on both sides, alternating after `turn` calls.
  @discardableResult
  private func turns(
    _ pair: StorePair, _ writing: PreparedAppends, from first: Int, count: Int, size: Int, _ contest: Contest
  ) async throws -> Contest {
    var contest = contest
    for (round, start) in stride(from: 0, to: count, by: Self.turn).enumerated() {
      progress.show("\(pair.section): \(contest.library.name)", start, of: count)
      let calls = start..<min(start + Self.turn, count)
      for side in Contest.Side.order(of: round) {
        for call in calls {
          let index = first + call * size
          switch side {
          case .library:
            let drafts = writing.drafts[index..<index + size]
            let start = raw_now()
            if size == 1 {
              _ = try await pair.memory.append(drafts[index], to: writing.episodes[index])
            } else {
              _ = try await pair.memory.append(Array(drafts), to: writing.episodes[index])
            }
            contest.library.record(since: start, items: size)
          case .raw:
            let start = raw_now()
            try pair.raw.append(writing.raw, from: index, count: size)
            contest.raw.record(since: start, items: size)
          }
        }
      }
      try pair.probe.sample()
    }
    return contest
  }

  static func append(
    _ draft: Step.Draft, times: Int, to episodes: [Episode.ID], _ memory: Memory
  ) async throws -> [UInt64] {
    try await withThrowingTaskGroup(of: [UInt64].self) { group in
      for episode in episodes {
        group.addTask {
          var latencies: [UInt64] = []
          for _ in 0..<times {
            let start = raw_now()
            _ = try await memory.append(draft, to: episode)
            latencies.append(raw_now() - start)
          }
          return latencies
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
  }
}

/// The same work on both sides.
struct Contest {
  enum Side {
    case library, raw

    /// The first side alternates from round to round.
    static func order(of round: Int) -> [Side] { round.isMultiple(of: 2) ? [.library, .raw] : [.raw, .library] }
  }

  var library: Series
  var raw: Series

  static var appends: Contest {
    Contest(
      library: Series("append", "memory.append of one step, in a transaction of its own"),
      raw: Series("raw append", "BEGIN IMMEDIATE, one INSERT INTO steps, COMMIT in C"))
  }

  static func appendsOfMany(_ steps: Int) -> Contest {
    Contest(
      library: Series("append of many", "memory.append of \(steps) steps in one transaction"),
      raw: Series("raw append of many", "BEGIN IMMEDIATE, \(steps) INSERT INTO steps, COMMIT in C"))
  }

  static func inserts(batch: Int, steps: Int) -> Contest {
    Contest(
      library: Series("insert", "memory.insert of \(batch) episodes with \(steps) steps each in one transaction"),
      raw: Series("raw insert", "BEGIN IMMEDIATE, the same INSERTs into episodes and steps, COMMIT in C"))
  }

  func report(_ rows: inout [Row], section: String) {
    rows += [Row(library, section: section), Row(raw, section: section)]
  }
}

/// Steps to append, prepared for both sides, to active episodes that exist in both stores.
struct PreparedAppends {
  let drafts: [Step.Draft]
  let episodes: [Episode.ID]
  let raw: RawSteps

  init(_ pair: StorePair, workload: inout Workload, episodes count: Int, stepsPerEpisode: Int) async throws {
    let targets = workload.episodes(count, steps: 0, status: .active)
    try await pair.memory.insert(targets)
    try pair.raw.insert(RawEpisodes(targets))
    var steps: [(step: Step, episode: Episode.ID)] = []
    for target in targets {
      for number in 1...stepsPerEpisode { steps.append((workload.step(number), target.id)) }
    }
    drafts = steps.map { Step.Draft($0.step) }
    episodes = steps.map(\.episode)
    raw = RawSteps(steps)
  }
}

extension Step.Draft {
  /// The step without the values assigned by the engine.
  init(_ step: Step) {
    self.init(step.action, result: step.result, tool: step.tool, duration: step.duration, success: step.success)
  }
}

/// The library's store and the yardstick's, in one folder and of one durability.
struct StorePair {
  let memory: Memory
  let raw: RawStore
  let durability: Memory.Durability
  let probe: SyncProbe

  var section: String { "durability \(durability.rawValue)" }
}
