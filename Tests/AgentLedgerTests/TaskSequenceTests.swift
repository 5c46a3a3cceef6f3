import AgentLedger
import Foundation
import StoreValues
import TestSupport
import Testing

@Suite struct `Random operations on tasks, outbox, pages and states` {
  /// 60 operations each.
  private static let sequences = ProcessInfo.processInfo.environment["EPISODIC_SEQUENCES"].flatMap(Int.init) ?? 500
  private static let seed: UInt64 = 20_261_127

  private static let parts = 8
  /// Those of a part, which run beside the others.
  private static func seeds(_ part: Int) -> [UInt64] {
    (0..<sequences).filter { $0 % parts == part }.map { seed + UInt64($0) }
  }
  /// Reading all of a ledger costs more than an operation.
  private static func isCompared(after step: Int) -> Bool { step % 4 == 3 }

  @Test(arguments: 0..<parts) func `tasks and workers equal a model`(part: Int) async throws {
    for seed in Self.seeds(part) {
      var sequence = try await TaskSequence(seed: seed)
      for step in 0..<60 {
        let operation = try await sequence.step()
        guard Self.isCompared(after: step) else { continue }
        try await sequence.compare("step \(step), \(operation), seed \(seed)")
      }
      try await sequence.ledger.close()
    }
  }

  @Test(arguments: 0..<parts) func `the outbox equals a model`(part: Int) async throws {
    for seed in Self.seeds(part) {
      var sequence = try await OutboxSequence(seed: seed)
      for step in 0..<60 {
        let operation = try await sequence.step()
        guard Self.isCompared(after: step) else { continue }
        try await sequence.compare("step \(step), \(operation), seed \(seed)")
      }
      try await sequence.ledger.close()
    }
  }

  @Test(arguments: 0..<parts) func `pages, states and signals equal a model`(part: Int) async throws {
    for seed in Self.seeds(part) {
      var sequence = try await ApplicationSequence(seed: seed)
      for step in 0..<60 { try await sequence.step("step \(step), seed \(seed)") }
      try await sequence.compare("seed \(seed)")
      try await sequence.ledger.close()
    }
  }
}

/// Random operations on tasks and workers, each done by a ledger and by its model.
private struct TaskSequence {
  let ledger: Ledger
  private let clock = ManualClock()
  private var generator: SeededGenerator
  private var model: TaskModel

  init(seed: UInt64) async throws {
    ledger = try await Ledger.inMemory(clock: clock)
    generator = SeededGenerator(seed: seed)
    model = TaskModel(now: clock.now().milliseconds)
  }

  private static let workers: [Ledger.Worker.ID] = ["w0", "w1", "w2"]
  private static let types = ["visit", "read", "write"]
  private static let domains = ["a", "b"]

  private mutating func dice(_ count: Int) -> Int { Int.random(in: 0..<count, using: &generator) }
  private mutating func pick<Value>(_ values: [Value]) -> Value { values[dice(values.count)] }
  private mutating func task() -> Ledger.Task.ID { model.tasks.isEmpty ? "none" : pick(model.tasks).id }
  /// One of those in progress, if there is one, with its claimant, or sometimes with another worker.
  private mutating func claim() -> (task: Ledger.Task.ID, worker: Ledger.Worker.ID) {
    let claimed = model.tasks.filter { $0.status == .inProgress }
    guard !claimed.isEmpty, dice(8) > 0 else { return (task(), pick(Self.workers)) }
    let one = pick(claimed)
    return (one.id, dice(8) == 0 ? pick(Self.workers) : one.worker ?? "w0")
  }

  mutating func step() async throws -> String {
    switch dice(15) {
    case 0, 1, 2: return try await add()
    case 3, 4, 5: return try await claimSome()
    case 6:
      let (task, worker) = claim()
      let lease = Int64(1 + dice(30_000))
      let found = try await unlessRefused { try await ledger.heartbeat(task, by: worker, lease: .milliseconds(lease)) }
      #expect(found == model.heartbeat(task, by: worker, lease: lease))
      return "heartbeat of \(task) by \(worker)"
    case 7, 8:
      let (task, worker) = claim()
      let found = try await unlessRefused { try await ledger.complete(task, by: worker) }
      #expect((found != nil) == model.complete(task, by: worker))
      return "complete \(task) by \(worker)"
    case 9: return try await fail()
    case 10:
      let id = task()
      _ = try await unlessRefused { try await ledger.cancel(id) }
      model.cancel(id)
      return "cancel \(id)"
    case 11:
      let id = model.tasks.last { $0.status == .failed }?.id ?? task()
      let found = try await unlessRefused { try await ledger.retry(id) }
      #expect((found != nil) == model.retry(id))
      return "retry \(id)"
    case 12: return try await changeWorker()
    default:
      // An hour back, once in a while.
      let duration = dice(6) == 0 ? Int64(-3_600_000) : Int64(dice(20_000))
      clock.advance(by: .milliseconds(duration))
      model.now = clock.now().milliseconds
      return "\(duration) ms pass"
    }
  }

  private mutating func add() async throws -> String {
    var drafts: [Ledger.Task.Draft] = []
    for _ in 0...dice(3) {
      var draft = Ledger.Task.Draft(
        pick(Self.types), domain: pick(Self.domains), params: ["n": .integer(Int64(dice(4)))],
        priority: pick(Ledger.Task.Priority.allCases), isUnique: dice(3) == 0)
      if dice(4) == 0 { draft.notBefore = Timestamp(milliseconds: model.now + Int64(dice(20_000)) - 5000) }
      (draft.maximumAttempts, draft.maximumCrashes) = (1 + dice(3), 1 + dice(3))
      drafts.append(draft)
    }
    let added = try await ledger.add(drafts)
    for (draft, added) in zip(drafts, added) {
      let content = draft.isUnique ? draft.type + draft.params.canonicalText : nil
      let expected = model.add(draft, id: added.task.id, content: content)
      #expect(expected == (added.task.id, added.isNew))
    }
    return "add \(drafts.count)"
  }

  private mutating func claimSome() async throws -> String {
    let (worker, count, lease) = (pick(Self.workers), 1 + dice(4), Int64(1 + dice(30_000)))
    let types = Array(Set((0..<dice(3)).map { _ in pick(Self.types) }))
    let domain = dice(3) == 0 ? pick(Self.domains) : nil
    let found = try await unlessRefused {
      try await ledger.claim(by: worker, count: count, of: types, in: domain, lease: .milliseconds(lease))
    }
    #expect(found?.map(\.id) == model.claim(by: worker, count: count, of: types, in: domain, lease: lease))
    return "claim by \(worker)"
  }

  private mutating func fail() async throws -> String {
    let ((task, worker), mayRetry) = (claim(), dice(4) > 0)
    let found = try await unlessRefused { try await ledger.fail(task, by: worker, error: "x", mayRetry: mayRetry) }
    let wait = model.fail(task, by: worker, mayRetry: mayRetry)
    #expect((found != nil) == (wait != nil))
    if let found, let wait, found.status == .pending {
      #expect(wait.contains(found.notBefore.milliseconds - model.now))
      model.adopt(notBefore: found.notBefore.milliseconds, of: task)
    }
    return "fail \(task) by \(worker)"
  }

  private mutating func changeWorker() async throws -> String {
    let worker = pick(Self.workers)
    switch dice(6) {
    case 0, 1:
      _ = try await ledger.register(worker: worker)
      model.register(worker)
      return "register \(worker)"
    case 2:
      let found: Void? = try await unlessRefused { try await ledger.remove(worker: worker) }
      let isThere = model.workers[worker] != nil
      let removed = model.remove(worker)
      #expect((found != nil) == (isThere && removed))
      return "remove \(worker)"
    case 3:
      let found = try await unlessRefused { try await ledger.heartbeat(worker: worker, lease: .seconds(5)) }
      if model.workers[worker] != nil { #expect(found == model.heartbeat(worker: worker, lease: 5000)) }
      return "heartbeat of \(worker)"
    default:
      let status = pick(Ledger.Worker.Status.allCases)
      let found = try await unlessRefused { try await ledger.set(status, of: worker) }
      #expect((found != nil) == (model.workers[worker] != nil))
      if found != nil { model.set(status, of: worker) }
      return "\(worker) is \(status)"
    }
  }

  func compare(_ step: String) async throws {
    let stored = try await ledger.tasks(limit: 1000)
    let tasks = Dictionary(uniqueKeysWithValues: stored.map { ($0.id, $0) })
    #expect(tasks.count == model.tasks.count, "\(step)")
    for expected in model.tasks {
      let task = try #require(tasks[expected.id], "\(step)")
      let isEqual =
        task.status == expected.status && task.attempts == expected.attempts && task.crashes == expected.crashes
        && task.leaseUntil?.milliseconds == expected.lease && task.notBefore.milliseconds == expected.notBefore
        && task.worker == expected.worker && task.isCancelling == expected.isCancelling
        && (task.completedAt != nil) == !expected.isQueued
      #expect(isEqual, "\(step): \(task) is not \(expected)")
    }
    let workers = try await ledger.workers()
    #expect(workers.count == model.workers.count, "\(step)")
    for worker in workers {
      let expected = try #require(model.workers[worker.id], "\(step)")
      let isEqual =
        worker.status == expected.status && worker.currentTask == expected.current
        && worker.tasksCompleted == expected.completed && worker.launches == expected.launches
      #expect(isEqual, "\(step): \(worker) is not \(expected)")
    }
  }
}

/// `nil` if the state of the ledger does not allow it.
private func unlessRefused<Value>(_ body: () async throws -> Value) async throws -> Value? {
  do {
    return try await body()
  } catch let error as MemoryError where error.code == .conflict || error.code == .notFound {
    return nil
  }
}

/// Random operations on an outbox.
private struct OutboxSequence {
  let ledger: Ledger
  private let clock = ManualClock()
  private var generator: SeededGenerator
  private var model: OutboxModel

  init(seed: UInt64) async throws {
    ledger = try await Ledger.inMemory(clock: clock)
    generator = SeededGenerator(seed: seed)
    model = OutboxModel(now: clock.now().milliseconds)
  }

  private static let kinds: [Ledger.OutboxMessage.Kind] = [.tasks, .results, .signals]

  private mutating func dice(_ count: Int) -> Int { Int.random(in: 0..<count, using: &generator) }

  mutating func step() async throws -> String {
    switch dice(6) {
    case 0, 1:
      let drafts = (0...dice(3)).map { _ in
        Ledger.OutboxMessage.Draft(
          Self.kinds[dice(3)], key: "k\(dice(4))", payload: 1,
          notBefore: dice(6) == 0 ? Timestamp(milliseconds: model.now + Int64(dice(9000)) - 2000) : nil)
      }
      for (draft, id) in zip(drafts, try await ledger.put(drafts)) { model.put(draft, id: id) }
      return "put \(drafts.count)"
    case 2, 3: return try await deliver()
    case 4:
      let dead = model.messages.filter { $0.status == .dead }
      let id = dead.isEmpty ? model.messages.first?.id ?? "none" : dead[dice(dead.count)].id
      let found = try await unlessRefused { try await ledger.retry(id) }
      #expect((found != nil) == model.putBack(id))
      return "put back \(id)"
    default:
      let duration = dice(5) == 0 ? Int64(-3_600_000) : Int64(dice(4000))
      clock.advance(by: .milliseconds(duration))
      model.now = clock.now().milliseconds
      return "\(duration) ms pass"
    }
  }

  /// Answers as told, message by message.
  private struct Told: OutboxSink {
    let outcomes: [Ledger.OutboxMessage.ID: Ledger.DeliveryOutcome]
    let batch: [Ledger.OutboxMessage.ID]

    struct Surprise: Error {}

    func deliver(_ batch: [Ledger.OutboxMessage]) async throws -> [Ledger.DeliveryOutcome] {
      guard batch.map(\.id) == self.batch else { throw Surprise() }
      return batch.map { outcomes[$0.id] ?? .refused("was not expected") }
    }
  }

  private mutating func deliver() async throws -> String {
    var options = Ledger.DeliveryOptions()
    options.kinds = Self.kinds.filter { _ in dice(3) == 0 }
    (options.batchSize, options.maximumAttempts) = (1 + dice(8), 1 + dice(4))
    let batch = model.lease(options.kinds, atMost: options.batchSize)
    var outcomes: [Ledger.OutboxMessage.ID: Ledger.DeliveryOutcome] = [:]
    for id in batch {
      outcomes[id] =
        switch dice(6) {
        case 0: .tryAgain("x")
        case 1: .tryAgain("x", after: .milliseconds(dice(10_000)))
        case 2: .refused("x")
        case 3: .notSent(after: .milliseconds(dice(1000)))
        default: .delivered
        }
    }
    let report = try await ledger.deliver(to: Told(outcomes: outcomes, batch: batch), options)
    #expect(report.sent == batch.count)
    for id in batch {
      let wait = model.settle(id, outcomes[id] ?? .delivered, maximumAttempts: options.maximumAttempts)
      guard let wait, let message = try await ledger.message(id) else { continue }
      #expect(wait.contains(message.nextAttemptAt.milliseconds - model.now))
      model.adopt(next: message.nextAttemptAt.milliseconds, of: id)
    }
    return "deliver \(batch.count)"
  }

  func compare(_ step: String) async throws {
    let stored = try await ledger.undelivered(limit: 1000)
    let dead = try await ledger.deadLetters(limit: 1000)
    #expect(stored.map(\.id) == model.messages.filter(\.isUndelivered).map(\.id), "\(step)")
    #expect(Set(dead.map(\.id)) == Set(model.messages.filter { $0.status == .dead }.map(\.id)), "\(step)")
    let messages = Dictionary(uniqueKeysWithValues: (stored + dead).map { ($0.id, $0) })
    for expected in model.messages where expected.status != .delivered {
      let message = try #require(messages[expected.id], "\(step)")
      let isEqual =
        message.status == expected.status && message.attempts == expected.attempts
        && message.nextAttemptAt.milliseconds == expected.next
      #expect(isEqual, "\(step): \(message) is not \(expected)")
    }
    let log = try await ledger.deliveries(limit: 1000)
    #expect(log.filter(\.success).reduce(0) { $0 + $1.count } == model.delivered, "\(step)")
  }
}

/// Random operations on pages, states and signals.
private struct ApplicationSequence {
  private struct Versions {
    var last = 0
    var value: JSON?
    var kept: [Int] = []
  }

  let ledger: Ledger
  private let clock = ManualClock()
  private var generator: SeededGenerator
  private var pages: PageModel
  private var states: [String: Versions] = [:]
  private var signals: [(selector: String, success: Bool, at: Int64)] = []

  init(seed: UInt64) async throws {
    var limits = Ledger.Limits()
    (limits.pageBytes, limits.stateVersions) = (40, 3)
    ledger = try await Ledger.inMemory(clock: clock, limits: limits)
    generator = SeededGenerator(seed: seed)
    pages = PageModel(now: clock.now().milliseconds, most: limits.pageBytes)
  }

  private mutating func dice(_ count: Int) -> Int { Int.random(in: 0..<count, using: &generator) }

  mutating func step(_ step: String) async throws {
    let key = "k\(dice(6))"
    switch dice(8) {
    case 0, 1:
      let (data, lifetime) = (String(repeating: "ü", count: dice(9)), Int64(1 + dice(20_000)))
      try await ledger.put(page: key, data, type: .text, lifetime: .milliseconds(lifetime))
      pages.put(key, data, lifetime: lifetime)
    case 2, 3:
      let (found, expected) = (try await ledger.page(key), pages.get(key))
      #expect(found?.data == expected?.data && found?.accessCount == expected?.accesses, "\(step)")
    case 4: try await putState(key, step)
    case 5:
      let found = try await ledger.delete(state: key, of: "app")
      #expect(found == (states[key]?.value != nil), "\(step)")
      states[key]?.value = nil
      states[key]?.kept = []
    case 6:
      let success = dice(2) == 0
      try await ledger.record(.init(key, type: .css, success: success, domain: "d"))
      signals.append((key, success, pages.now))
    default:
      clock.advance(by: .milliseconds(dice(8) == 0 ? -3_600_000 : Int64(dice(10_000))))
      pages.now = clock.now().milliseconds
    }
  }

  private mutating func putState(_ name: String, _ step: String) async throws {
    var versions = states[name] ?? Versions()
    let current = versions.value == nil ? 0 : versions.last
    let expected = [nil, current, dice(4)][dice(3)]
    let value = JSON.integer(Int64(dice(100)))
    let found = try await unlessRefused {
      try await ledger.put(state: name, of: "app", value, expecting: expected)
    }
    let isExpected = expected == nil || expected == current
    #expect((found != nil) == isExpected, "\(step)")
    guard isExpected else { return }
    versions.last += 1
    versions.value = value
    versions.kept = Array((versions.kept + [versions.last]).suffix(3))
    states[name] = versions
    #expect(found?.version == versions.last && found?.value == value, "\(step)")
  }

  mutating func compare(_ step: String) async throws {
    let rates = try await ledger.pageHitRates()
    #expect(rates.map(\.hits) == pages.hours.sorted { $0.key < $1.key }.map(\.value.hits), "\(step)")
    #expect(rates.map(\.misses) == pages.hours.sorted { $0.key < $1.key }.map(\.value.misses), "\(step)")
    let stored = try await ledger.states(of: "app")
    let expected = states.filter { $0.value.value != nil }.sorted { $0.key < $1.key }
    #expect(stored.map(\.name) == expected.map(\.key) && stored.map(\.version) == expected.map(\.value.last), "\(step)")
    for (name, versions) in states {
      let kept = try await ledger.versions(ofState: name, of: "app").map(\.version)
      #expect(kept == versions.kept.reversed(), "\(step)")
    }
    let times = signals.map(\.at).sorted()
    let (since, until) = (times.first.map { $0 + Int64(dice(30_000)) } ?? 0, times.last ?? 0)
    let window = Dictionary(grouping: signals.filter { $0.at >= since && $0.at < until }, by: \.selector)
    let found = try await ledger.selectorRates(
      in: "d", since: Timestamp(milliseconds: since), until: Timestamp(milliseconds: until))
    let counts = window.map { ($0.key, $0.value.count, $0.value.count(where: \.success)) }
      .sorted { ($1.1, $0.0) < ($0.1, $1.0) }
    #expect(found.map(\.selector) == counts.map(\.0) && found.map(\.count) == counts.map(\.1), "\(step)")
    #expect(found.map(\.successes) == counts.map(\.2), "\(step)")
  }
}
