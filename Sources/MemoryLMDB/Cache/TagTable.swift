import ByteCoding
import EpisodicMemory
import LMDB

/// The database `tags`: the revision that last changed each set of episodes on which cached query results depend.
///
/// Keys are hashes of `CacheTag`s; a value is the revision Int64 and its checksum UInt64, little-endian. Key 0 holds the
/// floor: a tag that is not in the table last changed at that revision or before.
struct TagTable: Sendable {
  static let floor: UInt64 = 0

  let database: Database
  let generation: UInt64
  /// Above this number of tags the older half is removed. A tag takes about 40 bytes.
  let maximumCount: Int

  /// When a tag last changed; the floor for one that is not in the table, `.max` for a table without a floor.
  func lastChange(
    of tag: UInt64, in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> Int64 {
    if let record = try transaction.get(tag, in: database) { return try revision(in: record, of: tag) }
    return tag == Self.floor ? .max : try lastChange(of: Self.floor, in: transaction)
  }

  /// Empties the table: everything may have changed up to `revision`.
  func reset(to revision: Int64, in transaction: inout WriteTransaction) throws(LMDBError) {
    try transaction.removeAll(in: database)
    try transaction.put(record(revision, of: Self.floor).span.bytes, for: Self.floor, in: database)
  }

  /// Records changes; a revision older than the recorded one changes nothing.
  ///
  /// - Parameter changes: Revision of the last change by tag.
  func record(_ changes: [UInt64: Int64], in transaction: inout WriteTransaction) throws(LMDBError) {
    // In the order of the keys, so that tags on one page are written together.
    for (tag, revision) in changes.sorted(by: { $0.key < $1.key }) {
      if let record = try transaction.get(tag, in: database), try self.revision(in: record, of: tag) >= revision {
        continue
      }
      try transaction.put(record(revision, of: tag).span.bytes, for: tag, in: database)
    }
    if try transaction.count(in: database) > maximumCount { try removeOlderHalf(in: &transaction) }
  }

  /// Removes the tags that changed longest ago, and raises the floor to the last change among them.
  ///
  /// Writes the others into the emptied table, in order: several times faster than deleting in random places.
  private func removeOlderHalf(in transaction: inout WriteTransaction) throws(LMDBError) {
    let tags = try all(in: transaction)
    let floor = tags.map(\.revision).sorted()[tags.count / 2]
    try reset(to: floor, in: &transaction)
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

  /// Not an array: a table is rewritten with tens of thousands of them.
  private func record(_ revision: Int64, of tag: UInt64) -> InlineArray<2, UInt64> {
    [UInt64(bitPattern: revision).littleEndian, checksum(revision, tag).littleEndian]
  }

  private func revision(in record: RawSpan, of tag: UInt64) throws(LMDBError) -> Int64 {
    let revision = record.withUnsafeBytes { bytes -> Int64? in
      guard bytes.count == 16 else { return nil }
      let revision: Int64 = bytes.integer(at: 0)
      return bytes.integer(at: 8) == checksum(revision, tag) ? revision : nil
    }
    guard let revision else { throw Self.damaged }
    return revision
  }

  private func checksum(_ revision: Int64, _ tag: UInt64) -> UInt64 {
    Checksum.of(UInt64(bitPattern: revision), seed: tag ^ generation)
  }

  private static var damaged: LMDBError { LMDBError(.damaged, message: "a row of the cache's tags is damaged") }
}

/// What a section of the change feed invalidates: each key and each tag once, however often it changed.
struct Invalidation {
  /// Hashes of the keys whose own subject changed.
  private(set) var keys: Set<UInt64> = []
  /// Revision of the last change, by the tag's hash.
  private(set) var tags: [UInt64: Int64] = [:]
  /// Whether an episode changed whose domain is not known: every entry is invalid.
  private(set) var isUnbounded = false

  init(_ changes: [Change]) {
    for change in changes {
      switch change.subject {
      case .episode:
        keys.insert(CacheKey(.episode, change.key).hash)
        addTags(of: change)
        if change.domain == nil { isUnbounded = true }
      case .pattern: keys.insert(CacheKey(.pattern, change.key).hash)
      // An embedding without a domain is that of a deleted episode, whose own change has the domain.
      case .embedding: addTags(of: change)
      }
    }
  }

  private mutating func addTags(of change: Change) {
    for includingActive in change.finished ? [true, false] : [true] {
      add(.everything(includingActive: includingActive), change.revision)
      if let domain = change.domain { add(.domain(domain, includingActive: includingActive), change.revision) }
    }
  }

  private mutating func add(_ tag: CacheTag, _ revision: Int64) {
    let hash = tag.hash
    tags[hash] = max(tags[hash] ?? .min, revision)
  }
}
