import CachePolicy
public import EpisodicMemory
import LMDB
import Synchronization

extension LMDBCache {
  public func watermark() -> Watermark? {
    guard isAvailable else { return nil }
    do throws(LMDBError) {
      return try tier.read { transaction throws(LMDBError) in
        try tables.meta.watermark(epoch: tables.epoch, in: transaction)
      }
    } catch {
      failed(error)
      return nil
    }
  }

  public func find(_ key: CacheKey, _ freshness: Freshness) -> Finding {
    guard isAvailable else { return .miss }
    let hash = key.hash
    let now = clock.now()
    let counters = counters[key.kind]
    do throws(LMDBError) {
      try tier.checkFiles()
      tables.policy.prefetch(for: hash)
      let found = try tier.environment.read { transaction throws(LMDBError) in
        try look(for: key, hash: hash, freshness, now: now, in: transaction)
      }
      switch found {
      case .value(let value):
        served(hash, counters)
        return .hit(value)
      case .absent:
        served(hash, counters)
        return .absent
      case .behind: return .behind
      // Whoever asks for an older answer and gets none asks again for one of now, which is counted then.
      case _ where freshness.isRelaxed: return .miss
      case .nothing: break
      case .expired: counters.expired.wrappingAdd(1, ordering: .relaxed)
      case .stale: counters.stale.wrappingAdd(1, ordering: .relaxed)
      }
    } catch {
      failed(error)
    }
    counters.misses.wrappingAdd(1, ordering: .relaxed)
    return .miss
  }

  /// Hits that a process may count before it writes them down, where no fill does it: what is lost if it is killed.
  private static let hitsBetweenWrites = 4096

  private func served(_ hash: UInt64, _ counters: Counters.Kind) {
    tables.policy.recordHit(hash)
    let (_, count) = counters.hits.wrappingAdd(1, ordering: .relaxed)
    if count.isMultiple(of: Self.hitsBetweenWrites) { writeDownCounts(waits: false) }
  }

  private enum Found {
    case value(EncodedValue)
    case absent, behind, nothing, expired, stale
  }

  /// Looks an entry up, copies it out and verifies the copy, all in one snapshot: what the cache knows of the primary and
  /// what it holds must be of one moment (I3).
  ///
  /// Copied first, because bytes that come from memory arrive fastest in a plain copy; the checksum then finds them near.
  ///
  /// - Throws: `.damaged` for bytes that were not stored so.
  private func look(
    for key: CacheKey, hash: UInt64, _ freshness: Freshness, now: Timestamp,
    in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> Found {
    if case .at(let stamp) = freshness,
      try !tables.meta.stands(at: stamp, epoch: tables.epoch, in: transaction)
    {
      return .behind
    }
    guard let value = try transaction.get(hash, in: tables.entries) else { return .nothing }
    let copy = value.withUnsafeBytes { [UInt8]($0) }
    return try copy.span.bytes.withUnsafeBytes { bytes throws(LMDBError) in
      guard let entry = CacheEntry(bytes), entry.isIntact(keyHash: hash, epoch: tables.epoch) else {
        throw Self.damage(of: key)
      }
      guard entry.isOf(key) else { return .nothing }
      guard entry.deadline > now.milliseconds else { return .expired }
      switch freshness {
      case .at: guard try tables.isCurrent(entry, in: transaction) else { return .stale }
      case .within(let milliseconds):
        // One of the future is of a clock that was set back since.
        let (age, overflow) = now.milliseconds.subtractingReportingOverflow(entry.filledAt)
        guard !overflow, age >= 0, age <= milliseconds else { return .stale }
      }
      return entry.isAbsent ? .absent : .value(EncodedValue(copy, from: entry.payloadStart))
    }
  }

  public func reject(_ key: CacheKey) {
    guard isAvailable else { return }
    // Left where it is, it is met again.
    change(waits: false) { (transaction, tallies) throws(LMDBError) in
      try tables.remove(key.hash, tallies: &tallies, in: &transaction)
      tallies.failures &+= 1
    }
  }

  /// With the name left out: it is content, and may not leave its domain (I8).
  private static func damage(of key: CacheKey) -> LMDBError {
    LMDBError(.damaged, message: "an entry of kind \(key.kind.name) is damaged")
  }
}

extension Freshness {
  fileprivate var isRelaxed: Bool { if case .within = self { true } else { false } }
}
