extension Memory {
  /// The policies of retention. They are kept in the store, so that every process that maintains it follows them.
  public func retention() async throws(MemoryError) -> RetentionPolicies {
    try RetentionPolicies(json: try await primary.setting(RetentionPolicies.setting))
  }

  /// Sets the policy of a domain, or that of all domains without one of their own. Nothing is deleted before the policies are
  /// applied: by `maintain` or `applyRetention`.
  ///
  /// - Parameter policy: `nil` removes it.
  /// - Parameter domain: `nil` for the standard policy.
  /// - Parameter allowingUnknownDomain: Whether the domain may be one that has no episode yet.
  /// - Throws: `.invalid` for rules that make no sense or contradict each other; `.notFound` for a domain without an episode.
  public func setRetention(
    _ policy: RetentionPolicy?, for domain: String? = nil, allowingUnknownDomain: Bool = false
  ) async throws(MemoryError) {
    try policy?.validate()
    if let domain { try validation.name(domain, "domain") }
    let name = domain?.canonicallyComposed
    if policy != nil, !allowingUnknownDomain, let name {
      guard try await primary.domains().contains(where: { $0.name == name }) else {
        throw MemoryError(
          .notFound,
          "no episode is in the domain \"\(name.shortened(to: 60))\"; correct the name, or allow unknown domains")
      }
    }
    try await primary.changeSetting(RetentionPolicies.setting, at: clock.now()) { stored throws(MemoryError) in
      var policies = try RetentionPolicies(json: stored)
      if let name { policies.domains[name] = policy } else { policies.standard = policy }
      return policies == RetentionPolicies() ? Optional.none : policies.json
    }
  }

  /// Removes all policies, also such that cannot be read: then everything is kept.
  public func removeRetention() async throws(MemoryError) {
    try await primary.set(RetentionPolicies.setting, to: nil, at: clock.now())
  }

  /// Applies the policies of retention, in slices that a writer waits about 100 ms for at most.
  ///
  /// A clock that has jumped ahead is not believed: rules whose ages are too short for that wait, and `clockDoubt` says so.
  ///
  /// - Parameter dryRun: Whether only to say what would be done.
  /// - Parameter acceptingClock: Whether to believe the clock, from now on in all domains; by a handle of one domain, this time.
  /// - Throws: `.corrupted` for policies of a newer version; `.cancelled`, when a part has been done.
  @discardableResult
  public func applyRetention(
    dryRun: Bool = false, acceptingClock: Bool = false
  ) async throws(MemoryError) -> RetentionReport {
    try await applyRetention(in: .everything, dryRun: dryRun, acceptingClock: acceptingClock)
  }

  /// Pauses for as long as each slice and what follows its commit.
  func applyRetention(
    in scope: Query.Scope, dryRun: Bool, acceptingClock: Bool
  ) async throws(MemoryError) -> RetentionReport {
    try await applyRetention(in: scope, dryRun: dryRun, acceptingClock: acceptingClock) { _, held throws(MemoryError) in
      try await letWritersGoFirst(after: held)
    }
  }

  /// - Parameter between: Called between slices with how long the last one took.
  func applyRetention(
    in scope: Query.Scope, dryRun: Bool, acceptingClock: Bool,
    _ between: (_ done: Int, _ held: Duration) async throws(MemoryError) -> Void
  ) async throws(MemoryError) -> RetentionReport {
    var report = RetentionReport(isDryRun: dryRun)
    let policies = try await retention()
    if !dryRun, try await primary.hasDeletedRows() {
      try await mergeTextBesideDeletions()
      let finished = try await sweepDeleted { done, held throws(MemoryError) in
        try await between(done, held)
        try await mergeTextBesideDeletions()
      }
      // Of which domain they were is not known any more (I8).
      if scope == .everything { report.finished = finished }
    }
    let now = clock.now()
    // Also without a policy, so that the time is counted until there is one. Who has one domain accepts the clock for that one
    // alone.
    var clock = try await primary.lookAtClock(
      at: now, isAccepted: acceptingClock && scope == .everything, isDryRun: dryRun)
    if acceptingClock { clock.accept(now) }
    if !policies.all.isEmpty {
      report.clockDoubt = clock.doubt(
        ofAges: policies.ages(in: scope),
        // For one domain it does not say when others were active (I8).
        tellsTime: scope == .everything)
      let plan = try await retentionPlan(policies, in: scope, at: now, by: clock)
      report.episodes = plan.episodes
      report.kept = plan.kept
      if dryRun {
        for decision in plan.decisions { report.note(decision) }
      } else {
        try await apply(plan.decisions, in: scope, at: now, noting: &report, between)
      }
    }
    if !dryRun {
      // Whatever was deleted: an earlier run may have been cut short.
      _ = try await primary.maintain(.letInsertsMergeText, amount: 1, at: now)
    }
    return report
  }

  // MARK: Planning

  private static let recordsAtOnce = 1000

  private func retentionPlan(
    _ policies: RetentionPolicies, in scope: Query.Scope, at now: Timestamp, by clock: RetentionClock
  ) async throws(MemoryError) -> RetentionPlan {
    var plan = RetentionPlan(policies, at: now, by: clock)
    // The texts of all episodes are no larger than the files that they are in.
    var measures = false
    if let limit = policies.all.compactMap(\.maximumBytes).min() {
      measures = try await primary.statistics().bytes > limit
    }
    var last: Int64 = 0
    while true {
      try MemoryError.throwIfCancelled()
      let records = try await primary.retentionRecords(
        in: scope, after: last, limit: Self.recordsAtOnce, measuresBytes: measures)
      guard let end = records.last?.row else { break }
      last = end
      for record in records { plan.add(record) }
    }
    plan.applyLimits()
    return plan
  }

  // MARK: Applying

  private func apply(
    _ decisions: [RetentionDecision], in scope: Query.Scope, at now: Timestamp, noting report: inout RetentionReport,
    _ between: (_ done: Int, _ held: Duration) async throws(MemoryError) -> Void
  ) async throws(MemoryError) {
    let deletes = decisions.contains { $0.action == .delete }
    if deletes { try await mergeTextBesideDeletions() }
    var rest = decisions[...]
    while !rest.isEmpty {
      try MemoryError.throwIfCancelled()
      let begin = ContinuousClock.now
      let outcomes = try await apply(rest, in: scope, at: now)
      for (decision, outcome) in zip(rest, outcomes) where outcome != .moot { report.note(decision) }
      rest = rest.dropFirst(outcomes.count)
      follower.noteChanges(outcomes.count)
      if !rest.isEmpty || outcomes.last == .begun { try await between(outcomes.count, ContinuousClock.now - begin) }
      if deletes { try await mergeTextBesideDeletions() }
      guard outcomes.last == .begun else { continue }
      _ = try await sweepDeleted { done, held throws(MemoryError) in
        try await between(done, held)
        try await mergeTextBesideDeletions()
      }
    }
  }

  /// As many decisions as fit into a slice, at least one. After one that begins a deletion the rest of that is to be swept.
  private func apply(
    _ decisions: ArraySlice<RetentionDecision>, in scope: Query.Scope, at now: Timestamp
  ) async throws(MemoryError) -> [RetentionOutcome] {
    let next = Array(decisions.prefix(256))
    return try await primary.write(in: scope) { transaction throws(MemoryError) in
      let begin = ContinuousClock.now
      var outcomes: [RetentionOutcome] = []
      for decision in next {
        let outcome = try transaction.apply(decision, at: now)
        outcomes.append(outcome)
        if outcome == .begun || ContinuousClock.now - begin >= SliceSize.target { break }
      }
      return outcomes
    }
  }

  /// Deletes what episodes left that were deleted without all of their steps, by this process or by one that was killed.
  ///
  /// - Parameter between: Called between slices with how long the last one took.
  /// - Returns: How many episodes have no row left now.
  func sweepDeleted(
    _ between: (_ done: Int, _ held: Duration) async throws(MemoryError) -> Void
  ) async throws(MemoryError) -> Int {
    guard try await primary.hasDeletedRows() else { return 0 }
    var finished = 0
    while true {
      try MemoryError.throwIfCancelled()
      let begin = ContinuousClock.now
      let sweep = try await primary.write(in: .everything) { transaction throws(MemoryError) in
        try transaction.sweepDeleted()
      }
      if sweep == .nothing { return finished }
      if sweep == .finished { finished += 1 }
      follower.noteChanges(1)
      try await between(0, ContinuousClock.now - begin)
    }
  }

  // MARK: Merging full text

  /// Enough for what a slice of deletions writes, again for each level. A merge of large segments takes more, and goes on after
  /// the next deletions.
  private static let mergesAtOnce = 8
  private static let mergedPages = 8

  /// Merges full text before the first slice that deletes episodes and after each, in slices of its own: neither a deletion nor
  /// an append beside it does it in one piece.
  private func mergeTextBesideDeletions() async throws(MemoryError) {
    for _ in 0..<Self.mergesAtOnce {
      try MemoryError.throwIfCancelled()
      let begin = ContinuousClock.now
      let slice = try await primary.maintain(.mergeTextBesideDeletions, amount: Self.mergedPages, at: clock.now())
      try await letWritersGoFirst(after: ContinuousClock.now - begin)
      if slice.isComplete { return }
    }
  }
}
