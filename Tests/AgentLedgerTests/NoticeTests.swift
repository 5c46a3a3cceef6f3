import GRDB
import StoreValues
import Synchronization
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
    let tooLong = String(repeating: "a", count: 10 << 20)
    let calls: [(MemoryError.Code, @Sendable () async throws -> Void)] = [
      (.notFound, { try await ledger.notify("bob", template: "done", ["task": 1]) }),
      (.notFound, { try await ledger.notify("ada", template: "undone", ["task": 1]) }),
      (.invalid, { try await ledger.notify("ada", template: "done") }),
      (.limitExceeded, { try await ledger.notify("ada", template: "done", ["task": .string(tooLong)]) }),
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

  // MARK: Delivery

  @Test func `a notice that is due is sent once, and shows it`() async throws {
    let ledger = try await ledger()
    let channel = RecordingChannel()
    try await ledger.set(.init(quietHours: .init(from: "00:00", to: "02:00")), of: "ada")  // It is 1 o'clock in Berlin.
    let held = try #require(try await ledger.notify("ada", template: "done", ["task": "a"]).first)
    let grave = try #require(try await ledger.notify("ada", template: "done", ["task": "b"], level: .critical).first)
    #expect(try await ledger.deliverNotices(by: channel).delivered == 1)
    #expect(channel.sent == ["b is done to ada@example.org"])
    let sent = try #require(try await ledger.notice(grave.id))
    #expect(sent.status == .sent && sent.sentAt == clock.now() && sent.error == nil)
    #expect(try await ledger.notice(held.id) == held)
    clock.advance(by: .seconds(3600))
    #expect(try await ledger.deliverNotices(by: channel).delivered == 1)
    #expect(try await ledger.deliverNotices(by: channel).sent == 0)
    #expect(channel.sent == ["b is done to ada@example.org", "a is done to ada@example.org"])
    #expect(try await ledger.notices(status: .pending).isEmpty)
    for delivery in Ledger.Notice.Delivery.allCases {
      #expect(try await ledger.set(delivery, of: held.id).delivery == delivery)
      #expect(try await ledger.notice(held.id)?.delivery == delivery)
    }
  }

  @Test func `a notice whose channel fails stays pending with its error, and fails in the end`() async throws {
    let ledger = try await ledger()
    let channel = RecordingChannel()
    channel.fail(RecordingChannel.Outage())
    let id = try #require(try await ledger.notify("ada", template: "done", ["task": "a"]).first?.id)
    var options = Ledger.DeliveryOptions()
    options.maximumAttempts = 2
    #expect(try await ledger.deliverNotices(by: channel, options).waiting == 1)
    #expect(try await ledger.notice(id)?.status == .pending)
    #expect(try await ledger.notice(id)?.error?.contains("Outage") == true)
    clock.advance(by: .seconds(3600))
    #expect(try await ledger.deliverNotices(by: channel, options).dead == 1)
    #expect(try await ledger.notice(id)?.status == .failed)
    // Put back, it is pending, and can be sent.
    let dead = try #require(try await ledger.deadLetters().first)
    _ = try await ledger.retry(dead.id)
    #expect(try await ledger.notice(id)?.status == .pending)
    channel.fail(nil)
    #expect(try await ledger.deliverNotices(by: channel).delivered == 1)
    #expect(try await ledger.notice(id)?.status == .sent)
    #expect(try await ledger.notice(id)?.error == nil)
  }

  @Test func `a notice that the channel refuses has failed at once, and others are sent`() async throws {
    let ledger = try await ledger()
    let channel = RecordingChannel()
    try await ledger.add(Ledger.Person.Draft("bob", id: "bob"))
    let refused = try #require(try await ledger.notify("bob", template: "done", ["task": "a"]).first?.id)
    try await ledger.notify("ada", template: "done", ["task": "b"])
    let report = try await ledger.deliverNotices(by: channel)
    #expect(report.dead == 1 && report.delivered == 1)
    let notice = try await ledger.notice(refused)
    #expect(notice?.status == .failed && notice?.error == "bob has no address")
  }

  @Test func `many notices are each sent once, and other messages are left alone`() async throws {
    let ledger = try await ledger(limit: .init(1000, per: .seconds(1)))
    let channel = RecordingChannel()
    for index in 0..<250 { try await ledger.notify("ada", template: "done", ["task": JSON(index)]) }
    try await ledger.put(Ledger.OutboxMessage.Draft("own", key: "k", payload: 1))
    var delivered = 0
    while case let report = try await ledger.deliverNotices(by: channel), report.sent > 0 {
      delivered += report.delivered
    }
    #expect(delivered == 250)
    #expect(Set(channel.sent).count == 250 && channel.sent.count == 250)
    #expect(try await ledger.undelivered().map(\.kind) == ["own"])
  }
}

/// A channel of a test.
private final class RecordingChannel: NoticeChannel {
  struct Outage: Error {}
  private let state = Mutex((sent: [String](), error: Outage?.none))

  var sent: [String] { state.withLock { $0.sent } }
  func fail(_ error: Outage?) { state.withLock { $0.error = error } }

  func send(_ notice: Ledger.Notice, to person: Ledger.Person) async throws {
    guard let email = person.email else { throw Ledger.NoticeRefusal("\(person.handle) has no address") }
    try state.withLock { state in
      if let error = state.error { throw error }
      state.sent.append("\(notice.subject) to \(email)")
    }
  }
}
