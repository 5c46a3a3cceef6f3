package import EpisodicMemory
import GRDB
import StoreRows

/// The table `settings`: what is configured in the store itself, so that every process that opens it follows it.
extension SQLitePrimaryStore {
  package func setting(_ name: String) async throws(MemoryError) -> JSON? {
    try await readRows { db in try Setting.value(name, db) }
  }

  package func set(_ name: String, to value: JSON?, at now: Timestamp) async throws(MemoryError) {
    try await writeAudited { db, log in
      try Setting.set(name, to: value, at: now, db)
      log?.note(AuditVerb.set(name), in: nil)
    }
  }

  package func changeSetting(
    _ name: String, at now: Timestamp, _ change: @escaping @Sendable (JSON?) throws(MemoryError) -> JSON?
  ) async throws(MemoryError) {
    try await writeAudited { db, log in
      let before = try Setting.value(name, db)
      let after = try change(before)
      guard after != before else { return }
      try Setting.set(name, to: after, at: now, db)
      log?.note(AuditVerb.set(name), in: nil)
    }
  }
}
