import EpisodicMemory
import FileLocks
import Foundation

/// Does what is safe about the findings of a diagnosis, and keeps what it did.
///
/// No content of a row is touched: rights of files, files that nobody holds, what is derived, words that are missing, indexes,
/// the cleaning of erasures, and a long log.
struct Repair: ~Copyable {
  private let directory: StoreDirectory
  private let options: DiagnosisOptions
  private let examination: Examination
  private(set) var done: [String] = []

  init(_ examination: Examination) {
    directory = examination.directory
    options = examination.options
    self.examination = examination
  }

  /// What is derived from the primary and is wrong.
  private static let derived: Set<FindingCode> = [
    .rowsWithoutOwner, .fullText, .wordsMissing, .patternWords, .feedEnd, .feedGap, .cacheWrong, .indexWrong,
  ]
  /// What opening the store mends.
  private static let opened: Set<FindingCode> = [
    .indexDropped, .cacheUnreadable, .indexUnreadable, .readerDead, .damageMark, .erasureUnfinished, .logLong,
  ]
  /// What forbids to open the store for writing.
  private static let obstacles: Set<FindingCode> = [
    .storeMissing, .databaseForeign, .schemaNewer, .schemaOlder, .primaryUnavailable, .readOnly, .symbolicLink,
    .hardLinks,
    .notAFile, .triggerForeign,
  ]

  consuming func run() async throws(MemoryError) -> [String] {
    mendFiles()
    let codes = examination.codes
    let wanted = codes.intersection(Self.derived.union(Self.opened))
    let isDamaged = codes.contains { $0.severity == .damage }
    guard !wanted.isEmpty, Self.obstacles.isDisjoint(with: codes), !isDamaged else { return done }
    var open = Memory.OpenOptions()
    open.create = false
    open.busyTimeout = options.busyTimeout
    open.clock = options.clock
    open.limits = options.limits
    open.audit = options.audit
    open.logger = .silent
    let memory = try await Memory.open(at: directory.path, options: open)
    var failure: MemoryError?
    do throws(MemoryError) { try await mendContent(memory, wanted) } catch { failure = error }
    try await memory.close()
    if let failure { throw failure }
    return done
  }

  // MARK: Content

  private mutating func mendContent(_ memory: Memory, _ codes: Set<FindingCode>) async throws(MemoryError) {
    if codes.contains(.indexDropped) { done.append("made the dropped indexes again") }
    if !codes.isDisjoint(with: [.cacheUnreadable, .indexUnreadable]) {
      done.append("made the files of cache and index again that could not be used")
    }
    if codes.contains(.readerDead) { done.append("freed the reader slots of dead processes") }
    if codes.contains(.damageMark) {
      let isDamaged = try await memory.check().contains { check in
        if case .damaged = check.outcome { true } else { false }
      }
      if !isDamaged { done.append("checked everything, found no damage, and took the mark of damage away") }
    }
    if !codes.isDisjoint(with: Self.derived) {
      try await memory.rebuild()
      done.append("built everything again that is derived from the rows")
    }
    if codes.contains(.erasureUnfinished) {
      let receipts = try await memory.resumeErasures()
      done.append("went on with the cleaning of \(receipts.count) erasures")
    }
    if codes.contains(.logLong) {
      let report = try await memory.maintain(MaintenanceOptions(tasks: [.log]))
      done.append(
        report[.log]?.outcome == .done
          ? "moved the log into the database"
          : "moved what can be moved of the log: another process still reads from it")
    }
  }

  // MARK: Files

  private mutating func mendFiles() {
    for path in examination.subjects(of: .permissionsOpen) {
      restrict(path) { status in status.mode & ~StoreRights.ofOthers(status.kind) }
    }
    for path in examination.subjects(of: .lockMode) {
      guard let database = examination.status(of: directory.primary) else { continue }
      restrict(path) { _ in StoreRights.ofLockFile(for: database.mode) }
    }
    let drafts = examination.subjects(of: .draftLeft)
    if !drafts.isEmpty { remove(drafts, ifFree: directory.primary + "-lock") }
    if !examination.subjects(of: .partialLeft).isEmpty {
      for folder in [directory.path, directory.backups] { removeLeftovers(in: folder) }
    }
  }

  private mutating func restrict(_ path: String, _ mode: (FileStatus) -> UInt32) {
    guard let status = examination.status(of: path), status.kind == .regular || status.kind == .directory else {
      return
    }
    let wanted = mode(status)
    guard chmod(path, mode_t(wanted)) == 0 else { return }
    done.append("set the mode of \(path) to \(String(wanted, radix: 8))")
  }

  private mutating func removeLeftovers(in folder: String) {
    do throws(FileError) {
      for path in try LeftoverFiles.remove(in: folder) { done.append("removed \(path)") }
    } catch {
      // It stays, and the diagnosis that follows names it.
    }
  }

  /// - Parameter lock: The file that a process which still uses them holds.
  private mutating func remove(_ paths: [String], ifFree lock: String) {
    do throws(FileError) {
      guard let file = try OpenFile<FileError>.open(lock) else { return }
      let held = FileLock(file)
      guard try held.tryLock(.exclusive) else { return }
      defer { held.unlock() }
      for path in paths where unlink(path) == 0 { done.append("removed \(path)") }
    } catch {
      // It stays, and the diagnosis that follows names it.
    }
  }
}

extension Memory {
  /// Looks at a store as `diagnose(at:options:)` does, does what is safe about what it finds, and looks again.
  ///
  /// A repair takes rights from others, removes what cut-short processes left and nobody holds, makes again what is derived, frees
  /// reader slots, and moves a long log into the database. It touches no content of a row. Of a damaged primary it changes nothing.
  ///
  /// - Returns: What is left after the repair; `repairs` says what was done.
  /// - Throws: As `diagnose`; `.busy` if others keep the store locked; what opening the store throws.
  public static func repair(
    at directory: String, options: DiagnosisOptions = DiagnosisOptions()
  ) async throws(MemoryError) -> Diagnosis {
    try await repair(at: directory, options: options) { _ in }
  }

  /// - Parameter progress: Called with what is looked at or mended next.
  package static func repair(
    at directory: String, options: DiagnosisOptions, progress: @escaping @Sendable (String) -> Void
  ) async throws(MemoryError) -> Diagnosis {
    try options.limits.validate()
    let directory = try StoreDirectory(directory)
    return try await BlockingWork.shared.perform { () async throws(MemoryError) in
      let before = Examination(directory, options, progress: progress)
      try await before.run()
      progress("what can be mended")
      let repairs = try await Repair(before).run()
      guard !repairs.isEmpty else { return before.diagnosis(of: directory.path) }
      let after = Examination(directory, options, progress: progress)
      try await after.run()
      return after.diagnosis(of: directory.path, repairs: repairs)
    }
  }
}
