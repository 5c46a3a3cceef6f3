import CRawSQLite
import Episodic

/// Reads the same episodes through the cache, past it, and by raw SQLite, in turns.
struct ReadsBenchmark {
  /// Reads of one kind before the next has its turn.
  private static let turn = 100
  private static let warmUpEpisodes = 300
  private static let questions = 100
  private static let batch = 100

  let episodes: Int
  let steps: Int
  let seed: UInt64
  let scratch: ScratchDirectory
  private let progress = Progress()

  init(episodes: Int, steps: Int, seed: UInt64, scratch: ScratchDirectory) {
    self.episodes = episodes
    self.steps = steps
    self.seed = seed
    self.scratch = scratch
  }

  /// On the global executor, where a library's callers are: a hop from the main thread is not what is measured.
  @concurrent
  func run() async throws -> Report {
    let probe = try SyncProbe(in: scratch)
    for _ in 0..<32 { try probe.sample() }
    var workload = Workload(seed: seed)
    let ids = try await fill(&workload)
    let stores = try await ReadStores(in: scratch.path(of: "store"), capacity: capacity)
    let unavailable = try await stores.cached.statistics().cache.unavailable
    var report = Report(
      benchmark: "reads", parameters: ["episodes": episodes, "steps": steps],
      machine: Machine(durability: Durability.full.rawValue, sync: probe.series))
    if let unavailable { report.failure = "there is no cache (\(unavailable)), so the rows that need it are missing" }

    // The last episodes are only there to warm up on.
    try await warmUp(stores, ids.suffix(Self.warmUpEpisodes).map(ReadID.init))
    let measured = workload.shuffled(ids.dropLast(Self.warmUpEpisodes).map(ReadID.init))
    try await reads(stores, measured, &report)
    try await recalls(stores, &workload, &report)
    progress.clear()
    try await stores.close()
    return report
  }

  // MARK: Stages

  private func reads(_ stores: ReadStores, _ ids: [ReadID], _ report: inout Report) async throws {
    var counts = [try await stores.counts(.episode)]
    var cold = Reads.cold, warm = Reads.warm
    if report.failure == nil {
      try await read(ids, stores, &cold, "misses")
      counts.append(try await stores.counts(.episode))
    }
    warm.kinds = report.failure == nil ? Reads.Kind.allCases : [.primary, .raw]
    try await read(ids, stores, &warm, "hits")
    counts.append(try await stores.counts(.episode))

    report.rows += cold.rows(section: "cache empty") + warm.rows(section: "cache full")
    guard let hit = warm[.cached], let miss = cold[.cached], let primary = warm[.primary], let raw = warm[.raw],
      let besideMiss = cold[.primary]
    else { return }
    report.ratios += [
      Ratio("primary / hit, p50", section: "episode", primary.p50, over: hit.p50, target: .atLeast(4)),
      Ratio("raw / hit, p50", section: "episode", raw.p50, over: hit.p50),
      Ratio("miss / primary, p50", section: "episode", miss.p50, over: besideMiss.p50),
    ]
    report.cache += [
      CacheCounts("episode, cache empty", reads: ids.count, from: counts[0], to: counts[1]),
      CacheCounts("episode, cache full", reads: ids.count, from: counts[1], to: counts[2]),
    ]
    if let hits = report.cache.last?.hits, hits < ids.count {
      report.failure = "of \(ids.count) reads meant as hits the cache counted \(hits); the row is not what it says"
    }
  }

  private func recalls(_ stores: ReadStores, _ workload: inout Workload, _ report: inout Report) async throws {
    var recalls = Recalls()
    let hasCache = report.failure == nil
    var counts = [try await stores.counts(.query)]
    let questions = (0..<Self.questions).map { _ in workload.question() }
    for (index, question) in questions.enumerated() {
      progress.show("recall", index, of: questions.count)
      let query = Query(text: question, scope: .domain(Workload.domains[index % Workload.domains.count]))
      try await recalls.ask(query, stores, hasCache: hasCache)
    }
    counts.append(try await stores.counts(.query))
    report.rows += recalls.rows(section: "recall")
    guard hasCache else { return }
    report.ratios += [
      Ratio("new / known question, p50", section: "recall", recalls.cold.p50, over: recalls.warm.p50),
      Ratio("primary / known question, p50", section: "recall", recalls.primary.p50, over: recalls.warm.p50),
    ]
    report.cache.append(
      CacheCounts("recall", reads: recalls.cold.calls + recalls.warm.calls, from: counts[0], to: counts[1]))
    if counts[1].hits - counts[0].hits < recalls.warm.calls {
      report.failure = "of \(recalls.warm.calls) known questions, the cache answered \(counts[1].hits - counts[0].hits)"
    }
  }

  // MARK: Pieces

  /// Reads every episode by every kind of `reads`, a few at a time, in an order that changes.
  private func read(_ ids: [ReadID], _ stores: ReadStores, _ reads: inout Reads, _ stage: String) async throws {
    for (round, start) in stride(from: 0, to: ids.count, by: Self.turn).enumerated() {
      progress.show(stage, start, of: ids.count)
      let turn = ids[start..<min(start + Self.turn, ids.count)]
      var digests: Set<UInt64> = []
      for offset in reads.kinds.indices {
        let kind = reads.kinds[(round + offset) % reads.kinds.count]
        digests.insert(try await reads.read(turn, by: kind, stores))
      }
      guard digests.count == 1 else { throw BenchError("the tiers do not agree on what the episodes say: \(digests)") }
    }
  }

  private func warmUp(_ stores: ReadStores, _ ids: [ReadID]) async throws {
    var unused = Reads.warm
    for _ in 0..<3 { try await read(ids, stores, &unused, "warming up") }
  }

  /// Room for every episode, so that none has to leave: eviction is another benchmark's subject.
  private var capacity: Int { max(256 << 20, (episodes + Self.warmUpEpisodes) * (1024 + 256 * steps) * 2) }

  private func fill(_ workload: inout Workload) async throws -> [Episode.ID] {
    var options = Memory.OpenOptions()
    options.durability = .normal
    options.cache.isEnabled = false
    let memory = try await Memory.open(at: scratch.path(of: "store"), options: options)
    let total = episodes + Self.warmUpEpisodes
    var ids: [Episode.ID] = []
    while ids.count < total {
      progress.show("filling", ids.count, of: total)
      let batch = workload.episodes(min(Self.batch, total - ids.count), steps: steps)
      try await memory.insert(batch)
      ids += batch.map(\.id)
    }
    try await memory.close()
    return ids
  }
}
