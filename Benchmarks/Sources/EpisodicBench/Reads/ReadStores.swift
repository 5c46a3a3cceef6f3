import Episodic

/// One store, opened three times: with its cache, without, and by raw SQLite.
struct ReadStores {
  let cached: Memory
  let uncached: Memory
  let raw: RawStore

  init(in folder: String, capacity: Int) async throws {
    var options = Memory.OpenOptions()
    options.create = false
    options.cache.capacity = capacity
    cached = try await Memory.open(at: folder, options: options)
    options.cache.isEnabled = false
    uncached = try await Memory.open(at: folder, options: options)
    raw = try RawStore(in: folder, durability: .full)
  }

  /// What the cache has counted so far of one kind of key.
  func counts(_ kind: CacheKey.Kind) async throws -> CacheStatistics.Counts {
    try await cached.statistics().cache[kind]
  }

  func close() async throws {
    try await uncached.close()
    try await cached.close()
  }
}
