import FileLocks

extension Memory {
  /// Erases for good: rows, words, vectors, cache entries and cached answers, links, ids in the feed, and then every byte that
  /// deleted rows leave in the files of the store.
  ///
  /// The rows go in one transaction. From its commit on no read of any process shows them, and watchers are told digests of
  /// their ids. The cleaning that follows is repeated by `resumeErasures` if it is cut short. It merges the full-text indexes,
  /// overwrites free pages, empties the log and begins the files of cache and index again, so reads are slower until these are
  /// built. If a piece of an erased text is still in the gap of a page, the database is rewritten, which takes its room once
  /// more, and other writers wait for it.
  ///
  /// Copies beside the store are not changed; the receipt names those that hold what was erased. A restore of one erases the same in
  /// it, also what was deleted or changed before; but of a text only a digest is kept, so an episode whose text was changed before
  /// has it again. Nothing can be reached in copies and exports elsewhere, snapshots of the file system, and blocks that a disk has
  /// set aside.
  ///
  /// - Parameter scope: Nothing outside of it is erased (I8). A pattern that all domains share is erased only in `.everything`.
  /// - Parameter patterns: What becomes of a pattern whose last episode is erased.
  /// - Parameter dryRun: Whether to count only.
  /// - Parameter progress: Called at the start of each stage and during it.
  /// - Returns: The receipt. Its `pending` says why traces are left in the files, such as a reader that keeps the log.
  /// - Throws: `.notFound` if nothing matches in the store, nor in a copy beside it: there is no receipt then, but what rows that were
  ///   deleted or changed before have left in the files is removed all the same. `.invalid`; `.unavailable` if the folder of backups
  ///   cannot be read, and nothing is written then.
  @discardableResult
  public func forget(
    _ selection: Erasure.Selection, in scope: Query.Scope,
    patterns: Erasure.PatternPolicy = .eraseWithoutEvidence, dryRun: Bool = false,
    progress: @escaping @Sendable (Erasure.Progress) -> Void = { _ in }
  ) async throws(MemoryError) -> ErasureReceipt {
    try await span("forget", scope) { () async throws(MemoryError) in
      let now = clock.now()
      let request = ErasureRequest(
        id: .generate(at: now), selection: try validation.normalised(selection), scope: scope, patterns: patterns,
        now: now)
      let memory = self
      return try await BlockingWork.shared.perform { () async throws(MemoryError) in
        // What retention deleted and is still removing is in no domain any more that a selection could name.
        if !dryRun {
          _ = try await memory.sweepDeleted { (_, held) throws(MemoryError) in
            try await memory.letWritersGoFirst(after: held)
          }
        }
        let receipt = try await memory.erase(request, dryRun: dryRun, progress)
        if dryRun { return receipt }
        // Before the files are cleaned, which removes what the patterns said before.
        if receipt.counts.episodes > 0 { try await memory.learnAgain() }
        // All processes share it: also what tolerates staleness is not served from it any more.
        memory.cache.removeAll()
        let cleaned = await memory.clean(try await memory.primary.receipts(unfinished: true), progress)
        return cleaned.first { $0.id == receipt.id } ?? receipt
      }
    }
  }

  /// Erases the rows, and names the copies that have them.
  private func erase(
    _ request: ErasureRequest, dryRun: Bool, _ progress: @escaping @Sendable (Erasure.Progress) -> Void
  ) async throws(MemoryError) -> ErasureReceipt {
    var request = request
    do throws(MemoryError) {
      // A folder in which no receipt can be kept is told before anything is erased.
      _ = try await files.receipts()
      // Once it is erased, nobody can look for a text any more.
      if case .text = request.selection { request.copies = try await files.copies(matching: request, progress) }
    } catch {
      throw MemoryError(error.code, "\(error.message); nothing was erased", cause: error)
    }
    do throws(MemoryError) {
      return try await primary.erase(request, dryRun: dryRun, progress)
    } catch {
      guard error.code == .notFound else { throw error }
      if request.copies.isEmpty {
        // If it was deleted before, a copy that is restored would bring it back.
        request.copies = try await files.copies(matching: request, progress)
        if request.isInCopies { return try await primary.erase(request, dryRun: dryRun, progress) }
      }
      throw await nothing(of: request, error, dryRun: dryRun, progress)
    }
  }

  /// Removes what rows that were deleted or changed before left in the files, since nobody could tell that it is there.
  ///
  /// - Returns: The error to throw.
  private func nothing(
    of request: ErasureRequest, _ error: MemoryError, dryRun: Bool,
    _ progress: @escaping @Sendable (Erasure.Progress) -> Void
  ) async -> MemoryError {
    var message = error.message
    if !dryRun {
      cache.removeAll()
      do throws(MemoryError) {
        try await removeTraces(leftBy: request.selection, progress)
        follower.start()
        message += ", and what was deleted before has left nothing in the files of the store"
      } catch {
        message += ", but what was deleted before may have left traces in the files of the store: \(error.message)"
      }
    }
    let names = request.copies.map(\.name)
    if !names.isEmpty {
      message +=
        "; \(names.joined(separator: ", ")) in backups cannot be searched and may have it: remove what must not come back"
    }
    return MemoryError(.notFound, message, cause: error)
  }

  /// Cleans the files after erasures that were cut short, by a kill or by a reader that kept the log. If an older copy has taken
  /// the place of the store, erases again first what the receipts beside the backups name.
  ///
  /// Cost: a look at an empty index and at the file of receipts if there is nothing to do.
  ///
  /// - Returns: The receipts of those that there were; one that still has traces says why.
  @discardableResult
  public func resumeErasures(
    progress: @escaping @Sendable (Erasure.Progress) -> Void = { _ in }
  ) async throws(MemoryError) -> [ErasureReceipt] {
    let memory = self
    return try await BlockingWork.shared.perform { () async throws(MemoryError) in
      var obstacle: MemoryError?
      do throws(MemoryError) {
        let kept = try await memory.files.receipts()
        if !kept.isEmpty { try await memory.primary.repeatErasures(kept, at: memory.clock.now()) }
        try await memory.keepMissing(besides: kept)
      } catch {
        // What can be cleaned is cleaned all the same.
        obstacle = error
      }
      let unfinished = try await memory.primary.receipts(unfinished: true)
      var cleaned = unfinished.isEmpty ? [] : await memory.clean(unfinished, progress)
      if let obstacle {
        if cleaned.isEmpty { throw obstacle }
        for index in cleaned.indices where cleaned[index].pending == nil { cleaned[index].pending = obstacle.message }
      }
      return cleaned
    }
  }

  /// What was erased from the store, in the order of the erasures.
  public func receipts() async throws(MemoryError) -> [ErasureReceipt] {
    try await primary.receipts(unfinished: false)
  }

  /// Looks for everything that a receipt names, in the store and in the copies beside it.
  ///
  /// Computes the digest of every id of the store: about 1 s for a million.
  ///
  /// - Throws: `.notFound` if the store has no such receipt.
  public func verify(_ id: ErasureReceipt.ID) async throws(MemoryError) -> ErasureVerification {
    let memory = self
    return try await BlockingWork.shared.perform { () async throws(MemoryError) in
      guard let stored = try await memory.primary.storedReceipt(id) else {
        throw MemoryError(.notFound, "no receipt \"\(id)\"; look for its id with receipts()")
      }
      return ErasureVerification(
        receipt: id, found: try await memory.primary.existing(stored),
        isCleaned: stored.receipt.cleanedAt != nil, backups: try await memory.files.copies(holding: stored))
    }
  }

  /// The digest under which receipts and watchers name an id: to find out whether it is one that you hold.
  ///
  /// - Parameter id: Of an episode or a pattern.
  public func erasureDigest(
    _ subject: Erasure.Subject, of id: String
  ) async throws(MemoryError) -> Erasure.Digest {
    try await primary.erasureDigest(subject, of: id.canonicallyComposed)
  }

  /// Removes the traces of erasures that were committed before the call.
  private func clean(
    _ unfinished: [ErasureReceipt], _ progress: @escaping @Sendable (Erasure.Progress) -> Void
  ) async -> [ErasureReceipt] {
    var receipts = unfinished
    func note(_ obstacle: MemoryError) {
      for index in receipts.indices where receipts[index].pending == nil { receipts[index].pending = obstacle.message }
    }
    var stored: [StoredReceipt] = []
    do throws(MemoryError) {
      for receipt in unfinished {
        if let found = try await primary.storedReceipt(receipt.id) { stored.append(found) }
      }
      // First: if the primary is lost later, a restored copy can be told what to forget.
      try await files.keep(stored)
    } catch {
      // The traces go all the same; the receipts are kept with the next cleaning.
      note(error)
    }
    do throws(MemoryError) {
      try await removeTraces(leftBy: nil, progress)
      progress(Erasure.Progress(.backups))
      for found in stored {
        var backups = found.receipt.backups
        do throws(MemoryError) { backups = try await files.copies(holding: found) } catch { note(error) }
        try await files.eraseRuns(of: found)
        let now = clock.now()
        try await primary.finishErasure(found.receipt.id, backups: backups, at: now)
        if let index = receipts.firstIndex(where: { $0.id == found.receipt.id }) {
          receipts[index].cleanedAt = now
          receipts[index].backups = backups
        }
      }
      follower.start()
    } catch {
      for index in receipts.indices where receipts[index].cleanedAt == nil { receipts[index].pending = error.message }
    }
    return receipts
  }

  /// Removes what deleted rows left in all files of the store. The index is not built again by this.
  ///
  /// - Parameter selection: Of rows that are not there any more.
  func removeTraces(
    leftBy selection: Erasure.Selection?, _ progress: @escaping @Sendable (Erasure.Progress) -> Void
  ) async throws(MemoryError) {
    // The log is emptied before the derived files go: then no reader is left that could build them from old rows.
    try await primary.cleanErased(leftBy: selection, progress)
    progress(Erasure.Progress(.derivedFiles))
    try await files.removeDerived(waitingAtMost: follower.busyTimeout)
    try await files.removeLeftovers()
    _ = try await primary.maintain(.temporaryFiles, amount: 1, at: clock.now())
    reads.gate.close()
  }

  /// Keeps receipts beside the backups that are missing there: the folder could not be written, or somebody removed it.
  private func keepMissing(besides kept: [StoredReceipt]) async throws(MemoryError) {
    // Keeping one whose key is lost there adds the key.
    let known = Set(kept.filter { !$0.key.isEmpty }.map(\.receipt.id))
    var missing: [StoredReceipt] = []
    for receipt in try await primary.receipts(unfinished: false) where !known.contains(receipt.id) {
      if let found = try await primary.storedReceipt(receipt.id) { missing.append(found) }
    }
    try await files.keep(missing)
  }
}

extension Validation {
  /// - Throws: `.invalid`, `.limitExceeded` for a selection that can match nothing.
  func normalised(_ selection: Erasure.Selection) throws(MemoryError) -> Erasure.Selection {
    switch selection {
    case .episodes(let ids):
      guard !ids.isEmpty else { throw MemoryError(.invalid, "episodes is empty; name an episode") }
      for id in ids { try identifier(id.rawValue, "episode") }
      return .episodes(Array(Set(ids)))
    case .session(let session):
      try name(session, "session")
      return .session(session.canonicallyComposed)
    case .domain(let domain):
      try name(domain, "domain")
      return .domain(domain.canonicallyComposed)
    case .created(let range):
      guard !range.isEmpty else {
        throw MemoryError(
          .invalid, "no time lies between \(range.lowerBound) and \(range.upperBound); give the earlier one first")
      }
      return selection
    case .source(let source, let since):
      try shortName(source, "source")
      try time(since, "since")
      return .source(source.canonicallyComposed, since: since)
    case .metadata(let path, let value):
      guard !path.isEmpty else { throw MemoryError(.invalid, "the path into the metadata is empty; name a member") }
      try json(value, "the value in the metadata")
      return .metadata(path: path.map(\.canonicallyComposed), value.canonicallyComposed)
    case .text(let text, let ignoringCase):
      try name(text, "text")
      return .text(text, ignoringCase: ignoringCase)
    case .everything: return selection
    }
  }
}
