import Foundation
import GRDB
import StoreValues
import TestSupport
import Testing

@testable import AgentLedger

/// Random operations over people, logins, requests, templates and notices, beside `PeopleModel`.
@Suite struct `People and notices beside a model` {
  /// With EPISODIC_SEQUENCES=10000 so many.
  private static let sequences = ProcessInfo.processInfo.environment["EPISODIC_SEQUENCES"].flatMap(Int.init) ?? 500

  @Test(arguments: 0..<10) func `sequences of sixty operations leave what the model has`(_ part: Int) async throws {
    for seed in 0..<Self.sequences where seed % 10 == part {
      var sequence = try await Sequence(seed: UInt64(seed))
      for step in 0..<60 where !sequence.hasFailed { try await sequence.step(step) }
      try await sequence.compareAll()
      if sequence.hasFailed { return }
    }
  }
}

private struct Sequence {
  private let seed: UInt64
  private var random: SeededGenerator
  private let clock = ManualClock()
  private let ledger: Ledger
  private var model: PeopleModel
  private var tokens = ["none"]
  private(set) var hasFailed = false

  init(seed: UInt64) async throws {
    self.seed = seed
    random = SeededGenerator(seed: seed)
    ledger = try await Ledger.inMemory(clock: clock)
    model = PeopleModel(now: clock.now().milliseconds)
  }

  private mutating func expect<Value: Equatable>(
    _ found: Value, _ expected: Value, _ step: Int, location: SourceLocation = #_sourceLocation
  ) {
    guard found != expected else { return }
    hasFailed = true
    Issue.record("seed \(seed), step \(step): \(found), not \(expected)", sourceLocation: location)
  }

  private mutating func pick<Value>(_ values: [Value]) -> Value {
    values[Int.random(in: values.indices, using: &random)]
  }

  private mutating func id() -> Ledger.Person.ID { pick(["a", "b", "c", "d"]) }
  private mutating func tier() -> Ledger.Person.Tier { pick([.free, .premium, "own"]) }

  mutating func step(_ step: Int) async throws {
    switch Int.random(in: 0..<20, using: &random) {
    case 0..<3: try await addPerson(step)
    case 3: try await changePerson(step)
    case 4: try await removePerson(step)
    case 5: try await limit()
    case 6..<9: try await request(step)
    case 9..<12: try await login(step)
    case 12: try await prefer(step)
    case 13: try await template(step)
    case 14..<17: try await notify(step)
    case 17: try await task()
    default: advance()
    }
    try await look(step)
  }

  private mutating func advance() {
    let seconds = pick([1, 60, 1800, 3600, 86_400, 40 * 86_400, -3600] as [Int64])
    clock.advance(by: .seconds(seconds))
    model.now += seconds * 1000
  }

  // MARK: People

  private mutating func addPerson(_ step: Int) async throws {
    let draft = Ledger.Person.Draft(
      pick(["h1", "h2", "h3", "h4", "h5"]), tier: tier(), email: pick([nil, "a@example.org"]),
      rateLimit: pick([nil, nil, 2]), id: id())
    let found = await refusal { try await ledger.add(draft) }
    expect(found, model.add(draft, as: draft.id ?? ""), step)
  }

  private mutating func changePerson(_ step: Int) async throws {
    let id = id()
    var changes = Ledger.Person.Changes()
    if Bool.random(using: &random) { changes.handle = pick(["h1", "h2", "h3"]) }
    if Bool.random(using: &random) { changes.tier = tier() }
    if Bool.random(using: &random) { changes.email = pick([.some(nil), "b@example.org"]) }
    if Bool.random(using: &random) { changes.rateLimit = pick([.some(nil), 3]) }
    let found = await refusal { try await ledger.update(person: id, changes) }
    expect(found, model.update(id, changes), step)
  }

  private mutating func removePerson(_ step: Int) async throws {
    let id = id()
    let found = await refusal { try await ledger.remove(person: id) }
    expect(found, model.remove(id), step)
  }

  private mutating func task() async throws {
    let person = id()
    guard let index = model.index(person) else { return }
    var draft = Ledger.Task.Draft("t", domain: "d")
    draft.person = person
    try await ledger.add(draft)
    model.people[index].tasks.append(model.now)
  }

  // MARK: Requests and logins

  private mutating func limit() async throws {
    let (kind, tier) = (pick(Ledger.RateLimitKind.allCases), tier())
    let limit: Ledger.RateLimit? = pick([
      nil, Ledger.RateLimit(nil, per: .seconds(60)), Ledger.RateLimit(1, per: .seconds(60)),
      Ledger.RateLimit(2, per: .seconds(7200)),
    ])
    try await ledger.set(rateLimit: limit, of: kind, for: tier)
    model.limits[kind, default: [:]][tier] = limit
  }

  private mutating func request(_ step: Int) async throws {
    let id = id()
    guard let index = model.index(id) else {
      return expect(await refusal { try await ledger.countRequest(of: id) }, .notFound, step)
    }
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      expect(try await ledger.countRequest(of: id), model.request(index), step)
    }
  }

  private mutating func login(_ step: Int) async throws {
    let id = id()
    let token = pick(tokens)
    switch Int.random(in: 0..<6, using: &random) {
    case 0..<4:
      guard let index = model.index(id) else {
        return expect(await refusal { try await ledger.logIn(id) }, .notFound, step)
      }
      let seconds = pick([1, 3600, 86_400] as [Int64])
      let made = try await ledger.logIn(id, for: .seconds(seconds))
      model.logIn(index, made.text, for: seconds * 1000)
      tokens.append(made.text)
    case 4:
      let had = model.people.contains { $0.tokens[token] != nil }
      expect(try await ledger.revoke(token: token), had, step)
      for index in model.people.indices { model.people[index].tokens[token] = nil }
    default:
      let index = model.index(id)
      expect(try await ledger.revokeLogins(of: id), index.map { model.people[$0].tokens.count } ?? 0, step)
      if let index { model.people[index].tokens = [:] }
    }
  }

  // MARK: Notices

  private mutating func prefer(_ step: Int) async throws {
    let id = id()
    let preferences = Ledger.NoticePreferences(
      channels: pick([[], [.email], [.sms, .slack]]), kinds: pick([nil, [.system], ["own", .taskCompletion]]))
    let found = await refusal { try await ledger.set(preferences, of: id) }
    guard let index = model.index(id) else { return expect(found, .notFound, step) }
    expect(found, nil, step)
    model.people[index].preferences = preferences
    expect(try await ledger.preferences(of: id), preferences, step)
  }

  private mutating func template(_ step: Int) async throws {
    let name = pick(["t1", "t2"])
    if Int.random(in: 0..<4, using: &random) == 0 {
      expect(
        await refusal { try await ledger.remove(template: name) }, model.templates[name] == nil ? .notFound : nil, step)
      model.templates[name] = nil
    } else {
      let isRight = Int.random(in: 0..<4, using: &random) > 0
      let template = Ledger.NoticeTemplate(
        name, type: pick([.system, .taskCompletion, "own"]), subject: "{{x}}!", body: "\(step)",
        variables: isRight ? ["x"] : ["y"])
      expect(await refusal { try await ledger.save(template) }, isRight ? nil : .invalid, step)
      if isRight { model.templates[name] = template }
    }
    expect(
      try await ledger.templates(), model.templates.values.sorted { $0.name < $1.name }, step)
  }

  private mutating func notify(_ step: Int) async throws {
    let (id, name, level) = (id(), pick(["t1", "t2"]), pick(Ledger.Notice.Level.allCases))
    let values: JSON = pick([["x": "v\(step)"], ["x": 1], [:]])
    var found: [Ledger.Notice] = []
    let code = await refusal { found = try await ledger.notify(id, template: name, values, level: level) }
    guard let template = model.templates[name] else { return expect(code, .notFound, step) }
    guard let value = values["x"] else { return expect(code, .invalid, step) }
    guard let index = model.index(id) else { return expect(code, .notFound, step) }
    let subject = if case .string(let text) = value { text } else { value.canonicalText }
    expect(Self.withoutID(found), model.notify(index, template, subject + "!", level), step)
  }

  private static func withoutID(_ notices: [Ledger.Notice]) -> [Ledger.Notice] {
    notices.map { notice in
      Ledger.Notice(
        id: "", recipient: notice.recipient, channel: notice.channel, type: notice.type, level: notice.level,
        subject: notice.subject, body: notice.body, status: notice.status, delivery: notice.delivery,
        error: notice.error,
        notBefore: notice.notBefore, createdAt: notice.createdAt, sentAt: notice.sentAt)
    }
  }

  // MARK: Comparison

  private mutating func look(_ step: Int) async throws {
    switch Int.random(in: 0..<6, using: &random) {
    case 0:
      let id = id()
      expect(try await ledger.person(id), model.index(id).map(model.person), step)
    case 1:
      let start = Timestamp(milliseconds: model.now - pick([0, 3_600_000, 86_400_000]))
      let filter = pick([.all, .tier(tier()), .activeSince(start)] as [Ledger.Person.Filter])
      expect(try await pages(filter), model.list(filter), step)
    case 2: expect(try await ledger.growth(), model.growth(), step)
    case 3:
      let start = model.now - pick([0, 86_400_000])
      expect(try await ledger.topPeople(since: Timestamp(milliseconds: start)), model.top(since: start), step)
    case 4:
      let token = pick(tokens)
      expect(try await ledger.person(withToken: token), model.owner(token), step)
    default:
      let id = pick([nil, id()])
      expect(Self.withoutID(try await ledger.notices(to: id, limit: 1000)), model.history(of: id), step)
    }
  }

  private func pages(_ filter: Ledger.Person.Filter) async throws -> [Ledger.Person] {
    var all: [Ledger.Person] = []
    while true {
      let page = try await ledger.people(filter, after: all.last?.id, limit: 2)
      if page.isEmpty { return all }
      all += page
    }
  }

  mutating func compareAll() async throws {
    expect(try await ledger.people(), model.list(.all), 60)
    expect(Self.withoutID(try await ledger.notices(limit: 1000)), model.history(of: nil), 60)
    // Each waiting notice has its message, and each message its notice.
    let (orphans, faults) = try await ledger.database.read { db in
      (
        try Int.fetchOne(
          db,
          sql: """
            SELECT (SELECT count(*) FROM notices WHERE id NOT IN (SELECT key FROM outbox WHERE kind = 'notices'))
                + (SELECT count(*) FROM outbox WHERE kind = 'notices' AND key NOT IN (SELECT id FROM notices))
            """), try Row.fetchAll(db, sql: "PRAGMA foreign_key_check").count
      )
    }
    expect(orphans, 0, 60)
    expect(faults, 0, 60)
  }
}
