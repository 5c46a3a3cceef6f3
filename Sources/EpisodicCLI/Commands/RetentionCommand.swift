import ArgumentParser
import Episodic

struct RetentionCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retention",
    abstract: "Decides how long episodes are kept.",
    discussion: """
      A policy is kept in the store: one for each domain that has its own, and a standard one for the others. It is applied \
      by episodic maintain, and by episodic retention apply.

      EXAMPLES:
        episodic retention set --archive-after 90d --delete-archived-after 365d --abandon-after 2d
        episodic retention set --domain web --max-episodes 100000
        episodic retention apply --dry-run
      """,
    subcommands: [RetentionShow.self, RetentionSet.self, RetentionClear.self, RetentionApply.self])
}

struct RetentionShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Shows the policies, or what holds for one domain.",
    discussion: """
      EXAMPLES:
        episodic retention show
        episodic retention show --domain web --json
      """)

  @OptionGroup var store: StoreOptions

  @Option(help: ArgumentHelp("Show what holds for this domain.", valueName: "domain"))
  var domain: String?

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let policies = try await store.withMemory { memory in try await memory.retention() }
    if let domain {
      let policy = policies[domain]
      if output.json { return StandardOutput.write(["domain": .string(domain), "policy": policy?.json ?? .null]) }
      return StandardOutput.write(policy?.sentence ?? "everything of \(domain.onOneLine) is kept")
    }
    if output.json { return StandardOutput.write(policies.json) }
    guard policies != RetentionPolicies() else { return StandardError.write("no policy: everything is kept") }
    var table = Table([.init("DOMAIN", isText: true), .init("POLICY", isText: true)])
    table.add([.init("(others)"), .init(policies.standard?.sentence ?? "keep everything")])
    for (domain, policy) in policies.domains.sorted(by: { $0.key < $1.key }) {
      table.add([.init(domain), .init(policy.sentence)])
    }
    StandardOutput.write(table.text(width: StandardOutput.width))
  }
}

struct RetentionSet: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set", abstract: "Sets the standard policy, or that of a domain.",
    discussion: """
      The policy that is given takes the place of the one before. Ages count from an episode's end. Without a rule \
      everything is kept, which exempts a domain from the standard policy. Nothing is deleted yet: look at episodic retention \
      apply --dry-run.

      EXAMPLES:
        episodic retention set --archive-after 90d --delete-archived-after 365d --abandon-after 2d
        episodic retention set --domain scratch --delete-archived-after 30d --archive-after 7d --max-episodes 10000
        episodic retention set --domain payments
      """)

  @OptionGroup var store: StoreOptions

  @Option(help: ArgumentHelp("The domain; the standard policy of all others by default.", valueName: "domain"))
  var domain: String?

  @Option(
    help: ArgumentHelp("Archive episodes that ended so long ago: 90d, 12h.", valueName: "time"),
    transform: DurationText.parse)
  var archiveAfter: Duration?

  @Option(
    help: ArgumentHelp("Delete archived episodes that ended so long ago.", valueName: "time"),
    transform: DurationText.parse)
  var deleteArchivedAfter: Duration?

  @Option(
    help: ArgumentHelp("Fail active episodes that got no step for so long.", valueName: "time"),
    transform: DurationText.parse)
  var abandonAfter: Duration?

  @Option(help: ArgumentHelp("Delete the oldest episodes of the domain beyond this number.", valueName: "n"))
  var maxEpisodes: Int?

  @Option(help: ArgumentHelp("Delete the oldest while they take more bytes, by an estimate.", valueName: "bytes"))
  var maxBytes: Int64?

  @Flag(
    inversion: .prefixedNo, help: "Keep episodes that are linked to a pattern which was used.")
  var keepLinked = true

  @Flag(help: "Accept a domain that has no episode yet.")
  var force = false

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let policy = RetentionPolicy(
      archiveAfter: archiveAfter, deleteArchivedAfter: deleteArchivedAfter, abandonAfter: abandonAfter,
      maximumEpisodes: maxEpisodes, maximumBytes: maxBytes, keepsLinked: keepLinked)
    try await store.withMemory(for: .shortWrite) { memory in
      try await memory.setRetention(policy, for: domain, allowingUnknownDomain: force)
    }
    if output.json { return StandardOutput.write(["domain": domain.map(JSON.string) ?? .null, "policy": policy.json]) }
    StandardOutput.write("\(domain?.onOneLine ?? "all other domains"): \(policy.sentence)")
  }
}

struct RetentionClear: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "clear", abstract: "Removes the standard policy, or that of a domain.",
    discussion: """
      A domain without a policy of its own follows the standard one. --force removes every policy without reading it, such as \
      one that this version does not know.

      EXAMPLES:
        episodic retention clear
        episodic retention clear --domain web
      """)

  @OptionGroup var store: StoreOptions

  @Option(help: ArgumentHelp("The domain; the standard policy by default.", valueName: "domain"))
  var domain: String?

  @Flag(help: "Remove every policy, also one that cannot be read.")
  var force = false

  @OptionGroup var output: OutputOptions

  func validate() throws {
    if force, domain != nil {
      throw ValidationError("--force removes the policies of all domains; leave --domain out, or --force")
    }
  }

  func run() async throws {
    try await store.withMemory(for: .shortWrite) { memory in
      if force { try await memory.removeRetention() } else { try await memory.setRetention(nil, for: domain) }
    }
    if output.json {
      return StandardOutput.write(["domain": domain.map(JSON.string) ?? .null, "policy": .null])
    }
    StandardOutput.write("\(force ? "all domains" : domain?.onOneLine ?? "all other domains"): no policy")
  }
}

struct RetentionApply: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apply", abstract: "Archives, deletes and fails episodes as the policies say.",
    discussion: """
      Names each of the first thousand episodes and why. A rule of age does nothing while the clock is far beyond the last \
      time that the store is sure of, unless it is accepted: by 30 days, or half of the age, but 36 hours at least.

      EXAMPLES:
        episodic retention apply --dry-run
        episodic retention apply --domain web --json | jq .counts
      """)

  @OptionGroup var store: StoreOptions

  @Option(help: ArgumentHelp("Only for episodes of this domain.", valueName: "domain"))
  var domain: String?

  @Flag(help: "Say what would be done, and change nothing.")
  var dryRun = false

  @Flag(help: "Believe the clock although it is far beyond anything in the store.")
  var acceptClock = false

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let report = try await store.withMemory { memory in
      guard let domain else { return try await memory.applyRetention(dryRun: dryRun, acceptingClock: acceptClock) }
      return try await memory.domain(domain).applyRetention(dryRun: dryRun, acceptingClock: acceptClock)
    }
    if output.json { return StandardOutput.write(report.json) }
    if !report.decisions.isEmpty {
      var table = Table([
        .init("ACTION", isText: true), .init("WHY", isText: true), .init("DOMAIN", isText: true, rank: 1), .init("ID"),
      ])
      for decision in report.decisions {
        table.add([
          .init(decision.action.rawValue), .init(decision.reason.words), .init(decision.domain),
          .init(decision.episode.rawValue),
        ])
      }
      StandardOutput.write(table.text(width: StandardOutput.width))
    }
    StandardError.write(report.summary)
  }
}

extension RetentionPolicy {
  /// `archive after 90d, delete after 365d`.
  fileprivate var sentence: String {
    var rules: [String] = []
    if let archiveAfter { rules.append("archive after \(DurationText(archiveAfter))") }
    if let deleteArchivedAfter { rules.append("delete archived after \(DurationText(deleteArchivedAfter))") }
    if let abandonAfter { rules.append("abandon after \(DurationText(abandonAfter))") }
    if let maximumEpisodes { rules.append("at most \(maximumEpisodes) episodes") }
    if let maximumBytes { rules.append("at most \(maximumBytes) bytes") }
    guard !rules.isEmpty else { return "keep everything" }
    return rules.joined(separator: ", ") + (keepsLinked ? "" : ", linked ones too")
  }
}

extension RetentionReport.Reason {
  fileprivate var words: String { rawValue.replacing("_", with: " ") }
}

extension RetentionReport {
  fileprivate var summary: String {
    var parts = counts.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($1) by \($0.words)" }
    if total > decisions.count { parts.append("the first \(decisions.count) are named") }
    if finished > 0 { parts.append("the rest of \(counted(finished, "episode")) removed that an earlier run deleted") }
    if kept > 0 { parts.append("\(kept) kept for a pattern that was used") }
    if let clockDoubt { parts.append(clockDoubt.inCommandTerms) }
    let verb = isDryRun ? "would change" : "changed"
    return "\(verb) \(total) of \(counted(episodes, "episode"))"
      + (parts.isEmpty ? "" : ": \(parts.joined(separator: "; "))")
  }

  fileprivate var json: JSON {
    [
      "dry_run": .bool(isDryRun), "episodes": .integer(Int64(episodes)), "kept": .integer(Int64(kept)),
      "finished": .integer(Int64(finished)),
      "counts": .object(
        JSON.Object(Reason.allCases.map { ($0.rawValue, .integer(Int64(counts[$0] ?? 0))) })),
      "clock_doubt": clockDoubt.map { .string($0.inCommandTerms) } ?? .null,
      "decisions": .array(
        decisions.map { decision in
          [
            "id": .string(decision.episode.rawValue), "domain": .string(decision.domain),
            "action": .string(decision.action.rawValue), "reason": .string(decision.reason.rawValue),
          ]
        }),
    ]
  }
}
