package import EpisodicMemory
import GRDB

extension SQLitePrimaryStore {
  package var isAudited: Bool { audit.actor != nil }

  package func auditRecords(
    after number: Int64, in scope: Query.Scope, limit: Int
  ) async throws(MemoryError) -> [AuditRecord] {
    try await readRows { db in try AuditRow.page(after: number, scope, limit: limit, db) }
  }

  package func auditHead(at now: Timestamp) async throws(MemoryError) -> AuditHead {
    let store = identity.rawValue
    return try await readRows { db in
      let last = try AuditRow.last(db)
      return AuditHead(store: store, number: last.number, digest: Erasure.Digest(bytes: last.digest), at: now)
    }
  }

  package func verifyAudit(
    against heads: [AuditHead], rows comparesRows: Bool
  ) async throws(MemoryError) -> AuditVerification {
    try await readRows { db in
      var chain = AuditChain(against: heads)
      var rows = RowVerification()
      try AuditRow.forEach(db) { record in
        chain.add(record)
        if comparesRows { rows.add(record) }
      }
      var result = chain.verification()
      if comparesRows { try rows.run(db, &result) }
      return result
    }
  }

  package func note(_ verb: String, _ counts: [String: Int]) async throws(MemoryError) {
    guard isAudited else { return }
    try await writeAudited { _, log in log?.note(verb, in: nil, counts) }
  }

  /// Writes in a transaction that leaves a record if this process audits.
  ///
  /// - Throws: `.invalid` if the store requires an audit and this process does not.
  func writeAudited<Value: Sendable>(
    _ body: @escaping @Sendable (Database, AuditLog?) throws -> Value
  ) async throws(MemoryError) -> Value {
    let audit = audit
    return try await writeRows { db in
      let log = try audit.begin(db)
      let value = try body(db, log)
      try log?.write(db)
      return value
    }
  }
}
