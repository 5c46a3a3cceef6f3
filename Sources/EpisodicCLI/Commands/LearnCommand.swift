import ArgumentParser
import Episodic

struct LearnCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "learn",
    abstract: "Mines finished episodes for what helps and what harms, and keeps it as patterns.",
    discussion: """
      Runs are compared by agent (agent, model or run in the metadata), domain and task (task or task_id in the metadata, else the \
      context): what those with a pattern achieved beyond the runs of the same agent and domain that were still going at the same \
      step. What chance would find is measured by swapping the futures of whole tasks. About 90 tasks are needed; below that, and \
      where nothing is beyond chance, nothing is learned, and the reasons say so.

      OBSERVED of RUNS succeeded, where EXPECTED would have. LIFT is observed over expected with its 95 % interval. A symptom goes \
      with hard tasks and is never advised; a provisional pattern has not yet been seen in ten new tasks.

      --validate N learns from half of the tasks and judges it by the other half, N times both ways, and keeps nothing.

      EXAMPLES:
        episodic learn
        episodic learn --minimum-success-rate 0.9 --json
        episodic learn --validate 5
      """)

  @OptionGroup var store: StoreOptions

  @Option(help: ArgumentHelp("Decides the shuffles.", valueName: "n"))
  var seed: UInt64 = 1

  @Option(help: ArgumentHelp("How often tasks swap their futures, 20 to 1000.", valueName: "n"))
  var shuffles = 100

  @Option(
    help: ArgumentHelp("Count a completed episode as a success only with this success rate, 0 to 1.", valueName: "rate")
  )
  var minimumSuccessRate: Double?

  @Option(help: ArgumentHelp("Judge what is learned by held-out halves, this often.", valueName: "n"))
  var validate: Int?

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let options = LearningOptions(seed: seed, shuffles: shuffles, minimumSuccessRate: minimumSuccessRate)
    if let validate {
      let validation = try await store.withMemory { memory in
        try await memory.validateLearning(splits: validate, options: options)
      }
      return output.json ? StandardOutput.write(validation.json) : StandardOutput.write(validation.text)
    }
    let result = try await store.withMemory { memory in
      defer { StandardError.endProgress() }
      return try await memory.learn(options) { share in
        StandardError.progress("learning \(Int((share * 100).rounded())) %")
      }
    }
    guard !output.json else { return StandardOutput.write(result.json) }
    let report = result.report
    if !result.patterns.isEmpty {
      StandardOutput.write(result.patterns.table.text(width: StandardOutput.width))
    }
    StandardOutput.write(
      "\(report.runs) runs of \(report.tasks) tasks, \(report.successes) succeeded; \(report.tested) patterns tested, "
        + "\(result.patterns.count) found; of \(report.shuffles) shuffles \(report.shufflesWithFindings) found something"
    )
    if let experiment = result.experiment {
      StandardOutput.write(
        "advice shown: \(experiment.shownSuccesses) of \(experiment.shown) succeeded; held back: "
          + "\(experiment.heldBackSuccesses) of \(experiment.heldBack)")
    }
    for reason in report.reasons { StandardOutput.write(reason.onOneLine) }
  }
}

struct AdviseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "advise",
    abstract: "Says what past runs did after the last step of an episode, and how it went.",
    discussion: """
      Only what the same agent's own runs show, in the domain of the episode; nothing is a normal answer. --hold-out 0.1 tells \
      one episode in ten nothing, by its id, and keeps which, so that learn can say what advice changes.

      EXAMPLES:
        episodic advise @last
        episodic advise 0193e0a4 --limit 1 --json
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("The episode: its id, a beginning of it, or @last.", valueName: "id"))
  var episode: String

  @Option(help: ArgumentHelp("Only an episode of this domain.", valueName: "domain"))
  var domain: String?

  @Option(help: ArgumentHelp("At most so many, 1 to 100.", valueName: "n"))
  var limit = 3

  @Option(help: ArgumentHelp("Share of the episodes that are told nothing, 0 to 0.5.", valueName: "share"))
  var holdOut = 0.0

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let (advice, warning) = try await store.withMemory { memory in
      let id = try await EpisodeReference.resolve(episode, in: domain, memory)
      guard let found = try await memory.episode(id) else {
        throw MemoryError(.notFound, "no episode \"\(episode)\"")
      }
      return (
        try await memory.advise(for: found, limit: limit, holdOut: holdOut), try await memory.loopWarning(for: found)
      )
    }
    if output.json {
      var members: JSON.Object = ["advice": .array(advice.map(\.json))]
      members["loop_warning"] = warning?.json
      return StandardOutput.write(.object(members))
    }
    guard !advice.isEmpty else { return StandardError.write("nothing is known of this situation") }
    for one in advice { StandardOutput.write(one.text.onOneLine) }
  }
}

struct PatternsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "patterns",
    abstract: "Lists what learn found, or explains one pattern.",
    discussion: """
      A pattern is kept in each domain in which it occurs, with an id of its own. --explain shows the cells that it rests on, \
      examples, counter-examples, and what chance did in the shuffles.

      EXAMPLES:
        episodic patterns
        episodic patterns --domain web --json
        episodic patterns --explain 0193e0a4-5a7c-7b1e-8f00-3c2a9d4e5f60
      """)

  @OptionGroup var store: StoreOptions

  @Option(help: ArgumentHelp("Only this domain.", valueName: "domain"))
  var domain: String?

  @Option(help: ArgumentHelp("Explain the pattern of this id.", valueName: "id"))
  var explain: String?

  @OptionGroup var output: OutputOptions

  func run() async throws {
    if let explain {
      let explanation = try await store.withMemory { memory in
        try await memory.explain(pattern: Pattern.ID(explain))
      }
      return output.json ? StandardOutput.write(explanation.json) : StandardOutput.write(explanation.text)
    }
    let patterns = try await store.withMemory { memory in
      try await LearnedPatterns(of: memory, in: domain).patterns
    }
    if output.json { return StandardOutput.write(["patterns": .array(patterns.map(\.pattern.json))]) }
    guard !patterns.isEmpty else { return StandardError.write("nothing was learned yet; run learn") }
    var table = LearnedPattern.emptyTable(of: [.init("DOMAIN", rank: 1), .init("ID", rank: 2)])
    for (pattern, learned) in patterns {
      table.add(learned.cells + [.init(pattern.domain ?? "-"), .init(pattern.id.rawValue)])
    }
    StandardOutput.write(table.text(width: StandardOutput.width))
  }
}

extension LearnedPattern {
  static func emptyTable(of more: [Table.Column] = []) -> Table {
    Table(
      [
        .init("GRADE"), .init("PATTERN", isText: true), .init("OBSERVED", isNumber: true),
        .init("EXPECTED", isNumber: true), .init("RUNS", isNumber: true), .init("TASKS", isNumber: true),
        .init("LIFT", isNumber: true),
      ] + more)
  }

  var cells: [Table.Cell] {
    func digits(_ value: Double) -> String {
      let hundredths = Int((value * 100).rounded())
      return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }
    let verb = key.kind == .loop ? "" : direction == .prefer ? "do " : "avoid "
    let text = key.when.isEmpty ? key.then : "after \(key.when.joined(separator: ", ")): \(verb)\(key.then)"
    return [
      .init(grade.rawValue), .init(text), .init("\(evidence.observed)"), .init("\(Int(evidence.expected.rounded()))"),
      .init("\(evidence.runs)"), .init("\(tasks)"),
      .init("\(digits(evidence.lift)) (\(digits(interval.lowerBound))-\(digits(interval.upperBound)))"),
    ]
  }
}

extension [LearnedPattern] {
  fileprivate var table: Table {
    var table = LearnedPattern.emptyTable()
    for pattern in self { table.add(pattern.cells) }
    return table
  }
}

extension LearningValidation {
  fileprivate var text: String {
    let lines = checks.map { check in
      "split \(check.split)  \(check.direction.rawValue)  \(check.key.text.onOneLine)  found \(check.score.oneDigit)  held out \(check.heldOut.oneDigit)"
    }
    return (lines + ["\(agreeing) of \(checks.count) point the same way in tasks not seen; \(reversed) are reversed"])
      .joined(separator: "\n")
  }
}

extension PatternExplanation {
  fileprivate var text: String {
    var lines = [learned.key.text.onOneLine, ""]
    var table = Table([
      .init("AGENT"), .init("STEP", isNumber: true), .init("RUNS", isNumber: true), .init("TASKS", isNumber: true),
      .init("OBSERVED", isNumber: true), .init("EXPECTED", isNumber: true),
    ])
    for cell in cells {
      table.add([
        .init(cell.agent.isEmpty ? "-" : cell.agent), .init("\(cell.step)"), .init("\(cell.evidence.runs)"),
        .init("\(cell.tasks)"), .init("\(cell.evidence.observed)"), .init(cell.evidence.expected.oneDigit),
      ])
    }
    lines.append(table.text(width: StandardOutput.width))
    lines.append("")
    lines.append(
      "elsewhere: \(elsewhere.observed) of \(elsewhere.runs) runs succeeded, \(elsewhere.expected.oneDigit) expected")
    if let low = shuffles.first, let high = shuffles.last {
      lines.append(
        "beyond what was expected: \(observed.oneDigit) successes; in \(shuffles.count) shuffles from \(low.oneDigit) to \(high.oneDigit)"
      )
    }
    for agent in learned.reversed { lines.append("not for \(agent.onOneLine): its own runs say the opposite") }
    for id in examples.prefix(5) { lines.append("example          \(id.rawValue.onOneLine)") }
    for id in counterexamples.prefix(5) { lines.append("counter-example  \(id.rawValue.onOneLine)") }
    return lines.joined(separator: "\n")
  }
}

extension Double {
  /// With one digit behind the point.
  fileprivate var oneDigit: String {
    let tenths = Int((self * 10).rounded())
    return "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
  }
}
