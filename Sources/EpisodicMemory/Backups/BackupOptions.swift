/// How to back up, and which backups of the folder to keep.
///
/// A backup stays if `keep` or `keepFor` keeps it. The newest one always stays, and so does what a restore replaced or a migration
/// left: those are removed by hand.
public struct BackupOptions: Codable, Hashable, Sendable {
  /// How to compress the file.
  public var compression = Backup.Compression.none
  /// The newest so many backups of the folder are kept.
  public var keep: Int?
  /// Younger backups of the folder are kept.
  public var keepFor: Duration?

  /// Without `keep` and `keepFor` nothing is removed.
  public init(compression: Backup.Compression = .none, keep: Int? = nil, keepFor: Duration? = nil) {
    self.compression = compression
    self.keep = keep
    self.keepFor = keepFor
  }

  /// - Throws: `.invalid`.
  package func validate() throws(MemoryError) {
    if let keep, keep < 1 {
      throw MemoryError(.invalid, "the number of backups to keep is \(keep); keep at least 1")
    }
    if let keepFor, keepFor < .zero {
      throw MemoryError(.invalid, "backups cannot be kept for \(keepFor.inWholeUnits); give a time from 0 on")
    }
  }
}

/// The progress of a backup or a restore.
public struct BackupProgress: Hashable, Sendable {
  /// What is being done.
  public enum Stage: String, CaseIterable, Sendable {
    /// Pages are copied.
    case copying
    /// The copy is read back.
    case verifying
    /// The file is compressed.
    case compressing
    /// The schema is brought to the newest version.
    case migrating
    /// The files take their places.
    case exchanging
  }

  /// What is being done.
  public let stage: Stage
  /// Work done in this stage, in units of its own.
  public let done: Int
  /// Work of this stage.
  public let total: Int

  /// A moment of a backup.
  public init(stage: Stage, done: Int, total: Int) {
    self.stage = stage
    self.done = done
    self.total = total
  }
}

/// How to restore.
public struct RestoreOptions: Sendable {
  /// Whether to restore also a backup of another store than the one that is there.
  public var acceptsOtherStore = false
  /// Whether to change nothing, and to report what would be done.
  public var isDryRun = false
  /// Longest wait for a process that commits to the store or reads from it; then the restore throws `.busy`.
  public var busyTimeout = Duration.seconds(30)
  /// Whether the restore leaves a record in the audit of the restored store, and whose; required if that store requires an audit.
  public var audit = Auditing.off
  /// Where the key of encrypted domains comes from, as the backup has it. It is asked for if the restore repeats an erasure by metadata
  /// in a backup with encrypted episodes, or one that changes an encrypted episode and leaves a record in the audit.
  public var key: KeyProvider?
  /// The source of the time in the name by which the replaced store is kept.
  public var clock: any WallClock = SystemClock()

  /// The defaults.
  public init() {}
}
