import EpisodicMemory
import FileLocks
import MemorySQLite

/// The folder `backups` of the store.
extension Examination {
  func examineBackups() {
    let folder = directory.backups
    guard let status = status(of: folder), status.kind == .directory else {
      return saw("backups", "none in the store's folder")
    }
    let names = names(in: folder)
    examineLeftovers(in: folder)
    examineReceipts(in: folder)
    var count = 0
    for name in names {
      let path = folder + "/" + name
      guard let file = self.status(of: path), file.kind == .regular else { continue }
      examineRights(of: path, file)
      if name.contains(DraftFile.suffix) { continue }
      guard name.hasSuffix(".sqlite") || name.hasSuffix(".sqlite.gz") else {
        // A manifest without its backup.
        let stem = name.dropLast(".json".count)
        if name.hasSuffix(".json"), ["memory-", "replaced-", "before-schema-"].contains(where: name.hasPrefix),
          !names.contains("\(stem).sqlite"), !names.contains("\(stem).sqlite.gz")
        {
          found(.backupIncomplete, path, "it is the manifest of a backup that is not there")
        }
        continue
      }
      // Copies of the ledger have none.
      if name.hasPrefix("ledger-") { continue }
      examineManifest(of: name, file, in: folder, names)
      guard name.hasPrefix("memory-") else { continue }
      count += 1
    }
    let newest = newestBackup
    saw("backups", newest.map { "\(count), the newest of \($0)" } ?? "none in the store's folder")
    if count >= options.limits.backupsWarningCount {
      found(
        .backupsMany, folder,
        "there are \(count) backups, and limits.backupsWarningCount is \(options.limits.backupsWarningCount)")
    }
    if let newest, isOld(newest, at: options.clock.now()) {
      found(.backupOld, folder, "the newest backup is of \(newest)")
    }
  }

  private func examineReceipts(in folder: String) {
    let file = ReceiptFile(in: folder)
    func found(_ detail: String) { self.found(.receiptsUnreadable, folder + "/" + ReceiptFile.name, detail) }
    do throws(MemoryError) {
      try file.faults().forEach(found)
      let lost = try file.receipts().count(where: \.key.isEmpty)
      if lost > 0 {
        found(
          "\(ReceiptFile.keyName) lacks the key of \(lost) receipts, so a copy without that key would not forget what they name"
        )
      }
    } catch {
      found(error.message)
    }
  }

  /// - Parameter changedAt: When the schedule was set.
  func examineBackups(by schedule: BackupSchedule, setAt changedAt: Timestamp) {
    let newest = newestBackup
    guard !codes.contains(.backupOld),
      max(newest ?? changedAt, changedAt).adding(schedule.every * 2) < options.clock.now()
    else { return }
    let seconds = schedule.every.components.seconds
    found(
      .backupOld, directory.backups,
      "maintenance should make one every \(seconds) seconds, and "
        + (newest.map { "the newest is of \($0)" } ?? "there is none"))
  }

  /// The time of the newest backup, by its manifest or its name; of those of the future only if there is no other.
  private var newestBackup: Timestamp? {
    let backups: [Backup]
    do throws(MemoryError) {
      backups = try BackupFolder(directory.backups).backups().filter { $0.kind == .backup }
    } catch {
      // What keeps the folder from being read is reported by itself.
      return nil
    }
    let now = options.clock.now()
    for backup in backups where backup.createdAt.milliseconds - Self.clockTolerance > now.milliseconds {
      if !codes.contains(.clockBehind) {
        found(.clockBehind, "the clock", "it shows \(now), and \(backup.path) was made at \(backup.createdAt)")
      }
    }
    return (backups.first { $0.createdAt <= now } ?? backups.first)?.createdAt
  }

  private func examineManifest(of name: String, _ file: FileStatus, in folder: String, _ names: [String]) {
    let path = folder + "/" + name
    let stem = String(name.prefix(name.count - (name.hasSuffix(".gz") ? ".sqlite.gz".count : ".sqlite".count)))
    let manifest = "\(stem).json"
    guard names.contains(manifest) else {
      // What a restore replaced has none, nor what an earlier version left before a migration.
      guard name.hasPrefix("memory-") else { return }
      return found(
        .backupIncomplete, path, "it has no manifest beside it, so a changed byte in it would not be noticed")
    }
    let fault: String?
    do {
      let value = try JSON(text: Self.text(of: folder + "/" + manifest))
      if case .integer(let bytes)? = value["file_bytes"], bytes != file.size {
        fault = "it has \(file.size) bytes, and its manifest says \(bytes)"
      } else {
        fault = nil
      }
    } catch {
      fault = "its manifest \(manifest) cannot be read: \(error)"
    }
    if let fault { found(.backupIncomplete, path, fault) }
  }

  private static func text(of path: String) throws(FileError) -> String {
    guard let file = try OpenFile<FileError>.open(path) else { return "" }
    return String(decoding: try file.read(1 << 20, at: 0), as: UTF8.self)
  }
}
