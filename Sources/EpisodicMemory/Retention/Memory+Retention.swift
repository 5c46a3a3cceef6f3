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

  /// Applies the policies of retention, in slices that no writer waits longer than 100 ms for.
  ///
  /// A clock that has jumped ahead is not believed, and then rules that depend on it do nothing: `clockDoubt` says so.
  ///
  /// - Parameter dryRun: Whether only to say what would be done.
  /// - Parameter acceptingClock: Whether to believe the clock.
  /// - Throws: `.corrupted` for policies of a newer version; `.cancelled`, when a part has been done.
  @discardableResult
  public func applyRetention(
    dryRun: Bool = false, acceptingClock: Bool = false
  ) async throws(MemoryError) -> RetentionReport {
    try await applyRetention(in: .everything, dryRun: dryRun, acceptingClock: acceptingClock)
  }

  /// - Parameter pause: Called between slices with how long the last one took.
  func applyRetention(
    in scope: Query.Scope, dryRun: Bool, acceptingClock: Bool,
    _ between: (_ done: Int, _ held: Duration) async throws(MemoryError) -> Void = { (_, held) throws(MemoryError) in
      do { try await Task.sleep(for: held) } catch { throw .cancelledTask }
    }
  ) async throws(MemoryError) -> RetentionReport {
    var report = RetentionReport(isDryRun: dryRun)
    let policies = try await retention()
    if !dryRun { try await finishDeletion(between) }
    guard !policies.all.isEmpty else { return report }
    let now = clock.now()
    report.clockDoubt = try await doubt(policies, now, dryRun: dryRun, accepting: acceptingClock)
    let plan = try await retentionPlan(policies, in: scope, at: now, usesAges: report.clockDoubt == nil)
    report.episodes = plan.episodes
    report.kept = plan.kept
    guard !dryRun else {
      for decision in plan.decisions { report.note(decision) }
      return report
    }
    var rest = plan.decisions[...]
    while !rest.isEmpty {
      try MemoryError.throwIfCancelled()
      let begin = ContinuousClock.now
      let slice = try await apply(rest, in: scope, at: now)
      for (decision, outcome) in zip(rest, slice.outcomes) where outcome == .applied { report.note(decision) }
      let done = slice.outcomes.count { $0 != .partly }
      rest = rest.dropFirst(done)
      // What is left of an episode with many steps has been archived meanwhile.
      if slice.outcomes.last == .partly, let first = rest.indices.first { rest[first].record.status = .archived }
      follower.noteChanges(done)
      if !rest.isEmpty { try await between(done, ContinuousClock.now - begin) }
    }
    return report
  }

  // MARK: Planning

  private static let recordsAtOnce = 1000

  private func retentionPlan(
    _ policies: RetentionPolicies, in scope: Query.Scope, at now: Timestamp, usesAges: Bool
  ) async throws(MemoryError) -> RetentionPlan {
    var plan = RetentionPlan(policies, at: now, usesAges: usesAges)
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

  private func doubt(
    _ policies: RetentionPolicies, _ now: Timestamp, dryRun: Bool, accepting: Bool
  ) async throws(MemoryError) -> String? {
    guard policies.all.contains(where: \.hasAges) else { return nil }
    let stored = RetentionClock(json: try await primary.setting(RetentionClock.setting))
    var retentionClock: RetentionClock
    if let stored {
      retentionClock = stored
    } else {
      guard let newest = try await primary.domains().map(\.lastActivity).max() else { return nil }
      retentionClock = RetentionClock(newest: newest)
    }
    let doubt = retentionClock.judge(now, isAccepted: accepting)
    if !dryRun, retentionClock != stored {
      try await primary.set(RetentionClock.setting, to: retentionClock.json, at: now)
    }
    return doubt
  }

  // MARK: Applying

  private struct RetentionSlice: Sendable {
    var outcomes: [RetentionOutcome] = []
    var held = Duration.zero
  }

  /// As many decisions as fit into a slice, at least one.
  private func apply(
    _ decisions: ArraySlice<RetentionDecision>, in scope: Query.Scope, at now: Timestamp
  ) async throws(MemoryError) -> RetentionSlice {
    let next = Array(decisions.prefix(256))
    return try await primary.write(in: scope) { transaction throws(MemoryError) in
      let begin = ContinuousClock.now
      var slice = RetentionSlice()
      for decision in next {
        let outcome = try transaction.apply(decision, at: now)
        slice.outcomes.append(outcome)
        slice.held = ContinuousClock.now - begin
        if outcome == .partly || slice.held >= SliceSize.target { break }
      }
      return slice
    }
  }

  /// Goes on with an episode of many steps whose deletion was cut short.
  private func finishDeletion(
    _ between: (_ done: Int, _ held: Duration) async throws(MemoryError) -> Void
  ) async throws(MemoryError) {
    guard case .string(let id)? = try await primary.setting(RetentionDecision.unfinishedSetting) else { return }
    while true {
      try MemoryError.throwIfCancelled()
      let (outcome, held) = try await primary.write(in: .everything) { transaction throws(MemoryError) in
        let begin = ContinuousClock.now
        return (try transaction.finishDeletion(of: Episode.ID(id)), ContinuousClock.now - begin)
      }
      guard outcome == .partly else { return }
      try await between(0, held)
    }
  }
}

extension RetentionDecision {
  /// The id of an episode of which some steps have been deleted already.
  package static let unfinishedSetting = "retention.deleting"
}
