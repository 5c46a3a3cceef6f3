import CachePolicy
import EpisodicMemory
import LMDB

/// The databases of the cache and what may be done to them inside one transaction.
///
/// `entries` by hash of the key; `window` and `main` by number of fill, the two areas of the policy; `deadlines` by when
/// an entry expires; `tags` and `meta`: what is known of the primary.
///
/// Invariants, from commit to commit: every entry has one row in `window` or `main` and one in `deadlines`, and every row
/// has one entry; the tallies say how many entries of each kind there are and what they take.
///
/// Looking — `CacheTables+Looking`: whether an entry may be served, or kept.
/// Changing — `CacheTables+Changing`: adding and removing entries.
/// Evicting — `CacheTables+Evicting`: which ones leave to make room.
struct CacheTables: Sendable {
  let meta: MetaTable
  let entries: Database
  let window: Database
  let main: Database
  let deadlines: Database
  let tags: TagTable
  let policy: EvictionPolicy
  let epoch: UInt64
  let cost: PageCost

  static let layout = TierLayout(
    format: 5,
    databases: ["entries", "window", "main", "deadlines", "tags"].map { ($0, .integers) })

  init(_ tier: LMDBTier, policy: EvictionPolicy, maximumTags: Int) throws(LMDBError) {
    meta = tier.meta
    entries = try tier.database("entries")
    window = try tier.database("window")
    main = try tier.database("main")
    deadlines = try tier.database("deadlines")
    self.policy = policy
    epoch = tier.epoch
    tags = TagTable(database: try tier.database("tags"), epoch: tier.epoch, maximumCount: maximumTags)
    cost = PageCost(pageSize: tier.pageSize)
  }

  static var contradiction: LMDBError {
    LMDBError(.damaged, message: "the tables of the cache contradict each other")
  }
}
