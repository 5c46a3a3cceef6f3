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
  /// - Throws: `.busy` where the tier is open in this process for another store; what LMDB and the system refuse.
  static func open(
    at directory: String, store: StoreIdentity, mapSize: Int, epoch: Epoch, logger: Logger
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
      if try !file.holds(epoch) {
        try Environment.removeFiles(at: directory)
        try file.write(epoch)
      }
      let tier = try openTrusted(at: directory, store: store, mapSize: mapSize, logger: logger)
      inUse[file.place] = Use(tier: tier, users: 1)
      return tier
    }
  }

  /// Gives the tier back; the last user to do so closes the files.
  func release() {
    Self.inUse.withLock { inUse in
      guard let (place, use) = inUse.first(where: { $0.value.tier === self }) else { return }
      if use.users > 1 {
        inUse[place]?.users -= 1
      } else {
        inUse[place] = nil
        environment.close()
      }
    }
  }

  /// Opens files of this epoch. Those that are damaged or belong elsewhere are removed, once.
  private static func openTrusted(
    at directory: String, store: StoreIdentity, mapSize: Int, logger: Logger
  ) throws(LMDBError) -> LMDBTier {
    do throws(LMDBError) {
      return try openFiles(at: directory, store: store, mapSize: mapSize)
    } catch let error where [.damaged, .versionMismatch, .incompatible].contains(error.code) {
      logger.notice("the files in \(directory) are made anew: \(error)")
      try Environment.removeFiles(at: directory)
      return try openFiles(at: directory, store: store, mapSize: mapSize)
    }
  }

  private static func openFiles(
    at directory: String, store: StoreIdentity, mapSize: Int
  ) throws(LMDBError) -> LMDBTier {
    var options = Environment.Options(mapSize: mapSize)
    options.durability = .noSync
    options.readsAhead = false
    options.maxReaders = 1024
    let environment = try openEnvironment(at: directory, options)
    do throws(LMDBError) {
      return try LMDBTier(environment, directory: directory, store: store)
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
  private init(_ environment: Environment, directory: String, store: StoreIdentity) throws(LMDBError) {
    let meta = MetaTable(database: try environment.database(named: "meta", keys: .integers))
    let entries = try environment.database(named: "entries", keys: .integers)
    let identity = try environment.write { transaction throws(LMDBError) in
      if let found = try meta.identity(in: transaction) { return found }
      guard try transaction.count(in: entries) == 0 else {
        throw LMDBError(.damaged, message: "\(directory) has entries and does not say whose")
      }
      let made = MetaTable.Identity(format: MetaTable.format, epoch: .random(in: 0 ... .max), store: store)
      try meta.put(made, in: &transaction)
      return made
    }
    guard identity.format == MetaTable.format, identity.store == store else {
      throw LMDBError(
        .incompatible,
        message: "\(directory) is of format \(identity.format) and store \(identity.store.rawValue), "
          + "not \(MetaTable.format) and \(store.rawValue)")
    }
    self.directory = directory
    self.store = store
    self.environment = environment
    self.epoch = identity.epoch
    self.pageSize = try environment.statistics().pageSize
    self.meta = meta
    self.entries = entries
    self.window = try environment.database(named: "window", keys: .integers)
    self.main = try environment.database(named: "main", keys: .integers)
    self.deadlines = try environment.database(named: "deadlines", keys: .integers)
    self.tags = try environment.database(named: "tags", keys: .integers)
  }
}
