import EpisodicMemory
import Foundation
import MemorySQLite

/// The content of the primary.
extension Examination {
  /// How long a store may be without maintenance or a backup before that is worth a word.
  private static let maintenanceAge = Duration.seconds(30 * 86_400)
  /// A clock that differs less was set by a time server.
  static let clockTolerance: Int64 = 60_000
  /// Free pages of which it is worth to speak: a quarter of the file, and so many bytes.
  private static let freePagesShare: Int64 = 4
  private static let freePagesBytes: Int64 = 64 << 20

  func examinePrimary(_ primary: SQLitePrimaryStore) async throws(MemoryError) {
    var inspection: PrimaryInspection?
    do throws(MemoryError) {
      inspection = try await primary.inspect()
      if let inspection { examine(inspection) }
    } catch let error where error.code == .corrupted {
      // The checks say more of it, and each that can run does.
      found(.primaryDamaged, directory.primary, error.message)
    }
    for check in try await primary.check(options.depth) {
      switch check.outcome {
      case .passed: break
      case .failed(let reason): failed(check.name, reason)
      case .damaged(let reason): damaged(check.name, reason, inspection)
      }
    }
    // A check that finds damage sets the mark itself.
    if inspection?.isMarkedDamaged == true, !codes.contains(where: { $0.severity == .damage }) {
      found(.damageMark, "memory.sqlite", "a check found damage in it before, so nothing is written to it")
    }
  }

  /// Why the primary could not be opened or read.
  func examine(_ error: MemoryError) {
    switch error.primaryFault {
    case .missing: found(.storeMissing, directory.primary, error.message)
    case .foreign: found(.databaseForeign, directory.primary, error.message)
    case .newer: found(.schemaNewer, directory.primary, error.message)
    case .older(let version):
      found(
        .schemaOlder, directory.primary,
        "it has version \(version) of the schema, and is migrated when it is opened for writing")
    case .damaged: found(.primaryDamaged, directory.primary, error.message)
    case .symbolicLink, .hardLinks: found(.hardLinks, directory.primary, error.message)
    case .locked, .unavailable: found(.primaryUnavailable, directory.primary, error.message)
    }
  }

  // MARK: Checks

  private func failed(_ check: String, _ reason: String) {
    let code: FindingCode =
      switch check {
      case "schema": .indexDropped
      case "rows without an owner": .rowsWithoutOwner
      case "change feed": .feedEnd
      case "rows of other programs": .rowsForeign
      case "vectors": .vectorBroken
      case "words of patterns": .patternWords
      case "words added to texts": .wordsMissing
      case "settings": .settingBroken
      case "audit": .auditBroken
      default: check.hasPrefix("full text") ? .fullText : .rowsForeign
      }
    found(code, check, reason)
  }

  private func damaged(_ check: String, _ reason: String, _ inspection: PrimaryInspection?) {
    switch check {
    case "schema":
      // One of another program is named by itself.
      if inspection?.foreignTriggers.contains(where: { reason.contains("the \($0) is not of this schema") }) != true {
        found(.schemaChanged, check, reason)
      }
    case "change feed" where reason.contains("no revision is left"): found(.feedExhausted, check, reason)
    case _ where check.hasPrefix("full text"): found(.fullTextDamaged, check, reason)
    default: found(.primaryDamaged, check, reason)
    }
  }

  // MARK: Facts

  func examine(_ inspection: PrimaryInspection) {
    saw(
      "SQLite",
      inspection.sqliteVersion
        + (inspection.hasLogResetFault
          ? ", with the WAL-reset fault, from which the commit lock protects the store" : ""))
    saw("schema version", "\(inspection.schemaVersion)")
    saw("free pages", "\(inspection.freeBytes.asBytes) of \(inspection.bytes.asBytes)")
    saw(
      "vacuum", inspection.givesPagesBack ? "free pages can be given back in slices" : "only by writing the file again")
    if !inspection.missingFeatures.isEmpty {
      found(
        .sqliteFeatures, "SQLite \(inspection.sqliteVersion)",
        "it lacks \(inspection.missingFeatures.joined(separator: ", ")), without which the store cannot be searched or written"
      )
    }
    for trigger in inspection.foreignTriggers {
      found(
        .triggerForeign, trigger,
        "another program made it, and it may change what is written: nothing is written while it is there")
    }
    if !inspection.foreignTables.isEmpty {
      found(
        .tableForeign, inspection.foreignTables.joined(separator: ", "),
        "another program keeps it in the database of this store")
    }
    if inspection.missingRevisions != 0 {
      found(
        .feedGap, "changes",
        "\(inspection.missingRevisions) changes between the first and the last are gone: a watcher, a cache or an index may miss them"
      )
    }
    if inspection.freeBytes >= Self.freePagesBytes, inspection.freeBytes >= inspection.bytes / Self.freePagesShare {
      found(
        .freePages, "memory.sqlite", "\(inspection.freeBytes.asBytes) of its \(inspection.bytes.asBytes) hold nothing")
    }
    examine(inspection.settings)
    examineUpkeep(inspection)
  }

  private func examine(_ settings: [PrimaryInspection.Setting]) {
    saw("settings", settings.isEmpty ? "none" : settings.map(\.name).joined(separator: ", "))
    for setting in settings where !KnownSetting.isKnown(setting.name) {
      found(.settingUnknown, setting.name, "no part of this version reads this setting")
    }
    for setting in settings where setting.name == BackupSchedule.setting {
      // One that cannot be read is told with the settings.
      guard let value = setting.value, let schedule = try? BackupSchedule(json: value) else { continue }
      examineBackups(by: schedule, setAt: setting.changedAt)
    }
    for setting in settings {
      guard let value = setting.value, let fault = KnownSetting.fault(of: setting.name, value) else { continue }
      found(fault.code, setting.name, fault.reason)
    }
  }

  private func examineUpkeep(_ inspection: PrimaryInspection) {
    let now = options.clock.now()
    if !codes.contains(.clockBehind), let newest = inspection.newestTime,
      newest.milliseconds - Self.clockTolerance > now.milliseconds
    {
      found(.clockBehind, "the clock", "it shows \(now), and something was written at \(newest)")
    }
    if inspection.unfinishedErasures > 0 {
      found(
        .erasureUnfinished, "erasures",
        "\(inspection.unfinishedErasures) erasures were not finished: traces of what was erased may be left in the files"
      )
    }
    if inspection.unfinishedDeletions > 0 {
      found(
        .deletionUnfinished, "episodes",
        "\(inspection.unfinishedDeletions) deleted episodes have steps left, which nobody sees: a run of maintenance was cut short, or "
          + "goes on"
      )
    }
    for task in inspection.maintenance {
      guard let failure = task.failure else { continue }
      found(.maintenanceFailed, task.task, "this task of maintenance failed at \(failure.at): \(failure.reason)")
    }
    let last = inspection.maintenance.map(\.startedAt).max()
    saw("last maintenance", last.map { "\($0)" } ?? "never")
    guard inspection.episodes > 0, let since = last ?? inspection.createdAt, isOld(since, at: now) else { return }
    found(
      .maintenanceOverdue, "maintenance",
      last == nil ? "it has never run, and the store is of \(since)" : "it ran last at \(since)")
  }

  /// Whether a time lies more than 30 days back.
  func isOld(_ time: Timestamp, at now: Timestamp) -> Bool {
    let age = now.milliseconds.subtractingReportingOverflow(time.milliseconds)
    return !age.overflow && age.partialValue > Int64(Self.maintenanceAge / .milliseconds(1))
  }
}

/// The settings that this version reads.
enum KnownSetting {
  private static let names: Set<String> = [
    "ancestors", AuditSetting.name, BackupSchedule.setting, "cache.reads", "feed", "learning", "maintenance",
    RetentionPolicies.setting,
    RetentionClock.setting,
  ]

  static func isKnown(_ name: String) -> Bool { names.contains(name) }

  /// What makes no sense or contradicts itself in a setting, judged by what reads it; `nil` if nothing does.
  static func fault(of name: String, _ value: JSON) -> (code: FindingCode, reason: String)? {
    do throws(MemoryError) {
      switch name {
      case RetentionPolicies.setting:
        if let fault = contradiction(in: value) { return (.retentionContradictory, fault) }
        _ = try RetentionPolicies(json: value)
      case BackupSchedule.setting: _ = try BackupSchedule(json: value)
      default: break
      }
      return nil
    } catch {
      return (.settingBroken, error.message)
    }
  }

  private static func contradiction(in value: JSON) -> String? {
    let policies = [("the standard policy", value["standard"])].compactMap { name, policy in policy.map { (name, $0) } }
    let domains = (value["domains"]?.members ?? [:]).map { ("the policy of the domain \"\($0.name)\"", $0.value) }
    for (name, policy) in policies + domains {
      do throws(MemoryError) {
        _ = try RetentionPolicy(json: policy)
      } catch {
        // What this version does not know is reported by the whole.
        guard let fault = error.cause as? MemoryError, fault.code == .invalid else { continue }
        return "\(name): \(fault.message)"
      }
    }
    return nil
  }
}
