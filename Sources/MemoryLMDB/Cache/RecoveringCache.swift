public import EpisodicMemory
import LMDB
import Logging
import Synchronization

/// A cache that misses while it cannot be opened, and comes back by itself; see `TierRecovery`.
///
/// On the way to a hit it costs one atomic load.
public final class RecoveringCache: Cache {
  private let recovery: TierRecovery<LMDBCache>
  private let place: CachePlace

  init(
    at directory: String, clock: any WallClock, logger: Logger,
    open: @escaping @Sendable () throws(LMDBError) -> LMDBCache
  ) {
    let place = CachePlace()
    self.place = place
    recovery = TierRecovery(
      directory: directory, clock: clock, logger: logger, didOpen: { place.take($0) }, open: open)
  }

  public var isAvailable: Bool {
    if let cache = place.opened, cache.isAvailable { return true }
    return recovery.usable() != nil
  }

  public func watermark() -> Watermark? { place.opened?.watermark() }

  public func apply(_ batch: ChangeBatch, stamp: CommitStamp, waits: Bool) -> CatchUp {
    guard let cache = place.opened else { return .unavailable }
    let outcome = cache.apply(batch, stamp: stamp, waits: waits)
    if case .applied = outcome, batch.isComplete { place.serve(cache) }
    return outcome
  }

  public func find(_ key: CacheKey, _ freshness: Freshness) -> Finding {
    if let finding = place.withServing({ $0.find(key, freshness) }) { return finding }
    guard place.opened != nil, case .at = freshness else { return .miss }
    return .behind
  }

  @discardableResult
  public func fill(_ fills: [CacheFill], asOf: Watermark, waits: Bool) -> Bool {
    place.opened?.fill(fills, asOf: asOf, waits: waits) ?? true
  }

  public func reject(_ key: CacheKey) { place.opened?.reject(key) }

  @discardableResult
  public func removeAll() -> Bool { place.opened?.removeAll() ?? true }

  public func statistics() -> CacheStatistics {
    // A use like any other: looking at it has it opened, too.
    if let cache = recovery.usable() { return cache.statistics() }
    let outage = recovery.outage
    var statistics = CacheStatistics(unavailable: outage?.reason ?? "it is being opened")
    statistics.unavailableSince = outage?.since
    statistics.nextAttempt = outage?.nextAttempt
    return statistics
  }

  package func check(against primary: any PrimaryStore) async -> [Check] {
    await place.opened?.check(against: primary) ?? []
  }

  public func close() { recovery.close() }

  /// Removes its files, for the room that they take on a full disk; it comes back after a minute or more.
  ///
  /// - Returns: Bytes that the files took.
  @discardableResult
  public func giveWay() -> Int64 { recovery.giveWay() }
}

extension LMDBCache: RecoverableTier {
  static let name = "cache"
  static let consequence = "reads go to the primary"
  var loss: String? { condition.isUsable ? nil : condition.loss }
}

/// Where the cache stands that is open now, found without a lock.
private final class CachePlace: Sendable {
  /// The one that was opened last, and the same as soon as it may serve.
  private let openedBits = Atomic<UInt>(0)
  private let servingBits = Atomic<UInt>(0)
  /// All that were opened: a reader may still be inside one that was lost, and counting readers would cost each hit more than the
  /// few kilobytes of a closed cache. At most one is added a minute, see `Outage`.
  private let kept = Mutex<[LMDBCache]>([])

  /// The first serves at once: nobody asks it before it was compared with the primary, see `FreshnessGate`. A later one may
  /// hold what was true before this process opened the store, and its reader asks on: it serves once it has caught up.
  func take(_ cache: LMDBCache) {
    let isFirst = kept.withLock { kept in
      kept.append(cache)
      return kept.count == 1
    }
    let bits = Self.bits(of: cache)
    servingBits.store(isFirst ? bits : 0, ordering: .releasing)
    openedBits.store(bits, ordering: .releasing)
  }

  var opened: LMDBCache? {
    Self.reference(openedBits.load(ordering: .acquiring))?.takeUnretainedValue()
  }

  func serve(_ cache: LMDBCache) {
    let bits = Self.bits(of: cache)
    guard servingBits.load(ordering: .relaxed) != bits, openedBits.load(ordering: .relaxed) == bits else { return }
    servingBits.store(bits, ordering: .releasing)
  }

  @inline(__always)
  func withServing<Result>(_ body: (LMDBCache) -> Result) -> Result? {
    // `kept` holds it.
    Self.reference(servingBits.load(ordering: .acquiring))?._withUnsafeGuaranteedRef(body)
  }

  private static func bits(of cache: LMDBCache) -> UInt {
    UInt(bitPattern: Unmanaged.passUnretained(cache).toOpaque())
  }

  @inline(__always)
  private static func reference(_ bits: UInt) -> Unmanaged<LMDBCache>? {
    UnsafeRawPointer(bitPattern: bits).map { Unmanaged.fromOpaque($0) }
  }
}
