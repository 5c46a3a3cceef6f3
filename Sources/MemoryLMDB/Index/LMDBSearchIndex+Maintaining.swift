import EpisodicMemory
import FileLocks
import LMDB
import WordIndex

extension LMDBSearchIndex {
  /// - Returns: Whether there is more to do; false, too, where another process is at it.
  public func maintain(while isWanted: () -> Bool) -> Bool {
    guard isAvailable, condition.mayWrite(at: clock.now()) else { return false }
    do throws(LMDBError) {
      return try maintenance.withLockIfAvailable { () throws(LMDBError) in
        // Those of dead processes would keep pages from being used again.
        try tier.checkFiles()
        try tier.environment.checkReaders()
        let hasMoreVectors = try tier.write { transaction throws(LMDBError) in try vectors.compact(in: &transaction) }
        try words.removeAbandoned { body throws(LMDBError) in try tier.write(body) }
        let plan = try tier.read { transaction throws(LMDBError) in
          try words.dueMerge(in: transaction)
        }
        guard let plan else { return hasMoreVectors }
        try words.merge(
          plan,
          read: { body throws(LMDBError) in
            guard isWanted() else { throw Self.unwanted }
            try tier.read(body)
            mappedPages.touch(Self.mappedBytesOfAPiece)
          },
          write: { body throws(LMDBError) in
            try tier.write(body)
            mappedPages.touch(Self.mappedBytesOfAPiece)
          })
        return true
      } ?? false
    } catch let error where error.code == .busy || error.code == Self.unwanted.code {
      return false
    } catch {
      if error.code == .damaged { failed(error) } else { couldNotWrite(error) }
      return false
    }
  }

  /// Measured at 3 MiB: the kernel maps 16 pages for each one that is read, and a piece reads in several places.
  private static let mappedBytesOfAPiece = 8 * InvertedIndex.pieceBytes

  /// Ends a merge that nobody waits for any more.
  private static let unwanted = LMDBError(LMDBError.Code(rawValue: "unwanted"), message: "the merge was called off")
}
