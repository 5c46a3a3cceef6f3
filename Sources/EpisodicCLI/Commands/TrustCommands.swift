import ArgumentParser
import Episodic

struct TrustCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trust",
    abstract: "Shows or says how far an episode is trusted.",
    discussion: """
      Levels, from the least: quarantined, untrusted, unverified, trusted, verified. Recall leaves quarantined episodes out, and \
      ranks those that are not trusted after all that are. An episode is trusted as its source is (web: untrusted; tool and \
      import: unverified; else trusted), and no more than its steps and the episodes that it was derived from.

      Without a level, shows the level and who decided what. With one, sets it: less trust passes on to what was derived from the \
      episode, more holds for it alone. quarantine and promote are for the two decisions that are made most.

      EXAMPLES:
        episodic trust @last
        episodic trust 0193e0a4 verified --by anna --reason "checked against the log"
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("The episode: its id, a beginning of it, or @last.", valueName: "id"))
  var episode: String

  @Argument(help: ArgumentHelp("The level to set.", valueName: "level"))
  var level: Trust?

  @Option(help: ArgumentHelp("Only an episode of this domain.", valueName: "domain"))
  var domain: String?

  @OptionGroup var decider: DeciderOptions
  @OptionGroup var times: TimeOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    guard let level else { return try await show() }
    let actor = try decider.actor()
    let report = try await store.withMemory(for: .shortWrite) { memory in
      let id = try await EpisodeReference.resolve(episode, in: domain, memory)
      return try await memory.trust(.episode(id), as: level, by: actor, because: decider.reason)
    }
    output.json ? StandardOutput.write(report.json) : StandardOutput.write(report.sentence(as: level))
  }

  private func show() async throws {
    let (found, decisions) = try await store.withMemory { memory in
      let id = try await EpisodeReference.resolve(episode, in: domain, memory)
      guard let found = try await memory.episode(id, steps: .none) else {
        throw MemoryError(.notFound, "no episode \"\(episode)\"")
      }
      return (found, try await memory.trustDecisions(on: id))
    }
    guard !output.json else {
      var members: JSON.Object = ["id": .string(found.id.rawValue), "decisions": .array(decisions.map(\.json))]
      found.provenance.write(to: &members)
      // Not what somebody said, but what recall goes by.
      members["trust"] = .string(found.trust.rawValue)
      return StandardOutput.write(.object(members))
    }
    StandardOutput.write("\(found.trust.rawValue)  \(found.id.rawValue.onOneLine)")
    for decision in decisions { StandardOutput.write(decision.line(times.format)) }
  }
}

struct QuarantineCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "quarantine",
    abstract: "Keeps an episode, or all of a source, out of recall.",
    discussion: """
      What was derived from it is kept out, too: episodes that name it as a parent, and patterns that are linked to it. Nothing is \
      deleted: list --quarantined shows it, promote takes it back, and forget --source erases it for good.

      EXAMPLES:
        episodic quarantine 0193e0a4 --by anna --reason "asks for the password"
        episodic quarantine --source https://example.com/faq --since 7d --by anna
        episodic quarantine --source web --domain support --by anna
      """)

  @OptionGroup var store: StoreOptions
  @OptionGroup var target: TrustTarget
  @OptionGroup var decider: DeciderOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let report = try await target.decide(.quarantined, raises: false, try decider.actor(), decider.reason, store)
    output.json ? StandardOutput.write(report.json) : StandardOutput.write(report.sentence(as: .quarantined))
  }
}

struct PromoteCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "promote",
    abstract: "Trusts an episode, or all of a source, more than before.",
    discussion: """
      Takes it out of quarantine, or raises it above the level of its source. That holds for the episode as it is now: a step of \
      a source that is trusted less lowers it again, and what was derived from it stays as it is. What is \
      trusted as much already is refused.

      EXAMPLES:
        episodic promote @last --by anna
        episodic promote --source ci-server --to verified --by anna
      """)

  @OptionGroup var store: StoreOptions
  @OptionGroup var target: TrustTarget

  @Option(help: ArgumentHelp("The level to set.", valueName: "level"))
  var to = Trust.trusted

  @OptionGroup var decider: DeciderOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let report = try await target.decide(to, raises: true, try decider.actor(), decider.reason, store)
    output.json ? StandardOutput.write(report.json) : StandardOutput.write(report.sentence(as: to))
  }
}

/// What a decision on trust is about.
struct TrustTarget: ParsableArguments {
  @Argument(help: ArgumentHelp("The episode: its id, a beginning of it, or @last.", valueName: "id"))
  var episode: String?

  @Option(help: ArgumentHelp("The episodes of a source: its kind, such as web, or its id.", valueName: "source"))
  var source: String?

  @Option(
    help: ArgumentHelp("With --source, only those created at this time or after.", valueName: "time"),
    transform: TimeText.parse)
  var since: Timestamp?

  @Option(help: ArgumentHelp("Only what is in this domain.", valueName: "domain"))
  var domain: String?

  func validate() throws {
    guard (episode == nil) != (source == nil) else {
      throw ValidationError("say what is meant: the id of an episode, or --source")
    }
    guard since == nil || source != nil else { throw ValidationError("--since is for --source; leave it out") }
  }

  func decide(
    _ trust: Trust, raises: Bool, _ actor: String, _ reason: String?, _ store: StoreOptions
  ) async throws -> TrustReport {
    try await store.withMemory(for: .shortWrite) { memory in
      let subject: TrustSubject =
        if let source {
          .source(source, since: since)
        } else {
          .episode(try await EpisodeReference.resolve(episode ?? "", in: domain, memory))
        }
      if let domain {
        let scoped = memory.domain(domain)
        return raises
          ? try await scoped.promote(subject, to: trust, by: actor, because: reason)
          : try await scoped.trust(subject, as: trust, by: actor, because: reason)
      }
      return raises
        ? try await memory.promote(subject, to: trust, by: actor, because: reason)
        : try await memory.trust(subject, as: trust, by: actor, because: reason)
    }
  }
}

extension TrustReport {
  var json: JSON {
    [
      "episodes": .integer(Int64(episodes)), "steps": .integer(Int64(steps)), "patterns": .integer(Int64(patterns)),
    ]
  }

  func sentence(as trust: Trust) -> String {
    let parts = [(episodes, "episode"), (patterns, "pattern")].filter { $0.0 > 0 }.map { counted($0, $1) }
    return parts.isEmpty ? "\(trust.rawValue) as before" : "\(trust.rawValue): \(parts.joined(separator: ", "))"
  }
}

extension TrustDecision {
  var json: JSON {
    var members: JSON.Object = [
      "trust": .string(trust.rawValue), "before": .string(before.rawValue), "actor": .string(actor),
      "decided_at": .string(decidedAt.description),
    ]
    if case .step(let id) = subject { members["step_id"] = .string(id.rawValue) }
    members["reason"] = reason.map(JSON.string)
    return .object(members)
  }

  func line(_ format: TimeFormat) -> String {
    var parts = [format.exact(decidedAt), "\(before.rawValue) -> \(trust.rawValue)", "by \(actor.onOneLine)"]
    if case .step = subject { parts.insert("a step", at: 1) }
    if let reason { parts.append("because \(reason.onOneLine)") }
    return parts.joined(separator: "  ")
  }
}
