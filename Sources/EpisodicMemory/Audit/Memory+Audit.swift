extension Memory {
  /// Records of the audit, in their order.
  ///
  /// - Parameter number: Those after it; 0 for the first.
  /// - Parameter scope: With a domain only records of what was in that alone (I8).
  public func audit(
    after number: Int64 = 0, in scope: Query.Scope = .everything, limit: Int = 100
  ) async throws(MemoryError) -> [AuditRecord] {
    guard (1...100_000).contains(limit) else {
      throw MemoryError(.invalid, "the limit is \(limit); give one from 1 to 100000")
    }
    return try await primary.auditRecords(after: number, in: scope, limit: limit)
  }

  /// The last record of the audit. Keep it elsewhere, and a cut tail or a chain that was written again shows when it is verified.
  public func auditHead() async throws(MemoryError) -> AuditHead {
    try await primary.auditHead(at: clock.now())
  }

  /// Verifies the chain of records in one snapshot.
  ///
  /// Cost: reads every record; with rows also every row of episodes, steps and patterns, and memory for each digest that a record has
  /// of one.
  ///
  /// - Parameter heads: Of before, which the chain has to agree with.
  /// - Parameter rows: Whether to compare episodes, steps and patterns with the digests that records have of them. What was written
  ///   without an audit is counted; if it changed a row that a record has a digest of, it is found as a change behind the engine's
  ///   back.
  public func verifyAudit(
    against heads: [AuditHead] = [], rows: Bool = false
  ) async throws(MemoryError) -> AuditVerification {
    try await span("verifyAudit") { () async throws(MemoryError) in
      try await primary.verifyAudit(against: heads, rows: rows)
    }
  }

  /// Whether the store refuses writes of processes that do not audit.
  public func auditIsRequired() async throws(MemoryError) -> Bool {
    try await primary.setting(AuditSetting.name) != nil
  }

  /// Sets whether the store refuses writes of processes that do not audit, from the next transaction of any process on.
  ///
  /// - Throws: `.invalid` if this process does not audit.
  public func setAuditRequired(_ isRequired: Bool) async throws(MemoryError) {
    guard primary.isAudited else {
      throw MemoryError(
        .invalid,
        "only a process that audits can set whether an audit is required; open the store with the option audit")
    }
    // Not the value null, which `nil` would be beside a value.
    let value = isRequired ? AuditSetting.required : Optional.none
    try await primary.set(AuditSetting.name, to: value, at: clock.now())
  }
}
