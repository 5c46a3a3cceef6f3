import StoreValues

/// A ledger: what an agent runtime is doing now. Finished runs become episodes of a memory; a ledger never imports one.
///
/// `Ledger.open(at:)` opens one. A value is a few references: copy it, share it between tasks, call it concurrently. A write
/// returns after its commit (I2); a read is of one snapshot.
///
/// ## Tasks: Tasks/Ledger+Tasks.swift, Tasks/Ledger+Claiming.swift
/// - ``add(_:)->Task.Added`` a task, or several; ``task(_:)`` by its id, ``tasks(_:after:limit:)`` by filter
/// - ``claim(by:count:of:in:lease:)`` the next ones; ``heartbeat(_:by:lease:)`` keeps one
/// - ``complete(_:by:with:deliver:)`` or ``fail(_:by:error:mayRetry:)`` what was claimed; ``cancel(_:)``, ``retry(_:)``
///
/// ## Workers: Workers/Ledger+Workers.swift
/// - ``register(worker:kind:pid:)``; ``heartbeat(worker:memoryBytes:lease:)`` of it and all its tasks; ``set(_:of:)`` its status
public struct Ledger: Sendable {
  let database: LedgerDatabase
  /// The ledger's identity: another one for a restored or another file.
  let identity: LedgerIdentity

  init(_ database: LedgerDatabase) async throws(MemoryError) {
    self.database = database
    identity = try await LedgerIdentity.of(database)
  }
}
