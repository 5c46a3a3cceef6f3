import EpisodicMemory
import LMDB
import Logging
import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// An LMDB environment of a store: what is derived from the primary and can be made anew at any moment (I1).
///
/// The cache has one, and the search index another, so that neither waits while the other writes, and each keeps within
/// bounds of its own. A directory is one tier in a process, however often it is opened (I5); it closes with its last user. Files that
/// cannot be trusted are removed when it is opened, so whoever has a tier has one that belongs to this primary, this
/// format and this boot of the machine.
final class LMDBTier: Sendable {
  let directory: String
  let store: StoreIdentity
  let environment: Environment
  private let place: EpochFile.Place
  private let boot: Epoch
  private let users: UsersFile
  private let writers: WriterLock
  /// Seeds every checksum, see `MetaTable.Identity`.
  let epoch: UInt64
  let pageSize: Int
  /// Whether its files were empty when this process opened them.
  let isNew: Bool
  /// Whether nobody but its users wrote to the data file since it was made; see `EpochFile`.
  let isTrusted: Bool
  let meta: MetaTable
  private let databases: [String: Database]

  private static let inUse = Mutex<[EpochFile.Place: Use]>([:])

  private struct Use {
    let tier: LMDBTier
    var users: Int
  }

  /// Opens the tier in a directory, empty where nothing that can be trusted is there.
  ///
  /// - Parameter directory: Its parent must exist.
  /// - Parameter mapSize: What the data file can never pass, in bytes. The first user in a process decides.
  /// - Parameter layout: What is in it; files of another format are removed.
  /// - Throws: `.busy` where the tier is open in this process for another store; what LMDB and the system refuse.
  static func open(
    at directory: String, store: StoreIdentity, layout: TierLayout, mapSize: Int, epoch: Epoch, logger: Logger
  ) throws(LMDBError) -> LMDBTier {
    try inUse.withLock { inUse throws(LMDBError) in
      let file = try EpochFile(in: directory)
      if let use = inUse[file.place] {
        guard use.tier.store == store else {
          throw LMDBError(.busy, message: "\(directory) is open in this process for another store; close that first")
        }
        inUse[file.place]?.users += 1
        return use.tier
      }
      let users = try UsersFile(in: directory)
      if try !file.holds(epoch) { try Environment.removeFiles(at: directory) }
      // While others have it open they vouch for it, and it changes too fast to be examined.
      let isSealed = try file.isSealed(directory + "/data.mdb", in: epoch)
      let isTrusted = try users.isAlone ? isSealed || isMissing(directory + "/data.mdb") : file.isTrusted(in: epoch)
      try file.write(epoch, isTrusted: isTrusted)
      let opening = Opening(
        directory: directory, store: store, layout: layout, mapSize: mapSize,
        isDoubtful: users.isAlone && !isSealed, isTrusted: isTrusted, place: file.place,
        boot: epoch)
      let tier = try openTrusted(opening, users, logger: logger)
      inUse[file.place] = Use(tier: tier, users: 1)
      return tier
    }
  }

  private static func isMissing(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) != 0 && errno == ENOENT
  }

  private struct Opening {
    let directory: String
    let store: StoreIdentity
    let layout: TierLayout
    let mapSize: Int
    /// Whether every page has to be looked at first: nobody sealed the file, or somebody touched it since.
    let isDoubtful: Bool
    /// Whether nobody but its users wrote to the file, so that what is in it need not be verified before it is used.
    let isTrusted: Bool
    let place: EpochFile.Place
    let boot: Epoch
  }

  /// Gives the tier back; the last user to do so closes the files.
  func release() {
    Self.inUse.withLock { inUse in
      guard let (place, use) = inUse.first(where: { $0.value.tier === self }) else { return }
      if use.users > 1 {
        inUse[place]?.users -= 1
      } else {
        inUse[place] = nil
        close()
      }
    }
  }

  private func close() {
    guard environment.close() else {
      // The last transaction in flight closes it. Nobody seals it, so the next to open it looks at every page.
      return users.leave()
    }
    do throws(LMDBError) {
      // Others come and go while this is held, but for a process that is stopped in there nobody is to wait.
      let file = try EpochFile(existingIn: directory)
      // A directory that was replaced has nothing to be sealed, and files that were condemned are not to be trusted.
      if file.place == place, try file.holds(boot), try users.isLast() {
        try file.seal(directory + "/data.mdb", in: boot)
      }
      users.leave()
    } catch {
      // Without a seal the next to open it looks at every page, which is all that is lost.
      users.leave()
    }
  }

  /// LMDB found its own pages damaged: the next process to open the tier removes the files.
  func condemn() throws(LMDBError) {
    try EpochFile.invalidate(in: directory)
  }

  // MARK: Writing

  /// Lends the one write transaction, as `Environment.write` does, but waits for other processes only so long.
  ///
  /// - Throws: `.busy` where another process keeps it, stopped perhaps; what `body` throws.
  func write<Result>(
    _ body: (inout WriteTransaction) throws(LMDBError) -> Result
  ) throws(LMDBError) -> Result {
    try writers.withLock { () throws(LMDBError) in try environment.write(body) }
  }

  /// As `write`, but begins no write transaction where one is not wanted any more once the lock is held.
  ///
  /// - Parameter waits: Whether to wait for others that write.
  /// - Parameter isWanted: Asked in a snapshot that nobody changes before the write transaction begins.
  /// - Returns: `nil` where it was not wanted.
  func write<Result>(
    waits: Bool, if isWanted: (borrowing ReadTransaction) throws(LMDBError) -> Bool,
    _ body: (inout WriteTransaction) throws(LMDBError) -> Result
  ) throws(LMDBError) -> Result? {
    try writers.withLock(waits: waits) { () throws(LMDBError) in
      guard try environment.read(isWanted) else { return nil }
      return try environment.write(body)
    }
  }

  /// Opens files of this epoch. Those that are damaged or belong elsewhere are removed, once.
  private static func openTrusted(
    _ opening: Opening, _ users: UsersFile, logger: Logger
  ) throws(LMDBError) -> LMDBTier {
    do throws(LMDBError) {
      return try openFiles(opening, users)
    } catch let error where [.damaged, .versionMismatch, .incompatible].contains(error.code) {
      logger.notice("the files in \(opening.directory) are made anew: \(error)")
      try Environment.removeFiles(at: opening.directory)
      return try openFiles(opening, users)
    }
  }

  private static func openFiles(_ opening: Opening, _ users: UsersFile) throws(LMDBError) -> LMDBTier {
    var options = Environment.Options(mapSize: opening.mapSize)
    options.durability = .noSync
    options.readsAhead = false
    options.maxReaders = 1024
    options.verifiesStructure = opening.isDoubtful
    let environment = try openEnvironment(at: opening.directory, options)
    do throws(LMDBError) {
      return try LMDBTier(environment, opening, users)
    } catch {
      environment.close()
      throw error
    }
  }

  /// Waits up to a tenth of a second for what passes by itself: a last read in an environment that was just closed, or
  /// another process that writes faster than its file can be examined.
  private static func openEnvironment(
    at directory: String, _ options: Environment.Options
  ) throws(LMDBError) -> Environment {
    for _ in 0..<100 {
      do throws(LMDBError) {
        return try Environment.open(at: directory, options: options)
      } catch let error where error.code == .busy {
        usleep(1000)
      }
    }
    return try Environment.open(at: directory, options: options)
  }

  /// - Throws: `.damaged`, `.incompatible` where the files hold something else than this store's tier.
  private init(_ environment: Environment, _ opening: Opening, _ users: UsersFile) throws(LMDBError) {
    let (directory, store) = (opening.directory, opening.store)
    let writers = try WriterLock(in: directory)
    // Making a database is a write, too.
    let tables = try writers.withLock { () throws(LMDBError) in
      try Tables(environment, opening.layout, of: store, in: directory)
    }
    self.directory = directory
    self.store = store
    self.environment = environment
    self.place = opening.place
    self.boot = opening.boot
    self.users = users
    self.writers = writers
    self.pageSize = try environment.statistics().pageSize
    self.epoch = tables.epoch
    self.isNew = tables.isNew
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

  /// The databases, made where there are none.
  private struct Tables {
    let epoch: UInt64
    let isNew: Bool
    let meta: MetaTable
    let databases: [String: Database]

    init(
      _ environment: Environment, _ layout: TierLayout, of store: StoreIdentity, in directory: String
    ) throws(LMDBError) {
      let meta = MetaTable(database: try environment.database(named: "meta", keys: .integers))
      var databases: [String: Database] = [:]
      for (name, keys) in layout.databases { databases[name] = try environment.database(named: name, keys: keys) }
      let (identity, isNew) = try environment.write { transaction throws(LMDBError) in
        if let found = try meta.identity(in: transaction) { return (found, false) }
        for database in databases.values where try transaction.count(in: database) > 0 {
          throw LMDBError(.damaged, message: "\(directory) has \(database.name) and does not say whose")
        }
        let made = MetaTable.Identity(format: layout.format, epoch: .random(in: 0 ... .max), store: store)
        try meta.put(made, in: &transaction)
        return (made, true)
      }
      guard identity.format == layout.format, identity.store == store else {
        throw LMDBError(
          .incompatible,
          message: "\(directory) is of format \(identity.format) and store \(identity.store.rawValue), "
            + "not \(layout.format) and \(store.rawValue)")
      }
      epoch = identity.epoch
      self.isNew = isNew
      self.meta = meta
      self.databases = databases
    }
  }
}
