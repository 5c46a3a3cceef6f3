import CRawSQLite
import Episodic

/// Reads the same episodes through the cache, without it, and by each yardstick, alternately.
struct ReadsBenchmark {
  /// Consecutive reads of one kind.
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

  /// On the global executor, so that no hop from the main thread is measured.
  @concurrent
  func run() async throws -> Report {
    let probe = try SyncProbe(in: scratch)
    for _ in 0..<32 { try probe.sample() }
    var workload = Workload(seed: seed)
    let lmdb = try PlainLMDB(path: scratch.path(of: "lmdb"), capacity: capacity)
    let encrypted =
      Protection.built.contains(.encryption)
      ? try await Protection.encryption.open(
        at: scratch.path(of: "encrypted"), domains: Workload.domains, Self.fillingOptions)
      : nil
    let ids = try await fill(&workload, lmdb, encrypted)
    let stores = try await ReadStores(
      in: scratch.path(of: "store"), lmdb: lmdb, encrypted: encrypted, capacity: capacity)
    let unavailable = try await stores.cached.statistics().cache.unavailable
    var report = Report(
      benchmark: "reads", parameters: ["episodes": episodes, "steps": steps],
      machine: Machine(durability: Memory.Durability.full.rawValue, sync: probe.series),
      notes: [Protection.note].compactMap(\.self))
    if let unavailable { report.failure = "there is no cache (\(unavailable)), so the rows that need it are missing" }

    // The last episodes are read for warming up only.
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
    let hasCache = report.failure == nil
    var counts = [try await stores.counts(.episode)]
    var cold = Reads.cold
    var warm = Reads.warm(hasCache: hasCache, hasEncrypted: stores.encrypted != nil)
    if hasCache {
      try await read(ids, stores, &cold, "misses")
      counts.append(try await stores.counts(.episode))
    }
    try await read(ids, stores, &warm, "hits")
    counts.append(try await stores.counts(.episode))

    report.rows += cold.rows(section: "cache empty") + warm.rows(section: "cache full")
    guard hasCache else { return }
    report.ratios += Self.ratios(cold, warm)
    // A hit is read twice: once as it is, once with every field touched.
    let reads = 2 * ids.count
    report.cache += [
      CacheCounts("episode, cache empty", reads: ids.count, from: counts[0], to: counts[1]),
      CacheCounts("episode, cache full", reads: reads, from: counts[1], to: counts[2]),
    ]
    if let hits = report.cache.last?.hits, hits < reads {
      report.failure = "of \(reads) reads meant as hits the cache counted \(hits); the row is not what it says"
    }
  }

  /// The ratios of a hit with their targets, and others without.
  private static func ratios(_ cold: Reads, _ warm: Reads) -> [Ratio] {
    func ratio(
      _ name: String, _ above: Series?, _ below: Series?, _ target: Ratio.Target? = nil
    ) -> Ratio? {
      guard let above, let below else { return nil }
      return Ratio("\(name), p50", section: "episode", above.p50, over: below.p50, target: target)
    }
    let hit = warm[.hit]
    return [
      ratio("hit / floor", hit, warm[.floor], .atMost(3)),
      ratio("raw C / hit", warm[.sqlite], hit, .atLeast(10)),
      ratio("GRDB / hit", warm[.grdb], hit, .atLeast(20)),
      ratio("hit, touched / full decode", warm[.touched], warm[.decoded], .atMost(1.2)),
      ratio("raw C, no values / hit", warm[.raw], hit),
      ratio("primary / hit", warm[.primary], hit),
      ratio("miss / primary", cold[.miss], cold[.primary]),
      ratio("encrypted / primary", warm[.encrypted], warm[.primary]),
      ratio("encrypted / hit", warm[.encrypted], hit),
    ].compactMap(\.self)
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
      Ratio(
        "primary / known question, p50", section: "recall", recalls.primary.p50, over: recalls.warm.p50,
        target: .atLeast(50)),
    ]
    if recalls.encrypted.calls > 0 {
      report.ratios += [
        Ratio("encrypted / no cache, p50", section: "recall", recalls.encrypted.p50, over: recalls.primary.p50),
        Ratio("encrypted / known question, p50", section: "recall", recalls.encrypted.p50, over: recalls.warm.p50),
      ]
    }
    report.cache.append(
      CacheCounts("recall", reads: recalls.cold.calls + recalls.warm.calls, from: counts[0], to: counts[1]))
    if counts[1].hits - counts[0].hits < recalls.warm.calls {
      report.failure = "of \(recalls.warm.calls) known questions, the cache answered \(counts[1].hits - counts[0].hits)"
    }
  }

  // MARK: Reading and filling

  /// Reads every episode by every kind of `reads`, alternating after `turn` reads, in an order that changes.
  private func read(_ ids: [ReadID], _ stores: ReadStores, _ reads: inout Reads, _ stage: String) async throws {
    for (round, start) in stride(from: 0, to: ids.count, by: Self.turn).enumerated() {
      progress.show(stage, start, of: ids.count)
      let turn = ids[start..<min(start + Self.turn, ids.count)]
      var digests: Set<UInt64> = []
      for offset in reads.kinds.indices {
        let kind = reads.kinds[(round + offset) % reads.kinds.count]
        if let digest = try await reads.read(turn, by: kind, stores) { digests.insert(digest) }
      }
      guard digests.count <= 1 else { throw BenchError("the ways do not agree on what the episodes say: \(digests)") }
    }
  }

  private func warmUp(_ stores: ReadStores, _ ids: [ReadID]) async throws {
    let hasCache = try await stores.cached.statistics().cache.unavailable == nil
    var unused = Reads.warm(hasCache: hasCache, hasEncrypted: stores.encrypted != nil)
    for _ in 0..<3 { try await read(ids, stores, &unused, "warming up") }
  }

  /// Bytes for every episode, so that none is evicted: `replay` measures eviction.
  private var capacity: Int { max(256 << 20, (episodes + Self.warmUpEpisodes) * (1024 + 256 * steps) * 2) }

  private static var fillingOptions: Memory.OpenOptions {
    var options = Memory.OpenOptions()
    options.durability = .normal
    options.cache.isEnabled = false
    return options
  }

  /// Inserts every episode into the stores and into the yardstick's environment; the cache stays empty.
  private func fill(
    _ workload: inout Workload, _ lmdb: PlainLMDB, _ encrypted: Memory?
  ) async throws -> [Episode.ID] {
    let memory = try await Memory.open(at: scratch.path(of: "store"), options: Self.fillingOptions)
    let total = episodes + Self.warmUpEpisodes
    var ids: [Episode.ID] = []
    while ids.count < total {
      progress.show("filling", ids.count, of: total)
      let batch = workload.episodes(min(Self.batch, total - ids.count), steps: steps)
      try await memory.insert(batch)
      try await encrypted?.insert(batch)
      try lmdb.insert(batch.map { (ReadID.hash($0.id), PlainEpisode($0).encoded) })
      ids += batch.map(\.id)
    }
    try await memory.close()
    return ids
  }
}
