import EpisodicMemory
import LMDB

extension CacheTables {
  /// What becomes of a value that wants to be kept.
  enum Verdict {
    case welcome
    /// It was read from another snapshot than the last one that the cache knows of.
    case refused
    /// The same value is there and can be served.
    case present
  }

  /// A value is kept only if it was read at the very watermark: then no change has overtaken it, it is not ahead of what
  /// a restored backup could come back to, and its history is that of the cache, be it restored under open files (I3).
  ///
  /// - Parameter asOf: The snapshot the value was read from.
  func verdict(
    on key: CacheKey, hash: UInt64, asOf: Watermark, now: Timestamp,
    in transaction: borrowing some Transaction & ~Copyable
  ) throws(LMDBError) -> Verdict {
    guard try meta.watermark(epoch: epoch, in: transaction) == asOf else { return .refused }
    guard let existing = try transaction.get(hash, in: entries) else { return .welcome }
    return try existing.withUnsafeBytes { bytes throws(LMDBError) in
      guard let entry = CacheEntry(bytes), entry.isOf(key), entry.isIntact(keyHash: hash, epoch: epoch),
        entry.deadline > now.milliseconds, try isCurrent(entry, in: transaction)
      else { return .welcome }
      return .present
    }
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
