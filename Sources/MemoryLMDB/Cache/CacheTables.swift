import CachePolicy
import EpisodicMemory
import LMDB

/// The databases of the cache, and what is done to them inside one transaction.
///
/// | database | key | value |
/// | --- | --- | --- |
/// | `entries` | hash of the `CacheKey` | `CacheEntry` |
/// | `window`, `main` | sequence: the number of a fill | `OrderRow`; the two areas of `EvictionPolicy` |
/// | `deadlines` | deadline and sequence, see `deadlineKey` | hash of the `CacheKey`, UInt64 |
/// | `tags` | hash of a `CacheTag` | see `TagTable` |
/// | `meta` | | see `MetaTable`, `CachePosition` and `PersistedCounters` |
///
/// Invariants after each commit: every entry has one row in `window` or `main` and one in `deadlines`, and every row has
/// one entry; the counters equal the number and the cost of the entries of each kind.
struct CacheTables: Sendable {
  static let layout = TierLayout(
    format: 7, databases: ["entries", "window", "main", "deadlines", "tags"].map { ($0, .integers) })

  let meta: MetaTable
  let entries: Database
  let window: Database
  let main: Database
  let deadlines: Database
  let tags: TagTable
  let policy: EvictionPolicy
  let cost: PageCost
  /// Seeds every checksum.
  var generation: UInt64 { meta.generation }

  init(_ tier: LMDBTier, policy: EvictionPolicy, maximumTags: Int) throws(LMDBError) {
    meta = tier.meta
    entries = try tier.database("entries")
    window = try tier.database("window")
    main = try tier.database("main")
    deadlines = try tier.database("deadlines")
    self.policy = policy
    tags = TagTable(database: try tier.database("tags"), generation: meta.generation, maximumCount: maximumTags)
    cost = PageCost(pageSize: tier.pageSize)
  }

  static var contradiction: LMDBError {
    LMDBError(.damaged, message: "the tables of the cache contradict each other")
  }

  // MARK: Looking up

  /// Whether no tag of an entry changed after the entry was read from the primary.
  func isCurrent(
    _ entry: CacheEntry, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> Bool {
    let revision = entry.revision
    for index in 0..<entry.tagCount where try tags.lastChange(of: entry.tag(index), in: transaction) > revision {
      return false
    }
    return true
  }

  /// Whether a value may be stored.
  enum Admission {
    case admitted
    /// The value was read from another snapshot than that of the watermark.
    case refused
    /// The entry is there and can be served; it keeps its deadline.
    case present
  }

  /// A value is stored only if it was read at the watermark: then no change has invalidated it, it is not ahead of a restored
  /// backup, and its history is that of the cache (I3).
  ///
  /// - Parameter asOf: The snapshot that the value was read from.
  func admission(
    of key: CacheKey, hash: UInt64, asOf: Watermark, now: Timestamp,
    in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> Admission {
    guard try meta.position(in: transaction)?.watermark == asOf else { return .refused }
    guard let existing = try transaction.get(hash, in: entries) else { return .admitted }
    return try existing.withUnsafeBytes { bytes throws(LMDBError) in
      guard let entry = CacheEntry(verifying: bytes, hash: hash, generation: generation), entry.isOf(key),
        entry.deadline > now.milliseconds, try isCurrent(entry, in: transaction)
      else { return .admitted }
      return .present
    }
  }

  // MARK: Adding and removing

  /// Adds an entry after the others; there must be none under its key.
  ///
  /// - Parameter area: `window` or `main`.
  func insert(
    _ entry: inout [UInt8], hash: UInt64, kind: CacheKey.Kind, deadline: Int64, into area: Database,
    counters: inout PersistedCounters, in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    var sequence = counters.nextSequence
    // Only the low bits of a sequence are in a deadline's key: they repeat after 2 million fills of one deadline.
    while sequence < .max, try transaction.get(Self.deadlineKey(deadline, sequence), in: deadlines) != nil {
      sequence += 1
    }
    guard sequence < .max else { throw Self.contradiction }
    counters.nextSequence = sequence + 1
    CacheEntry.seal(&entry, sequence: sequence, hash: hash, generation: generation)
    let row = OrderRow(
      hash: hash, deadline: deadline, cost: UInt32(clamping: cost(valueBytes: entry.count)), kind: kind)
    try insert(row, at: sequence, into: area, counters: &counters, in: &transaction)
    let deadlineValue: InlineArray<1, UInt64> = [hash.littleEndian]
    try transaction.put(deadlineValue.span.bytes, for: Self.deadlineKey(deadline, sequence), in: deadlines)
    try transaction.put(entry.span.bytes, for: hash, in: entries)
    counters[kind].fills &+= 1
    counters[kind].entries &+= 1
    counters[kind].bytes &+= Int(row.cost)
  }

  /// Moves an entry from the window into the main area; it keeps its sequence.
  func promote(
    _ row: OrderRow, at sequence: UInt64, counters: inout PersistedCounters, in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    try delete(row, at: sequence, from: window, counters: &counters, in: &transaction)
    try insert(row, at: sequence, into: main, counters: &counters, in: &transaction)
  }

  private func insert(
    _ row: OrderRow, at sequence: UInt64, into area: Database, counters: inout PersistedCounters,
    in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    try transaction.put(row.bytes.span.bytes, for: sequence, in: area)
    guard area == window else { return }
    counters.windowBytes &+= Int(row.cost)
    counters.windowEntries &+= 1
  }

  private func delete(
    _ row: OrderRow, at sequence: UInt64, from area: Database, counters: inout PersistedCounters,
    in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    guard try transaction.delete(sequence, in: area) else { throw Self.contradiction }
    guard area == window else { return }
    counters.windowBytes &-= Int(row.cost)
    counters.windowEntries &-= 1
  }

  /// Removes the entry of a key, if there is one.
  ///
  /// - Throws: `.damaged` if the entry and the tables contradict each other.
  func remove(
    _ hash: UInt64, counters: inout PersistedCounters, in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    guard let (row, sequence, area) = try row(ofEntry: hash, in: transaction) else { return }
    try remove(row, at: sequence, from: area, counters: &counters, in: &transaction)
  }

  private func row(
    ofEntry hash: UInt64, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> (row: OrderRow, sequence: UInt64, area: Database)? {
    guard let value = try transaction.get(hash, in: entries) else { return nil }
    guard let sequence = value.withUnsafeBytes({ CacheEntry($0)?.sequence }) else { throw Self.contradiction }
    for area in [window, main] {
      guard let bytes = try transaction.get(sequence, in: area) else { continue }
      let row = try OrderRow(bytes)
      guard row.hash == hash else { break }
      return (row, sequence, area)
    }
    throw Self.contradiction
  }

  /// Removes an entry by its row.
  func remove(
    _ row: OrderRow, at sequence: UInt64, from area: Database, counters: inout PersistedCounters,
    in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    try delete(row, at: sequence, from: area, counters: &counters, in: &transaction)
    guard try transaction.delete(row.hash, in: entries),
      try transaction.delete(Self.deadlineKey(row.deadline, sequence), in: deadlines)
    else { throw Self.contradiction }
    counters[row.kind].entries &-= 1
    counters[row.kind].bytes &-= Int(row.cost)
  }

  /// Removes expired entries in the order of their deadlines, at most `limit`.
  func removeExpired(
    limit: Int, now: Timestamp, counters: inout PersistedCounters, in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    for _ in 0..<limit {
      guard let hash = try firstExpired(by: now, in: transaction) else { return }
      try remove(hash, counters: &counters, in: &transaction)
    }
  }

  func hasExpired(
    by now: Timestamp, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> Bool { try firstExpired(by: now, in: transaction) != nil }

  /// The hash of the key whose entry expired first.
  private func firstExpired(
    by now: Timestamp, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> UInt64? {
    var cursor = try transaction.cursor(in: deadlines)
    guard let first = try cursor.first() else { return nil }
    guard let key = first.integerKey, let hash = Self.hash(in: first.value) else { throw Self.contradiction }
    return Int64(key >> Self.sequenceBits) <= now.milliseconds ? hash : nil
  }

  /// Removes every entry; the position and the tags stay.
  func removeEntries(
    counters: inout PersistedCounters, in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    for database in [entries, window, main, deadlines] { try transaction.removeAll(in: database) }
    counters.removeEntries()
  }

  // MARK: The database `deadlines`

  private static let sequenceBits: UInt64 = 21

  /// The latest deadline, in the year 2248.
  static let latestDeadline = Int64(1) << 43 - 1

  /// Milliseconds since 1970 in the upper 43 bits; the low 21 bits of the sequence keep entries of one millisecond apart.
  static func deadlineKey(_ deadline: Int64, _ sequence: UInt64) -> UInt64 {
    UInt64(clamping: min(deadline, latestDeadline)) << sequenceBits | sequence & (1 << sequenceBits - 1)
  }

  static func hash(in value: RawSpan) -> UInt64? {
    value.withUnsafeBytes { $0.count == 8 ? UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) : nil }
  }
}
