/// What was found in the file of a backup.
public struct BackupVerification: Codable, Hashable, Sendable {
  /// The backup.
  public let backup: Backup
  /// Whether the file is, byte for byte, the one that was verified when it was made. False without a manifest: then only the
  /// database itself could be checked.
  public let matchesManifest: Bool
  /// Why it cannot be restored, with what to do; empty if it can.
  public let problems: [String]
  /// What a check would find after it was restored.
  public let faults: [String]
  /// Number of the last migration; 0 if it cannot be read.
  public let schemaVersion: Int
  /// Rows by table; empty if they cannot be read.
  public let rows: [String: Int]

  /// Whether it can be restored.
  public var isPassed: Bool { problems.isEmpty }

  package init(
    backup: Backup, matchesManifest: Bool, problems: [String], faults: [String], schemaVersion: Int, rows: [String: Int]
  ) {
    self.backup = backup
    self.matchesManifest = matchesManifest
    self.problems = problems
    self.faults = faults
    self.schemaVersion = schemaVersion
    self.rows = rows
  }

  private enum CodingKeys: String, CodingKey {
    case backup, problems, faults, rows
    case matchesManifest = "matches_manifest"
    case schemaVersion = "schema_version"
  }
}

/// What a restore did, or would do.
public struct RestoreReport: Codable, Hashable, Sendable {
  /// What was restored.
  public let backup: Backup
  /// The directory of the store.
  public let directory: String
  /// Whether nothing was changed.
  public let isDryRun: Bool
  /// Where the store that was replaced is kept; empty if there was none. Its log stands beside it if it was damaged.
  public let kept: [String]
  /// Why the store that was replaced was only moved aside; `nil` if it was whole.
  public let damage: String?
  /// Whether the manifest vouched for the file.
  public let matchesManifest: Bool
  /// Number of the last migration that the backup had.
  public let schemaVersion: Int
  /// Rows by table, without what was erased again.
  public let rows: [String: Int]
  /// What a check will find, and receipts of erasures that cannot be read.
  public let faults: [String]
  /// Erasures later than the backup that were done again.
  public let erasures: Int

  package init(
    backup: Backup, directory: String, isDryRun: Bool, kept: [String], damage: String?, matchesManifest: Bool,
    schemaVersion: Int, rows: [String: Int], faults: [String], erasures: Int
  ) {
    self.backup = backup
    self.directory = directory
    self.isDryRun = isDryRun
    self.kept = kept
    self.damage = damage
    self.matchesManifest = matchesManifest
    self.schemaVersion = schemaVersion
    self.rows = rows
    self.faults = faults
    self.erasures = erasures
  }

  private enum CodingKeys: String, CodingKey {
    case backup, directory, kept, damage, rows, faults, erasures
    case isDryRun = "dry_run"
    case matchesManifest = "matches_manifest"
    case schemaVersion = "schema_version"
  }
}
