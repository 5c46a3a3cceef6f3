public import Learning

extension PatternKey {
  /// The data of the pattern in the store.
  package var json: JSON {
    [
      "kind": .string(kind.rawValue), "when": .array(when.map(JSON.string)), "then": .string(then), "scope": "domain",
    ]
  }

  package init?(json: JSON) {
    guard case .string(let kind)? = json["kind"], let kind = Kind(rawValue: kind),
      case .string(let then)? = json["then"],
      case .array(let parts)? = json["when"]
    else { return nil }
    let when = parts.compactMap { if case .string(let text) = $0 { text } else { nil } }
    guard when.count == parts.count else { return nil }
    self.init(kind, when: when, then: then)
  }

  /// Under which type the pattern is kept.
  package var type: PatternType {
    if kind == .resolution { return .errorResolution }
    let words = then.split { !$0.isLetter }
    return words.contains { ["test", "tests", "pytest", "jest", "ctest", "xctest"].contains($0) }
      ? .testingStrategy : .toolSequence
  }
}

extension LearnedPattern {
  /// What is known of the pattern, as it is kept in the store and shown: counts, lifts and intervals, grade, agents.
  public var json: JSON {
    var members: JSON.Object = [
      "direction": .string(direction.rawValue), "grade": .string(grade.rawValue), "evidence": evidence.json,
      "tasks": .integer(Int64(tasks)), "expected_here": JSON(rounded: expectedHere),
      "lift_interval": [JSON(rounded: interval.lowerBound), JSON(rounded: interval.upperBound)],
      "effective_runs": JSON(rounded: effectiveRuns), "q": JSON(rounded: rate), "score": JSON(rounded: score),
      "agents": .object(JSON.Object(byAgent.mapValues(\.json))),
      "when_not": .array(reversed.map(JSON.string)),
    ]
    members["score_inside_tasks"] = scoreInsideTasks.map { JSON(rounded: $0) }
    members["resolved"] = resolved.map { resolved in
      [
        "count": .integer(Int64(resolved.count)), "otherwise": .integer(Int64(resolved.otherwise)),
        "other_runs": .integer(Int64(resolved.otherRuns)),
      ]
    }
    return .object(members)
  }

  /// The whole of it with what it is about, as a learning reports it.
  public var jsonWithKey: JSON {
    var members = json.members ?? JSON.Object([])
    for name in ["kind", "when", "then"] { members[name] = key.json[name] }
    members["pattern_type"] = .string(key.type.rawValue)
    return .object(members)
  }

  /// What learning kept of a pattern; `nil` if it is none that it found, or its metadata were changed.
  public init?(_ pattern: Pattern) {
    guard let key = PatternKey(json: pattern.data), let json = pattern.metadata[Self.member] else { return nil }
    func text(_ name: String) -> String { if case .string(let text)? = json[name] { text } else { "" } }
    func number(_ name: String) -> Double { json[name]?.double ?? 0 }
    guard let direction = Direction(rawValue: text("direction")), let grade = Grade(rawValue: text("grade")),
      let evidence = json["evidence"].map(Evidence.init(json:)), case .array(let bounds)? = json["lift_interval"],
      let low = bounds.first?.double, let high = bounds.last?.double, low <= high
    else { return nil }
    self.init(
      key: key, direction: direction, grade: grade, evidence: evidence, tasks: Int(clamping: json["tasks"]),
      expectedHere: number("expected_here"), interval: low...high, effectiveRuns: number("effective_runs"),
      rate: number("q"), score: number("score"), scoreInsideTasks: json["score_inside_tasks"]?.double,
      resolved: json["resolved"].map { resolved in
        Resolved(
          count: Int(clamping: resolved["count"]), otherwise: Int(clamping: resolved["otherwise"]),
          otherRuns: Int(clamping: resolved["other_runs"]))
      },
      byAgent: Dictionary(
        (json["agents"]?.members ?? JSON.Object([])).map { ($0.0, Evidence(json: $0.1)) },
        uniquingKeysWith: { first, _ in first }),
      byDomain: [:])
  }

  /// The member of the metadata that has it.
  package static let member = "learned"

  /// As it is kept in a domain: with the agents that have it there, and of others nothing but their sums (I8).
  package func inDomain(_ domain: String) -> LearnedPattern {
    var pattern = self
    let agents = Set(agentsOfDomain[domain] ?? [])
    pattern.byAgent = byAgent.filter { agents.contains($0.key) }
    return pattern
  }
}

extension LearnedPattern.Evidence {
  package var json: JSON {
    [
      "runs": .integer(Int64(runs)), "observed": .integer(Int64(observed)), "expected": JSON(rounded: expected),
      "lift": JSON(rounded: lift),
    ]
  }

  fileprivate init(json: JSON) {
    self.init(
      runs: Int(clamping: json["runs"]), observed: Int(clamping: json["observed"]),
      expected: json["expected"]?.double ?? 0)
  }
}

extension JSON {
  /// With four digits behind the point.
  package init(rounded value: Double) { self.init((value * 10_000).rounded() / 10_000) }

  fileprivate var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .unsigned(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }
}

extension Int {
  fileprivate init(clamping json: JSON?) {
    if case .integer(let value)? = json { self = Int(clamping: value) } else { self = 0 }
  }
}

extension LearningReport {
  /// As `episodic learn --json` shows it.
  public var json: JSON {
    [
      "runs": .integer(Int64(runs)), "tasks": .integer(Int64(tasks)), "agents": .integer(Int64(agents)),
      "domains": .integer(Int64(domains)), "successes": .integer(Int64(successes)),
      "omitted_runs": .integer(Int64(omittedRuns)), "cut_runs": .integer(Int64(cutRuns)),
      "tested": .integer(Int64(tested)), "dropped": .integer(Int64(dropped)), "shuffles": .integer(Int64(shuffles)),
      "shuffles_with_findings": .integer(Int64(shufflesWithFindings)), "reasons": .array(reasons.map(JSON.string)),
    ]
  }
}

extension LearningOptions {
  /// As they are kept, without those that have their default.
  package var json: JSON {
    let usual = LearningOptions()
    var members = JSON.Object([])
    if seed != usual.seed { members["seed"] = JSON(exactly: seed) }
    if shuffles != usual.shuffles { members["shuffles"] = .integer(Int64(shuffles)) }
    if falseDiscoveryRate != usual.falseDiscoveryRate { members["false_discovery_rate"] = JSON(falseDiscoveryRate) }
    members["minimum_success_rate"] = minimumSuccessRate.map { JSON($0) }
    if minimumRuns != usual.minimumRuns { members["minimum_runs"] = .integer(Int64(minimumRuns)) }
    if minimumTasks != usual.minimumTasks { members["minimum_tasks"] = .integer(Int64(minimumTasks)) }
    return .object(members)
  }

  /// What is not understood has its default.
  package init(json: JSON) {
    self.init()
    switch json["seed"] {
    case .integer(let value) where value >= 0: seed = UInt64(value)
    case .unsigned(let value): seed = value
    default: break
    }
    if json["shuffles"] != nil { shuffles = min(1000, max(20, Int(clamping: json["shuffles"]))) }
    if let rate = json["false_discovery_rate"]?.double { falseDiscoveryRate = min(0.2, max(0.001, rate)) }
    if let rate = json["minimum_success_rate"]?.double { minimumSuccessRate = min(1, max(0, rate)) }
    if json["minimum_runs"] != nil { minimumRuns = max(10, Int(clamping: json["minimum_runs"])) }
    if json["minimum_tasks"] != nil { minimumTasks = max(10, Int(clamping: json["minimum_tasks"])) }
  }
}

extension JSON {
  fileprivate init(exactly value: UInt64) {
    self = Int64(exactly: value).map(JSON.integer) ?? .unsigned(value)
  }
}
