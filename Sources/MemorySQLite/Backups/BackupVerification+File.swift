package import EpisodicMemory
import FileLocks
import Foundation
import GRDB
import Gzip
import SQLiteStorage
import StoreRows

extension BackupVerification {
  /// Verifies the file of a backup: against its manifest, and as a database that this build can restore.
  ///
  /// A compressed one without a manifest is unpacked beside the files of temporary data.
  ///
  /// - Parameter progress: Called some times a second; an error that it throws ends it.
  /// - Throws: `.notFound`, `.invalid` for what is no backup, `.unavailable` for what cannot be read. What is wrong with a backup is
  ///   a result.
  package init(
    verifying path: String, progress: @escaping (BackupProgress) throws -> Void = { _ in }
  ) throws(MemoryError) {
    let path = try BackupPlace.absolute(path)
    let file = try BackupFile(path)
    let manifest = file.backup.manifest
    do {
      func verifying(_ done: Int, _ total: Int) throws {
        try progress(BackupProgress(stage: .verifying, done: done, total: total))
      }
      if let manifest, let difference = try file.difference(from: manifest, verifying) {
        self.init(file, matches: false, problem: "\(path) is damaged: \(difference); restore another backup")
        return
      }
      func goOn() throws { try verifying(0, 1) }
      var findings: Findings
      switch (file.compression, manifest) {
      case (.none, _): findings = try Findings(of: file.backup.path, goOn)
      case (.gzip, let manifest?):
        // Byte for byte what was read back when it was made.
        findings = Findings(schemaVersion: manifest.schemaVersion, rows: manifest.rows, faults: manifest.faults)
        if manifest.schemaVersion > Schema.migrations.count {
          throw StorageError.newer(path: path, version: manifest.schemaVersion, known: Schema.migrations.count)
        }
      case (.gzip, nil):
        let folder = NSTemporaryDirectory() + (NSTemporaryDirectory().hasSuffix("/") ? "" : "/")
        let draft = try DraftFile(of: folder + "episodic-\(UUID().uuidString).sqlite")
        try file.unpack(into: draft, verifying)
        findings = try Findings(of: draft.path, goOn)
        if try !file.endsWithContent(of: draft) {
          findings.faults.append("something follows the compressed database in the file, which is not part of it")
        }
      }
      self.init(
        backup: file.backup, matchesManifest: manifest != nil, problems: [], faults: findings.faults,
        schemaVersion: findings.schemaVersion, rows: findings.rows)
    } catch {
      let error = MemoryError(readingBackup: error, path: path)
      guard error.code == .corrupted || error.code == .notAStore else { throw error }
      self.init(file, matches: false, problem: error.message)
    }
  }

  private init(_ file: BackupFile, matches: Bool, problem: String) {
    self.init(
      backup: file.backup, matchesManifest: matches, problems: [problem], faults: [], schemaVersion: 0, rows: [:])
  }
}

/// What a database file holds, and what a check of it would find.
private struct Findings {
  var schemaVersion: Int
  var rows: [String: Int]
  var faults: [String]

  init(schemaVersion: Int, rows: [String: Int], faults: [String]) {
    self.schemaVersion = schemaVersion
    self.rows = rows
    self.faults = faults
  }

  init(of path: String, _ goOn: @escaping () throws -> Void) throws {
    let (findings, texts) = try DatabaseDraft.inspect(path, Schema.configuration, while: goOn) { db in
      try Self.differingTexts(db)
    }
    self.init(
      schemaVersion: findings.content.schemaVersion, rows: findings.content.rows, faults: findings.faults + texts)
  }

  /// Compares by rows, which needs no connection that writes; an earlier schema is compared when it has been migrated.
  private static func differingTexts(_ db: Database) throws -> [String] {
    let version = try Int.fetchOne(db, sql: "SELECT max(version) FROM schema_version")
    guard version == Schema.migrations.count else { return [] }
    let tokenizers = TokenizerPool(TextIndexComparison.tokenizer)
    return try TextIndexComparison.all.compactMap { comparison in
      switch try comparison.compare(db, tokenizers, isRefuted: false) {
      case .passed: nil
      case .failed(let reason), .damaged(let reason): "\(comparison.name): \(reason)"
      }
    }
  }
}

extension Schema {
  /// For databases that are not opened as a store.
  static var configuration: WALDatabase.Configuration {
    WALDatabase.Configuration(
      applicationID: applicationID, migrations: migrations, schemaDigest: digest, report: { _, _ in })
  }
}

extension MemoryError {
  /// Of reading a backup: its damage is not that of the store.
  init(readingBackup error: any Error, path: String) {
    switch error {
    case let error as GzipError:
      if case .system = error {
        self.init(.unavailable, "\(error)", cause: error)
      } else {
        self.init(.corrupted, "\(error); restore another backup", cause: error)
      }
    case StorageError.damaged(_, let reason):
      self.init(.corrupted, "\(path) is damaged: \(reason); restore another backup", cause: error)
    case let error as DatabaseError where [.SQLITE_CORRUPT, .SQLITE_NOTADB].contains(error.resultCode):
      self.init(
        .corrupted, "\(path) is damaged: \(error.reason); restore another backup",
        cause: error)
    case let error as FileError: self.init(backup: error)
    default: self.init(storage: error, path: path)
    }
  }
}
