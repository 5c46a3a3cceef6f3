import AgentLedger
import StoreValues
import TestSupport
import Testing

@Suite struct `Signals` {
  let clock = ManualClock()

  @Test func `success is counted per selector of a domain over a window`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    let start = clock.now()
    try await ledger.record([
      .init("#buy", type: .css, success: true, domain: "shop"),
      .init("#buy", type: .css, success: false, domain: "shop"),
      .init("//a", type: .xpath, success: true, domain: "shop"),
      .init("#buy", type: .css, success: true, domain: "bank"),
    ])
    clock.advance(by: .seconds(60))
    try await ledger.record(.init("#buy", type: .css, success: true, domain: "shop"))
    let rates = try await ledger.selectorRates(in: "shop")
    #expect(
      rates.map(\.selector) == ["#buy", "//a"] && rates.map(\.count) == [3, 1] && rates.map(\.successes) == [2, 1])
    #expect(try await ledger.selectorRates(in: "shop", until: clock.now()).map(\.count) == [2, 1])
    #expect(try await ledger.selectorRates(in: "shop", since: clock.now()).map(\.successRate) == [1])
    let rate = try #require(try await ledger.selectorRate(of: "#buy", type: .css, in: "shop", since: start))
    #expect(rate.count == 3 && rate.successes == 2)
    #expect(try await ledger.selectorRate(of: "#buy", type: .id, in: "shop") == nil)
  }

  @Test func `a signal is kept with all that was said of it`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    let task = try await ledger.add(.init("visit", domain: "web")).task.id
    try await ledger.record(
      .init(
        "email", type: .name, success: false, domain: "web", context: ["url": "https://example.org", "title": "x"],
        error: "not visible", duration: .milliseconds(31), task: task))
    let signal = try #require(try await ledger.signals(of: task).first)
    #expect(signal.context["title"] == "x" && signal.error == "not visible" && signal.duration == .milliseconds(31))
    #expect(signal.task == task && !signal.success && signal.createdAt == clock.now())
    #expect(try await ledger.signals(of: task, after: signal.number).isEmpty)
  }

  @Test func `a signal that cannot be kept is refused, with all of its call and no other`() async throws {
    let ledger = try await Ledger.inMemory(clock: clock)
    let good = Ledger.Signal.Draft("#a", type: .id, success: true, domain: "web")
    var orphan = good
    orphan.task = "nobody"
    var negative = good
    negative.duration = .seconds(-1)
    var array = good
    array.context = [1]
    let cases: [(Ledger.Signal.Draft, MemoryError.Code)] = [
      (orphan, .notFound), (negative, .invalid), (array, .invalid),
      (.init("", type: .css, success: true, domain: "web"), .invalid),
      (.init("a", type: .css, success: true, domain: ""), .invalid),
    ]
    for (bad, code) in cases {
      async let other: Void = ledger.record(good)
      await #expect { try await ledger.record([good, bad]) } throws: { ($0 as? MemoryError)?.code == code }
      try await other
    }
    #expect(try await ledger.selectorRates(in: "web").map(\.count) == [cases.count])
  }
}
