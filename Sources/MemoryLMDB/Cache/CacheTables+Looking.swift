import EpisodicMemory
import LMDB

extension CacheTables {
  /// What becomes of a value that wants to be kept.
  enum Verdict {
    /// It may be kept; the tags it depends on changed last at that revision.
    case welcome(lastChange: Int64)
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
      asOf.revision < watermark.revision || asOf == watermark
    else { return .refused }
    var lastChange = try self.tags.lastChange(of: TagTable.floor, in: transaction)
    for tag in tags { lastChange = max(lastChange, try self.tags.lastChange(of: tag, in: transaction)) }
    guard lastChange <= asOf.revision else { return .refused }
    guard let existing = try transaction.get(hash, in: entries) else { return .welcome(lastChange: lastChange) }
    let found = existing.withUnsafeBytes { bytes -> (revision: Int64, deadline: Int64)? in
      guard let entry = CacheEntry(bytes), entry.isOf(key), entry.isIntact(keyHash: hash, epoch: epoch) else {
        return nil
      }
      return (entry.revision, entry.deadline)
    }
    guard let found else { return .welcome(lastChange: lastChange) }
    if found.revision > asOf.revision { return .refused }
    // Both were read after the last change to their tags, so they are one value.
    if found.deadline > now.milliseconds, found.revision >= lastChange { return .present }
    return .welcome(lastChange: lastChange)
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
}
