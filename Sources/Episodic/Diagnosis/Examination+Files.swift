import EpisodicMemory
import FileLocks
import Foundation
import MemorySQLite

/// The files in the directory, by their names and their status: none of the database is opened (I5).
extension Examination {
  /// What makes it useless to open the database; the last two if they are about its files, not about a folder beside them.
  private static let obstacles: Set<FindingCode> = [.storeMissing, .logWithoutDatabase, .hardLinks]
  private static let obstaclesOfFiles: [FindingCode] = [.symbolicLink, .notAFile]

  /// - Returns: Whether there is a database that could be opened.
  func examineFiles() -> Bool {
    guard let place = status(of: directory.path, followingLinks: true), place.kind == .directory else {
      found(.storeMissing, directory.path, "there is no directory of that name, so there is no store")
      return false
    }
    examineRights(of: directory.path, place)
    for name in names(in: directory.path) { examine(name, in: place) }
    examineLeftovers(in: directory.path)
    examineDatabase()
    examineLockFile()
    let wrong = Self.obstaclesOfFiles.flatMap(subjects)
    return Self.obstacles.isDisjoint(with: codes) && !wrong.contains { $0.hasPrefix(directory.primary) }
  }

  // MARK: The database

  private func examineDatabase() {
    let database = status(of: directory.primary)
    let log = status(of: directory.primary + "-wal")
    let content = (database?.size ?? 0) > 0
    if !content, let log, log.size > 0 {
      return found(
        .logWithoutDatabase, directory.primary + "-wal",
        "the database is \(database == nil ? "gone" : "empty"), and its log still holds \(log.size) bytes")
    }
    guard let database, content else {
      return found(
        .storeMissing, directory.primary,
        database == nil ? "there is no store in this directory" : "the database is empty: it has lost everything")
    }
    if database.kind == .regular, database.nameCount > 1 {
      let other = (try? BackupFolder(directory.backups).nameWithLog(of: directory.primary)) ?? nil
      found(
        .hardLinks, directory.primary,
        other.map {
          "a restore was killed: the file is \($0) as well, and its log is beside that; restore again, or salvage"
        }
          ?? "the file has \(database.nameCount) names, and under each SQLite would keep another log")
    }
    if let journal = status(of: directory.primary + "-journal"), journal.size > 0 {
      found(
        .journalLeft, directory.primary + "-journal",
        "a program wrote without the log of this store and left a journal of \(journal.size) bytes")
    }
    let bytes = database.bytesOnDisk + (log?.bytesOnDisk ?? 0)
    saw("size of the primary", "\(bytes.asBytes), log \((log?.size ?? 0).asBytes)")
    if bytes >= Int64(options.limits.storeWarningBytes) {
      found(
        .storeLarge, directory.primary,
        "the primary has \(bytes.asBytes), more than limits.storeWarningBytes allows without a warning")
    }
    if let log, log.size >= Int64(options.limits.logWarningBytes) {
      found(
        .logLong, directory.primary + "-wal",
        "the log has \(log.size.asBytes), more than limits.logWarningBytes: every read looks through it")
    }
  }

  /// Any user who may open the lock file could keep all writers waiting.
  private func examineLockFile() {
    let path = directory.primary + "-lock"
    guard let lock = status(of: path), lock.kind == .regular, let database = status(of: directory.primary) else {
      return
    }
    let allowed = StoreRights.ofLockFile(for: database.mode)
    guard lock.mode & ~allowed & 0o066 != 0 else { return }
    found(
      .lockMode, path,
      "its mode is \(String(lock.mode, radix: 8)), so users who may not write the database can keep its writers waiting"
    )
  }

  // MARK: Each file

  private func examine(_ name: String, in place: FileStatus) {
    let path = directory.path + "/" + name
    guard let status = status(of: path) else { return }
    switch StoreFileName(name) {
    case .hidden,
      .other where status.kind == .directory && name == "lost+found":
      return
    case .other:
      return found(.fileUnknown, path, "it is not a file of a store")
    case .draft:
      found(.draftLeft, path, "a process that made the database was cut short")
    case .partial: break
    case .logOfReplaced:
      found(
        .logOfReplaced, path, "the database was replaced while it was in use, and this log of the old one was set aside"
      )
    case .folder:
      if status.kind == .symbolicLink { return linked(path) }
      guard status.kind == .directory else {
        return found(.notAFile, path, "it is not a directory, as it should be")
      }
    case .file:
      if status.kind == .symbolicLink { return linked(path) }
      guard status.kind == .regular else {
        return found(.notAFile, path, "it is not a regular file, as it should be")
      }
    }
    examineRights(of: path, status)
    if status.owner != place.owner {
      found(
        .ownerOther, path, "it belongs to user \(status.owner), and the directory to user \(place.owner)")
    }
  }

  private func linked(_ path: String) {
    found(.symbolicLink, path, "it is a symbolic link, through which no file of a store is opened")
  }

  func examineRights(of path: String, _ status: FileStatus) {
    guard status.kind != .symbolicLink, status.mode & StoreRights.ofOthers(status.kind) != 0 else { return }
    found(
      .permissionsOpen, path,
      "its mode is \(String(status.mode, radix: 8)), so every user of the machine can use what agents recorded")
  }

  // MARK: Looking

  /// `nil` if there is none, or it cannot be examined.
  func status(of path: String, followingLinks: Bool = false) -> FileStatus? {
    do throws(FileError) {
      return try FileStatus(of: path, followingLinks: followingLinks)
    } catch {
      if !codes.contains(.primaryUnavailable) { found(.primaryUnavailable, path, error.message) }
      return nil
    }
  }

  func names(in path: String) -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    } catch {
      found(.primaryUnavailable, path, "the directory cannot be listed: \(String(cString: strerror(errno)))")
      return []
    }
  }

  /// Files that a process was writing when it was killed: nobody holds them.
  func examineLeftovers(in path: String) {
    do throws(FileError) {
      for path in try LeftoverFiles.find(in: path) {
        found(.partialLeft, path, "a process that wrote it was cut short")
      }
    } catch {
      // A link, or the directory of another user, which is reported by itself.
    }
  }
}

/// What a file in a store's directory is, by its name.
enum StoreFileName {
  case file
  case folder
  /// Of a database that was being made.
  case draft
  /// Of a backup, or another file, that was being made.
  case partial
  case logOfReplaced
  case hidden
  case other

  init(_ name: String) {
    self =
      switch name {
      case "memory.sqlite", "memory.sqlite-wal", "memory.sqlite-shm", "memory.sqlite-lock", "memory.sqlite-journal",
        "memory.sqlite-maintenance", "ledger.sqlite":
        .file
      case "cache.lmdb", "backups": .folder
      case "memory.sqlite-wal-of-replaced", "memory.sqlite-journal-of-replaced": .logOfReplaced
      case "memory.sqlite-new", "memory.sqlite-new-journal", "memory.sqlite-new-wal", "memory.sqlite-new-shm": .draft
      case _ where name.contains(".partial"): .partial
      case _ where name.hasPrefix("ledger.sqlite-"): .file
      case _ where name.hasPrefix("."): .hidden
      default: .other
      }
  }
}

/// Modes of the files of a store.
enum StoreRights {
  /// The rights that no other user should have. Who may enter a directory sees names, and no content of files of mode 0600.
  static func ofOthers(_ kind: FileStatus.Kind) -> UInt32 { kind == .directory ? 0o002 : 0o007 }

  /// Those who may write the database may lock it, and no others.
  static func ofLockFile(for database: UInt32) -> UInt32 {
    var mode: UInt32 = 0o600
    if database & 0o020 != 0 { mode |= 0o060 }
    if database & 0o002 != 0 { mode |= 0o006 }
    return mode
  }
}
