import FileLocks
public import Learning

extension Memory {
  /// Mines finished episodes for patterns that go with more successes, or fewer, than chance explains, and keeps them as patterns of
  /// the domains in which they occur.
  ///
  /// What runs are counted by is the agent (`agent`, `model` or `run` in the metadata), the domain and the task (`task` or `task_id`
  /// in the metadata, else the context). A run succeeded if its episode was completed; see `options`. Archived and quarantined
  /// episodes say nothing. Counts are pooled over domains; nothing else of one is seen in another (I8).
  ///
  /// First the traces of runs are brought up to date, in transactions of some 20 ms; a run that is cancelled or killed is gone on
  /// with by the next. Several processes may learn at once: each keeps what it found in one transaction.
  ///
  /// - Parameter progress: Called with the share that is done, 0...1.
  /// - Complexity: O(*s* · *f*), *s* the steps of all runs, at most two million, *f* the shuffles; about a second for 20,000 episodes.
  /// - Throws: `.invalid` for an option out of its range; `.cancelled`; `.readOnly`.
  @discardableResult
  public func learn(
    _ options: LearningOptions = LearningOptions(), progress: @escaping @Sendable (Double) -> Void = { _ in }
  ) async throws(MemoryError) -> LearningResult {
    try await span("learn") { () async throws(MemoryError) in
      try validation.learning(options)
      try await followRuns()
      let kept = try await primary.traces(maximumSteps: options.maximumCells)
      let known = try await primary.learnedPlaces()
      let keys = Dictionary(
        known.compactMap { place in place.key.map { (place.pattern, $0) } }, uniquingKeysWith: { first, _ in first })
      var history: Learner.History = [:]
      for place in known {
        guard let key = place.key else { continue }
        history[key] = min(history[key] ?? .max, place.foundThrough)
      }
      let records = try await primary.adviceRecords()
      let advised = Set(
        records.filter { !$0.isRandomised && $0.taken != false }.compactMap { record in
          keys[record.pattern].map { Learner.Advised(run: FinishedRun.digest(of: record.episode), key: $0) }
        })
      let runs = kept.map { $0.trace.judged(by: options) }
      let (earlier, excluded) = (history, advised)
      let learner = try await BlockingWork.shared.run(orThrow: Self.learningCancelled) {
        cancellation throws(MemoryError) in
        guard
          let learner = Learner(
            runs, history: earlier, advised: excluded, options: options, isCancelled: { cancellation.isCancelled },
            progress: progress)
        else { throw Self.learningCancelled }
        return learner
      }
      let forgotten = try await keep(learner.patterns, of: kept, history)
      if options != (try await lastOptions()) {
        try await primary.set(Self.optionsSetting, to: options.json, at: clock.now())
      }
      progress(1)
      return LearningResult(
        patterns: learner.patterns, report: learner.report, forgotten: forgotten,
        experiment: try await primary.adviceExperiment())
    }
  }

  /// How the last learning was done, so that it can be repeated.
  private static let optionsSetting = "learning"

  private func lastOptions() async throws(MemoryError) -> LearningOptions {
    LearningOptions(json: try await primary.setting(Self.optionsSetting) ?? [:])
  }

  /// Takes what was erased out of the numbers of learned patterns: learns again, or, if that fails, forgets all of them.
  func learnAgain() async throws(MemoryError) {
    guard try await !primary.learnedPlaces().isEmpty else { return }
    do throws(MemoryError) {
      try await learn(try await lastOptions())
    } catch {
      _ = try await primary.write(in: .everything) { transaction throws(MemoryError) in
        try transaction.keepLearned([])
      }
    }
  }

  private static let learningCancelled = MemoryError(.cancelled, "learning was cancelled; nothing of it is kept")

  /// Brings the traces up to date with the episodes.
  package func followRuns() async throws(MemoryError) {
    while true {
      if Task.isCancelled { throw Self.learningCancelled }
      let progress = try await primary.followRuns(limit: 100) { $0.trace.encoded }
      if progress.isComplete { return }
    }
  }

  /// Replaces what an earlier learning found.
  ///
  /// - Returns: How many patterns are gone.
  private func keep(
    _ learned: [LearnedPattern], of kept: [KeptTrace], _ history: Learner.History
  ) async throws(MemoryError) -> Int {
    let now = clock.now()
    let episodes = Dictionary(
      kept.map { ($0.trace.run, (id: $0.episode, domain: $0.trace.domain)) }, uniquingKeysWith: { first, _ in first })
    let through = kept.map(\.trace.time).max() ?? 0
    var rows: [LearnedRow] = []
    for pattern in learned {
      for domain in pattern.byDomain.keys.sorted() {
        func linked(_ runs: [UInt64], _ count: Int) -> [Episode.ID] {
          Array(runs.lazy.compactMap { episodes[$0] }.filter { $0.domain == domain }.map(\.id).prefix(count))
        }
        let draft = Pattern.Draft(
          pattern.key.type, data: pattern.key.json, domain: domain,
          successRate: Double(pattern.evidence.observed) / Double(max(1, pattern.evidence.runs)),
          metadata: [LearnedPattern.member: pattern.inDomain(domain).json])
        rows.append(
          LearnedRow(
            pattern: Pattern(draft, at: now), situation: pattern.key.situation,
            foundThrough: history[pattern.key] ?? through,
            episodes: linked(pattern.examples, 10) + linked(pattern.counterexamples, 10)))
      }
    }
    let found = rows
    return try await primary.write(in: .everything) { transaction throws(MemoryError) in
      try transaction.keepLearned(found)
    }
  }

  // MARK: Advice

  /// What past runs of the same agent say after the last step of an episode that is still going: what helps in its situation and
  /// what harms, the most certain first. Nothing, if nothing is known, is a normal answer.
  ///
  /// A pattern is told only if at least ten of the agent's own runs have it and agree, and neither hard tasks nor the last runs
  /// speak against it.
  ///
  /// - Parameters:
  ///   - episode: With all its steps; its domain and metadata say whose and where it is.
  ///   - limit: At most so many, 1 to 100.
  ///   - holdOut: Share of the episodes that are told nothing, 0 to 0.5, chosen by their id. Above 0 it is recorded which were told
  ///     and which were not, and `learn` reports how much advice changes. Then, and only then, an episode that was advised is evidence
  ///     for the pattern.
  /// - Complexity: One read of the patterns that begin with the last step, about 100 µs; with `holdOut` a commit, where one applies.
  /// - Throws: `.invalid`.
  public func advise(
    for episode: Episode, limit: Int = 3, holdOut: Double = 0
  ) async throws(MemoryError) -> [Advice] {
    try await span("advise", .domain(episode.domain)) { () async throws(MemoryError) in
      try validation.limit(limit, most: 100)
      guard (0...0.5).contains(holdOut) else {
        throw MemoryError(.invalid, "holdOut is \(holdOut); it lies in 0...0.5")
      }
      let advice = Array(try await applicable(to: episode).prefix(limit))
      guard holdOut > 0, !advice.isEmpty else { return advice }
      let digest = Double(FinishedRun.digest(of: episode.id) >> 11) / Double(UInt64(1) << 53)
      let isHeldBack = digest < holdOut
      let records = advice.map { one in
        AdviceRecord(
          episode: episode.id, pattern: one.pattern, step: one.step, isRandomised: true, isHeldBack: isHeldBack)
      }
      try await record(records)
      return isHeldBack ? [] : advice
    }
  }

  /// What is known of doing the same a third time, or meeting the same error a second time, if the last step did; `nil` if it did
  /// not, or nothing speaks against it for this agent. Repeating is not always bad.
  public func loopWarning(for episode: Episode) async throws(MemoryError) -> Advice? {
    try await applicable(to: episode).first(where: \.warnsOfLoop)
  }

  /// What an agent is told after a step: the warning of `loopWarning`, then what `advise` says. Nothing of an episode that is gone.
  package func guidance(for id: Episode.ID, limit: Int) async throws(MemoryError) -> [Advice] {
    guard let episode = try await episode(id, steps: .last(RunTrace.longest)) else { return [] }
    let advice = try await applicable(to: episode)
    let warning = advice.first(where: \.warnsOfLoop)
    return [warning].compactMap(\.self) + advice.prefix(limit).filter { $0 != warning }
  }

  private func applicable(to episode: Episode) async throws(MemoryError) -> [Advice] {
    let situation = Situation(episode.steps.suffix(RunTrace.longest).lazy.map { StepText($0) })
    let agent = FinishedRun.agent(episode.metadata)
    return try await primary.learnedPatterns(in: episode.domain, situations: situation.names).compactMap { pattern in
      guard let learned = LearnedPattern(pattern), situation.admits(learned.key), learned.holds(for: agent) else {
        return nil
      }
      return Advice(
        episode: episode.id, pattern: pattern.id, step: episode.steps.last?.number ?? 0, agent: agent, learned: learned)
    }.sorted { $0.precedes($1) }
  }

  /// Says what became of advice. An episode that followed it is no evidence for its pattern from then on, unless chance decided
  /// whether it was told (`holdOut`).
  ///
  /// - Parameters:
  ///   - taken: Whether the agent followed it.
  ///   - helped: Whether it helped; `nil` if that is not known.
  /// - Throws: `.notFound` if the episode or the pattern is gone.
  public func feedback(_ advice: Advice, taken: Bool, helped: Bool? = nil) async throws(MemoryError) {
    try await span("feedback") { () async throws(MemoryError) in
      try await record([
        AdviceRecord(
          episode: advice.episode, pattern: advice.pattern, step: advice.step, isRandomised: false, isHeldBack: false,
          taken: taken, helped: helped)
      ])
    }
  }

  private func record(_ records: [AdviceRecord]) async throws(MemoryError) {
    let now = clock.now()
    try await primary.write(in: .everything) { transaction throws(MemoryError) in
      try transaction.record(records, at: now)
    }
  }

  // MARK: Validating

  /// Learns from half of the tasks and judges what was found by the other half, both ways, and keeps nothing.
  ///
  /// - Parameter splits: How often tasks are halved at random, 1 to 20.
  /// - Complexity: As four times `learn` for each split.
  /// - Throws: `.invalid` for an option out of its range; `.cancelled`.
  public func validateLearning(
    splits: Int = 5, options: LearningOptions = LearningOptions()
  ) async throws(MemoryError) -> LearningValidation {
    try await span("validateLearning") { () async throws(MemoryError) in
      try validation.learning(options)
      guard (1...20).contains(splits) else {
        throw MemoryError(.invalid, "splits is \(splits); it lies in 1...20")
      }
      try await followRuns()
      let runs = try await primary.traces(maximumSteps: options.maximumCells).map { $0.trace.judged(by: options) }
      return try await BlockingWork.shared.run(orThrow: Self.learningCancelled) { cancellation throws(MemoryError) in
        var checks: [LearningValidation.Check] = []
        for split in 1...splits {
          let halves = [0, 1].map { half in runs.filter { $0.half(ofSplit: split) == half } }
          for (found, heldOut) in [(halves[0], halves[1]), (halves[1], halves[0])] {
            guard let learner = Learner(found, options: options, isCancelled: { cancellation.isCancelled }) else {
              throw Self.learningCancelled
            }
            let patterns = learner.patterns.filter { $0.grade != .symptom }
            let scores = Learner.scores(of: patterns.map(\.key), in: heldOut, options: options)
            checks += patterns.compactMap { pattern in
              scores[pattern.key].map { score in
                LearningValidation.Check(
                  split: split, key: pattern.key, direction: pattern.direction, score: pattern.score,
                  heldOut: pattern.direction == .prefer ? score : -score)
              }
            }
          }
        }
        return LearningValidation(checks: checks)
      }
    }
  }

  // MARK: Explaining

  /// What a learned pattern rests on: its cells, examples and counter-examples in its domain, and what chance does.
  ///
  /// - Complexity: As `learn`, for one pattern.
  /// - Throws: `.notFound` if there is no such pattern, or it is none that learning found; `.cancelled`.
  public func explain(
    pattern id: Pattern.ID, options: LearningOptions = LearningOptions()
  ) async throws(MemoryError) -> PatternExplanation {
    try await span("explain") { () async throws(MemoryError) in
      try validation.learning(options)
      guard let pattern = try await pattern(id), let domain = pattern.domain, let learned = LearnedPattern(pattern)
      else {
        throw MemoryError(.notFound, "no learned pattern \"\(id)\"; learn finds them, and patterns lists them")
      }
      let kept = try await primary.traces(maximumSteps: options.maximumCells)
      let runs = kept.map { $0.trace.judged(by: options) }
      let key = learned.key
      let episodes = Dictionary(kept.map { ($0.trace.run, $0.episode) }, uniquingKeysWith: { first, _ in first })
      return try await BlockingWork.shared.run(orThrow: Self.learningCancelled) { _ throws(MemoryError) in
        let evidence = PatternEvidence(of: key, in: runs, domain: domain, options: options)
        func ids(_ succeeded: Bool) -> [Episode.ID] {
          evidence.runs.filter { $0.succeeded == succeeded }.compactMap { episodes[$0.run] }
        }
        return PatternExplanation(
          learned: learned,
          cells: evidence.cells.map { cell in
            PatternExplanation.Cell(agent: cell.agent, step: cell.step, tasks: cell.tasks, evidence: cell.evidence)
          }, elsewhere: evidence.elsewhere, examples: ids(learned.direction == .prefer),
          counterexamples: ids(learned.direction == .avoid), shuffles: evidence.shuffles, observed: evidence.observed)
      }
    }
  }
}

extension Advice {
  fileprivate var warnsOfLoop: Bool { learned.key.kind == .loop && learned.direction == .avoid }

  /// The stronger one first; of two that are as strong, what helps before what harms, then by what they are about, so that every store
  /// that has learned the same says the same. Ids differ from store to store.
  fileprivate func precedes(_ other: Advice) -> Bool {
    let (strength, others) = (abs(learned.score), abs(other.learned.score))
    if strength != others { return strength > others }
    if learned.direction != other.learned.direction { return learned.direction == .prefer }
    return place.lexicographicallyPrecedes(other.place)
  }

  private var place: [String] { [learned.key.kind.rawValue, learned.key.then] + learned.key.when + [pattern.rawValue] }
}

extension RunTrace {
  /// With the outcome that the options ask for.
  fileprivate func judged(by options: LearningOptions) -> RunTrace {
    guard let least = options.minimumSuccessRate else { return self }
    var trace = self
    trace.succeeded = succeeded && successRate.map { $0 >= least } ?? false
    return trace
  }
}

extension Validation {
  func learning(_ options: LearningOptions) throws(MemoryError) {
    try rate(options.minimumSuccessRate, "minimumSuccessRate")
    guard (20...1000).contains(options.shuffles) else {
      throw MemoryError(.invalid, "shuffles is \(options.shuffles); it lies in 20...1000")
    }
    guard (0.001...0.2).contains(options.falseDiscoveryRate) else {
      throw MemoryError(.invalid, "falseDiscoveryRate is \(options.falseDiscoveryRate); it lies in 0.001...0.2")
    }
    for (name, value) in [("minimumRuns", options.minimumRuns), ("minimumTasks", options.minimumTasks)] where value < 10
    {
      throw MemoryError(.invalid, "\(name) is \(value); it is 10 or more")
    }
  }
}
