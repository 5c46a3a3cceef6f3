import Episodic

/// What the cache counted during one stage, beside the reads that the stage made.
struct CacheCounts: Encodable {
  let stage: String
  let reads: Int
  let hits: Int
  let misses: Int
  let fills: Int
  let evicted: Int

  init(
    _ stage: String, reads: Int, from before: CacheStatistics.Counts, to after: CacheStatistics.Counts
  ) {
    self.stage = stage
    self.reads = reads
    hits = after.hits - before.hits
    misses = after.misses - before.misses
    fills = after.fills - before.fills
    evicted = after.evicted - before.evicted
  }
}
