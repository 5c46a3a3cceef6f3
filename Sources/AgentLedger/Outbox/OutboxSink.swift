import StoreValues

/// Delivers messages of an outbox to another system; the application supplies it.
public protocol OutboxSink: Sendable {
  /// Delivers messages, all of different keys, oldest first, in any order or at once.
  ///
  /// At least once: a message comes again when its sender died after it had arrived, and when this throws, hangs or says so.
  /// The receiver removes duplicates by ``Ledger/OutboxMessage/id``.
  ///
  /// - Returns: What came of each message, in the order of `batch`.
  /// - Throws: What makes it a failed attempt of the whole batch.
  func deliver(_ batch: [Ledger.OutboxMessage]) async throws -> [Ledger.DeliveryOutcome]
}

extension Ledger {
  /// What came of an attempt to deliver a message.
  public enum DeliveryOutcome: Hashable, Sendable {
    /// It has arrived.
    case delivered
    /// Refused for good: it becomes a dead letter at once.
    case refused(String)
    /// A failed attempt: it is tried again after a wait that doubles with each one, and not before `after` has passed, of which
    /// at most an hour counts.
    case tryAgain(String, after: Duration? = nil)
    /// It was not sent, because the receiver asked for a pause: it is no attempt of this message.
    case notSent(after: Duration)
  }

  /// How a round of deliveries is done.
  public struct DeliveryOptions: Hashable, Sendable {
    /// Only messages of these kinds; empty for any. The first message of a key is waited for whatever its kind, so what
    /// different sinks deliver has different keys.
    public var kinds: [OutboxMessage.Kind] = []
    /// Messages handed to the sink at once, at most; with 8 MiB of payloads, at most.
    public var batchSize = 100
    /// Longest wait for the sink; then the attempt has failed, and the sink's task is cancelled.
    public var timeout = Duration.seconds(30)
    /// How much longer than `timeout` a sender has a message: in this time it writes what became of it. When it was killed,
    /// others send the message after both.
    public var leaseMargin = Duration.seconds(30)
    /// Failed attempts after which a message is a dead letter.
    public var maximumAttempts = 10
    /// Longest time between two looks at an outbox in which nothing is to be sent.
    public var pause = Duration.seconds(5)

    /// The defaults.
    public init() {}
  }

  /// What one round of deliveries did.
  public struct DeliveryReport: Hashable, Sendable, Codable {
    /// Messages handed to the sink.
    public var sent = 0
    /// Those that arrived.
    public var delivered = 0
    /// Those that are tried again later.
    public var waiting = 0
    /// Those that became dead letters.
    public var dead = 0
    /// Those of which a sender that came later said what became of them.
    public var overtaken = 0
  }
}

extension Ledger.DeliveryOptions {
  func validate(_ input: LedgerInput) throws(MemoryError) {
    for kind in kinds { try input.name(kind.rawValue, "a message's kind") }
    guard (1...10_000).contains(batchSize) else {
      throw MemoryError(.invalid, "batchSize is \(batchSize); it must be from 1 to 10000")
    }
    guard (1...1_000_000).contains(maximumAttempts) else {
      throw MemoryError(.invalid, "maximumAttempts is \(maximumAttempts); it must be from 1 to 1000000")
    }
    _ = try input.milliseconds(timeout, "timeout", atLeast: .milliseconds(1))
    _ = try input.milliseconds(leaseMargin, "leaseMargin", atLeast: .milliseconds(1))
    _ = try input.milliseconds(pause, "pause", atLeast: .milliseconds(1))
  }

  /// How long a sender has a message: longer than it waits for the sink, so that it has told what became of it before another
  /// sends it.
  var lease: Duration { timeout + leaseMargin }
}
