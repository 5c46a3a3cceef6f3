import FileLocks

extension Memory {
  /// Does what is due: retention, expired entries, feed, full text, free pages, the log; see the page Maintenance.
  ///
  /// Works in slices of some 20 ms and pauses in between: a writer waits about 100 ms for it at most, in a store of a million
  /// steps; longer with `options.isFull`. One process maintains a store at a time; a second one returns at once, and its report
  /// says who does it. A run that is cancelled or killed leaves a store that the next run goes on with. An error ends one task
  /// and not the run.
  ///
  /// - Parameter progress: Called after each slice.
  /// - Throws: `.readOnly`; `.cancelled`; `.busy`, `.corrupted` or `.unavailable` if no task could run.
  @discardableResult
  public func maintain(
    _ options: MaintenanceOptions = .init(), progress: @escaping @Sendable (MaintenanceProgress) -> Void = { _ in }
  ) async throws(MemoryError) -> MaintenanceReport {
    try await span("maintain") { () async throws(MemoryError) in
      let startedAt = clock.now()
      let release: @Sendable () -> Void
      switch try await primary.leaseMaintenance() {
      case .taken(let pid): return MaintenanceReport(isHeld: true, holder: pid, startedAt: startedAt)
      case .held(let free): release = free
      }
      defer { release() }
      let records = try await primary.maintenanceRecords()
      let run = MaintenanceRun(startedAt: startedAt, options: options, records: records, progress: progress)
      var tasks: [MaintenanceReport.Task] = []
      for job in Self.maintenanceJobs where run.considers(job.task) {
        tasks.append(try await perform(job, run))
      }
      try await run.writeRecords(to: primary)
      // Its transactions are many; what they delete or change by policy has records of its own.
      let worked = tasks.filter { $0.outcome == .failed || !$0.counts.isEmpty }
      if !options.isDryRun, !worked.isEmpty {
        try await primary.note(
          AuditVerb.maintain, ["tasks": worked.count, "failed": worked.count { $0.outcome == .failed }])
      }
      return MaintenanceReport(tasks: tasks, startedAt: startedAt)
    }
  }

  private func perform(_ job: MaintenanceJob, _ run: MaintenanceRun) async throws(MemoryError) -> MaintenanceReport.Task
  {
    let lastFailure = run.lastFailure(of: job.task)
    func notRun(_ outcome: MaintenanceReport.Outcome, _ reason: String? = nil) -> MaintenanceReport.Task {
      MaintenanceReport.Task(task: job.task, outcome: outcome, reason: reason, lastFailure: lastFailure)
    }
    if let next = run.nextDue(job.task, every: job.interval) { return notRun(.notDue, "due at \(next)") }
    if run.isLocked { return notRun(.postponed, "another process keeps the store locked") }
    run.begin(job.task)
    let begin = ContinuousClock.now
    let result: MaintenanceResult
    do throws(MemoryError) {
      if run.options.isDryRun {
        if let isNeeded = job.isNeeded, try await !isNeeded(self) { return notRun(.notDue, "there is nothing to do") }
        if !job.runsDry { return notRun(.due) }
      }
      result = try await job.run(self, run)
    } catch  where error.code == .cancelled || error.code == .closed {
      throw error
    } catch {
      if error.code == .busy { run.noteLocked() }
      result = MaintenanceResult(failure: error.message)
    }
    let took = ContinuousClock.now - begin
    observer.maintained?(job.task.rawValue, took, result.failure != nil)
    let milliseconds = Int(took / .milliseconds(1))
    let counts = result.counts.filter { $0.value != 0 }
    let outcome: MaintenanceReport.Outcome =
      result.failure != nil ? .failed : run.options.isDryRun ? .due : result.obstacle != nil ? .postponed : .done
    let task = MaintenanceReport.Task(
      task: job.task, outcome: outcome, counts: counts, reason: result.failure ?? result.obstacle,
      milliseconds: milliseconds, lastFailure: lastFailure)
    // Of what runs each time, only a failure and its end are kept, so that an idle store is not written.
    let isNews = job.interval > .zero || outcome == .failed || lastFailure != nil
    if isNews, !run.options.isDryRun { try await run.note(task, at: clock.now(), in: primary) }
    return task
  }

  /// The tasks whose last run failed, by name.
  package func failedMaintenance() async throws(MemoryError) -> [(task: String, failure: MaintenanceReport.Failure)] {
    try await primary.maintenanceRecords().compactMap { record in record.failure.map { (record.task, $0) } }
  }

  /// Does a piece of work of the primary in slices, and lets writers go first in between.
  ///
  /// - Parameter amount: Of the first slice.
  func inSlices(
    _ work: MaintenanceWork, amount: Int, maximum: Int, _ run: MaintenanceRun
  ) async throws(MemoryError) -> MaintenanceSlice {
    var size = SliceSize(amount, maximum: maximum)
    var total = MaintenanceSlice()
    while true {
      try MemoryError.throwIfCancelled()
      let begin = ContinuousClock.now
      let slice = try await primary.maintain(work, amount: size.amount, at: clock.now())
      total.done += slice.done
      total.obstacle = slice.obstacle
      total.held = max(total.held, slice.held)
      run.report(done: slice.done)
      if slice.isComplete { return total }
      size.adapt(to: slice.held)
      try await letWritersGoFirst(after: ContinuousClock.now - begin)
    }
  }

  /// Pauses for as long as a slice and what followed its commit held writers up.
  func letWritersGoFirst(after held: Duration) async throws(MemoryError) {
    let begin = ContinuousClock.now
    await primary.settle()
    try await MaintenanceRun.pause(after: held + (ContinuousClock.now - begin))
  }
}
