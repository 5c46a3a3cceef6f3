import EpisodicMemory
import LMDB

/// The databases of the cache and what may be done to them inside one transaction.
///
/// Invariants, from commit to commit: every entry has one row in `order` and every row one entry; the tallies say how
/// many entries of each kind there are and what they take.
struct CacheTables: Sendable {
  let meta: MetaTable
  let entries: Database
  let order: Database
  let tags: TagTable
  let epoch: UInt64
  let cost: PageCost

  init(_ tier: LMDBTier, maximumTags: Int) {
    meta = tier.meta
    entries = tier.entries
    order = tier.order
    epoch = tier.epoch
    tags = TagTable(database: tier.tags, epoch: tier.epoch, maximumCount: maximumTags)
    cost = PageCost(pageSize: tier.pageSize)
  }

  // MARK: Looking

  /// What becomes of a value that wants to be kept.
  enum Verdict {
    case welcome
    /// A change has overtaken it, or a newer value is there, or the cache is behind it, or nobody can tell.
    case refused
    /// The same value is there and can be served.
    case present
  }

  /// - Parameter asOf: The snapshot the value was read from.
  func verdict(
    on key: CacheKey, hash: UInt64, tags: [UInt64], asOf: Watermark, now: Timestamp,
    in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> Verdict {
    guard let watermark = try meta.watermark(epoch: epoch, in: transaction),
      // What lies ahead of the watermark would outlive a backup that is restored at the watermark.
      asOf.revision < watermark.revision || asOf == watermark,
      try self.tags.lastChange(of: TagTable.floor, in: transaction) <= asOf.revision
    else { return .refused }
    for tag in tags where try self.tags.lastChange(of: tag, in: transaction) > asOf.revision { return .refused }
    guard let existing = try transaction.get(hash, in: entries) else { return .welcome }
    let found = existing.withUnsafeBytes { bytes -> (revision: Int64, deadline: Int64)? in
      guard let entry = CacheEntry(bytes), entry.isOf(key), entry.isIntact(keyHash: hash, epoch: epoch) else {
        return nil
      }
      return (entry.revision, entry.deadline)
    }
    guard let found else { return .welcome }
    if found.revision > asOf.revision { return .refused }
    // Both were read after the last change to their tags, so they are one value.
    guard found.deadline > now.milliseconds else { return .welcome }
    return try isCurrent(existing, in: transaction) ? .present : .welcome
  }

  /// Whether none of its tags changed after an entry was read from the primary.
  ///
  /// - Parameter value: Bytes that are an entry; others are not current.
  func isCurrent(
    _ value: RawSpan, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> Bool {
    try value.withUnsafeBytes { bytes throws(LMDBError) in
      guard let entry = CacheEntry(bytes) else { return false }
      return try isCurrent(entry, in: transaction)
    }
  }

  func isCurrent(
    _ entry: CacheEntry, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> Bool {
    let revision = entry.revision
    for index in 0..<entry.tagCount where try tags.lastChange(of: entry.tag(index), in: transaction) > revision {
      return false
    }
    return true
  }

  // MARK: Changing

  /// Adds an entry behind the others; none of its key may be there.
  func append(
    _ entry: inout [UInt8], hash: UInt64, kind: CacheKey.Kind, deadline: Int64, tallies: inout Tallies,
    in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    let taken = cost(valueBytes: entry.count)
    let sequence = try nextSequence(in: transaction)
    CacheEntry.seal(&entry, sequence: sequence, keyHash: hash, epoch: epoch)
    let row = OrderRow(keyHash: hash, deadline: deadline, cost: UInt32(clamping: taken), kind: kind)
    try transaction.append(row.bytes.span.bytes, for: sequence, in: order)
    try transaction.put(entry.span.bytes, for: hash, in: entries)
    tallies[kind].fills &+= 1
    tallies[kind].entries &+= 1
    tallies[kind].bytes &+= Int(row.cost)
  }

  /// Removes the entry of a key, if there is one.
  ///
  /// - Throws: `.damaged` where the entry and the table of order contradict each other.
  func remove(_ hash: UInt64, tallies: inout Tallies, in transaction: inout WriteTransaction) throws(LMDBError) {
    guard let (sequence, row) = try row(ofEntry: hash, in: transaction) else { return }
    try remove(row, at: sequence, tallies: &tallies, in: &transaction)
  }

  /// Removes the oldest entries until those that are left take `bytes` or less, but at most `limit` of them.
  func evict(
    downTo bytes: Int, limit: Int, tallies: inout Tallies, in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    for _ in 0..<limit where tallies.bytes > bytes {
      guard let (sequence, row) = try oldest(1, in: transaction).first else { throw Self.contradiction }
      try remove(row, at: sequence, tallies: &tallies, in: &transaction)
      tallies[row.kind].evicted &+= 1
    }
  }

  /// Removes what has expired among the `count` oldest.
  func dropExpired(
    among count: Int, now: Timestamp, tallies: inout Tallies, in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    for (sequence, row) in try oldest(count, in: transaction) where row.deadline <= now.milliseconds {
      try remove(row, at: sequence, tallies: &tallies, in: &transaction)
    }
  }

  /// Removes every entry, and keeps what is known of the primary.
  func removeEntries(tallies: inout Tallies, in transaction: inout WriteTransaction) throws(LMDBError) {
    try transaction.removeAll(in: entries)
    try transaction.removeAll(in: order)
    tallies.forgetEntries()
  }

  private func remove(
    _ row: OrderRow, at sequence: UInt64, tallies: inout Tallies, in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    guard try transaction.delete(row.keyHash, in: entries) else { throw Self.contradiction }
    try transaction.delete(sequence, in: order)
    tallies[row.kind].entries &-= 1
    tallies[row.kind].bytes &-= Int(row.cost)
  }

  private func row(
    ofEntry hash: UInt64, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> (sequence: UInt64, row: OrderRow)? {
    guard let value = try transaction.get(hash, in: entries) else { return nil }
    guard let sequence = value.withUnsafeBytes({ CacheEntry($0)?.sequence }),
      let bytes = try transaction.get(sequence, in: order)
    else { throw Self.contradiction }
    let row = try OrderRow(bytes)
    guard row.keyHash == hash else { throw Self.contradiction }
    return (sequence, row)
  }

  private func oldest(
    _ count: Int, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> [(sequence: UInt64, row: OrderRow)] {
    var rows: [(sequence: UInt64, row: OrderRow)] = []
    var cursor = try transaction.cursor(in: order)
    while rows.count < count, let entry = try cursor.next() {
      guard let sequence = entry.integerKey else { throw Self.contradiction }
      rows.append((sequence, try OrderRow(entry.value)))
    }
    return rows
  }

  private func nextSequence(in transaction: borrowing some Transaction & ~Copyable) throws(LMDBError) -> UInt64 {
    var cursor = try transaction.cursor(in: order)
    guard let last = try cursor.last()?.integerKey else { return 0 }
    guard last < .max else { throw Self.contradiction }
    return last + 1
  }

  static var contradiction: LMDBError {
    LMDBError(.damaged, message: "the cache's entries and their order contradict each other")
  }
}
