import EpisodicMemory
import GRDB
import SQLiteStorage
import Synchronization

/// Whether transactions of this process leave records, and whose.
final class AuditPolicy: Sendable {
  /// `nil` if nothing is recorded.
  let actor: String?
  let clock: any WallClock
  /// The digests of the last key that was read: hashing a key costs as much as a digest.
  private let lastDigests = Mutex<ErasureDigests?>(nil)

  /// - Throws: `.invalid` for an actor that is no name.
  init(_ auditing: Auditing, clock: any WallClock) throws(MemoryError) {
    actor = try auditing.validatedActor()
    self.clock = clock
  }

  /// What a transaction that begins notes its records in; `nil` if nothing is recorded.
  ///
  /// Cost: one lookup by a key.
  ///
  /// - Throws: `.invalid` if the store requires an audit and this process does not.
  func begin(_ db: Database) throws -> AuditLog? {
    guard let actor else {
      try refuseIfRequired(db)
      return nil
    }
    return AuditLog(actor: actor, clock: clock, digests: try digests(db))
  }

  /// In every transaction, so that it holds for processes that had the store open before.
  private func refuseIfRequired(_ db: Database) throws {
    var rows = try RawStatement(Self.isRequired, db)
    // Whatever the setting says: a value that another program wrote does not lift it.
    guard try rows.step() else { return }
    throw MemoryError(
      .invalid,
      "the store requires an audit, and this process writes without one; open it with the option audit, .on(actor:), or set "
        + "EPISODIC_ACTOR")
  }

  static let isRequired = "SELECT 1 FROM settings WHERE name = '\(AuditSetting.name)'"

  private func digests(_ db: Database) throws -> ErasureDigests {
    var rows = try RawStatement("SELECT digest_key FROM store", db)
    if try rows.step() {
      let known = lastDigests.withLock { digests in
        digests.flatMap { rows.bytes(0).elementsEqual($0.key) ? $0 : nil }
      }
      if let known { return known }
    }
    rows.reset()
    let digests = try ErasureDigests(db)
    lastDigests.withLock { $0 = digests }
    return digests
  }
}
