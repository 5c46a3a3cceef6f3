import CRawSQLite
import Episodic
import Foundation
import Synchronization

/// Maintains a large store under writers, and measures how long they wait.
struct MaintainBenchmark {
  private static let stepsOfAnEpisode = 20
  private static let batch = 200
  /// Days over which the episodes are spread.
  private static let days = 400

  let steps: Int
  let seconds: Int
  let seed: UInt64
  let scratch: ScratchDirectory
  private let progress = Progress()

  init(steps: Int, seconds: Int, seed: UInt64, scratch: ScratchDirectory) {
    self.steps = steps
    self.seconds = seconds
    self.seed = seed
    self.scratch = scratch
  }

  @concurrent
  func run() async throws -> Report {
    let probe = try SyncProbe(in: scratch)
    for _ in 0..<32 { try probe.sample() }
    let folder = scratch.path(of: "store")
    let memory = try await Memory.open(at: folder)
    let targets = try await fill(memory)
    let other = try await Memory.open(at: folder)
    let day = Duration.seconds(86_400)
    try await memory.setRetention(RetentionPolicy(archiveAfter: day * 100, deleteArchivedAfter: day * 200))

    let run = MaintenanceWatch()
    let quiet = try await Writers(memory, other, targets, beside: run).run {
      try await Task.sleep(for: .seconds(seconds))
    }
    let before = try size(of: folder)
    let start = raw_now()
    let busy = try await Writers(memory, other, targets, beside: run).run {
      let done = try await memory.maintain { moment in
        run.reports.add(1, ordering: .relaxed)
        run.current.withLock { $0 = moment.task }
        progress.show(moment.task.rawValue, moment.done, of: 0)
      }
      run.tasks.withLock { $0 = done.tasks }
    }
    let elapsed = Double(raw_now() - start) / 1e9
    progress.clear()
    let after = try size(of: folder)
    let tasks = run.tasks.withLock(\.self)
    let statistics = try await memory.statistics().primary
    try await other.close()
    try await memory.close()
    return Report(
      benchmark: "maintain", parameters: ["steps": steps, "seconds": seconds],
      machine: Machine(durability: Memory.Durability.full.rawValue, sync: probe.series),
      rows: [Row(quiet.series, section: "appends"), Row(busy.series, section: "appends")],
      figures: [
        Figure("longest wait without", Double(quiet.longest) / 1e6, "ms"),
        Figure("longest wait beside maintenance", Double(busy.longest) / 1e6, "ms"),
        Figure("maintenance", elapsed, "s"),
        Figure("reports of progress", Double(run.reports.load(ordering: .relaxed)), ""),
        Figure("memory.sqlite before", Double(before) / 1_048_576, "MiB"),
        Figure("memory.sqlite after", Double(after) / 1_048_576, "MiB"),
        Figure("episodes left", Double(statistics.episodes.values.reduce(0, +)), ""),
      ]
        + tasks.map { Figure("task \($0.task.rawValue)", Double($0.milliseconds) / 1000, "s") }
        + busy.longestByTask.sorted { $0.key.rawValue < $1.key.rawValue }.map {
          Figure("longest wait, last report from \($0.key.rawValue)", Double($0.value) / 1e6, "ms")
        },
      ratios: [
        Ratio("longest wait / 100 ms", section: "appends", Double(busy.longest), over: 1e8, target: .atMost(1)),
        Ratio("file after / before", section: "size", Double(after), over: Double(before), target: .atMost(0.9)),
      ],
      notes: tasks.filter { $0.outcome != .done }.map {
        "\($0.task.rawValue): \($0.outcome.rawValue) \($0.reason ?? "")"
      })
  }

  /// - Returns: Active episodes for the writers.
  private func fill(_ memory: Memory) async throws -> [Episode.ID] {
    var workload = Workload(seed: seed)
    let now = Timestamp(Date())
    let count = max(1, steps / Self.stepsOfAnEpisode)
    var made = 0
    while made < count {
      progress.show("filling", made, of: count)
      let batch = workload.episodes(min(Self.batch, count - made), steps: Self.stepsOfAnEpisode).map { episode in
        made += 1
        let age = Int64(Self.days) * 86_400_000 * Int64(count - made) / Int64(count)
        let time = Timestamp(milliseconds: now.milliseconds - age)
        return Episode(
          id: episode.id, taskType: episode.taskType, domain: episode.domain, session: episode.session,
          context: episode.context, status: .completed, successRate: 1, createdAt: time, completedAt: time,
          steps: episode.steps)
      }
      try await memory.insert(batch)
    }
    let targets = workload.episodes(8, steps: 0, status: .active).map(\.id)
    for id in targets {
      _ = try await memory.begin(.init(.testing, domain: "writers", context: "appends", id: id))
    }
    return targets
  }

  private func size(of folder: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: folder + "/memory.sqlite")
    return attributes[.size] as? Int ?? 0
  }
}

/// What a run of maintenance reports.
private final class MaintenanceWatch: Sendable {
  let reports = Atomic(0)
  /// The task that reported last.
  let current = Mutex<MaintenanceTask?>(nil)
  let tasks = Mutex<[MaintenanceReport.Task]>([])
}

/// Two writers that append one step after the other.
private struct Writers {
  struct Outcome: Sendable {
    var series: Series
    var longest: UInt64 = 0
    var longestByTask: [MaintenanceTask: UInt64] = [:]
  }

  private final class Shared: Sendable {
    let isOver = Atomic(false)
    let latencies = Mutex<[(nanoseconds: UInt64, task: MaintenanceTask?)]>([])
  }

  let memories: [Memory]
  let targets: [Episode.ID]
  let watch: MaintenanceWatch

  init(_ first: Memory, _ second: Memory, _ targets: [Episode.ID], beside watch: MaintenanceWatch) {
    memories = [first, second]
    self.targets = targets
    self.watch = watch
  }

  func run(_ body: () async throws -> Void) async throws -> Outcome {
    let shared = Shared()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (place, memory) in memories.enumerated() {
        group.addTask {
          var mine: [(nanoseconds: UInt64, task: MaintenanceTask?)] = []
          var number = 0
          while !shared.isOver.load(ordering: .relaxed) {
            let start = raw_now()
            try await memory.append(
              Step.Draft("step \(number)", result: "passed"), to: targets[(2 * number + place) % targets.count])
            mine.append((raw_now() - start, watch.current.withLock(\.self)))
            number += 1
            // An agent thinks between two steps.
            try await Task.sleep(for: .milliseconds(2))
          }
          shared.latencies.withLock { $0 += mine }
        }
      }
      do {
        try await body()
      } catch {
        shared.isOver.store(true, ordering: .relaxed)
        throw error
      }
      shared.isOver.store(true, ordering: .relaxed)
      try await group.waitForAll()
    }
    var outcome = Outcome(series: Series("append", "memory.append of one step by two writers, 2 ms apart"))
    for (latency, task) in shared.latencies.withLock(\.self) {
      outcome.series.record(nanoseconds: latency)
      outcome.longest = max(outcome.longest, latency)
      if let task { outcome.longestByTask[task] = max(outcome.longestByTask[task] ?? 0, latency) }
    }
    return outcome
  }
}
