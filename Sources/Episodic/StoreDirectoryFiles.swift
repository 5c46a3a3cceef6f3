import AgentLedger
import EpisodicMemory
import FileLocks
import Foundation
import MemoryLMDB
import MemorySQLite

/// The files in a store's directory that may hold copies of what is in the primary.
struct StoreDirectoryFiles: StoreFiles {
  let directory: StoreDirectory
  let cache: any Cache
  let index: any SearchIndex

  func removeDerived(waitingAtMost timeout: Duration) async throws(MemoryError) {
    let (directory, cache, index) = (directory, cache, index)
    try await BlockingWork.shared.run { () throws(MemoryError) in
      // The index lies in the directory of the cache. One that this process does not use may be there for others.
      if let index = index as? RecoveringIndex {
        try index.beginAgain(waitingAtMost: timeout)
      } else {
        try RecoveringIndex.removeFiles(in: directory.index, waitingAtMost: timeout)
      }
      if let cache = cache as? RecoveringCache {
        try cache.beginAgain(waitingAtMost: timeout)
      } else {
        try RecoveringCache.removeFiles(in: directory.cache, waitingAtMost: timeout)
      }
    }
  }

  func removeLeftovers() async throws(MemoryError) {
    let directory = directory
    try await BlockingWork.shared.run { () throws(MemoryError) in
      for suffix in ["-wal-of-replaced", "-journal-of-replaced"] {
        let path = directory.primary + suffix
        guard unlink(path) == 0 || errno == ENOENT else {
          throw MemoryError(.unavailable, "cannot remove \(path): \(String(cString: strerror(errno))); remove it")
        }
      }
    }
  }

  // MARK: The ledger

  func eraseRuns(of stored: StoredReceipt) async throws(MemoryError) {
    guard access(directory.path + "/" + Ledger.fileName, F_OK) == 0 else { return }
    var options = Ledger.OpenOptions()
    options.create = false
    let ledger = try await Ledger.open(at: directory.path, options: options)
    let outcome: Result<Void, MemoryError>
    do throws(MemoryError) {
      // An episode has the id of the run that it was.
      let digests = ErasureDigests(key: stored.key)
      let traces = Set(stored.traces)
      let runs = try await ledger.runIDs().filter { traces.contains(digests.trace(.episode, $0.rawValue)) }
      try await ledger.erase(runs: runs)
      outcome = .success(())
    } catch {
      outcome = .failure(error)
    }
    try await ledger.close()
    try outcome.get()
  }

  // MARK: Receipts

  func keep(_ receipts: [StoredReceipt]) async throws(MemoryError) {
    let file = ReceiptFile(in: directory.backups)
    try await BlockingWork.shared.run { () throws(MemoryError) in try file.add(receipts) }
  }

  func receipts() async throws(MemoryError) -> [StoredReceipt] {
    let receipts = ReceiptFile(in: directory.backups)
    return try await BlockingWork.shared.run { () throws(MemoryError) in try receipts.receipts() }
  }

  /// - Returns: `nil` if there is no such directory.
  private static func names(in directory: String) throws(MemoryError) -> [String]? {
    do throws(FileError) {
      return try PrivateDirectory<FileError>(at: directory)?.names()
    } catch {
      throw MemoryError(.unavailable, error.message, cause: error)
    }
  }

  func copies(
    matching request: ErasureRequest, _ progress: @escaping @Sendable (Erasure.Progress) -> Void
  ) async throws(MemoryError) -> [ErasedCopy] {
    let backups = directory.backups
    return try await BlockingWork.shared.run { cancellation throws(MemoryError) in
      try CopySearch(in: backups) { (done, total) throws(MemoryError) in
        if cancellation.isCancelled { throw MemoryError.cancelledTask }
        progress(Erasure.Progress(.backups, done: done, total: total))
      }.copies(matching: request)
    }
  }

  func copies(holding receipt: StoredReceipt) async throws(MemoryError) -> [String] {
    let backups = directory.backups
    return try await BlockingWork.shared.run { () throws(MemoryError) in
      guard let names = try Self.names(in: backups) else { return [] }
      let all = Set(names)
      // Those that were found to have a text: of its digest alone nobody could find out.
      var holding = receipt.receipt.selection.kind == "text" ? all.intersection(receipt.receipt.backups) : []
      for name in names {
        let path = "\(backups)/\(name)"
        if name.hasSuffix(".sqlite") {
          if ErasureReplay.holds(receipt, at: path) ?? true { holding.insert(name) }
        } else if name.hasSuffix(".sqlite.gz") {
          if !BackupFolder.isLater(path, than: receipt) { holding.insert(name) }
        } else if name.hasSuffix(DraftFile.suffix) {
          // It is being made, and may have its name before the caller reads this.
          let target = String(name.dropLast(DraftFile.suffix.count))
          holding.insert(name)
          if !all.contains("\(target).gz\(DraftFile.suffix)") { holding.insert(target) }
        } else if name.hasSuffix(".sqlite-wal") || name.hasSuffix(".sqlite-journal") {
          // The log of a damaged store, which a restore has moved aside with it. One that cannot be examined may hold it.
          if (try? FileStatus(of: path))?.size != 0 { holding.insert(name) }
        }
      }
      return holding.sorted()
    }
  }
}
