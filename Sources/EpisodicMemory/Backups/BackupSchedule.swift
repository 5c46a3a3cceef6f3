/// When maintenance backs the store up by itself, into the store's own folder.
public struct BackupSchedule: Hashable, Sendable {
  /// The name of the setting that keeps it.
  package static let setting = "backup_schedule"

  /// The longest time between two backups.
  public var every: Duration
  /// How to compress them, and which to keep.
  public var options: BackupOptions

  /// A schedule; the seven newest backups are kept unless `options` says otherwise.
  public init(every: Duration, options: BackupOptions = BackupOptions(keep: 7)) {
    self.every = every
    self.options = options
  }

  /// - Throws: `.invalid`.
  package func validate() throws(MemoryError) {
    guard every >= .seconds(60) else {
      throw MemoryError(.invalid, "a backup every \(every.inWholeUnits) is too often; give a minute or more")
    }
    guard every <= Self.longest else {
      throw MemoryError(.invalid, "a backup every \(every.inWholeUnits) is too seldom; give ten years or less")
    }
    guard options.keep != nil || options.keepFor != nil else {
      throw MemoryError(.invalid, "scheduled backups would fill the disk; say how many to keep, or for how long")
    }
    try options.validate()
  }

  private static let longest = Duration.seconds(3650 * 86_400)

  /// Whether a backup is due, by the times of those that there are. One of the future does not count: the clock has gone back.
  func isDue(after backups: [Backup], at now: Timestamp) -> Bool {
    !backups.contains { backup in
      backup.kind == .backup && backup.createdAt <= now && backup.createdAt.adding(every) > now
    }
  }
}

// MARK: - As JSON

extension BackupSchedule {
  /// With whole seconds; what is `nil` is left out.
  public var json: JSON {
    var members: JSON.Object = ["every_seconds": .integer(every.components.seconds)]
    members["compression"] = .string(options.compression.rawValue)
    members["keep"] = options.keep.map { .integer(Int64($0)) }
    members["keep_for_seconds"] = options.keepFor.map { .integer($0.components.seconds) }
    return .object(members)
  }

  /// - Throws: `.corrupted` if it is not one.
  package init(json: JSON) throws(MemoryError) {
    func seconds(_ name: String) -> Duration? {
      if case .integer(let value)? = json.members?[name] { .seconds(value) } else { nil }
    }
    func unusable(_ reason: String, _ cause: MemoryError? = nil) -> MemoryError {
      MemoryError(
        .corrupted, "the setting \(Self.setting) \(reason): another program changed it; set the schedule again",
        cause: cause)
    }
    guard let every = seconds("every_seconds"), case .string(let text)? = json.members?["compression"],
      let compression = Backup.Compression(rawValue: text)
    else { throw unusable("is no schedule") }
    var keep: Int?
    if case .integer(let value)? = json.members?["keep"] { keep = Int(exactly: value) }
    self.init(
      every: every,
      options: BackupOptions(compression: compression, keep: keep, keepFor: seconds("keep_for_seconds")))
    do throws(MemoryError) {
      try validate()
    } catch {
      throw unusable("makes no sense (\(error.message))", error)
    }
  }
}
