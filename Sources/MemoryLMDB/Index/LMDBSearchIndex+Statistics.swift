public import EpisodicMemory
import LMDB
import WordIndex

extension LMDBSearchIndex {
  public func statistics() -> IndexStatistics {
    guard isAvailable else { return IndexStatistics(unavailable: "it is closed or damaged") }
    do throws(LMDBError) {
      let file = try tier.environment.statistics()
      return try tier.read { transaction throws(LMDBError) in
        var statistics = IndexStatistics()
        let outage = condition.writeOutage
        statistics.notWritable = outage?.reason
        statistics.notWritableSince = outage?.since
        if case .following(let watermark, _) = try tier.meta.indexPosition(epoch: tier.epoch, in: transaction) {
          statistics.isBuilt = true
          statistics.watermark = watermark
        }
        for space in try vectors.spaces(in: transaction) {
          let layout = SlabLayout(dimensions: space.dimensions)
          statistics.vectors += space.alive
          statistics.vectorBytes += space.encoded().count
          statistics.vectorBytes += space.slabs.reduce(space.tailCount) { $0 + $1.count } * layout.bytesPerVector
        }
        let words = try words.statistics(in: transaction)
        statistics.documents = words.parents + words.children
        statistics.wordBytes = Int(clamping: words.bytes)
        statistics.fileBytes = Int64(clamping: file.usedBytes)
        return statistics
      }
    } catch {
      failed(error)
      return IndexStatistics(unavailable: "\(error)")
    }
  }
}
