#if HTTPSink
  import AgentLedger
  import Foundation
  import TestSupport
  import Testing

  @testable import LedgerHTTP

  /// A receiver in a child process.
  private final class Receiver {
    private let child: Child
    private let directory: TemporaryDirectory
    let port: Int

    init() async throws {
      directory = try TemporaryDirectory()
      let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "receiver.py")
      child = try Child(
        running: "/usr/bin/env", ["python3", script.path(percentEncoded: false)], in: directory)
      try await child.waitForLines(1)
      port = try #require(Int(try child.lines[0]))
    }

    deinit { child.kill() }

    func url(_ path: String) -> String { "http://127.0.0.1:\(port)/\(path)" }
    func lines(_ word: String) throws -> [[Substring]] {
      try child.lines.map { $0.split(separator: " ") }.filter { $0.first == Substring(word) }
    }
  }

  @Suite(.serialized) struct `The HTTP sink` {
    let clock = ManualClock()

    private func ledger(_ count: Int, keys: Int) async throws -> Ledger {
      let ledger = try await Ledger.inMemory(clock: clock)
      try await ledger.put(
        (0..<count).map { .init(.results, key: "k\($0 % keys)", payload: ["number": JSON.integer(Int64($0))]) })
      return ledger
    }

    @Test func `everything arrives in order per key at a receiver that fails, hangs, is busy and loses answers`()
      async throws
    {
      let receiver = try await Receiver()
      let ledger = try await ledger(100, keys: 20)
      var options = HTTPSink.Options()
      options.requestTimeout = .milliseconds(500)
      let sink = try HTTPSink(url: receiver.url("chaos"), options)
      var delivery = Ledger.DeliveryOptions()
      delivery.maximumAttempts = 1000
      while try await !ledger.undelivered(limit: 1).isEmpty {
        try await ledger.deliver(to: sink, delivery)
        clock.advance(by: .seconds(3600))
      }
      // The receiver removes duplicates by the id of the message.
      var seen: Set<Substring> = []
      let arrived = try receiver.lines("arrived").filter { seen.insert($0[3]).inserted }
      #expect(arrived.count == 100)
      #expect(try receiver.lines("arrived").count > 100, "no message arrived twice")
      for (key, lines) in Dictionary(grouping: arrived, by: { $0[1] }) {
        let numbers = lines.compactMap { Int($0[2]) }
        #expect(numbers == numbers.sorted(), "\(key)")
      }
      let log = try await ledger.deliveries(limit: 1000)
      #expect(log.filter(\.success).reduce(0) { $0 + $1.count } == 100)
      #expect(log.contains { $0.error?.contains("answered 500") == true })
      #expect(!log.contains { $0.error?.contains("ghp_") == true })
    }

    @Test func `4xx is refused for good, with what the receiver said`() async throws {
      let receiver = try await Receiver()
      let ledger = try await ledger(1, keys: 1)
      #expect(try await ledger.deliver(to: HTTPSink(url: receiver.url("refuse"))).dead == 1)
      let error = try #require(try await ledger.deadLetters().first?.error)
      #expect(error.hasPrefix("127.0.0.1 answered 422") && error.hasSuffix("no such customer"))
    }

    @Test(arguments: ["fail", "redirect"]) func `5xx and a redirect are tried again`(_ path: String) async throws {
      let receiver = try await Receiver()
      let ledger = try await ledger(1, keys: 1)
      #expect(try await ledger.deliver(to: HTTPSink(url: receiver.url(path))).waiting == 1)
    }

    @Test func `Retry-After holds up to its bound, and the rest of the batch is not sent`() async throws {
      let receiver = try await Receiver()
      let ledger = try await ledger(10, keys: 10)
      var options = HTTPSink.Options()
      (options.concurrency, options.longestRetryAfter) = (1, .seconds(600))
      #expect(try await ledger.deliver(to: HTTPSink(url: receiver.url("busy-long"), options)).waiting == 10)
      #expect(try receiver.lines("asked").count == 1)
      let messages = try await ledger.undelivered()
      #expect(messages.allSatisfy { $0.nextAttemptAt.milliseconds - clock.now().milliseconds == 600_000 })
      #expect(messages.map(\.attempts) == [1] + Array(repeating: 0, count: 9))
    }

    @Test func `an answer of 10 MB is not read to its end`() async throws {
      let receiver = try await Receiver()
      let ledger = try await ledger(1, keys: 1)
      #expect(try await ledger.deliver(to: HTTPSink(url: receiver.url("large"))).delivered == 1)
    }

    @Test func `a receiver that is not there is tried again`() async throws {
      let ledger = try await ledger(1, keys: 1)
      // Port 1 of loopback: nobody listens there.
      var options = HTTPSink.Options()
      options.requestTimeout = .milliseconds(200)
      #expect(try await ledger.deliver(to: HTTPSink(url: "http://127.0.0.1:1/", options)).waiting == 1)
    }

    @Test(arguments: ["", "ftp://example.org", "example.org", "http://"]) func `a URL that is none of HTTP is refused`(
      _ url: String
    ) {
      #expect { try HTTPSink(url: url) } throws: { ($0 as? MemoryError)?.code == .invalid }
    }

    @Test(
      arguments: [
        ("120", 120), (" 0 ", 0), ("Thu, 01 Jan 1970 00:02:00 GMT", 60), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("soon", nil),
        ("-5", nil),
      ] as [(String, Int?)]) func `Retry-After is seconds or a date`(_ text: String, _ seconds: Int?)
    {
      #expect(RetryAfter.duration(text, at: Date(timeIntervalSince1970: 60)) == seconds.map { .seconds($0) })
    }
  }
#endif
