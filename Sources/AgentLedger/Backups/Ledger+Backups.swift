import FileLocks
import Foundation
import SQLiteStorage
import StoreRows
public import StoreValues

extension Ledger {
  /// Copies the ledger, in use or not, into one file, which is read back and verified before it gets its name; others read and
  /// write meanwhile. No file is overwritten.
  ///
  /// What is erased later stays in the copy: remove the backups of before.
  ///
  /// - Parameter destination: A file, or a directory, which is there or ends with a slash: then the file is
  ///   `ledger-TIME.sqlite`. `nil`: the folder `backups` beside the ledger.
  /// - Parameter keep: So many backups of the directory stay, the newest ones; `nil`: all.
  /// - Throws: `.invalid` for a ledger in memory without a destination, or a number to keep with a file; `.corrupted` if the
  ///   ledger is damaged; `.unavailable` without room or permission, or if there is a file of that name.
  @discardableResult
  public func backUp(to destination: String? = nil, keep: Int? = nil) async throws(MemoryError) -> Backup {
    if let keep, keep < 1 { throw MemoryError(.invalid, "keep is \(keep); keep at least 1") }
    let stored = database.stored
    guard destination != nil || stored.isInFile else {
      throw MemoryError(
        .invalid, "the ledger is in memory and has no folder for backups; name a file or a directory")
    }
    let folder = LedgerBackupFolder(besideLedger: stored.path)
    let now = database.clock.now()
    do {
      let place = try destination.map(BackupPlace.init) ?? .folder(folder.path)
      let target: String
      switch place {
      case .file(let path):
        guard keep == nil else {
          throw MemoryError(
            .invalid, "\(path) is a file, and backups are kept in a directory; name one with / at its end")
        }
        target = path
      case .folder(let path):
        try PrivateDirectory<FileError>.createWithParents(path)
        target = try LedgerBackupFolder(path).freeName("ledger", at: now)
      }
      let (copy, _) = try await stored.copy(to: target, progress: { _ in }, describing: { _ in })
      try copy.publish()
      if let keep, case .folder(let path) = place { try LedgerBackupFolder(path).prune(keeping: keep) }
      return Backup(
        path: target, createdAt: now, fileBytes: copy.bytes, rows: copy.content.rows, faults: copy.faults)
    } catch {
      throw database.explained(error)
    }
  }

  /// Puts a backup in the place of a ledger; that is kept in the folder `backups` beside it, as `ledger-replaced-TIME.sqlite`.
  ///
  /// The backup is verified and migrated in a file of its own; then the two files exchange their names in one step. The restored
  /// ledger has a new identity, and processes that have the old one open open it again. Its runs are consolidated again: those
  /// that are episodes stay the same ones, and those whose episode was erased since are erased again.
  ///
  /// - Parameter backup: The path of its file, which no process has open.
  /// - Parameter directory: Of the ledger; it is made if there is none.
  /// - Throws: `.notFound`; `.notAStore` if it is no ledger, or of a newer version; `.corrupted` if it is damaged; `.conflict` if
  ///   it is in use; `.busy` if a process keeps using the ledger; `.unavailable`. Nothing was changed then.
  public static func restore(
    _ backup: String, to directory: String, clock: any WallClock = SystemClock(),
    busyTimeout: Duration = .seconds(30)
  ) async throws(MemoryError) -> Restored {
    let file = try PathText.expanded(backup, of: "a backup")
    let directory = try PathText.expanded(directory, of: "the ledger's directory")
    do {
      return try await BlockingWork.shared.run {
        try LedgerRestore(directory: directory, now: clock.now(), busyTimeout: busyTimeout).run(file)
      }
    } catch {
      throw MemoryError(storage: error, path: file)
    }
  }
}
