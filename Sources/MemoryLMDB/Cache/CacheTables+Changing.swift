import EpisodicMemory
import LMDB

extension CacheTables {
  /// Adds an entry behind the others; none of its key may be there.
  ///
  /// - Parameter area: `window` or `main`.
  func append(
    _ entry: inout [UInt8], hash: UInt64, kind: CacheKey.Kind, deadline: Int64, to area: Database,
    tallies: inout Tallies, in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    var sequence = tallies.nextSequence
    // The end of a fill's number comes round, and where everything has the latest deadline there is so much of it.
    while sequence < .max, try transaction.get(Self.deadlineKey(deadline, sequence), in: deadlines) != nil {
      sequence += 1
    }
    guard sequence < .max else { throw Self.contradiction }
    tallies.nextSequence = sequence + 1
    CacheEntry.seal(&entry, sequence: sequence, keyHash: hash, epoch: epoch)
    let row = OrderRow(
      keyHash: hash, deadline: deadline, cost: UInt32(clamping: cost(valueBytes: entry.count)), kind: kind)
    try insert(row, at: sequence, into: area, tallies: &tallies, in: &transaction)
    try transaction.put(Self.value(hash).span.bytes, for: Self.deadlineKey(deadline, sequence), in: deadlines)
    try transaction.put(entry.span.bytes, for: hash, in: entries)
    tallies[kind].fills &+= 1
    tallies[kind].entries &+= 1
    tallies[kind].bytes &+= Int(row.cost)
  }

  /// Moves an entry from the window into the main area; it keeps its number.
  func promote(
    _ row: OrderRow, at sequence: UInt64, tallies: inout Tallies, in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    try delete(row, at: sequence, from: window, tallies: &tallies, in: &transaction)
    try insert(row, at: sequence, into: main, tallies: &tallies, in: &transaction)
  }

  private func insert(
    _ row: OrderRow, at sequence: UInt64, into area: Database, tallies: inout Tallies,
    in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    try transaction.put(row.bytes.span.bytes, for: sequence, in: area)
    guard area == window else { return }
    tallies.windowBytes &+= Int(row.cost)
    tallies.windowEntries &+= 1
  }

  private func delete(
    _ row: OrderRow, at sequence: UInt64, from area: Database, tallies: inout Tallies,
    in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    guard try transaction.delete(sequence, in: area) else { throw Self.contradiction }
    guard area == window else { return }
    tallies.windowBytes &-= Int(row.cost)
    tallies.windowEntries &-= 1
  }

  /// Removes the entry of a key, if there is one.
  ///
  /// - Throws: `.damaged` where the entry and the tables contradict each other.
  func remove(_ hash: UInt64, tallies: inout Tallies, in transaction: inout WriteTransaction) throws(LMDBError) {
    guard let (row, sequence, area) = try row(ofEntry: hash, in: transaction) else { return }
    try remove(row, at: sequence, from: area, tallies: &tallies, in: &transaction)
  }

  private func row(
    ofEntry hash: UInt64, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> (row: OrderRow, sequence: UInt64, area: Database)? {
    guard let value = try transaction.get(hash, in: entries) else { return nil }
    guard let sequence = value.withUnsafeBytes({ CacheEntry($0)?.sequence }) else { throw Self.contradiction }
    for area in [window, main] {
      guard let bytes = try transaction.get(sequence, in: area) else { continue }
      let row = try OrderRow(bytes)
      guard row.keyHash == hash else { break }
      return (row, sequence, area)
    }
    throw Self.contradiction
  }

  /// Removes an entry by its row.
  func remove(
    _ row: OrderRow, at sequence: UInt64, from area: Database, tallies: inout Tallies,
    in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    try delete(row, at: sequence, from: area, tallies: &tallies, in: &transaction)
    guard try transaction.delete(row.keyHash, in: entries),
      try transaction.delete(Self.deadlineKey(row.deadline, sequence), in: deadlines)
    else { throw Self.contradiction }
    tallies[row.kind].entries &-= 1
    tallies[row.kind].bytes &-= Int(row.cost)
  }

  /// Removes expired entries, those first that expired first, but at most `limit`.
  func dropExpired(
    limit: Int, now: Timestamp, tallies: inout Tallies, in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    for _ in 0..<limit {
      guard let hash = try firstExpired(by: now, in: transaction) else { return }
      try remove(hash, tallies: &tallies, in: &transaction)
    }
  }

  /// The key's hash of the entry that expired first.
  private func firstExpired(
    by now: Timestamp, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> UInt64? {
    var cursor = try transaction.cursor(in: deadlines)
    guard let first = try cursor.first() else { return nil }
    guard let key = first.integerKey, let hash = Self.hash(in: first.value) else { throw Self.contradiction }
    return Self.deadline(ofKey: key) <= now.milliseconds ? hash : nil
  }

  /// Removes every entry, and keeps what is known of the primary.
  func removeEntries(tallies: inout Tallies, in transaction: inout WriteTransaction) throws(LMDBError) {
    for database in [entries, window, main, deadlines] { try transaction.removeAll(in: database) }
    tallies.forgetEntries()
  }

  // MARK: The table of deadlines

  // Keys are milliseconds since 1970 in the upper 43 bits, which last until the year 2248, and the end of the fill's
  // number in the others, so that entries of one millisecond are several; a value is the hash of the entry's key.

  private static let sequenceBits: UInt64 = 21

  /// The latest deadline there can be.
  static let latestDeadline = Int64(1) << 43 - 1

  static func deadlineKey(_ deadline: Int64, _ sequence: UInt64) -> UInt64 {
    UInt64(clamping: min(deadline, latestDeadline)) << sequenceBits | sequence & (1 << sequenceBits - 1)
  }

  static func deadline(ofKey key: UInt64) -> Int64 { Int64(key >> sequenceBits) }

  private static func value(_ hash: UInt64) -> InlineArray<1, UInt64> { [hash.littleEndian] }

  static func hash(in value: RawSpan) -> UInt64? {
    value.withUnsafeBytes { $0.count == 8 ? UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) : nil }
  }
}
