import AgentLedger
import StoreValues
import TestSupport
import Testing

@Suite struct `Events of a ledger` {
  private let clock = ManualClock()

  private func ledger() async throws -> Ledger {
    let ledger = try await Ledger.inMemory(clock: clock)
    try await ledger.start(.init(.testing, domain: "d", id: "r"))
    try await ledger.add(Ledger.Task.Draft("t", domain: "d", id: "t"))
    return ledger
  }

  @Test func `events are listed by run, level and type of error, newest first`() async throws {
    let ledger = try await ledger()
    try await ledger.log([
      .init("a", level: .debug, run: "r"), .init("b", level: .error, errorType: .timeout, run: "r", task: "t"),
      .init("c", level: .critical, kind: .error, component: .api, errorType: .api),
    ])
    clock.advance(by: .seconds(1))
    try await ledger.log(.init("d", level: .error, kind: .error, errorType: .timeout, details: ["n": 1]))
    func messages(_ filter: Ledger.Event.Filter) async throws -> [String] {
      try await ledger.events(filter).map(\.message)
    }
    #expect(try await messages(.init()) == ["d", "c", "b", "a"])
    #expect(try await messages(.init(run: "r")) == ["b", "a"])
    #expect(try await messages(.init([.debug], run: "r")) == ["a"])
    #expect(try await messages(.init([.error])) == ["d", "b"])
    #expect(try await messages(.init(Ledger.Event.Level.error.andAbove)) == ["d", "c", "b"])
    #expect(try await messages(.init(errorType: .timeout)) == ["d", "b"])
    #expect(try await messages(.init([.critical], errorType: .api)) == ["c"])
    #expect(try await messages(.init(task: "t")) == ["b"])
    var filter = Ledger.Event.Filter()
    (filter.kind, filter.component) = (.error, .api)
    #expect(try await messages(filter) == ["c"])
    filter = .init()
    filter.since = clock.now()
    #expect(try await messages(filter) == ["d"])
    (filter.since, filter.until) = (nil, clock.now())
    #expect(try await messages(filter) == ["c", "b", "a"])
    let all = try await ledger.events()
    #expect(all.first?.details == ["n": 1] && all.last?.run == "r")
    #expect(try await ledger.events(after: all[1], limit: 1).map(\.message) == ["b"])
    let grave = Ledger.Event.Filter(Ledger.Event.Level.error.andAbove)
    #expect(try await ledger.events(grave, after: all[0], limit: 2).map(\.message) == ["c", "b"])
  }

  /// Made up; of the shapes of real ones.
  static let credentials: [(text: String, secret: String)] = [
    ("pushed with ghp_0123456789abcdefghijABCDEFGHIJ012345 to main", "ghp_0123456789abcdefghijABCDEFGHIJ012345"),
    ("DB_PASSWORD=hunter2xyz9 make", "hunter2xyz9"),
    ("Authorization: Bearer abcdef0123456789abcdef", "abcdef0123456789abcdef"),
    ("psql postgres://me:s3cretpw@host/db", "s3cretpw"),
    ("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----", "MIIEvQIBADANBg"),
  ]

  @Test(arguments: credentials.indices)
  func `a credential of a known shape is stored neither in the message nor in the details`(_ index: Int) async throws {
    let (text, secret) = Self.credentials[index]
    let ledger = try await ledger()
    try await ledger.log(
      .init(text, details: ["text": .string(text), "nested": [["deep": .string(text)]], "kept": 7]))
    let event = try #require(try await ledger.events().first)
    #expect(!event.message.contains(secret) && event.message.contains("[redacted:"))
    #expect(!event.details.canonicalText.contains(secret))
    #expect(event.details["kept"] == 7)
  }

  @Test func `a value whose name says that it is a credential is replaced, and others are not`() async throws {
    let ledger = try await ledger()
    try await ledger.log(
      .init(
        "login",
        details: [
          "password": "tr0ub4dor", "api_key": "abc\"def", "token": 30, "max_tokens": 4096, "user": "me",
          "headers": ["Authorization": "Bearer abcdef0123456789"],
        ]))
    let details = try #require(try await ledger.events().first?.details)
    #expect(details["password"] == "[redacted:password]" && details["api_key"] == "[redacted:api-key]")
    #expect(details["token"] == 30 && details["max_tokens"] == 4096 && details["user"] == "me")
    #expect(!details.canonicalText.contains("abcdef0123456789"))
  }

  @Test func `an event that refers to what is not there is refused, with all of its call and no other`() async throws {
    let ledger = try await ledger()
    #expect(await refusal { try await ledger.log([.init("a"), .init("b", run: "none")]) } == .notFound)
    #expect(await refusal { try await ledger.log(.init("b", task: "none")) } == .notFound)
    #expect(await refusal { try await ledger.log(.init("b", person: "none")) } == .notFound)
    #expect(await refusal { try await ledger.log(.init("b", kind: "")) } == .invalid)
    #expect(await refusal { try await ledger.log(.init("b\u{0}")) } == .invalid)
    #expect(try await ledger.events().isEmpty)
  }

  @Test func `details as deep as the limit are kept as they are, and deeper ones are refused`() async throws {
    let ledger = try await ledger()
    func nested(_ depth: Int) -> JSON { (0..<depth).reduce(1) { value, _ in [value] } }
    try await ledger.log(.init("deep", details: nested(256)))
    #expect(try await ledger.events().first?.details == nested(256))
    for depth in [257, 2000] {
      #expect(await refusal { try await ledger.log(.init("deep", details: nested(depth))) } == .limitExceeded)
    }
    #expect(await refusal { try await ledger.log(.init("odd", details: ["n": .number(.nan)])) } == .invalid)
    var draft = Ledger.Run.Draft(.testing, domain: "d")
    draft.config = ["n": nested(256)]
    let tooDeep = draft
    #expect(await refusal { try await ledger.start(tooDeep) } == .limitExceeded)
  }

  @Test func `which files a run or a task touched is listed by path, by run and by task`() async throws {
    let ledger = try await ledger()
    try await ledger.record([
      .init(.read, of: "/a", run: "r"), .init(.write, of: "/b", run: "r", task: "t"),
      .init(.create, of: "/a", task: "t"),
    ])
    clock.advance(by: .seconds(1))
    try await ledger.record(.init(.delete, of: "/a", run: "r"))
    #expect(try await ledger.fileAccesses(.init(path: "/a")).map(\.operation) == [.delete, .create, .read])
    #expect(try await ledger.fileAccesses(.init(run: "r")).map(\.path) == ["/a", "/b", "/a"])
    #expect(try await ledger.fileAccesses(.init(task: "t")).map(\.operation) == [.create, .write])
    #expect(try await ledger.fileAccesses(.init(run: "r", operation: .read)).map(\.path) == ["/a"])
    let first = try #require(try await ledger.fileAccesses(limit: 1).first)
    #expect(first.at == clock.now())
    #expect(try await ledger.fileAccesses(after: first.number, limit: 1).map(\.operation) == [.create])
    #expect(await refusal { try await ledger.record(.init(.read, of: "/a")) } == .invalid)
    #expect(await refusal { try await ledger.record(.init(.read, of: "", run: "r")) } == .invalid)
    #expect(await refusal { try await ledger.record(.init(.read, of: "/a", run: "none")) } == .notFound)
    #expect(await refusal { try await ledger.record(.init(.read, of: "/a", task: "none")) } == .notFound)
  }
}
