import ArgumentParser
import Episodic
import Foundation

struct VerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Verifies backups: against their manifests, and as databases that can be restored.",
    discussion: """
      Changes nothing. A file is compared with the SHA-256 of its manifest, byte for byte, and its structure, its owners of rows and \
      its full text are checked. Without a manifest only the database itself can be checked, and the line says so. Exits 1 if one \
      cannot be restored.

      EXAMPLES:
        episodic verify .episodic/backups/memory-20260131T120000Z.sqlite
        episodic verify @latest
        episodic verify /mnt/backups/*.gz --json
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("Files of backups; @latest is the newest one of the store.", valueName: "file"))
  var files: [String]

  @OptionGroup var output: OutputOptions

  func validate() throws {
    for file in files { try NonUTF8Arguments.refuse(file, as: "a file") }
  }

  func run() async throws {
    var results: [JSON] = []
    var passed = true
    for file in files {
      defer { StandardError.endProgress() }
      let path = try await BackupReference.resolve(file, store)
      let verification = try await Memory.verify(path) { progress in StandardError.progress(progress.sentence) }
      passed = passed && verification.isPassed
      StandardError.endProgress()
      if output.json {
        results.append(verification.json)
      } else {
        StandardOutput.write(verification.line)
      }
    }
    if output.json { StandardOutput.write(["verified": .array(results), "passed": .bool(passed)]) }
    if !passed { throw ExitCode(1) }
  }
}

/// A backup as it is named on the command line.
enum BackupReference {
  static let latest = "@latest"

  /// The path of the newest backup for `@latest`, of the future only if there is no other; otherwise what was given.
  static func resolve(_ file: String, _ store: StoreOptions) async throws(MemoryError) -> String {
    guard file == latest else { return file }
    let now = SystemClock().now()
    let backups = try await Memory.backups(ofStoreAt: store.path).filter { $0.kind == .backup }
    guard let newest = backups.first(where: { $0.createdAt <= now }) ?? backups.first else {
      throw MemoryError(.notFound, "the store \(store.path) has no backup; name a file")
    }
    return newest.path
  }
}

extension Backup {
  /// Why it was not compared with a manifest.
  var manifestNote: String {
    var stem = path
    for suffix in [".gz", ".sqlite"] where stem.hasSuffix(suffix) { stem.removeLast(suffix.count) }
    let manifest = stem + ".json"
    let reason =
      FileManager.default.fileExists(atPath: manifest)
      ? "its manifest \(manifest.onOneLine) cannot be read" : "no manifest"
    return "\(reason): the database alone was checked"
  }
}

extension BackupVerification {
  fileprivate var line: String {
    let path = backup.path.onOneLine
    if let problem = problems.first { return "FAILED   \(path): \(problem.inCommandTerms.onOneLine)" }
    let notes = (matchesManifest ? [] : [backup.manifestNote]) + faults
    return "ok       \(path)" + (notes.isEmpty ? "" : " (\(notes.joined(separator: "; ").inCommandTerms.onOneLine))")
  }

  fileprivate var json: JSON {
    [
      "backup": backup.json, "matches_manifest": .bool(matchesManifest), "passed": .bool(isPassed),
      "problems": .array(problems.map { .string($0.inCommandTerms) }),
      "faults": .array(faults.map { .string($0.inCommandTerms) }), "schema_version": .integer(Int64(schemaVersion)),
      "rows": rows.json,
    ]
  }
}
