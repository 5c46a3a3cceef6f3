package import EpisodicMemory
import FileLocks
import GRDB
import SQLiteStorage

/// Maintenance in slices.
extension SQLitePrimaryStore {
  package func leaseMaintenance() async throws(MemoryError) -> MaintenanceLease {
    if let reason = readOnlyReason {
      throw MemoryError(.readOnly, "\(database.path) is open for reading only, so it cannot be maintained: \(reason)")
    }
    do {
      let outcome = try await BlockingWork.shared.run { [database] in try database.maintenanceLock.take() }
      return switch outcome {
      case .held(let release): .held(release: release)
      case .taken(let pid): .taken(pid: pid)
      }
    } catch {
      throw explained(error)
    }
  }

  package func maintain(
    _ work: MaintenanceWork, amount: Int, at now: Timestamp
  ) async throws(MemoryError) -> MaintenanceSlice {
    switch work {
    case .feed(let applied):
      try await slice { db in
        let done = try FeedPruning.prune(db, at: now, applied: applied, limit: amount)
        return MaintenanceSlice(done: done, isComplete: done < amount)
      }
    case .idempotencyKeys:
      try await slice { db in
        let done = try IdempotencyKeys.prune(db, at: now, limit: amount)
        return MaintenanceSlice(done: done, isComplete: done < amount)
      }
    case .addedWords:
      try await slice(if: Analysis.isNeeded) { db in
        let done = try Analysis.analyse(limit: amount, db)
        return MaintenanceSlice(done: done, isComplete: try !Analysis.isNeeded(db))
      }
    case .mergeText(let text, let begins):
      try await slice { db in try TextMerge.merge(text, pages: amount, begins: begins, db) }
    case .mergeTextBesideDeletions:
      try await slice { db in try TextMerge.mergeBesideDeletions(pages: amount, db) }
    case .letInsertsMergeText: try await slice(if: TextMerge.isHeld) { db in try TextMerge.letInsertsMerge(db) }
    case .statistics(let table): try await slice { db in try PlannerStatistics.update(table: table, db) }
    case .freePages: try await slice(if: FreePages.areMany) { db in try FreePages.release(amount, db) }
    case .log, .vacuum, .temporaryFiles: try await maintainFiles(work)
    }
  }

  package func settle() async { await database.settle() }

  /// Runs `body` in a transaction, and measures it.
  ///
  /// - Parameter isNeeded: Reads whether there is anything to do, so that nothing is committed for nothing.
  private func slice(
    if isNeeded: @escaping @Sendable (Database) throws -> Bool = { _ in true },
    _ body: @escaping @Sendable (Database) throws -> MaintenanceSlice
  ) async throws(MemoryError) -> MaintenanceSlice {
    guard try await readRows(isNeeded) else { return MaintenanceSlice() }
    return try await writeRows { db in
      let begin = ContinuousClock.now
      var slice = try body(db)
      slice.held = ContinuousClock.now - begin
      return slice
    }
  }

  private func maintainFiles(_ work: MaintenanceWork) async throws(MemoryError) -> MaintenanceSlice {
    guard let files = database.fileMaintenance else { return MaintenanceSlice() }
    do {
      switch work {
      case .log:
        return MaintenanceSlice(
          try await files.shrinkLog(longerThan: FileMaintenance.shortLog), "somebody reads or writes")
      case .vacuum: return MaintenanceSlice(try await files.vacuum(), "another process writes")
      default:
        let backups = BackupFolder(besidePrimary: database.path).path
        return MaintenanceSlice(
          done: try await BlockingWork.shared.run { try files.removeTemporaryFiles(andIn: backups) })
      }
    } catch {
      throw explained(error)
    }
  }

  package func retentionRecords(
    in scope: Query.Scope, after row: Int64, limit: Int, measuresBytes: Bool
  ) async throws(MemoryError) -> [RetentionRecord] {
    try await readRows { db in
      try RetentionRow.fetch(in: scope, after: row, limit: limit, measuringBytes: measuresBytes, db)
    }
  }

  package func hasDeletedRows() async throws(MemoryError) -> Bool {
    try await readRows { db in try Row.fetchOne(db, sql: DeletedEpisodes.first) != nil }
  }

  package func hasLongLog() throws(MemoryError) -> Bool {
    do {
      return try database.fileMaintenance?.isLogLonger(than: FileMaintenance.shortLog) ?? false
    } catch {
      throw explained(error)
    }
  }

  package func lookAtClock(
    at now: Timestamp, isAccepted: Bool, isDryRun: Bool
  ) async throws(MemoryError) -> RetentionClock {
    if isDryRun {
      return try await readRows { db in try StoreClock.look(at: now, isAccepted: isAccepted, isDryRun: true, db) }
    }
    return try await writeRows { db in try StoreClock.look(at: now, isAccepted: isAccepted, db) }
  }

  // MARK: Records

  package func maintenanceRecords() async throws(MemoryError) -> [MaintenanceRecord] {
    try await readRows { db in try MaintenanceRow.all(db) }
  }

  package func record(_ records: [MaintenanceRecord]) async throws(MemoryError) {
    try await writeRows { db in try MaintenanceRow.write(records, db) }
  }
}

extension MaintenanceSlice {
  fileprivate init(_ outcome: FileMaintenance.Outcome, _ obstacle: String) {
    switch outcome {
    case .done(let bytes): self.init(done: bytes)
    case .busy: self.init(obstacle: obstacle)
    }
  }
}
