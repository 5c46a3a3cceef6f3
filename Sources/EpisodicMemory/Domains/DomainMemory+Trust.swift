extension DomainMemory {
  /// As `Memory.trust(_:as:by:because:)`, for what is in this domain.
  @discardableResult
  public func trust(
    _ subject: TrustSubject, as trust: Trust, by actor: String, because reason: String? = nil
  ) async throws(MemoryError) -> TrustReport {
    try await memory.decide(subject, trust, raises: false, actor, reason, in: scope)
  }

  /// As `Memory.quarantine(_:by:because:)`, for what is in this domain.
  @discardableResult
  public func quarantine(
    _ subject: TrustSubject, by actor: String, because reason: String? = nil
  ) async throws(MemoryError) -> TrustReport {
    try await memory.decide(subject, .quarantined, raises: false, actor, reason, in: scope)
  }

  /// As `Memory.promote(_:to:by:because:)`, for what is in this domain.
  @discardableResult
  public func promote(
    _ subject: TrustSubject, to trust: Trust = .trusted, by actor: String, because reason: String? = nil
  ) async throws(MemoryError) -> TrustReport {
    try await memory.decide(subject, trust, raises: true, actor, reason, in: scope)
  }

  /// As `Memory.trustDecisions(on:)`, of an episode of this domain.
  public func trustDecisions(on id: Episode.ID) async throws(MemoryError) -> [TrustDecision] {
    try await memory.trustDecisions(on: id, in: scope)
  }
}
