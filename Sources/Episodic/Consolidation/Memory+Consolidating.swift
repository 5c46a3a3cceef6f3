public import AgentLedger
public import EpisodicMemory

extension Memory {
  /// Makes an episode of each run of a ledger that has ended and is none yet, and a pattern of each selector of which signals have come.
  ///
  /// A run becomes one episode, once (I7), which has the run's id: task type, domain and session of the run or its task; its
  /// prompts and tool calls are the steps, in their order. An episode that is deleted afterwards does not come back. Killed
  /// anywhere, the next call goes on.
  ///
  /// A selector becomes a pattern of the type `optimization` in the domain of its signals, with its success rate, and in its
  /// metadata the counts of the signals that the ledger has.
  ///
  /// - Parameter ledger: Beside this memory, or another.
  /// - Returns: What became of them; a run that cannot become an episode is named and stays as it is, such as one of an encrypted domain
  ///   if the memory was opened without the key.
  /// - Throws: `.unavailable`, `.busy` and other states of the two files; `.keyMissing` if the selectors of an encrypted domain wait for
  ///   its key. What was done until then is done.
  @discardableResult
  public func consolidate(_ ledger: Ledger) async throws(MemoryError) -> ConsolidationReport {
    var report = ConsolidationReport()
    var refused: Set<Ledger.Run.ID> = []
    while true {
      let runs = try await ledger.unconsolidatedRuns(limit: refused.count + Self.runsAtOnce)
      let next = runs.filter { !refused.contains($0.id) }
      guard !next.isEmpty else { break }
      for run in next {
        do throws(MemoryError) {
          try await consolidate(run, of: ledger, &report)
        } catch {
          guard Self.isOfTheRun(error) else { throw error }
          refused.insert(run.id)
          report.failures.append(ConsolidationReport.Failure(run: run.id, reason: error.message))
        }
      }
    }
    while let (selectors, last) = try await ledger.signalledSelectors(limit: Self.signalsAtOnce) {
      var obstacle: MemoryError?
      for selector in selectors {
        do throws(MemoryError) {
          try await record(selector, of: ledger, &report)
        } catch {
          guard Self.isOfTheKey(error) else { throw error }
          obstacle = error
        }
      }
      // They are all taken up again: what is recorded twice is the same pattern.
      if let obstacle { throw obstacle }
      try await ledger.notePatterns(upTo: last)
    }
    return report
  }

  private static let signalsAtOnce = 10_000

  /// Brings the pattern of a selector up to date: how often it was tried, and how often it worked.
  private func record(
    _ signalled: Ledger.SignalledSelector, of ledger: Ledger, _ report: inout ConsolidationReport
  ) async throws(MemoryError) {
    guard
      let rate = try await ledger.selectorRate(of: signalled.selector, type: signalled.type, in: signalled.domain)
    else { return }
    _ = try await record(
      Pattern.Draft(
        .optimization,
        data: [
          "kind": "selector", "selector_type": .string(signalled.type.rawValue),
          "selector": .string(signalled.selector),
        ],
        domain: signalled.domain, successRate: rate.successRate,
        metadata: ["count": .integer(Int64(rate.count)), "successes": .integer(Int64(rate.successes))]))
    report.patterns += 1
  }

  private static let runsAtOnce = 100
  private static let entriesAtOnce = 1000

  /// Whether another run may do better.
  private static func isOfTheRun(_ error: MemoryError) -> Bool {
    error.code == .conflict || error.code == .invalid || error.code == .limitExceeded || isOfTheKey(error)
  }

  /// Whether the domain is encrypted, and cannot be written into: others can.
  private static func isOfTheKey(_ error: MemoryError) -> Bool {
    error.code == .keyMissing || error.code == .keyWrong || error.code == .keyDestroyed
  }

  private func consolidate(
    _ run: Ledger.Run, of ledger: Ledger, _ report: inout ConsolidationReport
  ) async throws(MemoryError) {
    var task: Ledger.Task?
    if let id = run.task { task = try await ledger.task(id) }
    var agent: Ledger.Agent?
    if let id = run.agent { agent = try await ledger.agent(id) }
    var made = EpisodeOfRun(run, of: task, by: agent, fieldBytes: limits.fieldBytes)
    var position = 0
    while true {
      let entries = try await ledger.entries(of: run.id, after: position, limit: Self.entriesAtOnce)
      made.add(entries)
      guard entries.count == Self.entriesAtOnce, let last = entries.last else { break }
      position = last.position
    }
    switch try await consolidate(made.episode) {
    case .inserted: report.episodes.append(Episode.ID(run.id.rawValue))
    case .known: report.known += 1
    case .erased:
      try await ledger.erase(runs: [run.id])
      report.erased += 1
      return
    }
    try await ledger.noteConsolidated(run.id)
  }
}
