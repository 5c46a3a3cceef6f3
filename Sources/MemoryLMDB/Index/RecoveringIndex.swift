public import EpisodicMemory
import LMDB
import Logging
public import Vectors

/// A search index that is silent while it cannot be opened, and comes back by itself; see `TierRecovery`.
public final class RecoveringIndex: SearchIndex {
  private let recovery: TierRecovery<LMDBSearchIndex>

  init(
    at directory: String, clock: any WallClock, logger: Logger,
    open: @escaping @Sendable () throws(LMDBError) -> LMDBSearchIndex
  ) {
    recovery = TierRecovery(directory: directory, clock: clock, logger: logger, open: open)
  }

  public var isAvailable: Bool { recovery.usable() != nil }

  public func words(
    _ request: RecallRequest, also episodes: [Int64], in snapshot: any PrimarySnapshot, catchesUp: Bool
  ) throws(MemoryError) -> IndexAnswer<[Candidates.Words]> {
    try recovery.usable()?.words(request, also: episodes, in: snapshot, catchesUp: catchesUp) ?? .silent
  }

  public func neighbors(
    _ query: VectorQuery, in space: EmbeddingSpace, _ request: RecallRequest, in snapshot: any PrimarySnapshot,
    catchesUp: Bool
  ) throws(MemoryError) -> IndexAnswer<[Neighbor]> {
    try recovery.usable()?.neighbors(query, in: space, request, in: snapshot, catchesUp: catchesUp) ?? .silent
  }

  public func advance(in snapshot: any PrimarySnapshot) throws(MemoryError) -> IndexProgress {
    try recovery.usable()?.advance(in: snapshot) ?? .unavailable
  }

  public func maintain(while isWanted: () -> Bool) -> Bool { recovery.usable()?.maintain(while: isWanted) ?? false }

  public func removeAll() -> Bool { recovery.usable()?.removeAll() ?? true }

  public func statistics() -> IndexStatistics {
    if let index = recovery.usable() { return index.statistics() }
    let outage = recovery.outage
    var statistics = IndexStatistics(unavailable: outage?.reason ?? "it is being opened")
    statistics.unavailableSince = outage?.since
    statistics.nextAttempt = outage?.nextAttempt
    return statistics
  }

  public func check(
    against primary: any PrimaryStore, busyTimeout: Duration
  ) async throws(MemoryError) -> [Check] {
    try await recovery.usable()?.check(against: primary, busyTimeout: busyTimeout) ?? []
  }

  public func close() { recovery.close() }

  /// Removes its files, for the room that they take on a full disk; it comes back after a minute or more.
  ///
  /// - Returns: Bytes that the files took.
  @discardableResult
  public func giveWay() -> Int64 { recovery.giveWay() }
}

extension LMDBSearchIndex: RecoverableTier {
  static let name = "search index"
  static let consequence = "the primary searches alone"
  var loss: String? { condition.isUsable ? nil : condition.loss }
}
