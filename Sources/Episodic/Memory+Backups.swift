public import EpisodicMemory
import FileLocks
import MemorySQLite

extension Memory {
  /// The backups of the store in a directory, newest first, with what restores replaced and migrations left. The store need not be
  /// one that can be opened.
  ///
  /// - Parameter directory: Of the store; `~` and `~/...` are in the home directory.
  public static func backups(ofStoreAt directory: String) async throws(MemoryError) -> [Backup] {
    let folder = BackupFolder(besidePrimary: try StoreDirectory(directory).primary)
    return try await BlockingWork.shared.run { () throws(MemoryError) in try folder.backups() }
  }

  /// The backups in a directory, told by their names, newest first.
  ///
  /// - Parameter directory: `~` and `~/...` are in the home directory. Empty if there is none.
  public static func backups(inDirectory directory: String) async throws(MemoryError) -> [Backup] {
    let folder = BackupFolder(try PathText.expanded(directory, of: "a directory with backups"))
    return try await BlockingWork.shared.run { () throws(MemoryError) in try folder.backups() }
  }

  /// Verifies the file of a backup: byte by byte against its manifest, and as a database that this build can restore.
  ///
  /// Nothing is changed. Without a manifest only the database itself can be checked, and
  /// ``BackupVerification/matchesManifest`` is false.
  ///
  /// - Parameter path: `~` and `~/...` are in the home directory.
  /// - Parameter progress: Called every mebibyte.
  /// - Throws: `.notFound` if there is no such file; `.invalid` if it is no backup; `.unavailable` if it cannot be read. A damaged
  ///   one is a result with problems.
  public static func verify(
    _ path: String, progress: @escaping @Sendable (BackupProgress) -> Void = { _ in }
  ) async throws(MemoryError) -> BackupVerification {
    try await BlockingWork.shared.run { cancellation throws(MemoryError) in
      try BackupVerification(verifying: path) { now in
        progress(now)
        if cancellation.isCancelled { throw MemoryError.cancelledTask }
      }
    }
  }
}
