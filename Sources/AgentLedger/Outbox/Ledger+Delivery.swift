import GRDB
import StoreRows
public import StoreValues

extension Ledger {
  /// Delivers one batch: of the undelivered messages of each key the first, oldest first, unless it waits or a sender has it.
  ///
  /// At least once, in order per key. A key that fails stops no other. Several senders, in several processes, do not send the
  /// same at once: a message is leased for `timeout` and `leaseMargin`, then it comes back. A failed attempt waits 1 s, doubled
  /// with each one up to an hour, of which a random part of up to a half is cut off. What came of each message, and a line of
  /// the log, are written in one commit, also if the caller is cancelled meanwhile.
  ///
  /// - Returns: What was done; `sent` is 0 if there was nothing to send.
  /// - Throws: `.invalid`; of the sink, nothing: what it throws is a failed attempt of the whole batch.
  @discardableResult
  public func deliver(
    to sink: some OutboxSink, _ options: DeliveryOptions = DeliveryOptions()
  ) async throws(MemoryError) -> DeliveryReport {
    try options.validate(database.input)
    return try await Courier(database: database, sink: sink, options: options).round()
  }

  /// Delivers batches as long as its task is not cancelled: at once what is put into the outbox by this process, after 20 ms
  /// what others put there, and what waits when its time has come.
  ///
  /// When it is cancelled it cancels the sink, waits at most `timeout` for it, and returns.
  ///
  /// - Throws: `.invalid`; what does not pass by itself, such as `.closed`, `.readOnly` and `.corrupted`.
  public func deliverContinuously(
    to sink: some OutboxSink, _ options: DeliveryOptions = DeliveryOptions()
  ) async throws(MemoryError) {
    try options.validate(database.input)
    try await Courier(database: database, sink: sink, options: options).run()
  }

  /// Writes a line into the log of deliveries: of what the application fetched, for example. The outbox logs what it delivers.
  ///
  /// - Parameter count: Of what was carried.
  /// - Throws: `.invalid`, `.limitExceeded`.
  public func logDelivery(
    _ direction: Delivery.Direction, of kind: OutboxMessage.Kind, count: Int, success: Bool = true,
    error: String? = nil, duration: Duration? = nil
  ) async throws(MemoryError) {
    let input = database.input
    try input.name(kind.rawValue, "the delivery's kind")
    try input.count(count, "the delivery's count")
    try input.text(error, "the delivery's error")
    let new = NewDelivery(
      direction: direction, kind: kind.rawValue, count: count, success: success, error: error,
      milliseconds: try input.milliseconds(duration, "the delivery's duration"))
    try await database.write { db, now in try DeliveryRow.insert(new, at: now, db) }
  }

  /// The log of deliveries, newest first.
  ///
  /// - Parameter since: Not before; `nil` for all.
  /// - Parameter last: The last line of the page before; `nil` for the first page.
  public func deliveries(
    since: Timestamp? = nil, after last: Delivery? = nil, limit: Int = 50
  ) async throws(MemoryError) -> [Delivery] {
    try database.input.page(limit)
    return try await database.read { db in
      try Row.fetchAll(
        db, sql: DeliveryRow.page,
        arguments: [
          since?.milliseconds ?? Int64.min, last?.createdAt.milliseconds ?? Int64.max, last?.number ?? Int64.max, limit,
        ]
      ).map(Delivery.init)
    }
  }
}
