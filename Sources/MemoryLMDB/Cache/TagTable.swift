import ByteCoding
import LMDB

/// The database `tags`: which revision last changed what cached values depend on.
///
/// Keys are hashes of tags; a value is the revision Int64 and its seal UInt64, little-endian. Key 0 holds the floor: a
/// tag that is not in the table last changed no later than that.
struct TagTable: Sendable {
  static let floor: UInt64 = 0

  let database: Database
  let epoch: UInt64
  /// Beyond this many tags the older half goes. A tag takes about 40 bytes.
  let maximumCount: Int

  /// When a tag last changed; the floor for one that is not in the table, and never for a table that was not begun.
  func lastChange(
    of tag: UInt64, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> Int64 {
    if let record = try transaction.get(tag, in: database) { return try revision(in: record, of: tag) }
    return tag == Self.floor ? .max : try lastChange(of: Self.floor, in: transaction)
  }

  /// Begins the table anew: everything may have changed up to `revision`.
  func begin(at revision: Int64, in transaction: inout WriteTransaction) throws(LMDBError) {
    try transaction.removeAll(in: database)
    try transaction.put(record(revision, of: Self.floor).span.bytes, for: Self.floor, in: database)
  }

  /// Notes changes; a revision that is older than the one noted already changes nothing.
  ///
  /// - Parameter changes: Revision of the last change by tag.
  func note(_ changes: [UInt64: Int64], in transaction: inout WriteTransaction) throws(LMDBError) {
    // In the order of the keys, so that tags which share a page find it at hand.
    for (tag, revision) in changes.sorted(by: { $0.key < $1.key }) {
      if let record = try transaction.get(tag, in: database), try self.revision(in: record, of: tag) >= revision {
        continue
      }
      try transaction.put(record(revision, of: tag).span.bytes, for: tag, in: database)
    }
    if try transaction.count(in: database) > maximumCount { try dropOlderHalf(in: &transaction) }
  }

  /// Forgets the tags that changed longest ago, and raises the floor to the last change among them.
  ///
  /// Writes the others into an emptied table, in order: several times faster than deleting here and there.
  private func dropOlderHalf(in transaction: inout WriteTransaction) throws(LMDBError) {
    let tags = try all(in: transaction)
    let floor = tags.map(\.revision).sorted()[tags.count / 2]
    try begin(at: floor, in: &transaction)
    for (tag, revision) in tags where tag != Self.floor && revision > floor {
      try transaction.append(record(revision, of: tag).span.bytes, for: tag, in: database)
    }
  }

  private func all(
    in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> [(tag: UInt64, revision: Int64)] {
    var tags: [(tag: UInt64, revision: Int64)] = []
    tags.reserveCapacity(try transaction.count(in: database))
    var cursor = try transaction.cursor(in: database)
    while let entry = try cursor.next() {
      guard let tag = entry.integerKey else { throw Self.damaged }
      tags.append((tag, try revision(in: entry.value, of: tag)))
    }
    return tags
  }

  /// In place: a table that is written anew has tens of thousands of them.
  private func record(_ revision: Int64, of tag: UInt64) -> InlineArray<2, UInt64> {
    [UInt64(bitPattern: revision).littleEndian, seal(revision, tag).littleEndian]
  }

  private func revision(in record: RawSpan, of tag: UInt64) throws(LMDBError) -> Int64 {
    let revision = record.withUnsafeBytes { bytes -> Int64? in
      guard bytes.count == 16 else { return nil }
      let revision = bytes.integer(at: 0, as: Int64.self)
      let seal = bytes.integer(at: 8, as: UInt64.self)
      return seal == self.seal(revision, tag) ? revision : nil
    }
    guard let revision else { throw Self.damaged }
    return revision
  }

  private func seal(_ revision: Int64, _ tag: UInt64) -> UInt64 {
    Checksum.of(UInt64(bitPattern: revision), seed: tag ^ epoch)
  }

  private static var damaged: LMDBError { LMDBError(.damaged, message: "a row of the cache's tags is damaged") }
}
