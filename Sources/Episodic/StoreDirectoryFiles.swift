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

  // MARK: Receipts

  func keep(_ receipt: StoredReceipt) async throws(MemoryError) {
    let receipts = ReceiptFile(in: directory.backups)
    try await BlockingWork.shared.run { () throws(MemoryError) in try receipts.add(receipt) }
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

  func copies(holding receipt: StoredReceipt) async throws(MemoryError) -> [String] {
    let backups = directory.backups
    return try await BlockingWork.shared.run { () throws(MemoryError) in
      guard let names = try Self.names(in: backups) else { return [] }
      return names.sorted().filter { name in
        // A compressed copy, or one that is of another version: it may hold it.
        if name.hasSuffix(".sqlite") { return ErasureReplay.holds(receipt, at: "\(backups)/\(name)") ?? true }
        return name.contains(".sqlite.") && !name.hasSuffix("-wal") && !name.hasSuffix("-shm")
          && ReceiptFile.isOlder("\(backups)/\(name)", than: receipt.receipt.erasedAt)
      }
    }
  }
}
