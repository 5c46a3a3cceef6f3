import FileLocks

extension Memory {
  /// Copies the store, in use or not, into one file that is verified before it gets its name.
  ///
  /// The copy is of one moment, by SQLite's own backup: others read and write meanwhile. Everything of the primary is in it:
  /// episodes, steps, patterns, links, vectors, settings. It is read back in a connection of its own (structure, rows by table,
  /// owners, full text), and synced. A file of mode 0600 is made; none is ever overwritten.
  ///
  /// The log of the store cannot shrink while pages are copied.
  ///
  /// - Parameter destination: A directory, where the backup gets a name with its date, or the path of a file; `nil` for the folder
  ///   `backups` of the store. `~` and `~/...` are in the home directory.
  /// - Parameter options: Compression, and which backups of the folder to remove afterwards.
  /// - Parameter progress: Called every mebibyte.
  /// - Throws: `.conflict` if there is a file of that name; `.invalid` for a name that cannot be that of a file, for a place in the
  ///   store's directory other than its folder `backups`, and for a file with options of what to keep; `.unavailable`
  ///   without room or permission; `.corrupted` if the store is damaged; `.cancelled`. Nothing is left then.
  public func backUp(
    to destination: String? = nil, options: BackupOptions = BackupOptions(),
    progress: @escaping @Sendable (BackupProgress) -> Void = { _ in }
  ) async throws(MemoryError) -> Backup {
    try options.validate()
    let (primary, now) = (primary, clock.now())
    return try await BlockingWork.shared.perform { () async throws(MemoryError) in
      let backup = try await primary.backUp(to: destination, options, at: now, progress: progress)
      _ = try await primary.pruneBackups(in: destination, options, at: now)
      return backup
    }
  }

  /// The backups in a folder, newest first, with what restores replaced and migrations left.
  ///
  /// - Parameter directory: `nil` for the folder `backups` of the store. Empty if there is none.
  public func backups(in directory: String? = nil) async throws(MemoryError) -> [Backup] {
    let primary = primary
    return try await BlockingWork.shared.perform { () async throws(MemoryError) in
      try await primary.backups(in: directory)
    }
  }

  /// Removes the backups of a folder that the options do not keep, with their manifests.
  ///
  /// - Returns: What was removed.
  @discardableResult
  public func pruneBackups(
    in directory: String? = nil, options: BackupOptions
  ) async throws(MemoryError) -> [Backup] {
    try options.validate()
    let (primary, now) = (primary, clock.now())
    return try await BlockingWork.shared.perform { () async throws(MemoryError) in
      try await primary.pruneBackups(in: directory, options, at: now)
    }
  }

  /// When maintenance backs the store up; `nil`: never. It is kept in the store, so that every process that maintains it follows it.
  public func backupSchedule() async throws(MemoryError) -> BackupSchedule? {
    guard let json = try await primary.setting(BackupSchedule.setting) else { return nil }
    return try BackupSchedule(json: json)
  }

  /// Sets when maintenance backs the store up.
  ///
  /// - Parameter schedule: `nil`: never.
  /// - Throws: `.invalid` for one that makes no sense, or that keeps every backup for ever.
  public func setBackupSchedule(_ schedule: BackupSchedule?) async throws(MemoryError) {
    try schedule?.validate()
    try await primary.set(BackupSchedule.setting, to: schedule.map(\.json), at: clock.now())
  }
}
