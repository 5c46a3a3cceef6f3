import ArgumentParser
import Episodic

struct LedgerRetention: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retention", abstract: "Decides how long a ledger keeps what has ended.",
    discussion: """
      Kept in the ledger, for all its processes, and applied by episodic maintain. Nothing goes that something living refers \
      to, such as a task with an undelivered message.

      EXAMPLES:
        episodic ledger retention show
        episodic ledger retention set samples 90d
        episodic ledger retention apply --dry-run
      """,
    subcommands: [LedgerRetentionShow.self, LedgerRetentionSet.self, LedgerRetentionApply.self])
}

struct LedgerRetentionShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Shows how long each topic is kept.",
    discussion: """
      In JSON as milliseconds; null is without a bound.

      EXAMPLES:
        episodic ledger retention show
        episodic ledger retention show --json
      """)

  @OptionGroup var store: StoreOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let retention = try await store.withLedger { ledger in try await ledger.retention() }
    if output.json { return StandardOutput.write(try JSON(ledger: retention)) }
    var table = Table([.init("TOPIC"), .init("KEPT")])
    for topic in Ledger.Retention.Topic.allCases {
      table.add([.init(topic.rawValue), .init(KeptTime(retention[topic]).description)])
    }
    StandardOutput.write(table.text(width: StandardOutput.width))
  }
}

struct LedgerRetentionSet: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set", abstract: "Sets how long a topic is kept.",
    discussion: """
      Nothing is deleted yet: look at episodic ledger retention apply --dry-run.

      EXAMPLES:
        episodic ledger retention set samples 90d
        episodic ledger retention set completed_tasks forever
      """)

  @OptionGroup var store: StoreOptions

  @Argument(
    help: ArgumentHelp("One of those that episodic ledger retention show lists.", valueName: "topic"),
    transform: ClosedName.parse)
  var topic: Ledger.Retention.Topic

  @Argument(help: ArgumentHelp("Such as 7d or 12h, or forever.", valueName: "time"), transform: KeptTime.init)
  var time: KeptTime

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let retention = try await store.withLedger { ledger in
      var retention = try await ledger.retention()
      retention[topic] = time.duration
      try await ledger.set(retention)
      return retention
    }
    try LedgerList.write(retention, output, "\(topic.rawValue): \(time)")
  }
}

struct LedgerRetentionApply: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apply", abstract: "Removes what is older than the retention says.",
    discussion: """
      A clock that jumped ahead deletes nothing at once, unless it is accepted.

      EXAMPLES:
        episodic ledger retention apply --dry-run
        episodic ledger retention apply --json
      """)

  @OptionGroup var store: StoreOptions

  @Flag(help: "Count what would go, and change nothing.")
  var dryRun = false

  @Flag(help: "Believe the clock although it jumped ahead.")
  var acceptClock = false

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let report = try await store.withLedger { ledger in
      try await ledger.applyRetention(isDryRun: dryRun, isAcceptingClock: acceptClock)
    }
    let counts = report.counts.sorted { $0.key.rawValue < $1.key.rawValue }
    if output.json {
      return StandardOutput.write([
        "dry_run": .bool(report.isDryRun),
        "counts": .object(
          JSON.Object(Ledger.Retention.Topic.allCases.map { ($0.rawValue, JSON(report.counts[$0] ?? 0)) })),
        "clock_doubt": report.clockDoubt.map { .string($0.inCommandTerms) } ?? .null,
      ])
    }
    for (topic, count) in counts { StandardOutput.write("\(topic.rawValue): \(count)") }
    if counts.isEmpty { StandardError.write("nothing is older than it is kept") }
    if let doubt = report.clockDoubt { StandardError.write(doubt.inCommandTerms.onOneLine) }
  }
}

/// How long something is kept, as people write it: an age, or `forever`.
struct KeptTime: CustomStringConvertible {
  /// `nil`: without a bound.
  let duration: Duration?

  init(_ duration: Duration?) { self.duration = duration }

  @Sendable init(_ text: String) throws { duration = text == "forever" ? nil : try DurationText.parse(text) }

  var description: String { duration.map { "\(DurationText($0))" } ?? "forever" }
}
