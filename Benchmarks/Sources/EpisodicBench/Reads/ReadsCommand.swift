import ArgumentParser
import Episodic

struct ReadsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reads",
    abstract: "Reads of the same episodes through the cache, without it, and by the libraries beneath.",
    discussion: """
      Every episode is read once in random order while the cache is empty (a miss and its fill), then all of them in \
      the same order again, alternating after 100 reads: a hit; the floor, which is LMDB's get and one copy of the bytes; \
      the primary through the library; raw SQLite through its C interface; and pool.read of GRDB. SQLite runs two \
      queries in one read transaction. A hit with every field read is compared with a codec that creates every value at \
      once. The sums over all fields must be equal, and the cache's counters show that hits were hits. Then queries by \
      words: a miss, a hit, and without the cache. If the benchmarks are built with the trait Encryption, a store whose \
      domains are encrypted takes part in both.

      Targets: a hit takes at most 3 times the floor, raw C at least 10 and GRDB at least 20 times a hit; reading every \
      field at most 1.2 times the full decode; a search at least 50 times a cached query.

      EXAMPLES
        bench reads --episodes 10000 --steps 20
        bench reads --while-ledger-writes
      """)

  @Option(help: "Episodes in the store; each is read.")
  var episodes = 10_000

  @Option(help: "Steps of an episode; 20 make about 4 KB.")
  var steps = 20

  @Flag(help: "Read hits beside automatic maintenance and without it, in turns, and nothing else.")
  var maintenance = false

  @Flag(
    help: "Read hits while a ledger of the same process is written at full speed and while it is not, and nothing else."
  )
  var whileLedgerWrites = false

  @OptionGroup var common: CommonOptions

  func validate() throws {
    try CommonOptions.validate(counts: [("--episodes", episodes), ("--steps", steps)])
    if maintenance, whileLedgerWrites {
      throw ValidationError("--maintenance and --while-ledger-writes are benchmarks of their own; give one")
    }
  }

  func run() async throws {
    try await common.report { scratch in
      if maintenance {
        return try await MaintenanceContest(
          benchmark: "reads", episodes: episodes, steps: steps, seed: common.seed, scratch: scratch
        ).run { memory, _, finished, series in
          try await MaintenanceContest.reads(of: finished, memory, &series)
        }
      }
      if whileLedgerWrites {
        return try await LedgerContest(episodes: episodes, steps: steps, seed: common.seed, scratch: scratch).run()
      }
      return try await ReadsBenchmark(episodes: episodes, steps: steps, seed: common.seed, scratch: scratch).run()
    }
  }
}

/// One store, opened for every way to read it, and the same episodes in a plain LMDB environment.
struct ReadStores {
  let cached: Memory
  let uncached: Memory
  /// The same episodes in encrypted domains; `nil` in a build without encryption.
  let encrypted: Memory?
  let raw: RawStore
  let sqlite: PlainSQLite
  let grdb: PlainGRDB
  let lmdb: PlainLMDB

  init(in folder: String, lmdb: PlainLMDB, encrypted: Memory?, capacity: Int) async throws {
    var options = Memory.OpenOptions()
    options.create = false
    options.cache.capacity = capacity
    cached = try await Memory.open(at: folder, options: options)
    options.cache.isEnabled = false
    uncached = try await Memory.open(at: folder, options: options)
    raw = try RawStore(in: folder, durability: .full)
    sqlite = try PlainSQLite(path: folder + "/memory.sqlite")
    grdb = try PlainGRDB(path: folder + "/memory.sqlite")
    self.lmdb = lmdb
    self.encrypted = encrypted
  }

  /// The cache's counters of one kind of key.
  func counts(_ kind: CacheStatistics.Kind) async throws -> CacheStatistics.Counts {
    try await cached.statistics().cache[kind]
  }

  func close() async throws {
    try grdb.close()
    try await uncached.close()
    try await encrypted?.close()
    try await cached.close()
  }
}
