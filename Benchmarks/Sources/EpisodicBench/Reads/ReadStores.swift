import Episodic

/// One store, opened in every way there is to read it, and the same episodes in a plain LMDB environment.
struct ReadStores {
  let cached: Memory
  let uncached: Memory
  let raw: RawStore
  let sqlite: PlainSQLite
  let grdb: PlainGRDB
  let lmdb: PlainLMDB

  init(in folder: String, lmdb: PlainLMDB, capacity: Int) async throws {
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
  }

  /// What the cache has counted so far of one kind of key.
  func counts(_ kind: CacheKey.Kind) async throws -> CacheStatistics.Counts {
    try await cached.statistics().cache[kind]
  }

  func close() async throws {
    try grdb.close()
    try await uncached.close()
    try await cached.close()
  }
}
