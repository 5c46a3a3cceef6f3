import StoreValues
import TestSupport
import Testing

@testable import AgentLedger

extension Ledger {
  func sample(_ name: String, _ value: Double, labels: [String: String] = [:]) async throws {
    try await record(Sample.Draft(value, of: Sample.Name(rawValue: name), labels: labels))
  }

  /// A task that is added, claimed, and ends.
  func task(
    _ type: String = "t", domain: String = "d", taking duration: Duration = .zero, fails: Bool = false,
    _ clock: ManualClock
  ) async throws {
    let worker = try await register(worker: "w").id
    let added = try await add(Ledger.Task.Draft(type, domain: domain)).task.id
    _ = try await claim(by: worker)
    clock.advance(by: duration)
    if fails {
      try await fail(added, by: worker, error: "e", mayRetry: false)
    } else {
      try await complete(added, by: worker)
    }
  }
}

@Suite struct Alerts {
  private let clock = ManualClock()

  private func fires(_ rule: Ledger.AlertRule.Draft, _ ledger: Ledger) async throws -> Double? {
    try await ledger.save(rule)
    let alerts = try await ledger.evaluateAlerts()
    #expect(alerts.allSatisfy { $0.createdAt == clock.now() })
    return alerts.first { $0.rule == rule.name }?.value
  }

  @Test func `the error rate is of tasks that completed or failed in the window`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    try await ledger.task(fails: true, clock)  // Before the window.
    clock.advance(by: .seconds(600))
    #expect(try await fires(.init("none", .errorRate, above: 0, over: .seconds(600)), ledger) == nil)
    clock.advance(by: .milliseconds(1))
    for index in 0..<4 { try await ledger.task(domain: index < 2 ? "a" : "b", fails: index == 0, clock) }
    try await ledger.cancel(ledger.add(Ledger.Task.Draft("t", domain: "a")).task.id)
    #expect(try await fires(.init("r", .errorRate, above: 0.24, over: .seconds(600)), ledger) == 0.25)
    #expect(try await fires(.init("at", .errorRate, above: 0.25, over: .seconds(600)), ledger) == nil)
    var labelled = Ledger.AlertRule.Draft("a", .errorRate, above: 0.25, over: .seconds(600))
    labelled.labels = ["domain": "a", "type": "t"]
    #expect(try await fires(labelled, ledger) == 0.5)
    labelled.name = "b"
    labelled.labels = ["domain": "b"]
    #expect(try await fires(labelled, ledger) == nil)
  }

  @Test func `a disabled rule does not fire, keeps its history, and fires again when it is enabled`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    try await ledger.task(fails: true, clock)
    #expect(try await fires(.init("r", .errorRate, above: 0.5, over: .seconds(86_400)), ledger) == 1)
    let disabled = try await ledger.set(isEnabled: false, ofAlertRule: "r")
    #expect(!disabled.isEnabled && disabled.lastTriggered == clock.now())
    clock.advance(by: .seconds(7200))
    #expect(try await ledger.evaluateAlerts().isEmpty)
    #expect(try await ledger.alerts(of: "r").count == 1)
    #expect(try await ledger.set(isEnabled: true, ofAlertRule: "r").isEnabled)
    #expect(try await ledger.evaluateAlerts().map(\.rule) == ["r"])
    let error = await #expect(throws: MemoryError.self) { try await ledger.set(isEnabled: true, ofAlertRule: "none") }
    #expect(error?.code == .notFound)
  }

  @Test func `the response time is the mean of tasks that completed`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    try await ledger.task(taking: .seconds(2), clock)
    try await ledger.task(taking: .seconds(4), clock)
    try await ledger.task(taking: .seconds(100), fails: true, clock)
    #expect(try await fires(.init("r", .responseTime, above: 2999, over: .seconds(3600)), ledger) == 3000)
    #expect(try await fires(.init("s", .responseTime, above: 3000, over: .seconds(3600)), ledger) == nil)
  }

  @Test func `usage counts tasks that were added, and none is 0`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    var low = Ledger.AlertRule.Draft("low", .usage, above: 1, over: .seconds(60))
    low.comparison = .below
    #expect(try await fires(low, ledger) == 0)
    for type in ["a", "b", "b"] { try await ledger.add(Ledger.Task.Draft(type, domain: "d")) }
    #expect(try await fires(.init("r", .usage, above: 2, over: .seconds(60)), ledger) == 3)
    var labelled = Ledger.AlertRule.Draft("b", .usage, above: 0, over: .seconds(60))
    labelled.labels = ["type": "b"]
    #expect(try await fires(labelled, ledger) == 2)
  }

  @Test func `errors counts events of level error and critical`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    for level in Ledger.Event.Level.allCases {
      try await ledger.log(
        Ledger.Event.Draft(
          "m", level: level, kind: .error, component: level == .critical ? .api : .database, errorType: .timeout))
    }
    #expect(try await fires(.init("r", .errors, above: 1, over: .seconds(60)), ledger) == 2)
    var labelled = Ledger.AlertRule.Draft("a", .errors, above: 0, over: .seconds(60))
    labelled.labels = ["component": "api", "error_type": "timeout", "kind": "error"]
    #expect(try await fires(labelled, ledger) == 1)
  }

  @Test func `any sample's mean is of the series that have the labels`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    try await ledger.sample("cpu", 100)
    clock.advance(by: .seconds(60))
    for (value, labels) in [(1, ["host": "a"]), (2, ["host": "a", "core": "1"]), (6, ["host": "b"])]
      as [(Double, [String: String])]
    {
      try await ledger.sample("cpu", value, labels: labels)
    }
    try await ledger.sample("memory", 1000, labels: ["host": "a"])
    #expect(try await fires(.init("r", .sample("cpu"), above: 2, over: .seconds(60)), ledger) == 3)
    var labelled = Ledger.AlertRule.Draft("a", .sample("cpu"), above: 1, over: .seconds(60))
    labelled.labels = ["host": "a"]
    #expect(try await fires(labelled, ledger) == 1.5)
    labelled.name = "none"
    labelled.labels = ["host": "c"]
    labelled.comparison = .below
    #expect(try await fires(labelled, ledger) == nil)
  }

  @Test func `a rule fires once per cooldown, and its alert and notices are there`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    let ada = try await ledger.add(Ledger.Person.Draft("ada")).id
    let bob = try await ledger.add(Ledger.Person.Draft("bob")).id
    try await ledger.save(
      Ledger.AlertRule.Draft(
        "r", .sample("cpu"), above: 1, over: .seconds(86_400), to: [ada, bob], by: [.sms, .slack]))
    try await ledger.sample("cpu", 2)
    let first = try await ledger.evaluateAlerts()
    #expect(first == [Ledger.Alert(rule: "r", value: 2, createdAt: clock.now())])
    #expect(try await ledger.alertRule("r")?.lastTriggered == clock.now())
    let notices = try await ledger.notices()
    #expect(Set(notices.map { "\($0.recipient) \($0.channel)" }).count == 4)
    #expect(notices.allSatisfy { $0.type == .alert && $0.level == .warning && $0.subject == "warning: r" })
    #expect(notices.first?.body == "cpu is 2.0, above 1.0, over 1 day.")
    clock.advance(by: .milliseconds(3_599_999))
    #expect(try await ledger.evaluateAlerts().isEmpty)
    try await ledger.remove(person: bob)
    clock.advance(by: .milliseconds(1))
    #expect(try await ledger.evaluateAlerts().count == 1)
    #expect(try await ledger.notices(to: ada).count == 4)
    #expect(try await ledger.alerts(of: "r").count == 2)
    #expect(try await ledger.alerts().first?.createdAt == clock.now())
  }

  @Test func `many who evaluate at once fire a rule once`() async throws {
    let directory = try TemporaryDirectory()
    var options = Ledger.OpenOptions()
    options.clock = clock
    let ledger = try await Ledger.open(at: directory.path, options: options)
    try await ledger.save(Ledger.AlertRule.Draft("r", .sample("cpu"), above: 1, over: .seconds(60)))
    try await ledger.sample("cpu", 2)
    let fired = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<32 { group.addTask { try await ledger.evaluateAlerts().count } }
      return try await group.reduce(0, +)
    }
    #expect(fired == 1)
    #expect(try await ledger.alerts().count == 1)
    try await ledger.close()
  }

  @Test func `a rule that is saved again keeps when it fired, a disabled or removed one does not fire`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    var rule = Ledger.AlertRule.Draft("r", .sample("cpu"), above: 1, over: .seconds(60))
    try await ledger.sample("cpu", 2)
    #expect(try await fires(rule, ledger) == 2)
    rule.threshold = 0
    #expect(try await fires(rule, ledger) == nil)
    rule.cooldown = .zero
    rule.isEnabled = false
    #expect(try await fires(rule, ledger) == nil)
    rule.isEnabled = true
    #expect(try await fires(rule, ledger) == 2)
    #expect(try await fires(rule, ledger) == 2)
    try await ledger.remove(alertRule: "r")
    #expect(try await ledger.evaluateAlerts().isEmpty)
    #expect(try await ledger.alerts().isEmpty)
  }

  @Test func `a clock that is set back silences a rule for one cooldown, not longer`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    try await ledger.save(Ledger.AlertRule.Draft("r", .usage, above: 0, over: .seconds(86_400)))
    try await ledger.add(Ledger.Task.Draft("t", domain: "d"))
    #expect(try await ledger.evaluateAlerts().count == 1)
    clock.advance(by: .seconds(-30 * 86_400))
    try await ledger.add(Ledger.Task.Draft("t", domain: "d"))
    #expect(try await ledger.evaluateAlerts().isEmpty)
    clock.advance(by: .seconds(3599))
    #expect(try await ledger.evaluateAlerts().isEmpty)
    clock.advance(by: .seconds(1))
    #expect(try await ledger.evaluateAlerts().count == 1)
  }

  // MARK: Bad input

  static func draft(_ change: (inout Ledger.AlertRule.Draft) -> Void) -> Ledger.AlertRule.Draft {
    var draft = Ledger.AlertRule.Draft("r", .errorRate, above: 0.5, over: .seconds(60))
    change(&draft)
    return draft
  }

  static let refused: [(rule: Ledger.AlertRule.Draft, code: MemoryError.Code, part: String)] = [
    (draft { $0.name = "" }, .invalid, "name is empty"),
    (draft { $0.condition = "" }, .invalid, "condition is empty"),
    (draft { $0.threshold = .nan }, .invalid, "nan"),
    (draft { $0.threshold = .infinity }, .invalid, "inf"),
    (draft { $0.window = .zero }, .invalid, "window is 0 seconds"),
    (draft { $0.window = .seconds(1 << 40) }, .invalid, "window"),
    (draft { $0.cooldown = .seconds(-1) }, .invalid, "cooldown is -1"),
    (draft { $0.channels = [.sms, .sms] }, .invalid, "name one twice"),
    (draft { $0.recipients = ["nobody"] }, .notFound, "nobody"),
    (draft { $0.labels = [] }, .invalid, "JSON object"),
    (draft { $0.labels = ["domain": 1] }, .invalid, "label domain is 1"),
    (draft { $0.labels = ["host": "a"] }, .invalid, "no label \"host\""),
    (draft { $0.labels = ["domain\" OR 1": "a"] }, .invalid, "no label"),
  ]

  @Test(arguments: refused.indices) func `a rule that cannot be is refused and not saved`(_ index: Int) async throws {
    let (rule, code, part) = Self.refused[index]
    let ledger = try await Ledger.inMemory(clock: clock)
    let error = await #expect(throws: MemoryError.self) { try await ledger.save(rule) }
    #expect(error?.code == code)
    #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
    #expect(try await ledger.alertRules().isEmpty)
  }
}
