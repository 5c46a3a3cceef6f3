import ArgumentParser
import Episodic

struct RestoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore",
    abstract: "Puts a backup in the place of the store, which is kept.",
    discussion: """
      The store that is there is moved to its folder backups/ as replaced-TIME.sqlite; to restore that file undoes it. It may be damaged \
      or gone. The backup is verified and migrated before; then one step puts it in the place of the store. Programs that have the \
      store open have to open it again: end them before, or they fail with a message that says so.

      With --ledger the file is a backup of the ledger, which takes the place of ledger.sqlite; what was there is kept as \
      ledger-replaced-TIME.sqlite. Its runs are consolidated again: each stays the episode that it is.

      Asks on a terminal; elsewhere --yes is needed. A backup of another store than the one that is there needs --other-store.

      EXAMPLES:
        episodic restore @latest --dry-run
        episodic restore @latest --yes
        episodic restore .episodic/backups/ledger-20260131T120000Z.sqlite --ledger --yes
        episodic restore /mnt/backups/memory-20260131T120000Z.sqlite.gz --store other --yes
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("The file of a backup; @latest is the newest one of the store.", valueName: "file"))
  var file: String

  @Flag(help: "Restore without a question.")
  var yes = false

  @Flag(help: "Verify the backup and say what would be done; change nothing.")
  var dryRun = false

  @Flag(help: "Restore also a backup of another store than the one that is there.")
  var otherStore = false

  @Flag(help: "The file is a backup of the ledger.")
  var ledger = false

  @OptionGroup var output: OutputOptions

  func validate() throws {
    try NonUTF8Arguments.refuse(file, as: "the file")
    guard ledger else { return }
    if dryRun { throw ValidationError("--dry-run is for backups of the memory; leave it out with --ledger") }
    if otherStore { throw ValidationError("--other-store is for backups of the memory; leave it out with --ledger") }
    if file.hasPrefix("@") { throw ValidationError("\(file) names a backup of the memory; give --ledger a file") }
  }

  private func restoreLedger() async throws {
    if !yes, store.hasLedger {
      try Confirmation.require("replace the ledger of \(store.path) by \(file)?", instead: "--yes")
    }
    let report = try await Ledger.restore(file, to: store.path, busyTimeout: .seconds(store.busyTimeout))
    if output.json { return StandardOutput.write(try JSON(ledger: report)) }
    StandardOutput.write("restored the ledger of \(store.path) from \(report.backup)".onOneLine)
    if let damage = report.damage {
      StandardOutput.write("the ledger that was there is moved aside as it is: \(damage)".onOneLine)
    }
    for path in report.kept { StandardOutput.write("kept what was there as \(path)".onOneLine) }
  }

  func run() async throws {
    try StandardOutput.requireOpen()
    guard !store.path.isEmpty else {
      throw ValidationError("the store's directory is empty; name one with --store")
    }
    if ledger { return try await restoreLedger() }
    let path = try await BackupReference.resolve(file, store)
    if !dryRun, !yes, store.exists {
      try Confirmation.require("replace the store \(store.path) by \(path)?", instead: "--yes")
    }
    var options = RestoreOptions()
    options.acceptsOtherStore = otherStore
    options.isDryRun = dryRun
    options.audit = store.audit
    options.key = store.key
    options.busyTimeout = .seconds(store.busyTimeout)
    defer { StandardError.endProgress() }
    let report = try await Memory.restore(path, to: store.path, options: options) { progress in
      StandardError.progress(progress.sentence)
    }
    StandardError.endProgress()
    if output.json { return StandardOutput.write(report.json) }
    for line in report.lines { StandardOutput.write(line) }
  }
}

extension RestoreReport {
  fileprivate var lines: [String] {
    let episodes = rows["episodes"].map { " (\(counted($0, "episode")))" } ?? ""
    var lines = [
      "\(isDryRun ? "would restore" : "restored") \(directory.onOneLine) from \(backup.path.onOneLine)\(episodes)"
    ]
    if !matchesManifest { lines.append(backup.manifestNote) }
    if let damage { lines.append("the store that was there is moved aside as it is: \(damage.onOneLine)") }
    lines += kept.map { "\(isDryRun ? "would keep" : "kept") what was there as \($0.onOneLine)" }
    if erasures > 0 { lines.append("\(counted(erasures, "erasure")) \(isDryRun ? "would be " : "")done again") }
    lines += faults.map { "run check: \($0.inCommandTerms.onOneLine)" }
    return lines
  }

  fileprivate var json: JSON {
    [
      "backup": backup.json, "directory": .string(directory), "dry_run": .bool(isDryRun),
      "kept": .array(kept.map { .string($0) }), "damage": damage.map { .string($0) } ?? .null,
      "matches_manifest": .bool(matchesManifest), "schema_version": .integer(Int64(schemaVersion)), "rows": rows.json,
      "faults": .array(faults.map { .string($0.inCommandTerms) }), "erasures": .integer(Int64(erasures)),
    ]
  }
}
