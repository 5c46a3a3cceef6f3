import GRDB
import StoreValues
import TestSupport
import Testing

@testable import AgentLedger

@Suite struct Notices {
  private let clock = ManualClock()

  private func ledger(limit: Ledger.RateLimit? = nil) async throws -> Ledger {
    let ledger = try await Ledger.inMemory(clock: clock)
    try await ledger.set(rateLimit: limit, of: .notices, for: .free)
    try await ledger.save(
      Ledger.NoticeTemplate("done", type: .taskCompletion, subject: "{{task}} is done", body: "b", variables: ["task"]))
    try await ledger.add(Ledger.Person.Draft("ada", email: "ada@example.org", zone: "Europe/Berlin", id: "ada"))
    return ledger
  }

  private func waiting(_ ledger: Ledger) async throws -> [String: Timestamp] {
    try await ledger.database.read { db in
      let rows = try Row.fetchAll(
        db, sql: "SELECT key, next_attempt_at FROM outbox WHERE kind = 'notices' AND payload ->> 'notice' = key")
      return Dictionary(uniqueKeysWithValues: try rows.map { (try $0.text(0), try $0.time(1)) })
    }
  }

  @Test func `a notice goes by each channel that the person prefers, through the outbox`() async throws {
    let ledger = try await ledger()
    #expect(try await ledger.notify("ada", template: "done", ["task": "x"]).map(\.channel) == [.email])
    try await ledger.set(.init(channels: [.slack, .sms], kinds: [.taskCompletion]), of: "ada")
    let notices = try await ledger.notify("ada", template: "done", ["task": "<x>"], level: .warning)
    #expect(notices.map(\.channel) == [.slack, .sms])
    #expect(notices.allSatisfy { $0.subject == "<x> is done" && $0.status == .pending && $0.notBefore == clock.now() })
    #expect(try await ledger.notices(to: "ada").count == 3)
    #expect(try await ledger.notice(notices[1].id) == notices[1])
    #expect(try await waiting(ledger).count == 3)
    #expect(try await waiting(ledger)[notices[0].id.rawValue] == clock.now())
  }

  @Test func `a person gets no notice of a kind that is not wanted, and none by no channel`() async throws {
    let ledger = try await ledger()
    try await ledger.set(.init(kinds: [.system]), of: "ada")
    #expect(try await ledger.notify("ada", template: "done", ["task": 1], level: .critical).isEmpty)
    try await ledger.set(.init(channels: []), of: "ada")
    #expect(try await ledger.notify("ada", template: "done", ["task": 1], level: .critical).isEmpty)
    #expect(try await waiting(ledger).isEmpty)
  }

  @Test func `quiet hours hold back all but critical until their end on the person's clock`() async throws {
    let clock = ManualClock(try #require(Timestamp("2026-03-28T21:30:00Z")))
    let ledger = try await Ledger.inMemory(clock: clock)
    try await ledger.save(Ledger.NoticeTemplate("t", type: .system, subject: "s", body: "b", variables: []))
    for zone in WallYear.zones {
      var draft = Ledger.Person.Draft(zone, zone: zone, id: Ledger.Person.ID(zone))
      draft.preferences = .init(quietHours: .init(from: "22:00", to: "07:00"))
      try await ledger.add(draft)
    }
    func time(_ zone: String, _ level: Ledger.Notice.Level) async throws -> String? {
      try await ledger.notify(Ledger.Person.ID(zone), template: "t", level: level).first?.notBefore.description
    }
    #expect(try await time("UTC", .warning) == "2026-03-28T21:30:00Z")
    #expect(try await time("Europe/Berlin", .warning) == "2026-03-29T05:00:00Z")  // An hour of the night is skipped.
    #expect(try await time("Europe/Berlin", .critical) == "2026-03-28T21:30:00Z")
    #expect(try await time("America/New_York", .info) == "2026-03-28T21:30:00Z")
    #expect(try await time("Australia/Lord_Howe", .info) == "2026-03-28T21:30:00Z")
    #expect(try await time("Asia/Kathmandu", .info) == "2026-03-29T01:15:00Z")
  }

  @Test func `notices beyond the tier's limit wait, by each channel for itself, and critical ones do not`() async throws
  {
    let ledger = try await ledger(limit: .init(2, per: .seconds(3600)))
    try await ledger.set(.init(channels: [.email, .sms]), of: "ada")
    let start = clock.now()
    var times: [Ledger.Notice.Channel: [Int64]] = [:]
    for _ in 0..<5 {
      for notice in try await ledger.notify("ada", template: "done", ["task": 1]) {
        times[notice.channel, default: []].append((notice.notBefore.milliseconds - start.milliseconds) / 60_000)
      }
      clock.advance(by: .seconds(60))
    }
    #expect(times == [.email: [0, 1, 60, 61, 120], .sms: [0, 1, 60, 61, 120]])
    let critical = try await ledger.notify("ada", template: "done", ["task": 1], level: .critical)
    #expect(critical.allSatisfy { $0.notBefore == clock.now() })
  }

  @Test func `a removed person's notices leave the outbox`() async throws {
    let ledger = try await ledger()
    let bob = try await ledger.add(Ledger.Person.Draft("bob")).id
    try await ledger.notify("ada", template: "done", ["task": 1])
    let kept = try await ledger.notify(bob, template: "done", ["task": 1])
    try await ledger.remove(person: "ada")
    #expect(try await ledger.notices() == kept)
    #expect(try await Array(waiting(ledger).keys) == kept.map(\.id.rawValue))
  }

  @Test func `a notice that cannot be written is refused, and nothing is written`() async throws {
    let ledger = try await ledger()
    let pending = try #require(try await ledger.notify("ada", template: "done", ["task": 1]).first)
    let calls: [(MemoryError.Code, @Sendable () async throws -> Void)] = [
      (.notFound, { try await ledger.notify("bob", template: "done", ["task": 1]) }),
      (.notFound, { try await ledger.notify("ada", template: "undone", ["task": 1]) }),
      (.invalid, { try await ledger.notify("ada", template: "done") }),
      (.invalid, { try await ledger.notify("ada", template: "done", ["task": 1], by: [.sms, .sms]) }),
      (.notFound, { try await ledger.set(.opened, of: "none") }),
      (.conflict, { try await ledger.set(.opened, of: pending.id) }),
      (.notFound, { _ = try await ledger.notices(after: "none") }),
    ]
    for (code, call) in calls {
      let error = await #expect(throws: MemoryError.self) { try await call() }
      #expect(error?.code == code, "\(error?.message ?? "")")
    }
    #expect(try await ledger.notices() == [pending])
  }
}
