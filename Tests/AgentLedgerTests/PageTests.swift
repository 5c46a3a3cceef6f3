import AgentLedger
import StoreValues
import TestSupport
import Testing

@Suite struct `Pages` {
  let clock = ManualClock()

  private func ledger(bytes: Int = 1 << 20) async throws -> Ledger {
    var limits = Ledger.Limits()
    limits.pageBytes = bytes
    return try await Ledger.inMemory(clock: clock, limits: limits)
  }

  @Test(arguments: Ledger.PageType.allCases) func `a page is given while it is fresh, and each access is counted`(
    _ type: Ledger.PageType
  ) async throws {
    let ledger = try await ledger()
    let put = try await ledger.put(page: "https://example.org", "<p>ä\0</p>", type: type)
    #expect(put.size == 10 && put.expiresAt.milliseconds - put.createdAt.milliseconds == 86_400_000)
    clock.advance(by: .seconds(86_399))
    let page = try #require(try await ledger.page("https://example.org"))
    #expect(page.data == "<p>ä\0</p>" && page.accessCount == 1 && page.lastAccessed == clock.now())
    clock.advance(by: .seconds(1))
    #expect(try await ledger.page("https://example.org") == nil)
    #expect(try await ledger.removeExpiredPages() == 1)
  }

  @Test func `hits and misses are counted by the hour`() async throws {
    let ledger = try await ledger()
    try await ledger.put(page: "a", "x")
    for key in ["a", "a", "b"] { _ = try await ledger.page(key) }
    clock.advance(by: .seconds(2 * 3600))
    _ = try await ledger.page("c")
    let rates = try await ledger.pageHitRates()
    #expect(rates.map(\.hits) == [2, 0] && rates.map(\.misses) == [1, 1])
    #expect(rates[1].hour.milliseconds - rates[0].hour.milliseconds == 7_200_000)
    #expect(try await ledger.pageHitRates(since: clock.now()).map(\.rate) == [0])
    #expect(try await ledger.pageHitRates(until: clock.now()).map(\.hits) == [2])
  }

  @Test func `the least recently used pages leave first when others need their room`() async throws {
    let ledger = try await ledger(bytes: 10)
    for key in ["a", "b", "c"] {
      try await ledger.put(page: key, "xxx")
      clock.advance(by: .seconds(1))
    }
    _ = try await ledger.page("a")
    try await ledger.put(page: "d", "xxxx")
    #expect(try await ledger.page("b") == nil)
    for key in ["a", "c", "d"] { #expect(try await ledger.page(key) != nil, "\(key)") }
    try await ledger.put(page: "all", "0123456789")
    for key in ["a", "c", "d"] { #expect(try await ledger.page(key) == nil, "\(key)") }
    #expect(try await ledger.page("all")?.data == "0123456789")
  }

  @Test func `a page that replaces another takes its room`() async throws {
    let ledger = try await ledger(bytes: 10)
    try await ledger.put(page: "a", "12345")
    try await ledger.put(page: "b", "12345")
    _ = try await ledger.page("b")
    let page = try await ledger.put(page: "b", "123", type: .json, lifetime: .seconds(1))
    #expect(page.accessCount == 0 && page.type == .json)
    try await ledger.put(page: "c", "12")
    #expect(try await ledger.page("a") != nil)
    #expect(try await ledger.remove(page: "a"))
    #expect(try await !ledger.remove(page: "a"))
  }

  @Test func `a page that is too large or lives for no time is refused`() async throws {
    let ledger = try await ledger(bytes: 10)
    await #expect { try await ledger.put(page: "a", "12345678901") } throws: {
      ($0 as? MemoryError)?.code == .limitExceeded
    }
    await #expect { try await ledger.put(page: "a", "1", lifetime: .zero) } throws: {
      ($0 as? MemoryError)?.code == .invalid
    }
    await #expect { try await ledger.put(page: "", "1") } throws: { ($0 as? MemoryError)?.code == .invalid }
  }

  @Test func `a ledger that is only read gives fresh pages and counts nothing`() async throws {
    let directory = try TemporaryDirectory()
    var options = Ledger.OpenOptions()
    options.clock = clock
    options.pageLifetimes.text = .seconds(10)
    let ledger = try await Ledger.open(at: directory.path, options: options)
    try await ledger.put(page: "a", "x", type: .text)
    options.isReadOnly = true
    let reader = try await Ledger.open(at: directory.path, options: options)
    #expect(try await reader.page("a")?.accessCount == 0)
    clock.advance(by: .seconds(10))
    #expect(try await reader.page("a") == nil)
    #expect(try await reader.pageHitRates().isEmpty)
    try await reader.close()
    try await ledger.close()
  }
}
