import Episodic

/// Runs traces through the engine, each at its capacity and in its own store.
struct ReplayBenchmark {
  /// Episodes per transaction.
  private static let batch = 500

  let cells: [(trace: Trace, capacity: Int)]
  let processes: Int
  let kills: Int
  let scratch: ScratchDirectory
  private let progress = Progress()

  init(cells: [(trace: Trace, capacity: Int)], processes: Int, kills: Int, scratch: ScratchDirectory) {
    self.cells = cells
    self.processes = processes
    self.kills = kills
    self.scratch = scratch
  }

  @concurrent
  func run() async throws -> ReplayReport {
    var done: [ReplayCell] = []
    for (index, (trace, capacity)) in cells.enumerated() {
      let store = scratch.path(of: "store-\(index)")
      let ids = try await fill(store, with: trace)
      let hits =
        if processes == 1 && kills == 0 {
          try await replay(trace, ids, in: store, capacity: capacity)
        } else {
          try replayInWorkers(trace, ids, in: store, capacity: capacity)
        }
      done.append(ReplayCell(trace, capacity: capacity, hits: hits))
    }
    progress.clear()
    return ReplayReport(processes: processes, kills: kills, cells: done)
  }

  /// Creates the store with an episode for each key of the trace; its cache stays empty.
  private func fill(_ store: String, with trace: Trace) async throws -> [Episode.ID] {
    var options = Memory.OpenOptions()
    options.durability = .normal
    options.cache.isEnabled = false
    let memory = try await Memory.open(at: store, options: options)
    let now = Timestamp(milliseconds: 1_750_000_000_000)
    let ids = trace.keys.indices.map { Episode.ID("key-\($0)") }
    for start in stride(from: 0, to: ids.count, by: Self.batch) {
      progress.show("filling for \(trace.name)", start, of: ids.count)
      let batch = ids[start..<min(start + Self.batch, ids.count)]
      try await memory.insert(
        batch.map { Episode(id: $0, taskType: .analysis, domain: "replay", context: "small", createdAt: now) })
    }
    try await memory.close()
    return ids
  }

  private func replay(_ trace: Trace, _ ids: [Episode.ID], in store: String, capacity: Int) async throws -> Int {
    let memory = try await Memory.open(at: store, options: .replay(entries: capacity))
    let before = try await memory.countedEpisodes()
    for (done, place) in trace.requests.enumerated() {
      if done.isMultiple(of: 1000) { progress.show(trace.name, done, of: trace.requests.count) }
      guard try await memory.episode(ids[place]) != nil else { throw BenchError("episode \(ids[place]) is gone") }
    }
    let after = try await memory.countedEpisodes()
    try await memory.close()
    let counted = after.hits - before.hits + after.misses - before.misses
    guard counted == trace.requests.count else {
      throw BenchError("of \(trace.requests.count) reads the cache counted \(counted); its hits are not usable")
    }
    return after.hits - before.hits
  }

  /// The same by processes in turn: one reads while all others wait.
  private func replayInWorkers(_ trace: Trace, _ ids: [Episode.ID], in store: String, capacity: Int) throws -> Int {
    func start() throws -> WorkerProcess {
      try WorkerProcess([ReplayWorkerCommand.name, "--store", store, "--capacity", "\(capacity)"])
    }
    var workers = try (0..<processes).map { _ in try start() }
    defer { workers.forEach { $0.kill() } }
    let total = trace.requests.count
    var moments = Set((0..<kills).map { ($0 + 1) * total / (kills + 1) })
    var hits = 0
    for (done, place) in trace.requests.enumerated() {
      if done.isMultiple(of: 100) { progress.show(trace.name, done, of: total) }
      let next = done % processes
      if moments.remove(done) != nil {
        workers[next].kill()
        workers[next] = try start()
      }
      switch try workers[next].ask(ids[place].rawValue) {
      case ReplayWorkerCommand.hit: hits += 1
      case ReplayWorkerCommand.miss: break
      case let answer: throw BenchError("a worker answered \(answer ?? "nothing") to \(ids[place])")
      }
    }
    return hits
  }
}

extension Memory.OpenOptions {
  /// A cache of at most `entries` entries, of an existing store.
  static func replay(entries: Int) -> Memory.OpenOptions {
    var options = Memory.OpenOptions()
    options.create = false
    options.cache.maximumEntries = entries
    return options
  }
}

extension Memory {
  /// The cache's counters of episodes.
  func countedEpisodes() async throws -> CacheStatistics.Counts {
    let cache = try await statistics().cache
    if let reason = cache.unavailable { throw BenchError("there is no cache: \(reason)") }
    return cache[.episode]
  }
}
