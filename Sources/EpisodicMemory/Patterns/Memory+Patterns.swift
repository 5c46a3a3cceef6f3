extension Memory {
  /// Records a pattern. If one with the same type, data and domain exists, only its success rate and metadata are set, as far
  /// as the draft has them. A shared one and those of other domains are other patterns (I8).
  ///
  /// - Throws: `.invalid`.
  @discardableResult
  public func record(_ draft: Pattern.Draft) async throws(MemoryError) -> Pattern {
    try await span("record", draft.domain.map(Query.Scope.domain)) { () async throws(MemoryError) in
      try validation.draft(draft)
      let pattern = Pattern(draft, at: clock.now())
      return try await primary.write(in: .everything) { transaction throws(MemoryError) in
        try transaction.record(pattern, earlierHash: draft.data.earlierHash, from: nil)
      }
    }
  }

  /// Links a pattern to an episode in which it occurred.
  ///
  /// - Returns: Whether the link is new.
  /// - Throws: `.notFound` if either does not exist, or the pattern belongs to another domain than the episode (I8).
  @discardableResult
  public func link(_ pattern: Pattern.ID, to episode: Episode.ID) async throws(MemoryError) -> Bool {
    try await link(pattern, to: episode, in: .everything)
  }

  func link(_ pattern: Pattern.ID, to episode: Episode.ID, in scope: Query.Scope) async throws(MemoryError) -> Bool {
    try await span("link", scope) { () async throws(MemoryError) in
      try await primary.write(in: scope) { transaction throws(MemoryError) in
        try transaction.link(pattern, to: episode)
      }
    }
  }

  /// Removes a link.
  ///
  /// - Returns: Whether it existed.
  @discardableResult
  public func unlink(_ pattern: Pattern.ID, from episode: Episode.ID) async throws(MemoryError) -> Bool {
    try await unlink(pattern, from: episode, in: .everything)
  }

  func unlink(
    _ pattern: Pattern.ID, from episode: Episode.ID, in scope: Query.Scope
  ) async throws(MemoryError) -> Bool {
    try await span("unlink", scope) { () async throws(MemoryError) in
      try await primary.write(in: scope) { transaction throws(MemoryError) in
        try transaction.unlink(pattern, from: episode)
      }
    }
  }

  /// Counts a use of the pattern at the current time.
  ///
  /// - Parameter succeeded: Updates the success rate, the mean over all counted uses; `nil` leaves it unchanged.
  /// - Throws: `.notFound`.
  @discardableResult
  public func markUsed(_ id: Pattern.ID, succeeded: Bool? = nil) async throws(MemoryError) -> Pattern {
    try await markUsed(id, succeeded: succeeded, in: .everything)
  }

  func markUsed(_ id: Pattern.ID, succeeded: Bool?, in scope: Query.Scope) async throws(MemoryError) -> Pattern {
    try await span("markUsed", scope) { () async throws(MemoryError) in
      let now = clock.now()
      return try await primary.write(in: scope) { transaction throws(MemoryError) in
        try transaction.markUsed(id, succeeded: succeeded, at: now)
      }
    }
  }

  /// The pattern with this type and equal data, from the cache or, on a miss, from the primary.
  ///
  /// - Parameter domain: The domain that it belongs to; `nil`: the pattern that all share.
  /// - Throws: `.invalid`.
  public func pattern(
    _ type: PatternType, data: JSON, in domain: String? = nil
  ) async throws(MemoryError) -> Pattern? {
    try validation.patternType(type)
    try validation.patternData(data)
    if let domain { try validation.name(domain, "domain") }
    let domain = domain?.canonicallyComposed
    if let pattern = try await pattern(type, hash: data.canonicalHash, domain) { return pattern }
    // It may have been recorded when equal numbers still had several hashes.
    guard let earlier = data.earlierHash else { return nil }
    return try await pattern(type, hash: earlier, domain)
  }

  private func pattern(_ type: PatternType, hash: String, _ domain: String?) async throws(MemoryError) -> Pattern? {
    let key = CacheKey.pattern(type, hash: hash, domain: domain)
    let (lookup, stamp) = try await reads.find(key, as: Pattern.self)
    if case .hit(let pattern) = lookup { return pattern }
    return try await reads.load(key, at: stamp, sharing: reads.patterns) { primary async throws(MemoryError) in
      try await primary.pattern(type, hash: hash, domain: domain)
    }
  }

  /// Patterns by success rate, then usage, best first; with a text by its words first. A domain has its own, and the shared
  /// ones that are linked to one of its episodes (I8).
  ///
  /// - Throws: `.invalid`.
  /// - Complexity: With a text, visits the patterns that have one of its words; with partial data, those that have all of its
  ///   names and strings; otherwise those of the type.
  public func patterns(_ filter: Pattern.Filter = .init(), in scope: Query.Scope) async throws(MemoryError) -> [Pattern]
  {
    try await span("patterns", scope) { () async throws(MemoryError) in
      try validation.rate(filter.minimumSuccessRate, "minimumSuccessRate")
      try validation.limit(filter.limit, most: limits.results)
      if let text = filter.text { try validation.query(text, "text") }
      if let data = filter.data { try validation.json(data, "data") }
      _ = try filter.words()
      return try await primary.patterns(filter, in: scope)
    }
  }

  /// The patterns linked to an episode, by id.
  public func patterns(of episode: Episode.ID) async throws(MemoryError) -> [Pattern] {
    try await primary.patterns(of: episode, in: .everything)
  }

  /// Deletes a pattern with its links.
  ///
  /// - Returns: Whether it existed.
  @discardableResult
  public func delete(pattern id: Pattern.ID) async throws(MemoryError) -> Bool {
    try await delete(pattern: id, in: .everything)
  }

  func delete(pattern id: Pattern.ID, in scope: Query.Scope) async throws(MemoryError) -> Bool {
    try await primary.write(in: scope) { transaction throws(MemoryError) in try transaction.delete(id) }
  }
}

extension Pattern {
  init(_ draft: Draft, at now: Timestamp) {
    self.init(
      id: .generate(at: now), domain: draft.domain, type: draft.type, data: draft.data,
      dataHash: draft.data.canonicalHash,
      successRate: draft.successRate, usageCount: 0, lastUsed: nil, createdAt: now, metadata: draft.metadata)
  }
}
