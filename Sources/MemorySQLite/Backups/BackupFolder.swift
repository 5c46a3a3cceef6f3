package import EpisodicMemory
package import FileLocks
import Foundation
import StoreRows

/// A directory with backups, told by their names.
package struct BackupFolder: Sendable {
  /// By so much a time server may set a clock back.
  private static let clockTolerance = Duration.seconds(60)

  package let path: String

  package init(_ path: String) { self.path = path }

  /// The folder `backups` beside a primary.
  package init(besidePrimary path: String) {
    self.path = (path as NSString).deletingLastPathComponent + "/backups"
  }

  /// Makes the folder with mode 0700 if there is none.
  ///
  /// - Throws: `FileError` for a link, or a folder of another user.
  package func make() throws(FileError) { _ = try PrivateDirectory<FileError>(creatingAt: path) }

  /// The backups in it, newest first; empty if there is no such directory.
  package func backups() throws(MemoryError) -> [Backup] {
    var found: [(backup: Backup, name: BackupName)] = []
    for name in try names() {
      guard let parts = BackupName(name), let backup = Self.backup(at: path + "/" + name, parts) else { continue }
      found.append((backup, parts))
    }
    found.sort { a, b in
      (a.backup.createdAt, a.name.number, a.backup.path) > (b.backup.createdAt, b.name.number, b.backup.path)
    }
    return found.map(\.backup)
  }

  private func names() throws(MemoryError) -> [String] {
    do throws(FileError) {
      guard let status = try FileStatus(of: path, followingLinks: true) else {
        guard try FileStatus(of: path) == nil else {
          throw FileError(.link, "\(path) is a link that leads nowhere; name a directory with backups")
        }
        return []
      }
      guard status.kind == .directory else {
        throw FileError(.kind, "\(path) is a file; name a directory with backups")
      }
    } catch {
      throw MemoryError(backup: error)
    }
    do {
      return try FileManager.default.contentsOfDirectory(atPath: path)
    } catch {
      throw MemoryError(.unavailable, "the directory \(path) cannot be read; change its owner or mode", cause: error)
    }
  }

  /// - Returns: `nil` if it is no file any more.
  static func backup(at path: String, _ name: BackupName?) -> Backup? {
    // Of one that was removed meanwhile, or that nobody may look at, there is nothing to say.
    guard let status = try? FileStatus(of: path, followingLinks: true), status.kind == .regular else { return nil }
    let manifest = BackupManifest.beside(path)
    return Backup(
      path: path, kind: name?.kind ?? .backup,
      createdAt: manifest?.createdAt ?? name?.time ?? Timestamp(milliseconds: status.modified / 1_000_000),
      fileBytes: status.size, manifest: manifest)
  }

  /// Whether the manifest of a compressed backup proves that it was made after an erasure of its store: it has its receipt.
  package static func isLater(_ path: String, than receipt: StoredReceipt) -> Bool {
    // A file that cannot be examined is not proved to be later.
    guard let place = receipt.place, let manifest = BackupManifest.beside(path),
      manifest.store == receipt.store.rawValue,
      (try? FileStatus(of: path))?.size == manifest.fileBytes, let receipts = manifest.rows["erasures"]
    else { return false }
    return receipts >= place
  }

  /// A name that nothing in the folder has: neither plain nor compressed, nor as a manifest, nor as a draft.
  ///
  /// - Parameter prefix: `memory`, `replaced`, `before-schema-011`.
  package func freeStem(_ prefix: String, at time: Timestamp) throws(MemoryError) -> String {
    try TimedName.free(prefix, at: time, in: path, suffixes: [".sqlite", ".sqlite.gz", ".json"])
  }

  /// The other name of a damaged primary, beside which its log is: a restore that was moving both aside was killed.
  ///
  /// - Returns: `nil` if the primary has its log, or there is none.
  package func nameWithLog(of primary: String) throws(MemoryError) -> String? {
    do {
      guard try FileStatus(of: primary + "-wal")?.size ?? 0 == 0, let status = try FileStatus(of: primary),
        status.nameCount > 1, try FileStatus(of: path)?.kind == .directory
      else { return nil }
      for name in try names() where BackupName(name)?.kind == .replaced {
        let other = path + "/" + name
        if try FileStatus(of: other)?.identity == status.identity, try FileStatus(of: other + "-wal")?.size ?? 0 > 0 {
          return other
        }
      }
      return nil
    } catch {
      throw MemoryError(storage: error, path: primary)
    }
  }

  // MARK: Removing

  /// Removes the backups of a store that the options do not keep, each before its manifest, and manifests without a backup.
  ///
  /// One of the future was made under a clock that was wrong: its age says nothing, and it takes the place of no other.
  ///
  /// - Parameter stores: The identities that the store has and had. Backups of others stay.
  /// - Parameter isOwn: Whether the folder is the store's own, so that one without a manifest is of it.
  /// - Returns: The backups that were removed.
  package func prune(
    _ options: BackupOptions, of stores: Set<String>, isOwn: Bool, at now: Timestamp
  ) throws(MemoryError) -> [Backup] {
    guard options.keep != nil || options.keepFor != nil else { return [] }
    let own = try backups().filter { backup in
      backup.kind == .backup && (backup.manifest.map { stores.contains($0.store) } ?? isOwn)
    }
    // The clock may have been set back by a little since the last one was made.
    let future = now.adding(Self.clockTolerance)
    let found = own.filter { $0.createdAt <= future } + own.filter { $0.createdAt > future }
    // The last one that is known to be whole stays whatever its age: after it nothing would be left.
    let newest = found.first { $0.manifest != nil && $0.manifest?.fileBytes == $0.fileBytes } ?? found.first
    let time = options.keepFor.map { Self.time(forAgesOf: found, keptFor: $0, at: now) } ?? now
    let removed = found.enumerated().filter { place, backup in
      if backup == newest || place == 0 { return false }
      if let keep = options.keep, place < keep { return false }
      if let keepFor = options.keepFor {
        let age = time.milliseconds.subtractingReportingOverflow(backup.createdAt.milliseconds)
        if age.overflow || Duration.milliseconds(age.partialValue) < keepFor { return false }
      }
      return true
    }.map(\.element)
    do {
      for backup in removed {
        try Self.remove(backup.path)
        try Self.remove(BackupManifest.path(beside: backup.path))
      }
      try removeLoneManifests()
      if !removed.isEmpty { try OpenFile<FileError>.directory(path).sync() }
    } catch {
      throw MemoryError(storage: error, path: path)
    }
    return removed
  }

  /// The time by which ages are judged, as retention would if it had looked at the clock when each backup was made: a clock that
  /// has jumped ahead makes every backup old at once.
  private static func time(forAgesOf backups: [Backup], keptFor age: Duration, at now: Timestamp) -> Timestamp {
    let times = backups.map(\.createdAt).filter { $0 <= now }.sorted()
    guard let first = times.first else { return now }
    var clock = RetentionClock(start: first)
    for time in times + [now] { clock.look(at: time) }
    return clock.isBelieved(forAge: age) ? now : clock.counted
  }

  private func removeLoneManifests() throws {
    let names = try names()
    let stems = Set(names.map { BackupName.stem(of: $0.replacing(DraftFile.suffix, with: "")) })
    for name in names where name.hasSuffix(".json") && BackupName(name.dropLast(5) + ".sqlite") != nil {
      if !stems.contains(String(name.dropLast(5))) { try Self.remove(path + "/" + name) }
    }
  }

  private static func remove(_ path: String) throws(FileError) {
    guard unlink(path) == 0 || errno == ENOENT else { throw .last("remove", path) }
  }
}
