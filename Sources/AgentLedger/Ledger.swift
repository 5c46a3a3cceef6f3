import StoreValues

/// A ledger: what an agent runtime is doing now. Finished runs become episodes of a memory; a ledger never imports one.
///
/// `Ledger.open(at:)` opens one. A value is a few references: copy it, share it between tasks, call it concurrently. A write
/// returns after its commit (I2); a read is of one snapshot.
///
/// ## Tasks: Tasks/Ledger+Tasks.swift, Tasks/Ledger+Claiming.swift
/// - `add(_:)` a task, or several; `task(_:)` by its id, `tasks(_:after:limit:)` by filter
/// - `claim(by:count:of:in:lease:)` the next ones; `heartbeat(_:by:lease:)` keeps one
/// - `complete(_:by:with:deliver:)` or `fail(_:by:error:mayRetry:with:deliver:)` what was claimed; `cancel(_:)`, `retry(_:)`
///
/// ## Workers: Workers/Ledger+Workers.swift
/// - `register(worker:kind:pid:)`; `heartbeat(worker:memoryBytes:lease:)` of it and all its tasks; `set(_:of:)` its status;
///   `worker(_:)`, `workers(_:limit:)`, `remove(worker:)`
///
/// ## Agents and runs: Agents/Ledger+Agents.swift, Runs/Ledger+Runs.swift
/// - `add(_:)` an agent, `update(_:with:)` or `remove(agent:)` it; `agent(_:)`, `agent(named:)`,
///   `agents(_:after:limit:)`
/// - `start(_:)` a run, `set(_:of:)` what it does, `heartbeat(run:)`, `finish(run:as:successRate:error:at:)`;
///   `run(_:)`, `runs(_:after:limit:)`
/// - `tree(of:)` of a run, `cancel(run:)` all of it, `failAbandoned(after:)`
///
/// ## Prompts: Prompts/Ledger+Prompts.swift, Prompts/Ledger+Responses.swift, Prompts/Ledger+ToolCalls.swift
/// - `add(_:to:)` prompts and tool calls to a run; `entries(of:after:limit:)`, `prompts(of:after:limit:)`,
///   `toolCalls(of:after:limit:)`; `prompt(_:)`, `toolCall(_:)`; `prompts(_:after:limit:)` that are pending or failed
/// - `beginResponse(to:)`, `append(_:toResponseOf:)`, `response(to:)`, `finish(prompt:as:with:error:)`
///
/// ## Events, samples and files: Events/Ledger+Events.swift, Samples/Ledger+Samples.swift, Files/Ledger+Files.swift
/// - `log(_:)` events, with credentials redacted; `events(_:after:limit:)`
/// - `record(_:)` samples; `series(_:labels:)`, `samples(of:labels:in:limit:)`, `summary(of:labels:in:percentiles:)`,
///   `trend(of:labels:in:by:percentiles:)`
/// - `record(_:)` which files were read, written, created or deleted; `fileAccesses(_:after:limit:)`
///
/// ## Results and outbox: Outbox/Ledger+Outbox.swift, Outbox/Ledger+Delivery.swift
/// - `results(of:)` a task, `result(_:)`; `put(_:)` a message, or several; `message(_:)`, `undelivered(after:limit:)`
/// - `deliver(to:_:)` one batch to an `OutboxSink`, or `deliverContinuously(to:_:)`
/// - `deadLetters(after:limit:)` and `retry(_:)` one; `deliveries(since:after:limit:)` is the log,
///   `logDelivery(_:of:count:success:error:duration:)` writes into it
///
/// ## People: People/Ledger+People.swift, People/Ledger+Requests.swift, People/Ledger+Logins.swift, People/Ledger+Passwords.swift
/// - `add(_:)`, `update(person:_:)`, `remove(person:)`; `person(_:)`, `person(handle:)`, `people(_:after:limit:)` by
///   tier or since when active, `growth(since:limit:)` by day, `topPeople(since:limit:)` by tasks
/// - `countRequest(of:)` within the rate limit, of which `set(rateLimit:of:for:)` sets that of a tier, and `rateLimits(of:)`
///   has all
/// - `logIn(_:for:)` gives a token, `person(withToken:)`, `logins(of:)`, `revoke(token:)`, `revokeLogins(of:)`
/// - `set(password:of:cost:)` and `person(handle:password:cost:)`, with the trait `Passwords`
///
/// ## Notices: Notices/Ledger+Notices.swift, Notices/Ledger+Templates.swift, Notices/NoticeChannel.swift
/// - `save(_:)`, `template(_:)`, `templates(after:limit:)`, `render(template:_:)`, `remove(template:)`
/// - `preferences(of:)` of a person and `set(_:of:)`
/// - `notify(_:template:_:level:by:)` a person; `notice(_:)`, `notices(to:status:after:limit:)`, `set(_:of:)`
/// - `deliverNotices(by:_:)` by a `NoticeChannel`, or `deliverNoticesContinuously(by:_:)`
///
/// ## Alerts: Alerts/Ledger+Alerts.swift
/// - `save(_:)`, `alertRule(_:)`, `alertRules(after:limit:)`, `set(isEnabled:ofAlertRule:)`, `remove(alertRule:)`
/// - `evaluateAlerts()` fires the rules, `alerts(of:limit:)` that fired
///
/// ## Telemetry: Telemetry/Ledger+Telemetry.swift
/// - `bootstrapTelemetry(alsoLoggingTo:)`: what the program logs and measures, as events and samples; `flush()` writes what waits
///
/// ## What applications keep: Signals/Ledger+Signals.swift, Pages/Ledger+Pages.swift, States/Ledger+States.swift
/// - `record(_:)` a signal, or several; `selectorRates(in:since:until:limit:)`, `selectorRate(of:type:in:since:until:)`,
///   `signals(of:after:limit:)` a task
/// - `put(page:_:type:lifetime:)`, `page(_:)` if it is fresh, `remove(page:)`, `removeExpiredPages()`,
///   `pageHitRates(since:until:)`
/// - `put(state:of:_:expecting:)` a new version, compared with the one before; `state(_:of:)`, `versions(ofState:of:before:limit:)`,
///   `states(of:after:limit:)`, `delete(state:of:expecting:)`
///
/// ## Upkeep: Retention/Ledger+Retention.swift, Upkeep/Ledger+Maintenance.swift, Upkeep/Ledger+Checking.swift,
/// Backups/Ledger+Backups.swift
/// - `retention()`, `set(_:)`, `applyRetention(isDryRun:isAcceptingClock:)`
/// - `maintain(_:)` does what is due, `lastMaintained()`; `check()` says what is not as it should be
/// - `backUp(to:keep:)` into one verified file, `restore(_:to:clock:busyTimeout:)`
///
/// ## Changes: Changes/Ledger+Changes.swift
/// - `changes(after:of:)` are told as they are committed, from a `changeCursor()` on
///
/// ## Reports: Reports/Ledger+Reports.swift
/// - `categoryReport(over:)` and `taskTrend(days:in:)` of tasks that ended, `queueDepth()` of those that wait
/// - `errorRates(over:)`, `errorsByPerson(over:limit:)`; `costs(by:over:limit:)`, `costTrend(days:in:)`
/// - `pageUse(over:)`, `tableSizes()`, `orphans(silentFor:)`
///
/// ## One domain: Domains/DomainLedger.swift
/// - `domain(_:)`: a handle on the tasks, runs and signals of one domain
///
/// ## Close: Store/Ledger+Open.swift
/// - `close()`
public struct Ledger: Sendable {
  let database: LedgerDatabase
  /// The ledger's identity: another one for a restored or another file.
  let identity: LedgerIdentity
  let appends: Appends

  init(_ database: LedgerDatabase) async throws(MemoryError) {
    self.database = database
    appends = Appends(database)
    identity = try await LedgerIdentity.of(database)
  }
}
