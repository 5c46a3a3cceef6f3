package import EpisodicMemory
import LMDB
import Logging

/// A search index that is silent while it cannot be opened, and comes back by itself; see `TierRecovery`.
package final class RecoveringIndex: SearchIndex {
  private let recovery: TierRecovery<LMDBSearchIndex>

  init(
    at directory: String, clock: any WallClock, logger: Logger,
    open: @escaping @Sendable () throws(LMDBError) -> LMDBSearchIndex
  ) {
    recovery = TierRecovery(directory: directory, clock: clock, logger: logger, open: open)
  }

  package var isAvailable: Bool { recovery.usable() != nil }

  package func candidates(
    for request: RecallRequest, near query: SpaceQuery?, in source: any IndexSource, catchesUp: Bool
  ) throws(MemoryError) -> IndexAnswer<IndexCandidates> {
    try recovery.usable()?.candidates(for: request, near: query, in: source, catchesUp: catchesUp) ?? .silent
  }

  package func advance(in source: any IndexSource) throws(MemoryError) -> IndexProgress {
    try recovery.usable()?.advance(in: source) ?? .unavailable
  }

  package func maintain(while isWanted: () -> Bool) -> Bool { recovery.usable()?.maintain(while: isWanted) ?? false }

  package func removeAll() -> Bool { recovery.usable()?.removeAll() ?? true }

  package func statistics() -> IndexStatistics {
    if let index = recovery.usable() { return index.statistics() }
    let outage = recovery.outage
    var statistics = IndexStatistics(unavailable: outage?.reason ?? "it is being opened")
    statistics.unavailableSince = outage?.since
    statistics.nextAttempt = outage?.nextAttempt
    return statistics
  }

  package func check(in source: any IndexSource) throws(MemoryError) -> [MemoryCheck]? {
    try recovery.usable()?.check(in: source)
  }

  package func close() { recovery.close() }

  /// Removes its files, for the room that they take on a full disk; it comes back after a minute or more.
  ///
  /// - Returns: Bytes that the files took.
  @discardableResult
  package func giveWay() -> Int64 { recovery.giveWay() }
}

extension LMDBSearchIndex: RecoverableTier {
  static let name = "search index"
  static let consequence = "the primary searches alone"
  var loss: String? { condition.isUsable ? nil : condition.loss }
}
