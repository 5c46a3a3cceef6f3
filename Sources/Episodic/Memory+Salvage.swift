import FileLocks
public import EpisodicMemory
import Foundation
import MemorySQLite
public import Logging

extension Memory {
  /// Copies what is readable out of a damaged store into a new one, and lists what was lost.
  ///
  /// Rows are found through the trees of their tables, and where those are broken in every page that is not free. A row comes
  /// over only if it is whole and keeps every rule of the schema; one whose episode is lost is set aside, in `orphans_kept`.
  /// SQLite's pages have no checksum: a byte that changed in a text or a number comes over unseen, unless what is kept beside the
  /// text was made of another one (`SalvageReport.doubtful`).
  ///
  /// The damaged store is only read, with its log as far as that is whole. Vectors, patterns, links, settings and receipts of
  /// erasures come over; the new store has an identity of its own and begins a feed of changes. Its caches and indexes are made
  /// when it is opened.
  ///
  /// - Parameter damaged: The directory of the store, or a database file such as a backup. Nobody may have it open.
  /// - Parameter target: A directory that does not exist, or is empty. It appears when all is done.
  /// - Parameter audit: Whether the new store gets a record of this, and whose. The records of the damaged store come over as they are.
  /// - Parameter key: Where the key of encrypted domains comes from. It is asked for if the new store gets a record, and an erasure is
  ///   repeated that changes an encrypted episode.
  /// - Parameter logger: Gets what the new store has to say.
  /// - Parameter progress: Called some times a second, on any thread.
  /// - Throws: `.busy` if a process has the damaged store open; `.notAStore` if there is none; `.conflict` if the target exists;
  ///   `.corrupted` if nothing can be recognised.
  public static func salvage(
    from damaged: String, to target: String, audit: Auditing = .off, key: KeyProvider? = nil,
    logger: Logger = Logger(label: "episodic"), progress: @escaping @Sendable (SalvageProgress) -> Void = { _ in }
  ) async throws(MemoryError) -> SalvageReport {
    try await BlockingWork.shared.perform { () async throws(MemoryError) in
      let source = try database(of: damaged)
      let target = try StoreDirectory(target)
      let draft = try SalvageDirectory(for: target)
      do throws(MemoryError) {
        let primary = try await SQLitePrimaryStore(
          path: draft.directory.primary, clock: StoppedClock(), migrationClock: SystemClock(), auditing: audit,
          key: key, logger: logger)
        let report: SalvageReport
        do throws(MemoryError) {
          report = try await Salvage.run(
            from: source, into: primary, report: SalvageReport(source: source, target: target.path),
            progress: progress)
        } catch {
          // The error that is thrown says more than one of closing what is removed.
          try? await primary.close()
          throw error
        }
        try await primary.close()
        try draft.publish()
        return report
      } catch {
        draft.discard()
        throw error
      }
    }
  }

  /// The database in a directory, or the file itself.
  private static func database(of damaged: String) throws(MemoryError) -> String {
    let directory = try StoreDirectory(damaged)
    do throws(FileError) {
      if try FileStatus(of: directory.path)?.kind == .regular { return directory.path }
    } catch {
      throw MemoryError(.unavailable, error.message, cause: error)
    }
    return try BackupFolder(directory.backups).nameWithLog(of: directory.primary) ?? directory.primary
  }
}

/// By this clock nothing is old: the upkeep after commits would delete idempotency keys that were just brought over.
private struct StoppedClock: WallClock {
  func now() -> Timestamp { Timestamp(milliseconds: 0) }
}

/// The directory of a store that is being made: it gets its name when it is whole.
private struct SalvageDirectory {
  /// The file that tells a draft from a store of its name.
  private static let marker = "memory.sqlite-salvage"

  let target: StoreDirectory
  let directory: StoreDirectory
  /// Held as long as the directory is being made.
  private let lock: FileLock<FileError>

  init(for target: StoreDirectory) throws(MemoryError) {
    self.target = target
    let files = FileManager.default
    if let names = try? files.contentsOfDirectory(atPath: target.path) {
      guard names.isEmpty else {
        throw MemoryError(.conflict, "\(target.path) is not empty; name a directory that does not exist")
      }
    } else if files.fileExists(atPath: target.path) {
      throw MemoryError(.conflict, "\(target.path) exists; name a directory that does not exist")
    }
    let path = target.path + ".partial"
    do throws(FileError) {
      try Self.removeAbandoned(path)
      try PrivateDirectory<FileError>.createWithParents((path as NSString).deletingLastPathComponent)
      let place = try PrivateDirectory<FileError>(creatingAt: path)
      lock = place.lock
      guard try lock.tryLock(.exclusive), try place.names().isEmpty, try FileIdentity(of: path) == place.identity else {
        throw Self.isTaken(path)
      }
      _ = try place.createFile(Self.marker)
    } catch {
      throw MemoryError(error.code == .busy ? .conflict : .unavailable, error.message, cause: error)
    }
    directory = try StoreDirectory(path)
  }

  /// Removes what a killed salvage left: nobody holds its lock, and it has its marker and nothing else but the files of a store.
  private static func removeAbandoned(_ path: String) throws(FileError) {
    guard let place = try PrivateDirectory<FileError>(at: path) else { return }
    let lock = place.lock
    guard try lock.tryLock(.exclusive) else { throw isTaken(path) }
    defer { lock.unlock() }
    let names = try place.names()
    for name in names where !name.hasPrefix("memory.sqlite") && name != "backups" {
      throw FileError(.busy, "\(path) exists, with \(name), which no salvage makes; name another directory")
    }
    guard names.isEmpty || names.contains(marker) else {
      throw FileError(.busy, "\(path) exists, and no salvage is making it; name another directory, or move it")
    }
    do {
      try remove(path)
    } catch {
      throw FileError(
        .busy, "\(path), which a killed salvage left, cannot be removed (\(error)); remove that directory")
    }
  }

  private static func isTaken(_ path: String) -> FileError {
    FileError(.busy, "\(path) exists: another salvage is making it; wait for it, or name another directory")
  }

  func publish() throws(MemoryError) {
    do throws(FileError) {
      let marker = directory.path + "/" + Self.marker
      guard unlink(marker) == 0 else { throw .last("remove", marker) }
      try OpenFile<FileError>.directory(directory.path).sync()
      guard rename(directory.path, target.path) == 0 else { throw .last("name", target.path) }
      try OpenFile<FileError>.directory((target.path as NSString).deletingLastPathComponent).sync()
    } catch {
      throw MemoryError(.unavailable, error.message, cause: error)
    }
  }

  /// What cannot be removed stays, and its name says what it is.
  func discard() { try? Self.remove(directory.path) }

  /// Removes a draft, its marker last: what is left if this is cut short is a draft as well.
  private static func remove(_ path: String) throws {
    let files = FileManager.default
    for name in try files.contentsOfDirectory(atPath: path) where name != marker {
      try files.removeItem(atPath: path + "/" + name)
    }
    try files.removeItem(atPath: path)
  }
}
