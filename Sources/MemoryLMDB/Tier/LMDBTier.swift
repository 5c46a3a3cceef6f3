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

/// The one LMDB environment of a store: what is derived from the primary and can be made anew at any moment (I1).
///
/// A directory is one tier in a process, however often it is opened (I5); it closes with its last user. Files that
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
  /// What decides who is evicted.
  let policy: PolicyMap
  /// Seeds every checksum, see `MetaTable.Identity`.
  let epoch: UInt64
  let pageSize: Int

  let meta: MetaTable
  let entries: Database
  let window: Database
  let main: Database
  let deadlines: Database
  let tags: Database

  private static let inUse = Mutex<[EpochFile.Place: Use]>([:])

  private struct Use {
    let tier: LMDBTier
    var users: Int
  }

  /// Opens the tier in a directory, empty where nothing that can be trusted is there.
  ///
  /// - Parameter directory: Its parent must exist.
  /// - Parameter mapSize: What the data file can never pass, in bytes. The first user in a process decides.
  /// - Parameter expectedEntries: What the policy is laid out for; alike in every process.
  /// - Throws: `.busy` where the tier is open in this process for another store; what LMDB and the system refuse.
  static func open(
    at directory: String, store: StoreIdentity, mapSize: Int, expectedEntries: Int, epoch: Epoch, logger: Logger
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
      try file.write(epoch)
      let opening = Opening(
        directory: directory, store: store, mapSize: mapSize, expectedEntries: expectedEntries,
        isDoubtful: users.isAlone && !isSealed, place: file.place,
        boot: epoch)
      let tier = try openTrusted(opening, users, logger: logger)
      if !tier.policy.isShared {
        logger.debug("\(directory) has no room for what its policy learns: this process learns for itself alone")
      }
      inUse[file.place] = Use(tier: tier, users: 1)
      return tier
    }
  }

  private struct Opening {
    let directory: String
    let store: StoreIdentity
    let mapSize: Int
    let expectedEntries: Int
    /// Whether every page has to be looked at first: nobody sealed the file, or somebody touched it since.
    let isDoubtful: Bool
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
    let policy = PolicyMap.open(at: directory + "/policy", entries: opening.expectedEntries)
    // Making a database is a write, too.
    let tables = try writers.withLock { () throws(LMDBError) in
      try Tables(environment, of: store, in: directory, policy: policy)
    }
    self.directory = directory
    self.store = store
    self.environment = environment
    self.place = opening.place
    self.boot = opening.boot
    self.users = users
    self.writers = writers
    self.policy = policy
    self.pageSize = try environment.statistics().pageSize
    self.epoch = tables.epoch
    self.meta = tables.meta
    self.entries = tables.entries
    self.window = tables.window
    self.main = tables.main
    self.deadlines = tables.deadlines
    self.tags = tables.tags
  }

  /// The databases, made where there are none.
  private struct Tables {
    let epoch: UInt64
    let meta: MetaTable
    let entries: Database
    let window: Database
    let main: Database
    let deadlines: Database
    let tags: Database

    init(
      _ environment: Environment, of store: StoreIdentity, in directory: String, policy: PolicyMap
    ) throws(LMDBError) {
      let meta = MetaTable(database: try environment.database(named: "meta", keys: .integers))
      let entries = try environment.database(named: "entries", keys: .integers)
      let identity = try environment.write { transaction throws(LMDBError) in
        if let found = try meta.identity(in: transaction) { return found }
        guard try transaction.count(in: entries) == 0 else {
          throw LMDBError(.damaged, message: "\(directory) has entries and does not say whose")
        }
        let made = MetaTable.Identity(format: MetaTable.format, epoch: .random(in: 0 ... .max), store: store)
        try meta.put(made, in: &transaction)
        policy.forgetEndless()
        return made
      }
      guard identity.format == MetaTable.format, identity.store == store else {
        throw LMDBError(
          .incompatible,
          message: "\(directory) is of format \(identity.format) and store \(identity.store.rawValue), "
            + "not \(MetaTable.format) and \(store.rawValue)")
      }
      epoch = identity.epoch
      self.meta = meta
      self.entries = entries
      window = try environment.database(named: "window", keys: .integers)
      main = try environment.database(named: "main", keys: .integers)
      deadlines = try environment.database(named: "deadlines", keys: .integers)
      tags = try environment.database(named: "tags", keys: .integers)
    }
  }
}
