#if HTTPSink
  public import AgentLedger
  import AsyncHTTPClient
  import Foundation
  import NIOCore
  import NIOHTTP1
  import Synchronization

  /// Delivers messages of an outbox by POST, one request a message, as JSON:
  /// `{"id": ..., "kind": ..., "key": ..., "created_at": ..., "payload": ...}`.
  ///
  /// The id is also in the header `Idempotency-Key`: a receiver answers 2xx to one that it has already, too. 2xx is delivered;
  /// 4xx is refused for good, but 408 and 429, which are tried again, like every other answer and none at all. `Retry-After`
  /// (seconds or a date) is heeded up to a bound; the rest of the batch waits with it, and is not sent before. Redirects are
  /// not followed: they would turn a POST into a GET.
  public struct HTTPSink: OutboxSink {
    /// How messages are sent.
    public struct Options: Hashable, Sendable {
      /// Sent with each request, such as `Authorization`.
      public var headers: [String: String] = [:]
      /// Requests at once.
      public var concurrency = 8
      /// Longest wait for the answer to one request.
      public var requestTimeout = Duration.seconds(10)
      /// Longest time for a batch: what has not been sent by then is left for the next round. Less than the `timeout` of
      /// ``Ledger/DeliveryOptions``, or what was delivered is sent again.
      public var batchTimeout = Duration.seconds(20)
      /// The most that a `Retry-After` counts.
      public var longestRetryAfter = Duration.seconds(3600)

      /// The defaults.
      public init() {}
    }

    private let url: String
    private let options: Options
    /// Of all sinks of the process; never shut down, like the shared client of the library.
    private static let client = HTTPClient(
      eventLoopGroupProvider: .singleton, configuration: .init(redirectConfiguration: .disallow))

    /// - Parameter url: Of the receiver: `http` or `https`.
    /// - Throws: `.invalid`.
    public init(url: String, _ options: Options = Options()) throws(MemoryError) {
      guard let parsed = URL(string: url), ["http", "https"].contains(parsed.scheme?.lowercased()),
        parsed.host()?.isEmpty == false
      else { throw MemoryError(.invalid, "the sink's URL \"\(url.prefix(100))\" is no URL of http or https") }
      guard (1...1000).contains(options.concurrency) else {
        throw MemoryError(.invalid, "concurrency is \(options.concurrency); it must be from 1 to 1000")
      }
      for (name, value) in [
        ("requestTimeout", options.requestTimeout), ("batchTimeout", options.batchTimeout),
        ("longestRetryAfter", options.longestRetryAfter),
      ] where value < .milliseconds(1) || value > .seconds(86_400) {
        throw MemoryError(.invalid, "\(name) is \(value / .seconds(1)) s; it must be from 0.001 to 86400 s")
      }
      self.url = url
      self.options = options
    }

    /// Sends up to `concurrency` messages at once.
    ///
    /// - Returns: What came of each; it throws nothing.
    public func deliver(_ batch: [Ledger.OutboxMessage]) async throws -> [Ledger.DeliveryOutcome] {
      let round = Round(end: .now + options.batchTimeout)
      return await withTaskGroup(of: (Int, Ledger.DeliveryOutcome).self) { group in
        var outcomes = batch.map { _ in Ledger.DeliveryOutcome.notSent(after: .zero) }
        var next = 0
        func startNext() {
          guard next < batch.count else { return }
          let index = next
          next += 1
          group.addTask { (index, await outcome(of: batch[index], round)) }
        }
        for _ in 0..<options.concurrency { startNext() }
        for await (index, outcome) in group {
          outcomes[index] = outcome
          startNext()
        }
        return outcomes
      }
    }

    private func outcome(of message: Ledger.OutboxMessage, _ round: Round) async -> Ledger.DeliveryOutcome {
      if let pause = round.pause { return .notSent(after: pause) }
      let left = min(options.requestTimeout, round.end - .now)
      guard left > .zero, !Task.isCancelled else { return .notSent(after: .zero) }
      do {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        for (name, value) in options.headers { request.headers.replaceOrAdd(name: name, value: value) }
        request.headers.replaceOrAdd(name: "Content-Type", value: "application/json")
        request.headers.replaceOrAdd(name: "Idempotency-Key", value: message.id.rawValue)
        request.body = .bytes(ByteBuffer(string: Self.body(of: message)))
        let response = try await Self.client.execute(
          request, timeout: .milliseconds(max(1, Int64(left / .milliseconds(1)))))
        return try await outcome(response, round)
      } catch {
        return Task.isCancelled ? .notSent(after: .zero) : .tryAgain("no answer from \(host): \(error)")
      }
    }

    private func outcome(_ response: HTTPClientResponse, _ round: Round) async throws -> Ledger.DeliveryOutcome {
      let status = response.status
      if (200...299).contains(status.code) {
        // It has arrived, whatever becomes of the rest of the answer.
        _ = try? await Self.beginning(of: response)
        return .delivered
      }
      let said = (try? await Self.beginning(of: response)) ?? ""
      let error = "\(host) answered \(status.code) \(status.reasonPhrase): \(said)"
      if (400...499).contains(status.code), status != .requestTimeout, status != .tooManyRequests {
        return .refused(error)
      }
      let after = response.headers.first(name: "Retry-After").flatMap { RetryAfter.duration($0, at: Date()) }
      guard let after else { return .tryAgain(error) }
      let bounded = min(max(after, .zero), options.longestRetryAfter)
      round.pause(for: bounded)
      return .tryAgain(error, after: bounded)
    }

    /// Bytes of an answer that are read.
    private static let answerBytes = 1000

    /// Reads only the beginning: an answer may be of any length.
    private static func beginning(of response: HTTPClientResponse) async throws -> String {
      var bytes: [UInt8] = []
      for try await part in response.body {
        bytes += part.readableBytesView.prefix(answerBytes - bytes.count)
        if bytes.count >= answerBytes { break }
      }
      return String(decoding: bytes, as: UTF8.self)
    }

    /// Without what a URL may hold of credentials.
    private var host: String { URL(string: url)?.host() ?? "the receiver" }

    static func body(of message: Ledger.OutboxMessage) -> String {
      JSON.object([
        "id": .string(message.id.rawValue), "kind": .string(message.kind.rawValue), "key": .string(message.key),
        "created_at": .string(message.createdAt.description), "payload": message.payload,
      ]).canonicalText
    }

    /// What requests of one batch know of each other.
    private final class Round: Sendable {
      let end: ContinuousClock.Instant
      private let wished = Mutex<Duration?>(nil)

      init(end: ContinuousClock.Instant) { self.end = end }

      /// What the receiver asked for.
      var pause: Duration? { wished.withLock(\.self) }

      func pause(for duration: Duration) {
        wished.withLock { $0 = max($0 ?? .zero, duration) }
      }
    }
  }

  /// The header `Retry-After` (RFC 9110, section 10.2.3).
  enum RetryAfter {
    /// - Parameter text: Seconds, or a date.
    /// - Returns: `nil` for neither.
    static func duration(_ text: String, at now: Date) -> Duration? {
      let text = text.trimmingCharacters(in: .whitespaces)
      if let seconds = Int(text) { return seconds < 0 ? nil : .seconds(min(seconds, 1 << 31)) }
      let format = DateFormatter()
      format.locale = Locale(identifier: "en_US_POSIX")
      format.timeZone = .gmt
      format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
      guard let date = format.date(from: text) else { return nil }
      return .seconds(max(0, date.timeIntervalSince(now)))
    }
  }
#endif
