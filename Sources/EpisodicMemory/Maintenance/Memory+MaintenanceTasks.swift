import FileLocks

/// A task of maintenance: when it is due, and what it does.
struct MaintenanceJob: Sendable {
  let task: MaintenanceTask
  /// From one start to the next. `.zero`: with every run, and nothing is recorded of it, so that an idle store is not written.
  let interval: Duration
  /// Whether it can say in a dry run what it would do.
  var runsDry = false
  /// Whether there is something to do, for a dry run; `nil`: whenever it is due.
  var isNeeded: (@Sendable (Memory) async throws(MemoryError) -> Bool)?
  /// Works in slices, see `inSlices`, and throws `.cancelled` between them.
  let run: @Sendable (Memory, MaintenanceRun) async throws(MemoryError) -> MaintenanceResult
}

extension Memory {
  private static let hour = Duration.seconds(3600)
  private static let day = Duration.seconds(86_400)

  /// The tasks in the order of a run: what deletes comes before what gives space back.
  static let maintenanceJobs: [MaintenanceJob] = [
    MaintenanceJob(
      task: .erasures, interval: .zero,
      isNeeded: { memory throws(MemoryError) in try await !memory.primary.receipts(unfinished: true).isEmpty }
    ) { memory, run throws(MemoryError) in
      let receipts = try await memory.resumeErasures()
      return MaintenanceResult(
        ["cleaned": receipts.count { $0.pending == nil }], obstacle: receipts.compactMap(\.pending).first)
    },
    MaintenanceJob(task: .retention, interval: hour, runsDry: true) { memory, run throws(MemoryError) in
      try await memory.maintainRetention(run)
    },
    MaintenanceJob(task: .keys, interval: hour) { memory, run throws(MemoryError) in
      let slice = try await memory.inSlices(.idempotencyKeys, amount: 1000, maximum: 10_000, run)
      return MaintenanceResult(["deleted": slice.done])
    },
    MaintenanceJob(task: .words, interval: hour) { memory, run throws(MemoryError) in
      let slice = try await memory.inSlices(.addedWords, amount: 64, maximum: 1000, run)
      return MaintenanceResult(["rows": slice.done])
    },
    MaintenanceJob(task: .cache, interval: hour) { memory, run throws(MemoryError) in
      try await memory.maintainCache(run)
    },
    MaintenanceJob(task: .index, interval: hour) { memory, run throws(MemoryError) in
      let isDone = try await memory.follower.follow()
      return MaintenanceResult(obstacle: isDone ? nil : "the index has not caught up")
    },
    MaintenanceJob(task: .feed, interval: hour) { memory, run throws(MemoryError) in
      let slice = try await memory.inSlices(.feed(applied: memory.appliedRevision), amount: 1000, maximum: 20_000, run)
      return MaintenanceResult(["deleted": slice.done])
    },
    MaintenanceJob(task: .text, interval: day) { memory, run throws(MemoryError) in try await memory.mergeTexts(run) },
    MaintenanceJob(task: .statistics, interval: day) { memory, run throws(MemoryError) in
      try await memory.updateStatistics(run)
    },
    MaintenanceJob(task: .files, interval: day) { memory, run throws(MemoryError) in
      let slice = try await memory.inSlices(.temporaryFiles, amount: 1, maximum: 1, run)
      return MaintenanceResult(["removed": slice.done])
    },
    MaintenanceJob(task: .vacuum, interval: day) { memory, run throws(MemoryError) in
      let slice = try await memory.inSlices(.vacuum, amount: 1, maximum: 1, run)
      return MaintenanceResult(["bytes": slice.done], obstacle: slice.obstacle)
    },
    MaintenanceJob(task: .pages, interval: hour) { memory, run throws(MemoryError) in
      let slice = try await memory.inSlices(.freePages, amount: 32, maximum: 256, run)
      return MaintenanceResult(["pages": slice.done], obstacle: slice.obstacle)
    },
    MaintenanceJob(
      task: .log, interval: .zero, isNeeded: { memory throws(MemoryError) in try memory.primary.hasLongLog() }
    ) { memory, run throws(MemoryError) in
      let slice = try await memory.inSlices(.log, amount: 1, maximum: 1, run)
      return MaintenanceResult(["bytes": slice.done], obstacle: slice.obstacle)
    },
    MaintenanceJob(
      task: .backup, interval: .zero, runsDry: true,
      isNeeded: { memory throws(MemoryError) in try await memory.dueBackup() != nil }
    ) { memory, run throws(MemoryError) in
      try await memory.backUpIfDue(run)
    },
  ]

  private func dueBackup() async throws(MemoryError) -> BackupSchedule? {
    guard let schedule = try await backupSchedule(), schedule.isDue(after: try await backups(), at: clock.now()) else {
      return nil
    }
    return schedule
  }

  private func backUpIfDue(_ run: MaintenanceRun) async throws(MemoryError) -> MaintenanceResult {
    guard let schedule = try await dueBackup() else { return MaintenanceResult() }
    if let obstacle = try await primary.obstacle(toBackup: schedule.options) {
      return MaintenanceResult(obstacle: obstacle)
    }
    if run.options.isDryRun { return MaintenanceResult(["backups": 1]) }
    _ = try await backUp(options: BackupOptions(compression: schedule.options.compression)) { _ in run.report(done: 1) }
    let removed = try await pruneBackups(options: schedule.options)
    return MaintenanceResult(["backups": 1, "removed": removed.count])
  }

  private func maintainRetention(_ run: MaintenanceRun) async throws(MemoryError) -> MaintenanceResult {
    let report = try await applyRetention(in: .everything, dryRun: run.options.isDryRun, acceptingClock: false) {
      (done, held) throws(MemoryError) in
      run.report(done: done)
      try await letWritersGoFirst(after: held)
    }
    if report.episodes > 0 { run.noteDeletions(of: Double(report.deleted) / Double(report.episodes)) }
    var counts = Dictionary(uniqueKeysWithValues: report.counts.map { ($0.rawValue, $1) })
    counts["kept"] = report.kept
    counts["finished"] = report.finished
    return MaintenanceResult(counts, obstacle: report.clockDoubt)
  }

  private func maintainCache(_ run: MaintenanceRun) async throws(MemoryError) -> MaintenanceResult {
    try await recordCacheHours()
    let cache = cache
    var expired = 0
    while true {
      try MemoryError.throwIfCancelled()
      let removed = try await BlockingWork.shared.run { () throws(MemoryError) in cache.maintain() }
      guard let removed else {
        return MaintenanceResult(["expired": expired], obstacle: "another process keeps the cache locked")
      }
      expired += removed
      run.report(done: removed)
      if removed == 0 { return MaintenanceResult(["expired": expired]) }
      try await MaintenanceRun.pause(after: .zero)
    }
  }

  /// What cache and index have applied of the feed; `nil` if there is neither.
  private var appliedRevision: Int64? {
    let cached = cache.isAvailable ? cache.watermark()?.revision : nil
    let statistics = index.statistics()
    let indexed = statistics.isBuilt ? statistics.watermark?.revision : nil
    return [cached, indexed].compactMap(\.self).min()
  }

  private func updateStatistics(_ run: MaintenanceRun) async throws(MemoryError) -> MaintenanceResult {
    var table = 0
    while true {
      try MemoryError.throwIfCancelled()
      let slice = try await primary.maintain(.statistics(table: table), amount: 1, at: clock.now())
      run.report(done: slice.done)
      if slice.isComplete { return MaintenanceResult() }
      table += 1
      try await letWritersGoFirst(after: slice.held)
    }
  }

  private func mergeTexts(_ run: MaintenanceRun) async throws(MemoryError) -> MaintenanceResult {
    let mergesAll = run.options.isFull || run.hasDeletedMuch
    var pages = 0
    for text in TextIndex.allCases {
      if mergesAll {
        let first = try await primary.maintain(.mergeText(text, begins: true), amount: 16, at: clock.now())
        pages += first.done
        run.report(done: first.done)
        try await letWritersGoFirst(after: first.held)
      }
      pages += try await inSlices(.mergeText(text, begins: false), amount: 64, maximum: 256, run).done
    }
    return MaintenanceResult(["pages": pages])
  }
}
