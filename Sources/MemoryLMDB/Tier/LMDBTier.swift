import EpisodicMemory
import FileLocks
import LMDB
import Logging
import Synchronization

/// An LMDB environment of a store: data that is derived from the primary and can be rebuilt at any moment (I1).
///
/// The cache and the search index have one each, so that neither waits for the other's writes and each has its own size
/// limit. A directory is opened once in a process and shared by all its users (I5); the last one closes it. Files that cannot
/// be trusted are removed when it is opened, so an open tier belongs to this primary, this format and this boot of the
/// machine.
final class LMDBTier: Sendable {
  /// Total wait for other processes that open or close the tier: longer than they take unless one is stopped.
  static let openingPatience = Duration.seconds(1)
  /// Wait of a write for other processes.
  private static let writingTimeout = Duration.milliseconds(200)

  let place: PrivateDirectory<LMDBError>
  let store: StoreIdentity
  let environment: Environment
  private let boot: BootID
  private let users: UsersFile
  private let writers: FileLock<LMDBError>
  let pageSize: Int
  /// Whether only users of the tier wrote to the data file since it was created; see `EpochFile`.
  let isTrusted: Bool
  let meta: MetaTable
  private let databases: [String: Database]
  /// See `LMDBTier+Files`.
  let lastLook = Atomic<Int64>(0)
  let fileSizes = Mutex(FileSizes())
  let haveFilesChanged = Atomic(false)
  /// Whether the lock file was truncated: closing the environment would write to it.
  let isLockCut = Atomic(false)

  var directory: String { place.path }
  /// Seeds every checksum, see `MetaTable.Identity`.
  var generation: UInt64 { meta.generation }

  /// The tiers that this process has open. The lock is held no longer than closing takes.
  private static let inUse = Mutex<[FileIdentity: Use]>([:])

  private struct Use {
    let tier: LMDBTier
    var users: Int
  }

  /// Opens the tier in a directory; empty if the directory has no files that can be trusted.
  ///
  /// - Parameter directory: Its parent must exist.
  /// - Parameter mapSize: The limit of the data file in bytes. The first user in a process decides.
  /// - Parameter layout: Format and databases; files of another format are removed.
  /// - Throws: `.busy` if the tier is open in this process for another store, or other processes keep it locked for longer
  ///   than `openingPatience`; `.foreign` if the directory belongs to another user or another program; errors of LMDB and
  ///   of the system.
  static func open(
    at directory: String, store: StoreIdentity, layout: TierLayout, mapSize: Int, boot: BootID, logger: Logger
  ) throws(LMDBError) -> LMDBTier {
    let deadline = Deadline.after(openingPatience)
    let place = try PrivateDirectory<LMDBError>(creatingAt: directory)
    // One of several threads of this process opens it, and the others share it.
    let file = try EpochFile(in: place, until: deadline)
    if let tier = try reuse(place, for: store) { return tier }
    let users = try UsersFile(in: place, until: deadline)
    if try !file.holds(boot) { try Environment.removeFiles(at: directory, patience: deadline.remaining) }
    // While other processes have it open it was verified by the first of them, and changes too fast to be verified again.
    var isSealed = try file.isSealed(in: boot)
    if isSealed, users.isAlone {
      // Pages that have to be read from the disk may differ from those written.
      isSealed = try place.openFile(TierFile.data)?.isInMemory() ?? false
    }
    let isTrusted: Bool
    if users.isAlone {
      let isMissing = try place.status(of: TierFile.data) == nil
      isTrusted = isSealed || isMissing
    } else {
      isTrusted = try file.isTrusted(in: boot)
    }
    try file.write(boot, isTrusted: isTrusted)
    let opening = Opening(
      place: place, store: store, layout: layout, mapSize: mapSize, isDoubtful: users.isAlone && !isSealed,
      isTrusted: isTrusted, boot: boot, deadline: deadline)
    let tier = try openTrusted(opening, users, logger: logger)
    try tier.lookAtFiles()
    inUse.withLock { $0[place.identity] = Use(tier: tier, users: 1) }
    return tier
  }

  private static func reuse(_ place: PrivateDirectory<LMDBError>, for store: StoreIdentity) throws(LMDBError)
    -> LMDBTier?
  {
    try inUse.withLock { inUse throws(LMDBError) in
      guard let use = inUse[place.identity] else { return nil }
      guard !use.tier.haveFilesChanged.load(ordering: .relaxed) else {
        throw LMDBError(.busy, message: "\(place.path) is still being closed in this process after its files changed")
      }
      guard use.tier.store == store else {
        throw LMDBError(.busy, message: "\(place.path) is open in this process for another store; close that first")
      }
      inUse[place.identity]?.users += 1
      return use.tier
    }
  }

  private struct Opening {
    let place: PrivateDirectory<LMDBError>
    let store: StoreIdentity
    let layout: TierLayout
    let mapSize: Int
    /// Whether every page must be verified first: the file is not sealed, was changed since, or is read from the disk.
    let isDoubtful: Bool
    /// Whether only users of the tier wrote to the file, so that its values need no verification before use.
    let isTrusted: Bool
    let boot: BootID
    let deadline: Deadline
  }

  /// Ends one use of the tier; the last one closes the files.
  func release() {
    let isClosed = Self.inUse.withLock { inUse -> Bool? in
      guard let use = inUse[place.identity], use.tier === self else { return nil }
      if use.users > 1 {
        inUse[place.identity]?.users -= 1
        return nil
      }
      inUse[place.identity] = nil
      if !isLockCut.load(ordering: .relaxed) { return environment.close() }
      environment.abandon()
      return false
    }
    // A running transaction closes the files when it ends, without a seal.
    if let isClosed { leave(sealing: isClosed) }
  }

  private func leave(sealing: Bool) {
    defer { users.leave() }
    guard sealing else { return }
    do throws(LMDBError) {
      // Not waited for: a process may be stopped while it holds the lock.
      guard let file = try EpochFile(existingIn: place) else { return }
      if isApart {
        if try users.isLast() { _ = try Self.removeAll(place, file) }
        return
      }
      // Condemned files get no seal.
      if try file.holds(boot), try users.isLast() { try file.seal(environment.identity, in: boot) }
    } catch {
      // Without a seal the next process verifies every page; nothing else is lost.
    }
  }

  /// Makes the next process that opens the tier remove the files, because LMDB found its pages damaged.
  func condemn() throws(LMDBError) {
    try EpochFile.invalidate(in: place)
  }

  // MARK: Reading and writing

  /// Lends a snapshot, as `Environment.read` does.
  ///
  /// - Throws: `.filesChanged`; what `body` throws.
  @inline(__always)
  func read<Result: ~Copyable, Failure: LMDBFailure>(
    _ body: (borrowing ReadTransaction) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    do throws(LMDBError) { try checkFiles() } catch { throw Failure(error) }
    return try environment.read(body)
  }

  /// Lends the one write transaction, as `Environment.write` does, with a bound on the wait for other processes.
  ///
  /// - Throws: `.busy` if another process, perhaps a stopped one, keeps the lock; `.filesChanged`; what `body` throws.
  func write<Result, Failure: LMDBFailure>(
    _ body: (inout WriteTransaction) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    do throws(LMDBError) { try checkFiles() } catch { throw Failure(error) }
    return try writers.withLock(timeout: Self.writingTimeout, orThrow: Failure.init) { () throws(Failure) in
      try environment.write(body)
    }
  }

  /// As `write`, but begins the write transaction only if it is still needed when the lock has been taken.
  ///
  /// - Parameter waits: Whether to wait for other writers.
  /// - Parameter isWanted: Called with a snapshot; the lock keeps it current until the write transaction begins.
  /// - Returns: `nil` if it was not needed.
  func write<Result>(
    waits: Bool, if isWanted: (borrowing ReadTransaction) throws(LMDBError) -> Bool,
    _ body: (inout WriteTransaction) throws(LMDBError) -> Result
  ) throws(LMDBError) -> Result? {
    try checkFiles()
    func attempt() throws(LMDBError) -> Result? {
      guard try environment.read(isWanted) else { return nil }
      return try environment.write(body)
    }
    if waits { return try writers.withLock(timeout: Self.writingTimeout, attempt) }
    guard let result = try writers.withLockIfAvailable(attempt) else {
      throw LMDBError(.busy, message: "another process or thread writes to \(directory) now")
    }
    return result
  }

  /// Opens the files; those that are damaged or belong to another store are removed, once.
  private static func openTrusted(
    _ opening: Opening, _ users: UsersFile, logger: Logger
  ) throws(LMDBError) -> LMDBTier {
    do throws(LMDBError) {
      return try openFiles(opening, users)
    } catch let error where [.damaged, .versionMismatch, .incompatible].contains(error.code) {
      logger.notice(
        "the files in \(opening.place.path) are created again: \(error)",
        metadata: ["event": "tier.recreated", "path": "\(opening.place.path)", "error": "\(error)"])
      try Environment.removeFiles(at: opening.place.path, patience: opening.deadline.remaining)
      return try openFiles(opening, users)
    }
  }

  private static func openFiles(_ opening: Opening, _ users: UsersFile) throws(LMDBError) -> LMDBTier {
    var options = Environment.Options(mapSize: opening.mapSize)
    options.durability = .noSync
    options.readsAhead = false
    options.maxReaders = 1024
    options.verifiesStructure = opening.isDoubtful
    let environment = try openEnvironment(options, opening)
    do throws(LMDBError) {
      return try LMDBTier(environment, opening, users)
    } catch {
      environment.close()
      throw error
    }
  }

  /// Retries for conditions that pass: a last read in an environment that was just closed, or another process that writes
  /// faster than its file can be verified.
  private static func openEnvironment(
    _ options: Environment.Options, _ opening: Opening
  ) throws(LMDBError) -> Environment {
    var options = options
    var opened: Environment?
    var refusal: LMDBError?
    _ = try opening.deadline.poll { () throws(LMDBError) in
      options.patience = opening.deadline.remaining
      do throws(LMDBError) {
        opened = try Environment.open(at: opening.place.path, options: options)
        return true
      } catch let error where error.code == .busy {
        refusal = error
        return false
      }
    }
    if let opened { return opened }
    throw refusal ?? LMDBError(.busy, message: "\(opening.place.path) could not be opened")
  }

  /// - Throws: `.damaged`, `.incompatible` if the files are not a tier of this store.
  private init(_ environment: Environment, _ opening: Opening, _ users: UsersFile) throws(LMDBError) {
    let (place, store) = (opening.place, opening.store)
    let writers = try FileLock<LMDBError>(in: place, TierFile.writer)
    // Creating a database is a write.
    let tables = try writers.withLock(timeout: Self.writingTimeout) { () throws(LMDBError) in
      try Tables(environment, opening.layout, of: store, in: place.path)
    }
    self.store = store
    self.environment = environment
    self.place = place
    self.boot = opening.boot
    self.users = users
    self.writers = writers
    self.pageSize = try environment.statistics().pageSize
    self.isTrusted = opening.isTrusted || tables.isNew
    self.meta = tables.meta
    self.databases = tables.databases
  }

  /// A database of the layout.
  func database(_ name: String) throws(LMDBError) -> Database {
    guard let database = databases[name] else {
      throw LMDBError(.invalid, message: "\(directory) has no database \(name)")
    }
    return database
  }

  /// The databases, created if they do not exist.
  private struct Tables {
    let isNew: Bool
    let meta: MetaTable
    let databases: [String: Database]

    init(
      _ environment: Environment, _ layout: TierLayout, of store: StoreIdentity, in directory: String
    ) throws(LMDBError) {
      let meta = try environment.database(named: "meta", keys: .integers)
      var databases: [String: Database] = [:]
      for (name, keys) in layout.databases { databases[name] = try environment.database(named: name, keys: keys) }
      let (identity, isNew) = try environment.write { transaction throws(LMDBError) in
        if let found = try MetaTable.Identity(of: meta, in: transaction) { return (found, false) }
        for database in databases.values where try transaction.count(in: database) > 0 {
          throw LMDBError(.damaged, message: "\(directory) has \(database.name) and does not say whose")
        }
        let made = MetaTable.Identity(format: layout.format, generation: .random(in: 0 ... .max), store: store)
        try made.put(in: meta, &transaction)
        return (made, true)
      }
      guard identity.format == layout.format, identity.store == store else {
        throw LMDBError(
          .incompatible,
          message: identity.format == layout.format
            ? "\(directory) belongs to the store \(identity.store.rawValue), as before a restore; this one is "
              + store.rawValue
            : "\(directory) is of format \(identity.format), and this version makes format \(layout.format)")
      }
      self.isNew = isNew
      self.meta = MetaTable(database: meta, generation: identity.generation)
      self.databases = databases
    }
  }
}
