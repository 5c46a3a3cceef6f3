public import EpisodicMemory
import LMDB

extension LMDBCache {
  /// - Complexity: One write transaction, and about a microsecond for every episode that changed.
  public func apply(_ batch: ChangeBatch, stamp: CommitStamp, waits: Bool) -> CatchUp {
    guard isAvailable else { return .unavailable }
    // Of many that catch up at once all but one come too late, so most of them are spared the wait for the lock, too.
    guard watermark() == batch.asked else { return isAvailable ? .overtaken : .unavailable }
    let touched = TouchedTags(batch.changes)
    let outcome = change(
      waits: waits,
      if: { transaction throws(LMDBError) in
        try tables.meta.watermark(epoch: tables.epoch, in: transaction) == batch.asked
      }
    ) { (transaction, tallies) throws(LMDBError) in
      if let watermark = batch.asked, batch.continues, batch.end.revision >= watermark.revision, !touched.isUnbounded {
        for key in touched.keys { try tables.remove(key, tallies: &tallies, in: &transaction) }
        try tables.tags.note(touched.tags, in: &transaction)
      } else {
        try tables.removeEntries(tallies: &tallies, in: &transaction)
        try tables.tags.begin(at: batch.end.revision, in: &transaction)
      }
      // Together with what the changes dropped: a place in the history without that would be a lie to whoever reads next.
      let position = MetaTable.Position(watermark: batch.end, stamp: batch.isComplete ? stamp : nil)
      try tables.meta.put(position, epoch: tables.epoch, in: &transaction)
    }
    return switch outcome {
    case .done: .applied
    case .moot: .overtaken
    case .busy: waits ? .unavailable : .busy
    case .failed: .unavailable
    }
  }
}
