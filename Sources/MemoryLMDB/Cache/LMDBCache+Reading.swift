public import EpisodicMemory
import LMDB
import Synchronization

extension LMDBCache {
  public func watermark() -> Watermark? {
    guard isAvailable else { return nil }
    do throws(LMDBError) {
      return try tier.environment.read { transaction throws(LMDBError) in
        try tables.meta.watermark(epoch: tables.epoch, in: transaction)
      }
    } catch {
      failed(error)
      return nil
    }
  }

  public func value<Value: Cacheable>(_ key: CacheKey, as type: Value.Type) -> Value? {
    guard isAvailable else { return nil }
    let now = clock.now()
    let counters = counters[key.kind]
    var value: Value?
    do throws(LMDBError) {
      let finding = try tier.environment.read { transaction throws(LMDBError) in
        try find(key, now: now, in: transaction, &value)
      }
      switch finding {
      case .hit:
        counters.hits.wrappingAdd(1, ordering: .relaxed)
        return value
      case .nothing: break
      case .expired: counters.expired.wrappingAdd(1, ordering: .relaxed)
      case .stale: counters.stale.wrappingAdd(1, ordering: .relaxed)
      }
    } catch {
      failed(error)
    }
    counters.misses.wrappingAdd(1, ordering: .relaxed)
    return nil
  }

  private enum Finding {
    case hit, nothing, expired, stale
  }

  /// Looks an entry up, verifies it and decodes it, in place and in one snapshot.
  ///
  /// - Parameter found: What a hit decodes; a generic result would cost as much as finding it.
  /// - Throws: `.damaged` for bytes that were not stored so.
  private func find<Value: Cacheable>(
    _ key: CacheKey, now: Timestamp, in transaction: borrowing some Transaction & ~Copyable, _ found: inout Value?
  ) throws(LMDBError) -> Finding {
    let hash = key.hash
    guard let value = try transaction.get(hash, in: tables.entries) else { return .nothing }
    return try value.withUnsafeBytes { bytes throws(LMDBError) in
      guard let entry = CacheEntry(bytes), entry.isIntact(keyHash: hash, epoch: tables.epoch) else {
        throw Self.damage(of: key)
      }
      guard entry.isOf(key) else { return .nothing }
      guard entry.deadline > now.milliseconds else { return .expired }
      guard try tables.isCurrent(entry, in: transaction) else { return .stale }
      var reader = ByteReader(entry.payload)
      guard let value = try? Value(from: &reader), reader.isAtEnd else { throw Self.damage(of: key) }
      found = value
      return .hit
    }
  }

  /// With the name left out: it is content, and may not leave its domain (I8).
  private static func damage(of key: CacheKey) -> LMDBError {
    LMDBError(.damaged, message: "an entry of kind \(key.kind.name) is damaged")
  }
}
