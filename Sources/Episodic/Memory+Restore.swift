public import EpisodicMemory
import FileLocks
import MemorySQLite

extension Memory {
  /// Puts a backup in the place of a store. The store that was there is kept, in its folder `backups`, as `replaced-….sqlite`; to
  /// restore that file undoes it.
  ///
  /// The backup is unpacked, verified, migrated and synced as a file of its own; what was erased after it was made is erased in it
  /// again. Then the two files exchange their names in one step: a process that is killed at any moment leaves the old store or the
  /// new one. What was committed to the old one up to that moment is in the file that is kept.
  ///
  /// The restored store has a new identity, by which every cache and index notices that it is another. Processes that have the
  /// old one open go on with none of it: their reads throw `.unavailable` within 100 ms, their writes at once, and they open the
  /// store again. A store that is damaged or gone is moved aside as it is, with its log.
  ///
  /// - Parameter backup: The path of its file; `~` and `~/...` are in the home directory.
  /// - Parameter directory: Of the store; it is made if there is none.
  /// - Parameter options: What is allowed, how long to wait, and whether to change anything.
  /// - Parameter progress: Called every mebibyte, and at the beginning of each stage.
  /// - Throws: `.notFound` if there is no such backup; `.corrupted` if it is damaged; `.notAStore` if it is of a newer version, or of
  ///   another program; `.conflict` if it is of another store; `.busy` if a process keeps reading or writing the store;
  ///   `.keyMissing` and `.keyWrong` as `RestoreOptions.key` says; `.unavailable` without room or permission; `.cancelled`. Nothing was
  ///   changed then.
  public static func restore(
    _ backup: String, to directory: String, options: RestoreOptions = RestoreOptions(),
    progress: @escaping @Sendable (BackupProgress) -> Void = { _ in }
  ) async throws(MemoryError) -> RestoreReport {
    let directory = try StoreDirectory(directory)
    return try await BlockingWork.shared.run { cancellation throws(MemoryError) in
      let receipts = ReceiptFile(in: directory.backups)
      return try StoreRestore(
        directory: directory.path, options: options,
        receipts: { () throws(MemoryError) in try receipts.receipts() },
        progress: { now in
          if cancellation.isCancelled { throw MemoryError.cancelledTask }
          progress(now)
        }
      ).run(backup)
    }
  }
}
