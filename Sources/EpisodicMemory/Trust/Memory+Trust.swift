extension Memory {
  /// Says how far something is trusted from now on.
  ///
  /// Less trust passes on to all that was derived from it: episodes that name it as a parent, and patterns that are linked to it. More
  /// trust holds for the subject alone: a person has looked at it as it is. What is appended later lowers it again.
  ///
  /// - Parameters:
  ///   - actor: Who says so, 1 to 1,024 bytes; kept with the decision.
  ///   - reason: Why.
  /// - Throws: `.notFound` if the store has no such episode, step, pattern or source; `.invalid`.
  @discardableResult
  public func trust(
    _ subject: TrustSubject, as trust: Trust, by actor: String, because reason: String? = nil
  ) async throws(MemoryError) -> TrustReport {
    try await decide(subject, trust, raises: false, actor, reason, in: .everything)
  }

  /// Sets something aside: it is recalled only if a query asks for quarantined episodes, and so is what was derived from it.
  ///
  /// - Throws: As `trust`.
  @discardableResult
  public func quarantine(
    _ subject: TrustSubject, by actor: String, because reason: String? = nil
  ) async throws(MemoryError) -> TrustReport {
    try await decide(subject, .quarantined, raises: false, actor, reason, in: .everything)
  }

  /// Takes something out of quarantine, or trusts it more than before.
  ///
  /// - Throws: As `trust`; `.conflict` if it is trusted as much already.
  @discardableResult
  public func promote(
    _ subject: TrustSubject, to trust: Trust = .trusted, by actor: String, because reason: String? = nil
  ) async throws(MemoryError) -> TrustReport {
    try await decide(subject, trust, raises: true, actor, reason, in: .everything)
  }

  /// What was decided on the trust of an episode and its steps, in order.
  public func trustDecisions(on id: Episode.ID) async throws(MemoryError) -> [TrustDecision] {
    try await trustDecisions(on: id, in: .everything)
  }

  func trustDecisions(on id: Episode.ID, in scope: Query.Scope) async throws(MemoryError) -> [TrustDecision] {
    try await primary.trustDecisions(on: id, in: scope)
  }

  func decide(
    _ subject: TrustSubject, _ trust: Trust, raises: Bool, _ actor: String, _ reason: String?, in scope: Query.Scope
  ) async throws(MemoryError) -> TrustReport {
    try await span("trust", scope) { () async throws(MemoryError) in
      try validation.shortName(actor, "actor")
      if let reason { try validation.shortName(reason, "reason") }
      if case .source(let source, let since) = subject {
        try validation.shortName(source, "source")
        try validation.time(since, "since")
      }
      let request = TrustRequest(
        subject: subject, trust: trust, raises: raises, actor: actor.canonicallyComposed, reason: reason,
        now: clock.now()
      )
      return try await write(in: scope) { transaction throws(MemoryError) in try transaction.decide(request) }
    }
  }
}
