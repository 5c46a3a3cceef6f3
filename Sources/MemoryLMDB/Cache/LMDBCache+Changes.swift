public import EpisodicMemory
import LMDB

extension LMDBCache {
  /// - Complexity: One write transaction, and about a microsecond for every episode that changed; a batch without a
  ///   change costs a read.
  public func apply(_ batch: ChangeBatch) -> CatchUp {
    guard isAvailable else { return .unavailable }
    if batch.continues, batch.changes.isEmpty, batch.end == batch.asked {
      return watermark() == batch.asked ? .applied : .overtaken
    }
    let touched = TouchedTags(batch.changes)
    let outcome = change { (transaction, tallies) throws(LMDBError) -> CatchUp in
      let watermark = try tables.meta.watermark(epoch: tables.epoch, in: transaction)
      guard watermark == batch.asked else { return .overtaken }
      if let watermark, batch.continues, batch.end.revision >= watermark.revision, !touched.isUnbounded {
        for key in touched.keys { try tables.remove(key, tallies: &tallies, in: &transaction) }
        try tables.tags.note(touched.tags, in: &transaction)
      } else {
        try tables.removeEntries(tallies: &tallies, in: &transaction)
        try tables.tags.begin(at: batch.end.revision, in: &transaction)
      }
      try tables.meta.put(batch.end, epoch: tables.epoch, in: &transaction)
      return .applied
    }
    return outcome ?? .unavailable
  }
}
