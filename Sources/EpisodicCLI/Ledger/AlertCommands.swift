import ArgumentParser
import Episodic

struct LedgerAlert: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "alert", abstract: "Watches error rates, times and samples by rules.",
    discussion: """
      A rule fires once per cooldown, with notices to its recipients.

      EXAMPLES:
        episodic ledger alert set many-errors --condition error_rate --above 0.2 --window 1h --channel email --recipient ada
        episodic ledger alert evaluate
        episodic ledger alert list
      """,
    subcommands: [
      AlertSet.self, AlertList.self, AlertEvaluate.self, AlertDisable.self, AlertEnable.self, AlertRemove.self,
    ])
}

struct AlertSet: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set", abstract: "Saves a rule.",
    discussion: """
      EXAMPLES:
        episodic ledger alert set many-errors --condition error_rate --above 0.2 --window 1h --channel email --recipient ada
        episodic ledger alert set low-hits --condition cache_hit_rate --below 0.5 --window 1d --level info
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("The rule's name.", valueName: "name"))
  var name: String

  @Option(
    help: ArgumentHelp("error_rate, response_time, usage, errors, or the name of a sample.", valueName: "condition"))
  var condition: String

  @Option(help: ArgumentHelp("Fire above this value.", valueName: "value"))
  var above: Double?

  @Option(help: ArgumentHelp("Fire below this value.", valueName: "value"))
  var below: Double?

  @Option(help: ArgumentHelp("Over this time: 5m, 1h.", valueName: "time"), transform: DurationText.parse)
  var window: Duration = .seconds(3600)

  @Option(help: ArgumentHelp("Once in this time.", valueName: "time"), transform: DurationText.parse)
  var cooldown: Duration = .seconds(3600)

  @Option(help: ArgumentHelp("info, warning or critical.", valueName: "level"), transform: ClosedName.parse)
  var level: Ledger.Notice.Level = .warning

  @Option(
    help: ArgumentHelp("email, sms, slack or webhook; may be repeated.", valueName: "channel"),
    transform: ClosedName.parse)
  var channel: [Ledger.Notice.Channel] = []

  @Option(help: ArgumentHelp("A person who is told, by the handle; may be repeated.", valueName: "handle"))
  var recipient: [String] = []

  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard (above == nil) != (below == nil) else { throw ValidationError("give one of --above and --below") }
  }

  func run() async throws {
    let rule = try await store.withLedger(creating: true) { ledger in
      var draft = Ledger.AlertRule.Draft(
        name, Ledger.AlertRule.Condition(rawValue: condition), above: above ?? below ?? 0, over: window)
      draft.comparison = above == nil ? .below : .above
      (draft.cooldown, draft.level, draft.channels) = (cooldown, level, channel)
      for handle in recipient {
        guard let person = try await ledger.person(handle: handle) else {
          throw MemoryError(.notFound, "no person \"\(handle)\"; add the person first")
        }
        draft.recipients.append(person.id)
      }
      return try await ledger.save(draft)
    }
    try LedgerList.write(rule, output, "\(name): saved")
  }
}

struct AlertList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists the rules, or the alerts of one.",
    discussion: """
      EXAMPLES:
        episodic ledger alert list
        episodic ledger alert list many-errors
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("A rule, whose alerts are listed.", valueName: "name"))
  var name: String?

  @OptionGroup var times: TimeOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    if let name {
      let alerts = try await store.withLedger { ledger in try await ledger.alerts(of: name, limit: 100) }
      return try LedgerList.write(
        alerts, as: "alerts", output, empty: "no alerts", [.init("TIME"), .init("VALUE", isNumber: true)]
      ) { [.init(times.format.inTable($0.createdAt)), .init("\($0.value)")] }
    }
    let rules = try await store.withLedger { ledger in try await ledger.alertRules(limit: 1000) }
    try LedgerList.write(
      rules, as: "rules", output, empty: "no rules",
      [
        .init("RULE"), .init("CONDITION", isText: true), .init("WINDOW"), .init("LEVEL", rank: 1),
        .init("FIRED", rank: 2),
      ]
    ) { rule in
      [
        .init(rule.name), .init("\(rule.condition.rawValue) \(rule.comparison.rawValue) \(rule.threshold)"),
        .init("\(DurationText(rule.window))"), .init(rule.isEnabled ? rule.level.rawValue : "off"),
        .init(rule.lastTriggered.map(times.format.inTable) ?? "never"),
      ]
    }
  }
}

struct AlertEvaluate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate", abstract: "Fires the rules whose condition holds; exits with 1 if one does.",
    discussion: """
      EXAMPLES:
        episodic ledger alert evaluate
      """)

  @OptionGroup var store: StoreOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let alerts = try await store.withLedger { ledger in try await ledger.evaluateAlerts() }
    if output.json {
      StandardOutput.write(["alerts": .array(try alerts.map { try JSON(ledger: $0) })])
    } else {
      for alert in alerts { StandardOutput.write("\(alert.rule): \(alert.value)".onOneLine) }
    }
    if !alerts.isEmpty { throw ExitCode(1) }
  }
}

struct AlertRemove: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove", abstract: "Removes a rule with its alerts.",
    discussion: """
      EXAMPLES:
        episodic ledger alert remove many-errors
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("The rule's name.", valueName: "name"))
  var name: String

  @OptionGroup var output: OutputOptions

  func run() async throws {
    try await store.withLedger { ledger in try await ledger.remove(alertRule: name) }
    LedgerList.writeRemoved(name, output)
  }
}

struct AlertEnable: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "enable", abstract: "Has a rule looked at again that was disabled.",
    discussion: """
      EXAMPLES:
        episodic ledger alert enable many-errors
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("The rule's name.", valueName: "name"))
  var name: String

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let rule = try await store.withLedger { ledger in try await ledger.set(isEnabled: true, ofAlertRule: name) }
    try LedgerList.write(rule, output, "\(name): on")
  }
}

struct AlertDisable: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "disable", abstract: "Leaves a rule out, with its history, until it is enabled again.",
    discussion: """
      EXAMPLES:
        episodic ledger alert disable many-errors
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("The rule's name.", valueName: "name"))
  var name: String

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let rule = try await store.withLedger { ledger in try await ledger.set(isEnabled: false, ofAlertRule: name) }
    try LedgerList.write(rule, output, "\(name): off")
  }
}
