extension DomainMemory {
  /// What holds for the domain: its own policy, or the standard one.
  public func retention() async throws(MemoryError) -> RetentionPolicy? { try await memory.retention()[name] }

  /// Sets the domain's own policy; `nil` removes it.
  public func setRetention(_ policy: RetentionPolicy?) async throws(MemoryError) {
    try await memory.setRetention(policy, for: name, allowingUnknownDomain: true)
  }

  /// As `Memory.applyRetention(dryRun:acceptingClock:)`, for the episodes of the domain.
  @discardableResult
  public func applyRetention(
    dryRun: Bool = false, acceptingClock: Bool = false
  ) async throws(MemoryError) -> RetentionReport {
    try await memory.applyRetention(in: scope, dryRun: dryRun, acceptingClock: acceptingClock)
  }
}
