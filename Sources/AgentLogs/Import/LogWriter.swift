import EpisodicMemory

/// Stores batches of episodes from logs, each in one transaction.
struct LogWriter: Sendable {
  /// `nil`: no store, so everything is new.
  private let memory: Memory?
  /// Whether nothing is stored, and only the report is made.
  private let isDryRun: Bool
  /// Digests of the episodes that were erased from the store.
  private let erased: Set<Erasure.Digest>

  init(_ memory: Memory?, isDryRun: Bool) async throws(MemoryError) {
    (self.memory, self.isDryRun) = (memory, isDryRun)
    var erased: Set<Erasure.Digest> = []
    if let memory {
      for receipt in try await memory.receipts() {
        let traces = try await memory.primaryStore.storedReceipt(receipt.id)?.traces ?? []
        erased.formUnion(traces.filter { $0.subject == .episode }.map(\.digest))
      }
    }
    self.erased = erased
  }

  /// - Returns: What became of the episodes; the rest of the report is empty.
  func store(_ episodes: [Episode]) async throws(MemoryError) -> LogReport {
    var report = LogReport()
    guard let memory else {
      for episode in episodes { report.note(episode, stored: nil, merged: episode) }
      return report
    }
    var wanted: [Episode] = []
    for episode in episodes {
      if !erased.isEmpty, erased.contains(try await memory.erasureDigest(.episode, of: episode.id.rawValue)) {
        report.erased += 1
      } else {
        wanted.append(episode)
      }
    }
    if isDryRun {
      for episode in wanted {
        let stored = try await memory.episode(episode.id)
        report.note(episode, stored: stored, merged: LogMerge.merged(episode, onto: stored))
      }
      return report
    }
    let all = wanted
    // Added up from an empty report, since a transaction may run twice.
    let written = try await memory.write { batch throws(MemoryError) in
      var written = LogReport()
      for episode in all {
        let stored = try batch.episode(episode.id)
        let merged = LogMerge.merged(episode, onto: stored)
        if let merged { try batch.insert([merged], existing: .replace) }
        written.note(episode, stored: stored, merged: merged)
      }
      return written
    }
    report.add(written)
    return report
  }
}

extension LogReport {
  fileprivate mutating func note(_ episode: Episode, stored: Episode?, merged: Episode?) {
    guard let merged else {
      unchanged += 1
      return
    }
    if stored == nil { added += 1 } else { changed += 1 }
    steps += merged.stepCount - (stored?.stepCount ?? 0)
  }

  /// Adds what became of a batch.
  mutating func add(_ written: LogReport) {
    added += written.added
    changed += written.changed
    unchanged += written.unchanged
    erased += written.erased
    steps += written.steps
  }
}
