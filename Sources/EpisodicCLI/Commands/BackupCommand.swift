import ArgumentParser
import Episodic
import Foundation

struct BackupCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup",
    abstract: "Copies the store, in use or not, into one verified file.",
    discussion: """
      Prints the path of the backup. Others read and write meanwhile; the copy is of one moment, and has everything: episodes, \
      patterns, links, vectors, settings. It gets its name when it has been read back and verified; beside it, a manifest has its \
      SHA-256 and the rows of each table. No file is overwritten.

      With --keep or --keep-days, older backups of the same folder are removed afterwards; one stays if either keeps it. The newest \
      always stays, and so does what a restore replaced.

      A ledger beside the memory is copied into a file of its own, ledger-TIME.sqlite in the same folder, or FILE-ledger.sqlite; its \
      path is printed on a second line. --keep counts its backups apart. episodic restore --ledger puts one back.

      --every sets a schedule instead, which is kept in the store: episodic maintain makes a backup in backups/ when the newest is \
      older. --every never ends it.

      EXAMPLES:
        episodic backup
        episodic backup --every 1d --gzip --keep 14
        episodic backup --gzip --keep 7 --keep-days 90
        episodic backup --output /mnt/backups/
        episodic backup --output before-the-import.sqlite
      """)

  @OptionGroup var store: StoreOptions

  @Option(help: ArgumentHelp("A directory, or the file to make, instead of backups/ in the store.", valueName: "path"))
  var output: String?

  @Flag(help: "Compress the file with gzip.")
  var gzip = false

  @Option(help: ArgumentHelp("Remove all but the newest backups of the folder.", valueName: "count"))
  var keep: Int?

  @Option(help: ArgumentHelp("Remove the backups of the folder that are older.", valueName: "days"))
  var keepDays: Int?

  @Option(help: ArgumentHelp("Let maintenance make a backup that often, such as 1d; or never.", valueName: "duration"))
  var every: String?

  @Flag(help: "Print one JSON object.")
  var json = false

  func validate() throws {
    if let output { try NonUTF8Arguments.refuse(output, as: "--output") }
    if let every {
      guard output == nil else {
        throw ValidationError("--every makes backups in the store's own folder; leave out --output")
      }
      if every != "never" { _ = try DurationText(every) }
    }
    if keep != nil || keepDays != nil, let output, !BackupFolderName.isFolder(output) {
      throw ValidationError(
        "--keep and --keep-days remove backups of a folder, and \(output) is a file; give --output a directory with / at its end"
      )
    }
    if let keep, keep < 1 { throw ValidationError("--keep is \(keep); keep at least 1") }
    if let keepDays, !(0...36_500).contains(keepDays) {
      throw ValidationError("--keep-days is \(keepDays); give a number from 0 to 36500")
    }
  }

  /// - Parameter every: `never`, or a duration.
  private func schedule(_ every: String, _ options: BackupOptions) async throws {
    var options = options
    if options.keep == nil, options.keepFor == nil { options.keep = BackupSchedule(every: .zero).options.keep }
    let schedule =
      every == "never" ? nil : BackupSchedule(every: try DurationText(every).duration, options: options)
    try await store.withMemory(for: .shortWrite) { memory in try await memory.setBackupSchedule(schedule) }
    if json { return StandardOutput.write(["schedule": schedule?.json ?? .null]) }
    guard let schedule else { return StandardOutput.write("maintenance makes no backups") }
    StandardOutput.write("maintenance makes a backup every \(DurationText(schedule.every))")
  }

  func run() async throws {
    let options = BackupOptions(
      compression: gzip ? .gzip : .none, keep: keep, keepFor: keepDays.map { .seconds(86_400 * $0) })
    if let every { return try await schedule(every, options) }
    let (backup, removed) = try await store.withMemory(for: .shortWrite) { memory in
      defer { StandardError.endProgress() }
      let backup = try await memory.backUp(
        to: output, options: BackupOptions(compression: options.compression)
      ) { progress in StandardError.progress(progress.sentence) }
      return (backup, try await memory.pruneBackups(in: output, options: options))
    }
    let ledger = try await ledgerBackup()
    for fault in (backup.manifest?.faults ?? []) + (ledger?.faults ?? []) {
      StandardError.write("episodic: the backup is as the store is: \(fault); run check".onOneLine)
    }
    if json {
      StandardOutput.write([
        "backup": backup.json, "removed": .array(removed.map { .string($0.path) }),
        "ledger": try ledger.map(JSON.init(ledger:)) ?? .null,
      ])
    } else {
      for backup in removed { StandardError.write("removed \(backup.path.onOneLine)") }
      StandardOutput.write(backup.path.onOneLine)
      if let ledger { StandardOutput.write(ledger.path.onOneLine) }
    }
  }

  /// Of the ledger beside the memory, if there is one.
  private func ledgerBackup() async throws -> Ledger.Backup? {
    guard store.hasLedger else { return nil }
    var target = output
    if let output, !BackupFolderName.isFolder(output) {
      var stem = output[...]
      for suffix in [".gz", ".sqlite"] where stem.hasSuffix(suffix) { stem = stem.dropLast(suffix.count) }
      target = "\(stem)-ledger.sqlite"
    }
    let (place, count) = (target, keep)
    return try await store.withLedger { ledger in try await ledger.backUp(to: place, keep: count) }
  }
}

private enum BackupFolderName {
  /// As the library tells them.
  static func isFolder(_ path: String) -> Bool {
    var isDirectory: ObjCBool = false
    let expanded = (path as NSString).expandingTildeInPath
    return path.hasSuffix("/")
      || FileManager.default.fileExists(atPath: expanded, isDirectory: &isDirectory)
        && isDirectory.boolValue
  }
}

extension BackupProgress {
  /// `copying 42 %`.
  var sentence: String {
    total > 1 ? "\(stage.rawValue) \(min(100, 100 * done / total)) %" : stage.rawValue
  }
}

extension Backup {
  var json: JSON {
    [
      "path": .string(path), "kind": .string(kind.rawValue), "created_at": .string(createdAt.description),
      "file_bytes": .integer(fileBytes), "manifest": manifest?.json ?? .null,
    ]
  }
}

extension BackupManifest {
  var json: JSON {
    [
      "format": .integer(Int64(format)), "created_at": .string(createdAt.description), "store": .string(store),
      "schema_version": .integer(Int64(schemaVersion)), "revision": .integer(revision),
      "compression": .string(compression.rawValue), "bytes": .integer(bytes), "file_bytes": .integer(fileBytes),
      "sha256": .string(sha256), "rows": rows.json, "faults": .array(faults.map { .string($0) }),
    ]
  }
}

extension [String: Int] {
  /// By name.
  var json: JSON {
    .object(JSON.Object(sorted { $0.key < $1.key }.map { ($0.key, JSON.integer(Int64($0.value))) }))
  }
}
