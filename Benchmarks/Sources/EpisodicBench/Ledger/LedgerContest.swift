import CRawSQLite
import Episodic
import Synchronization

/// A memory's hits while the ledger beside it is written at full speed, and while it is not, in turns on one store.
struct LedgerContest {
  /// Turns of each side; the first two warm up.
  private static let rounds = 22
  private static let batch = 100

  let episodes: Int
  let steps: Int
  let seed: UInt64
  let scratch: ScratchDirectory
  private let progress = Progress()

  init(episodes: Int, steps: Int, seed: UInt64, scratch: ScratchDirectory) {
    (self.episodes, self.steps, self.seed, self.scratch) = (episodes, steps, seed, scratch)
  }

  @concurrent
  func run() async throws -> Report {
    let probe = try SyncProbe(in: scratch)
    var options = AgentStore.OpenOptions()
    options.memory.cache.capacity = max(256 << 20, episodes * (1024 + 256 * steps) * 2)
    options.consolidatesByItself = false
    let store = try await AgentStore.open(at: scratch.path(of: "store"), options: options)
    var workload = Workload(seed: seed)
    var ids: [Episode.ID] = []
    while ids.count < episodes {
      let batch = workload.episodes(min(Self.batch, episodes - ids.count), steps: steps)
      try await store.memory.insert(batch)
      ids += batch.map(\.id)
    }
    let run = try await store.ledger.start(Ledger.Run.Draft(.testing, domain: "web", context: "writes")).id
    // Into the cache.
    for id in ids { _ = try await store.memory.episode(id) }

    let before = try await store.memory.statistics().cache[.episode]
    var without = Series("without", "memory.episode, in the cache, while nothing is written")
    var beside = Series(
      "beside", "the same while a task appends tool calls to the ledger, \(Self.batch) a commit, without a pause")
    var written = 0
    var elapsed: UInt64 = 0
    for round in 0..<Self.rounds {
      progress.show("hits", round, of: Self.rounds)
      for isBeside in round.isMultiple(of: 2) ? [false, true] : [true, false] {
        guard isBeside else {
          try await Self.read(ids, store.memory, into: &without, counts: round >= 2)
          continue
        }
        let start = raw_now()
        written += try await Self.writing(to: run, of: store.ledger) {
          try await Self.read(ids, store.memory, into: &beside, counts: round >= 2)
        }
        elapsed += raw_now() - start
      }
      try probe.sample()
    }
    progress.clear()
    let after = try await store.memory.statistics().cache[.episode]
    try await store.close()
    let reads = 2 * Self.rounds * ids.count
    var report = Report(
      benchmark: "reads while a ledger is written", parameters: ["episodes": episodes, "steps": steps],
      machine: Machine(durability: Memory.Durability.full.rawValue, sync: probe.series),
      rows: [Row(without, section: "hits"), Row(beside, section: "hits")],
      figures: [
        Figure("rows written to the ledger meanwhile", Double(written) * 1e9 / Double(max(1, elapsed)), "per second")
      ],
      ratios: [
        Ratio("beside / without, p50", section: "hits", beside.p50, over: without.p50, target: .atMost(1.05)),
        Ratio("beside / without, mean", section: "hits", without.itemsPerSecond, over: beside.itemsPerSecond),
      ],
      cache: [CacheCounts("hits", reads: reads, from: before, to: after)])
    if after.hits - before.hits < reads { report.failure = "not every read was a hit; the rows are not what they say" }
    if written == 0 { report.failure = "nothing was written to the ledger meanwhile" }
    return report
  }

  private static func read(
    _ ids: [Episode.ID], _ memory: Memory, into series: inout Series, counts: Bool
  ) async throws {
    for id in ids {
      let start = raw_now()
      let episode = try await memory.episode(id)
      if counts { series.record(since: start) }
      guard episode != nil else { throw BenchError("episode \(id) is gone") }
    }
  }

  /// Writes to the run until `body` has ended; the last commit ends before this returns.
  ///
  /// - Returns: How many rows.
  private static func writing(
    to run: Ledger.Run.ID, of ledger: Ledger, _ body: () async throws -> Void
  ) async throws -> Int {
    let calls = (0..<batch).map { number in
      Ledger.ToolCall.Draft(
        "shell", arguments: ["command": .string("swift test --filter Module\(number)")], result: "1 test failed",
        success: false)
    }
    let flag = StopFlag()
    let writer = Task {
      var count = 0
      while !flag.isSet.load(ordering: .relaxed) { count += try await ledger.add(calls, to: run).count }
      return count
    }
    do {
      try await body()
    } catch {
      flag.isSet.store(true, ordering: .relaxed)
      _ = try await writer.value
      throw error
    }
    flag.isSet.store(true, ordering: .relaxed)
    return try await writer.value
  }
}

private final class StopFlag: Sendable {
  let isSet = Atomic(false)
}
