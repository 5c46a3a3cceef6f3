public import EpisodicMemory

extension LMDBCache {
  /// How much to keep, and for how long.
  public struct Options: Hashable, Sendable {
    /// The most the entries may take, in bytes of the data file, 1 MiB or more. Give it alike in every process.
    public var capacity = 256 << 20

    /// The most entries there may be, besides; `nil` for no such bound. Give it alike in every process.
    public var maximumEntries: Int?

    /// What the data file can never pass, in bytes, 2 MiB or more; `nil` for more than the capacity needs. Bounds the
    /// capacity too: a quarter of the file is LMDB's. Give it alike in every process.
    public var maximumFileSize: Int?

    /// How long an entry serves, from its fill on. Nothing of a kind is kept whose lifetime is not positive.
    public var episodeLifetime = Duration.seconds(3600)
    public var patternLifetime = Duration.seconds(1800)
    public var queryLifetime = Duration.seconds(300)

    /// Share by which a lifetime is drawn longer or shorter, 0...1, so that what was filled together does not expire
    /// together.
    public var jitter = 0.1

    public init() {}

    public subscript(kind: CacheKey.Kind) -> Duration {
      get {
        switch kind {
        case .episode: episodeLifetime
        case .pattern: patternLifetime
        case .query: queryLifetime
        }
      }
      set {
        switch kind {
        case .episode: episodeLifetime = newValue
        case .pattern: patternLifetime = newValue
        case .query: queryLifetime = newValue
        }
      }
    }
  }
}

extension LMDBCache.Options {
  /// The capacity, in a range that LMDB and the sums over it can bear.
  var effectiveCapacity: Int { min(max(capacity, 1 << 20), 1 << 44) }

  /// How many entries the policy should be laid out for.
  var expectedEntries: Int {
    CacheLimit(bytes: min(effectiveCapacity, mapSize / 4 * 3), entries: maximumEntries).expectedEntries
  }

  /// Bytes of address space: twice the capacity, because LMDB copies pages before it frees any and readers keep old
  /// ones, and a power of two, so that small differences in capacity leave processes with one size.
  var mapSize: Int {
    if let maximumFileSize { return min(max(maximumFileSize, 2 << 20), 1 << 45) }
    var size = 512 << 20
    while size < 2 * effectiveCapacity { size *= 2 }
    return size
  }

  /// When an entry that is filled now expires; `nil` where its kind is not kept.
  func deadline(of kind: CacheKey.Kind, from now: Timestamp) -> Int64? {
    let lifetime = Double(self[kind].milliseconds)
    guard lifetime > 0 else { return nil }
    let spread = jitter.isFinite ? min(max(jitter, 0), 1) : 0
    let drawn = Int64(exactly: (lifetime * (1 + .random(in: -spread...spread))).rounded()) ?? .max
    let (deadline, overflow) = now.milliseconds.addingReportingOverflow(drawn)
    return overflow ? CacheTables.latestDeadline : min(deadline, CacheTables.latestDeadline)
  }
}
