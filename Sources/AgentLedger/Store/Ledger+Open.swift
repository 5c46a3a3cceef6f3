import FileLocks
import GRDB
public import Logging
import SQLiteStorage
import StoreRows
public import StoreValues

extension Ledger {
  /// How to open a ledger.
  public struct OpenOptions: Sendable {
    /// Creates and changes no file; a write throws `.readOnly`.
    public var isReadOnly = false
    /// Whether to create the ledger if there is none.
    public var create = true
    /// Longest wait for a lock that another process holds; then a call throws `.busy`.
    public var busyTimeout = Duration.seconds(30)
    /// Whether an acknowledged write survives loss of power, or death of the process only.
    public var survivesPowerLoss = true
    /// The largest input that is accepted.
    public var limits = Limits()
    /// How long cached pages are fresh.
    public var pageLifetimes = PageLifetimes()
    /// The source of the times that the ledger writes.
    public var clock: any WallClock = SystemClock()
    /// Gets a line when something is amiss.
    public var logger = Logger(label: "episodic.ledger")

    /// The defaults.
    public init() {}
  }

  /// The name of a ledger's file in the directory of a store.
  public static let fileName = "ledger.sqlite"

  /// Opens `ledger.sqlite` in a directory, that of a memory for example; creates it if there is none and `options.create`.
  ///
  /// Several processes may open one ledger. Work that may block leaves the caller's executor.
  ///
  /// - Parameter directory: A path; `~` and `~/...` are in the home directory.
  /// - Throws: `.notAStore` if there is none, or one of a newer version; `.unavailable` without permission; `.busy`;
  ///   `.corrupted` if it is damaged.
  public static func open(
    at directory: String, options: OpenOptions = OpenOptions()
  ) async throws(MemoryError) -> Ledger {
    try options.limits.validate()
    let directory = try PathText.expanded(directory, of: "the ledger's directory")
    let path = directory + "/" + fileName
    let logger = options.logger
    let disk = DiskWatch(of: directory, floor: options.limits.minimumFreeBytes)
    let configuration = WALDatabase.Configuration(
      applicationID: LedgerSchema.applicationID, migrations: LedgerSchema.migrations, schemaDigest: LedgerSchema.digest,
      synchronous: options.survivesPowerLoss ? .full : .normal, access: options.isReadOnly ? .readOnly : .readWrite,
      create: options.create, busyTimeout: options.busyTimeout,
      report: { operation, error in
        logger.warning(
          "\(operation) of \(path) failed; it is tried again after a later commit",
          metadata: [
            "event": "ledger.upkeep_failed", "path": "\(path)", "operation": "\(operation)", "error": "\(error)",
          ])
      })
    do {
      let stored = try await WALDatabase.open(path: path, configuration)
      return try await Ledger(LedgerDatabase(stored, options, disk: disk))
    } catch {
      throw MemoryError(storage: error, path: path)
    }
  }

  /// Makes an empty ledger in memory, for tests: it touches no file, and nothing is left of it after the last reference.
  public static func inMemory(
    clock: any WallClock = SystemClock(), limits: Limits = Limits()
  ) async throws(MemoryError) -> Ledger {
    try limits.validate()
    var options = OpenOptions()
    (options.clock, options.limits) = (clock, limits)
    do {
      let stored = try await BlockingWork.shared.run {
        try InMemoryDatabase(
          applicationID: LedgerSchema.applicationID, migrations: LedgerSchema.migrations, maintenance: { _ in })
      }
      return try await Ledger(LedgerDatabase(stored, options, disk: nil))
    } catch {
      throw MemoryError(storage: error, path: "the ledger in memory")
    }
  }

  /// Closes every connection; calls that came before end first.
  public func close() async throws(MemoryError) { try await database.close() }
}
