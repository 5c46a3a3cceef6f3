public import EpisodicMemory
import FileLocks
import Foundation
import Logging
import MemoryLMDB
import MemorySQLite

/// How to diagnose a store.
public struct DiagnosisOptions: Sendable {
  /// How much to read; `full` also compares cache and index with the primary.
  public var depth = MemoryCheck.Depth.quick
  /// The thresholds to which sizes are compared.
  public var limits = Memory.Limits()
  /// Longest wait for a lock of the store.
  public var busyTimeout = Duration.seconds(5)
  /// Whether a repair leaves records in the store's audit, and whose.
  public var audit = Auditing.off
  /// What ages are counted from.
  public var clock: any WallClock = SystemClock()

  /// The defaults.
  public init() {}
}

extension Memory {
  /// Looks at a store, its files and its surroundings, whatever state they are in, and changes nothing: also at one that is
  /// damaged, newer, another program's, missing, or in use.
  ///
  /// Waits for no writer. With `.full`, everything is read once, and cache and index are opened as any use of the store opens them.
  ///
  /// - Parameter directory: As for `open(at:options:)`.
  /// - Parameter options: How much is looked at, and the limits that sizes are compared with.
  /// - Returns: What was found, also if the store cannot be opened.
  /// - Throws: `.invalid` if the name is none of a directory; `.cancelled`.
  public static func diagnose(
    at directory: String, options: DiagnosisOptions = DiagnosisOptions()
  ) async throws(MemoryError) -> Diagnosis {
    try await diagnose(at: directory, options: options) { _ in }
  }

  /// - Parameter progress: Called with what is looked at next.
  package static func diagnose(
    at directory: String, options: DiagnosisOptions, progress: @escaping @Sendable (String) -> Void
  ) async throws(MemoryError) -> Diagnosis {
    try options.limits.validate()
    let directory = try StoreDirectory(directory)
    return try await BlockingWork.shared.perform { () async throws(MemoryError) in
      let examination = Examination(directory, options, progress: progress)
      try await examination.run()
      return examination.diagnosis(of: directory.path)
    }
  }

  /// Looks at this memory's store as `diagnose(at:options:)` does. One in memory has only rows to look at.
  ///
  /// - Parameter depth: How much to read.
  /// - Throws: `.cancelled`, `.closed`.
  public func diagnose(_ depth: MemoryCheck.Depth = .quick) async throws(MemoryError) -> Diagnosis {
    var options = DiagnosisOptions()
    options.depth = depth
    options.limits = limits
    options.clock = clock
    guard let primary = primaryStore as? SQLitePrimaryStore else {
      return Diagnosis(store: "unknown", findings: [], observations: [])
    }
    let (memory, given) = (self, options)
    return try await BlockingWork.shared.perform { () async throws(MemoryError) in
      let path = primary.path
      let isInMemory = !path.hasPrefix("/")
      let directory = try StoreDirectory(isInMemory ? "/" : String(path.dropLast("/memory.sqlite".count)))
      let examination = Examination(directory, given)
      if isInMemory {
        try await examination.examinePrimary(primary)
        return examination.diagnosis(of: path)
      }
      try await examination.run(with: (memory, primary))
      return examination.diagnosis(of: directory.path)
    }
  }
}

extension Examination {
  /// Tries again if another process begins or ends its use of the store meanwhile.
  private static let attempts = 3

  /// - Parameter open: The memory of this process on the store, with its primary; `nil` opens the store for reading.
  func run(with open: (memory: Memory, primary: SQLitePrimaryStore)? = nil) async throws(MemoryError) {
    progress("files")
    let canOpen = examineFiles()
    guard !codes.contains(.storeMissing) || canOpen else { return }
    examineDisk()
    examineProcess()
    examineRightToWrite()
    let derived = examineDerivedFiles()
    examineLocks(derived)
    examineBackups()
    try await examineLedger()
    guard canOpen else { return }
    progress("database")
    do throws(MemoryError) {
      if let open { try await examinePrimary(open.primary) } else { try await examineClosedPrimary() }
      try MemoryError.throwIfCancelled()
      if options.depth == .full { try await examineDerivedContent(open?.memory, derived) }
    } catch let error where error.code == .cancelled || (open != nil && error.code == .closed) {
      throw error
    } catch {
      examine(error)
    }
  }

  private func examineClosedPrimary() async throws(MemoryError) {
    for attempt in 1...Self.attempts {
      do throws(MemoryError) {
        let primary = try await SQLitePrimaryStore(
          path: directory.primary, isReadOnly: true, create: false, busyTimeout: options.busyTimeout,
          clock: options.clock, logger: .silent)
        let result = await Result { () async throws(MemoryError) in try await examinePrimary(primary) }
        try await primary.close()
        return try result.get()
      } catch let error where error.code == .unavailable && attempt < Self.attempts {
        continue
      }
    }
  }

  /// - Parameter memory: Open for writing; `nil` opens the store, if it may be written and has cache or index.
  private func examineDerivedContent(_ memory: Memory?, _ derived: [DerivedFiles]) async throws(MemoryError) {
    progress("cache and index")
    if let memory { return try await checkDerived(memory) }
    let unfit: Set<FindingCode> = [
      .readOnly, .schemaOlder, .derivedUnusable, .symbolicLink, .indexDropped, .damageMark, .triggerForeign,
    ]
    let found = codes
    guard unfit.isDisjoint(with: found), !found.contains(where: { $0.severity == .damage }),
      derived.contains(where: { $0.inspection?.bytes ?? 0 > 0 })
    else { return }
    var open = Memory.OpenOptions()
    open.create = false
    open.busyTimeout = options.busyTimeout
    open.clock = options.clock
    open.logger = .silent
    open.cache.isEnabled = derived.first?.inspection?.bytes ?? 0 > 0
    open.index.isEnabled = derived.last?.inspection?.bytes ?? 0 > 0
    let memory = try await Memory.open(at: directory.path, options: open)
    let result = await Result { () async throws(MemoryError) in try await checkDerived(memory) }
    try await memory.close()
    try result.get()
  }
}

extension Result {
  fileprivate init(_ body: () async throws(Failure) -> Success) async {
    do throws(Failure) { self = .success(try await body()) } catch { self = .failure(error) }
  }
}

extension Logger {
  /// Findings are returned, not logged.
  static var silent: Logger { Logger(label: "episodic.diagnosis") { _ in SwiftLogNoOpLogHandler() } }
}
