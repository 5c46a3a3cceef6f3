import Foundation
import StoreValues
import TestSupport
import Testing

@testable import AgentLedger

@Suite struct `People of a ledger` {
  private let clock = ManualClock()

  @Test func `a person is found by id and by handle, in whatever normal form it is given`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    let added = try await ledger.add(Ledger.Person.Draft("Zo\u{308}e", tier: .premium, zone: "Asia/Kathmandu"))
    #expect(try await ledger.person(added.id) == added)
    #expect(try await ledger.person(handle: "Z\u{F6}e") == added)
    #expect(try await ledger.person(handle: "zoe") == nil)
  }

  @Test func `an update changes what it names and nothing else`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    let ada = try await ledger.add(Ledger.Person.Draft("ada", email: "ada@example.org", rateLimit: 7))
    var expected = ada
    expected.tier = .enterprise
    #expect(try await ledger.update(person: ada.id, .init(tier: .enterprise)) == expected)
    (expected.email, expected.rateLimit) = (nil, nil)
    #expect(try await ledger.update(person: ada.id, .init(email: .some(nil), rateLimit: .some(nil))) == expected)
    #expect(try await ledger.update(person: ada.id, .init(handle: "ada")) == expected)
  }

  @Test func `tiers are an open set`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    let own = try await ledger.add(Ledger.Person.Draft("a", tier: "university"))
    _ = try await ledger.add(Ledger.Person.Draft("b"))
    #expect(try await ledger.people(.tier("university")) == [own])
  }

  @Test func `growth has a row a day with a running total, before 1970 too`() async throws {
    let clock = ManualClock(Timestamp(milliseconds: -90_000_000))  // 23 o'clock two days before 1970.
    let ledger = try await Ledger.inMemory(clock: clock)
    for step in [0, 2, 0, 48, 1] as [Int64] {
      clock.advance(by: .seconds(step * 3600))
      try await ledger.add(Ledger.Person.Draft("p\(Int.random(in: 0...(.max)))"))
    }
    let day: Int64 = 86_400_000
    let all = [(-2, 1, 1), (-1, 2, 3), (1, 2, 5)].map {
      Ledger.PeopleGrowth(day: Timestamp(milliseconds: day * $0.0), added: $0.1, total: $0.2)
    }
    #expect(try await ledger.growth() == all)
    #expect(try await ledger.growth(since: Timestamp(milliseconds: -1)) == Array(all.dropFirst()))
  }

  @Test func `a list is read in pages without a gap or a repeat, also of people added at once`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    var all: [Ledger.Person] = []
    for index in 0..<10 {
      all.insert(try await ledger.add(Ledger.Person.Draft("p\(index)")), at: 0)
      if index.isMultiple(of: 3) { clock.advance(by: .milliseconds(1)) }
    }
    var read: [Ledger.Person] = []
    while true {
      let page = try await ledger.people(after: read.last?.id, limit: 3)
      if page.isEmpty { break }
      read += page
    }
    #expect(read == all)
  }

  @Test func `a removed person leaves tasks that are nobody's`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    let ada = try await ledger.add(Ledger.Person.Draft("ada"))
    var draft = Ledger.Task.Draft("t", domain: "d")
    draft.person = ada.id
    let task = try await ledger.add(draft).task
    #expect(try await ledger.topPeople() == [Ledger.PersonTasks(person: ada, tasks: 1)])
    try await ledger.remove(person: ada.id)
    #expect(try await ledger.person(ada.id) == nil)
    #expect(try await ledger.task(task.id)?.person == nil)
    #expect(try await ledger.topPeople().isEmpty)
  }

  // MARK: Bad input

  static let refused: [(draft: Ledger.Person.Draft, code: MemoryError.Code, part: String)] = [
    (.init(""), .invalid, "handle is empty"),
    (.init("a\0b"), .invalid, "NUL"),
    (.init("a", tier: ""), .invalid, "tier is empty"),
    (.init("a", email: "ada"), .invalid, "email \"ada\""),
    (.init("a", email: "ada@b@c"), .invalid, "ada@b@c"),
    (.init("a", zone: "Mars/Phobos"), .invalid, "Mars/Phobos"),
    (.init("a", zone: "europe/berlin"), .invalid, "europe/berlin"),
    (.init("a", zone: "GMT+1"), .invalid, "GMT+1"),
    (.init("a", zone: "PST"), .invalid, "PST"),
    (.init("a", zone: ""), .invalid, "time zone \"\""),
    (.init("a", zone: "../../etc/passwd"), .invalid, "passwd"),
    (.init("a", rateLimit: 0), .invalid, "rate limit is 0"),
    (.init("a", rateLimit: -3), .invalid, "rate limit is -3"),
    (.init("a", id: ""), .invalid, "id"),
    (.init("taken"), .conflict, "taken"),
    (.init("b", id: "t"), .conflict, "\"t\""),
  ]

  @Test(arguments: refused.indices)
  func `a person that cannot be is refused, and nothing is written`(_ index: Int) async throws {
    let (draft, code, part) = Self.refused[index]
    let ledger = try await Ledger.inMemory(clock: clock)
    try await ledger.add(Ledger.Person.Draft("taken", id: "t"))
    let error = await #expect(throws: MemoryError.self) { try await ledger.add(draft) }
    #expect(error?.code == code)
    #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
    #expect(try await ledger.people().count == 1)
  }

  @Test(arguments: [
    "UTC", "GMT", "Europe/Berlin", "US/Eastern", "Asia/Katmandu", "Etc/GMT+5", "America/Argentina/Buenos_Aires", "CET",
  ])
  func `a zone of the database is accepted under the name that was given`(_ zone: String) async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    #expect(try await ledger.add(Ledger.Person.Draft("a", zone: zone)).zone == zone)
  }

  @Test func `a person that is not there is said to be missing`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    let calls: [@Sendable () async throws -> Void] = [
      { try await ledger.update(person: "x", .init(tier: .free)) }, { try await ledger.remove(person: "x") },
      { _ = try await ledger.countRequest(of: "x") }, { _ = try await ledger.logIn("x") },
      { _ = try await ledger.preferences(of: "x") }, { try await ledger.set(.init(), of: "x") },
      { _ = try await ledger.people(after: "x") },
    ]
    for call in calls {
      let error = await #expect(throws: MemoryError.self) { try await call() }
      #expect(error?.code == .notFound)
      #expect(error?.message.contains("\"x\"") == true)
    }
  }
}

@Suite struct `Rate limits` {
  private let clock = ManualClock()

  @Test func `requests beyond the tier's limit are told when to try again, and are not counted`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    try await ledger.set(rateLimit: .init(2, per: .seconds(60)), of: .requests, for: .free)
    let ada = try await ledger.add(Ledger.Person.Draft("ada")).id
    #expect(try await ledger.countRequest(of: ada) == .init(isAllowed: true, remaining: 1, retryAt: nil))
    let end = Timestamp(milliseconds: clock.now().milliseconds + 60_000)
    clock.advance(by: .seconds(59))
    #expect(try await ledger.countRequest(of: ada).isAllowed)
    #expect(try await ledger.countRequest(of: ada) == .init(isAllowed: false, remaining: 0, retryAt: end))
    #expect(try await ledger.person(ada)?.requests == 2)
    clock.advance(by: .seconds(1))
    #expect(try await ledger.countRequest(of: ada) == .init(isAllowed: true, remaining: 1, retryAt: nil))
  }

  @Test func `a person's own limit holds in place of the tier's`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    let ada = try await ledger.add(Ledger.Person.Draft("ada", rateLimit: 1)).id
    #expect(try await ledger.countRequest(of: ada).isAllowed)
    #expect(try await !ledger.countRequest(of: ada).isAllowed)
    try await ledger.update(person: ada, .init(rateLimit: .some(nil)))
    #expect(try await ledger.countRequest(of: ada).remaining == 98)
  }

  @Test func `a tier of no limit has that of free, and one without a bound has none`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    let ada = try await ledger.add(Ledger.Person.Draft("ada", tier: "university")).id
    #expect(try await ledger.countRequest(of: ada).remaining == 99)
    try await ledger.set(rateLimit: .init(nil, per: .seconds(1)), of: .requests, for: "university")
    #expect(try await ledger.countRequest(of: ada) == .init(isAllowed: true, remaining: nil, retryAt: nil))
    try await ledger.set(rateLimit: nil, of: .requests, for: "university")
    #expect(try await ledger.rateLimits(of: .requests).keys.contains("university") == false)
  }

  @Test func `a clock that is set back an hour keeps nobody out longer than a window`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    try await ledger.set(rateLimit: .init(1, per: .seconds(60)), of: .requests, for: .free)
    let ada = try await ledger.add(Ledger.Person.Draft("ada")).id
    #expect(try await ledger.countRequest(of: ada).isAllowed)
    clock.advance(by: .seconds(-3600))
    #expect(try await ledger.countRequest(of: ada).isAllowed)
    #expect(try await !ledger.countRequest(of: ada).isAllowed)
    clock.advance(by: .seconds(60))
    #expect(try await ledger.countRequest(of: ada).isAllowed)
  }

  @Test func `requests of a month begin at 0 with the next month of UTC`() async throws {
    let clock = ManualClock(try #require(Timestamp("2026-01-31T23:59:59.999Z")))
    let ledger = try await Ledger.inMemory(clock: clock)
    let ada = try await ledger.add(Ledger.Person.Draft("ada")).id
    _ = try await ledger.countRequest(of: ada)
    #expect(try await ledger.person(ada)?.requestsThisMonth == 1)
    clock.advance(by: .milliseconds(1))
    #expect(try await ledger.person(ada)?.requestsThisMonth == 0)
    _ = try await ledger.countRequest(of: ada)
    let person = try await ledger.person(ada)
    #expect(person?.requestsThisMonth == 1)
    #expect(person?.requests == 2)
    #expect(person?.lastActive == clock.now())
  }

  @Test(arguments: [
    (Ledger.RateLimit(0, per: .seconds(1)), "rate limit is 0"),
    (Ledger.RateLimit(-1, per: .seconds(1)), "rate limit is -1"),
    (Ledger.RateLimit(1, per: .zero), "window is 0 seconds"),
    (Ledger.RateLimit(1, per: .seconds(1 << 40)), "window"),
  ])
  func `a limit that is none is refused`(_ limit: Ledger.RateLimit, _ part: String) async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    let error = await #expect(throws: MemoryError.self) {
      try await ledger.set(rateLimit: limit, of: .requests, for: .free)
    }
    #expect(error?.code == .invalid)
    #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
  }
}

@Suite struct Logins {
  private let clock = ManualClock()

  @Test func `a token is its person's until it expires or is revoked`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    let ada = try await ledger.add(Ledger.Person.Draft("ada")).id
    let first = try await ledger.logIn(ada, for: .seconds(60))
    let second = try await ledger.logIn(ada, for: .seconds(120))
    #expect(first.text != second.text)
    #expect(first.text.count == 64)
    #expect(try await ledger.person(withToken: first.text)?.id == ada)
    #expect(try await ledger.person(withToken: first.text.uppercased() + " ") == nil)
    #expect(try await ledger.person(withToken: "") == nil)
    clock.advance(by: .seconds(60))
    #expect(try await ledger.person(withToken: first.text) == nil)
    #expect(try await ledger.person(withToken: second.text)?.id == ada)
    #expect(try await ledger.logins(of: ada).map(\.expiresAt) == [second.expiresAt])
    #expect(try await ledger.revoke(token: second.text))
    #expect(try await !ledger.revoke(token: second.text))
    #expect(try await ledger.person(withToken: second.text) == nil)
  }

  @Test func `all logins of a person are revoked, and nobody else's`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    let ada = try await ledger.add(Ledger.Person.Draft("ada")).id
    let bob = try await ledger.add(Ledger.Person.Draft("bob")).id
    _ = try await ledger.logIn(ada)
    _ = try await ledger.logIn(ada)
    let other = try await ledger.logIn(bob)
    #expect(try await ledger.revokeLogins(of: ada) == 2)
    #expect(try await ledger.person(withToken: other.text)?.id == bob)
    try await ledger.remove(person: bob)
    #expect(try await ledger.person(withToken: other.text) == nil)
  }

  @Test func `neither the file nor what a token prints shows the token`() async throws {
    let directory = try TemporaryDirectory()
    let ledger = try await Ledger.open(at: directory.path)
    let ada = try await ledger.add(Ledger.Person.Draft("ada")).id
    let token = try await ledger.logIn(ada)
    #expect(!"\(token)".contains(token.text))
    try await ledger.close()
    for name in ["ledger.sqlite", "ledger.sqlite-wal"] {
      guard FileManager.default.fileExists(atPath: directory.file(name)) else { continue }  // The log may be gone.
      let bytes = try [UInt8](Data(contentsOf: URL(filePath: directory.file(name))))
      #expect(!bytes.containsBytes(Array(token.text.utf8)))
      #expect(!bytes.containsBytes(stride(from: 0, to: 64, by: 2).compactMap { hex(token.text, $0) }))
    }
    let other = try await Ledger.inMemory()
    #expect(try await other.person(withToken: token.text) == nil)
  }

  private func hex(_ text: String, _ at: Int) -> UInt8? { UInt8(text.dropFirst(at).prefix(2), radix: 16) }
}

extension Array<UInt8> {
  fileprivate func containsBytes(_ part: [UInt8]) -> Bool {
    guard count >= part.count else { return false }
    return (0...(count - part.count)).contains { start in
      self[start] == part[0] && self[start..<(start + part.count)].elementsEqual(part)
    }
  }
}
