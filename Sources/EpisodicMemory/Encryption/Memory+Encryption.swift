import FileLocks

extension Memory {
  /// Encrypts a domain: what it has, and what is written into it from now on, by every process.
  ///
  /// From the first commit on new rows are encrypted, and reads answer from both kinds. The rows that are there are encrypted in
  /// slices, with writers between them; called again after it was cut short, it goes on. Then the files are cleaned as `forget` does
  /// it, so that nothing of before is left in them. Backups and exports that were made before are not changed.
  ///
  /// What learning found in the domain is deleted, and learning looks at encrypted domains no more.
  ///
  /// - Parameter progress: Called after each slice with the rows that have been encrypted.
  /// - Throws: `.keyMissing` or `.keyWrong`; `.keyDestroyed` if rows are left of which the key was destroyed; `.unavailable` in a build
  ///   without the trait `Encryption`.
  @discardableResult
  public func encrypt(
    domain: String, progress: @escaping @Sendable (Int) -> Void = { _ in }
  ) async throws(MemoryError) -> SealingReport {
    try await seal(.encrypt(domain: try domainName(domain)), try domainName(domain), progress)
  }

  /// Makes another version of the key of a domain, and encrypts all of its rows with that, in slices, with writers between them.
  ///
  /// Both versions are read meanwhile. Called again after it was cut short, it goes on. At the end the earlier version is deleted.
  /// Digests of words stay the same: they have a key of their own.
  ///
  /// - Throws: As `encrypt(domain:progress:)`; `.notFound` if the domain is not encrypted.
  @discardableResult
  public func rotateKey(
    of domain: String, progress: @escaping @Sendable (Int) -> Void = { _ in }
  ) async throws(MemoryError) -> SealingReport {
    try await seal(.renew(domain: try domainName(domain)), try domainName(domain), progress)
  }

  private func seal(
    _ change: KeyChange, _ domain: String, _ progress: @escaping @Sendable (Int) -> Void
  ) async throws(MemoryError) -> SealingReport {
    try await span("encrypt", .domain(domain)) { () async throws(MemoryError) in
      let memory = self
      return try await BlockingWork.shared.perform { () async throws(MemoryError) in
        let begun = try await memory.primary.change(change, at: memory.clock.now())
        guard begun != nil else {
          throw MemoryError(.notFound, "the domain \"\(domain)\" is not encrypted; encrypt it first")
        }
        var rows = 0
        var position: SealingPosition? = SealingPosition()
        while let start = position {
          try MemoryError.throwIfCancelled()
          let slice = try await memory.primary.sealRows(in: domain, after: start)
          rows += slice.rows
          position = slice.next
          progress(rows)
        }
        let finished = try await memory.primary.change(.finish(domain: domain), at: memory.clock.now())
        guard let key = finished ?? begun else {
          throw MemoryError(
            .keyDestroyed, "the key of the domain \"\(domain)\" was destroyed meanwhile; forget the domain")
        }
        return SealingReport(
          key: key, rows: rows, pending: rows == 0 ? nil : await memory.tracesLeft(by: domain))
      }
    }
  }

  /// Destroys the key of a domain: nobody can read any more what is encrypted with it, in the store and in a backup that is restored over
  /// it. Restored into another directory, a backup of before has the key. The rows stay until they are deleted.
  ///
  /// - Returns: Why traces of the key may be left in the files; `nil` if there are none.
  /// - Throws: `.notFound` if the domain is not encrypted.
  @discardableResult
  public func destroyKey(of domain: String) async throws(MemoryError) -> String? {
    let domain = try domainName(domain)
    return try await span("destroyKey", .domain(domain)) { () async throws(MemoryError) in
      let memory = self
      return try await BlockingWork.shared.perform { () async throws(MemoryError) in
        guard try await memory.primary.change(.destroy(domain: domain), at: memory.clock.now()) != nil else {
          throw MemoryError(.notFound, "the domain \"\(domain)\" is not encrypted; there is no key to destroy")
        }
        return await memory.tracesLeft(by: domain)
      }
    }
  }

  /// Encrypts the keys of all domains with another key of the store, in one transaction. No row is written.
  ///
  /// Other processes that have the store open need the new key: they throw `.keyWrong` until they are opened with it.
  ///
  /// - Throws: `.keyMissing`, `.keyWrong`; `.notFound` if no domain is encrypted.
  public func rotateStoreKey(to key: StoreKey) async throws(MemoryError) {
    try await span("rotateStoreKey") { () async throws(MemoryError) in
      guard try await primary.change(.rewrap(key), at: clock.now()) != nil else {
        throw MemoryError(.notFound, "no domain of the store is encrypted; there is nothing that the key protects")
      }
    }
  }

  /// The versions of the keys of all encrypted domains, by domain, the newest first. Needs no key.
  public func domainKeys() async throws(MemoryError) -> [DomainKey] { try await primary.domainKeys() }

  private func domainName(_ domain: String) throws(MemoryError) -> String {
    try validation.name(domain, "domain")
    return domain.canonicallyComposed
  }

  /// Removes from all files what the rows of a domain were before.
  private func tracesLeft(by domain: String) async -> String? {
    cache.removeAll()
    do throws(MemoryError) {
      try await removeTraces(leftBy: .domain(domain)) { _ in }
      follower.start()
      return nil
    } catch {
      return error.message
    }
  }
}
