import StoreValues

/// Sends notices, by e-mail for example; the application supplies it.
public protocol NoticeChannel: Sendable {
  /// Sends a notice by its channel. Several at once are sent by concurrent calls.
  ///
  /// At least once: a notice comes again when its sender died after it had been sent. The receiver removes duplicates by
  /// ``Ledger/Notice/id``.
  ///
  /// - Throws: ``Ledger/NoticeRefusal`` for one that will never be sent; any other error for one that is tried again.
  func send(_ notice: Ledger.Notice, to person: Ledger.Person) async throws
}

extension Ledger {
  /// Says that a notice cannot be sent and is not to be tried again: there is no such address.
  public struct NoticeRefusal: Error, Hashable, Sendable {
    /// What is wrong, for a person to read.
    public let reason: String
    /// A refusal for a reason, which the notice keeps as its error.
    public init(_ reason: String) { self.reason = reason }
  }

  /// Delivers messages of kind `notices` by a channel: the sink of an outbox.
  public struct NoticeSink: OutboxSink {
    private let ledger: Ledger
    private let channel: any NoticeChannel

    /// Delivers notices of a ledger by a channel.
    public init(_ ledger: Ledger, _ channel: any NoticeChannel) { (self.ledger, self.channel) = (ledger, channel) }

    /// Sends each notice on its own, at most eight at once.
    public func deliver(_ batch: [OutboxMessage]) async throws -> [DeliveryOutcome] {
      await withTaskGroup(of: (Int, DeliveryOutcome).self) { group in
        var outcomes = [DeliveryOutcome](repeating: .notSent(after: .zero), count: batch.count)
        for (index, message) in batch.enumerated() {
          if index >= Self.width, let (sent, outcome) = await group.next() { outcomes[sent] = outcome }
          group.addTask { (index, await deliver(message)) }
        }
        for await (sent, outcome) in group { outcomes[sent] = outcome }
        return outcomes
      }
    }

    static let width = 8

    private func deliver(_ message: OutboxMessage) async -> DeliveryOutcome {
      guard !_Concurrency.Task.isCancelled else { return .notSent(after: .zero) }
      do {
        guard case .string(let id)? = message.payload["notice"] else { return .refused("the message names no notice") }
        guard let notice = try await ledger.notice(Notice.ID(composed: id)),
          let person = try await ledger.person(notice.recipient)
        else { return .refused("the notice was removed") }
        try await channel.send(notice, to: person)
        return .delivered
      } catch let refusal as NoticeRefusal {
        return .refused(refusal.reason)
      } catch {
        return .tryAgain("\(error)")
      }
    }
  }

  /// Sends notices that are due by a channel, at most eight, and at once.
  ///
  /// - Parameter options: Of whatever kinds they are, only notices are sent. A channel that does not answer within the timeout
  ///   gets all eight again: give it a shorter one of its own.
  /// - Throws: `.invalid` for options that cannot be. An error of the channel is kept with its notice.
  @discardableResult
  public func deliverNotices(
    by channel: some NoticeChannel, _ options: DeliveryOptions = DeliveryOptions()
  ) async throws(MemoryError) -> DeliveryReport {
    try await deliver(to: NoticeSink(self, channel), ofNotices(options))
  }

  /// Sends notices by a channel when they are due, until the task is cancelled.
  public func deliverNoticesContinuously(
    by channel: some NoticeChannel, _ options: DeliveryOptions = DeliveryOptions()
  ) async throws(MemoryError) {
    try await deliverContinuously(to: NoticeSink(self, channel), ofNotices(options))
  }

  /// Few at a time: all of a batch come again when the channel hangs with one of them.
  private func ofNotices(_ options: DeliveryOptions) -> DeliveryOptions {
    var options = options
    options.kinds = [.notices]
    options.batchSize = min(options.batchSize, NoticeSink.width)
    return options
  }
}
