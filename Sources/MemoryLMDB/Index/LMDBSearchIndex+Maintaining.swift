import EpisodicMemory
import FileLocks
import LMDB
import Synchronization
import VectorIndex
import WordIndex

extension LMDBSearchIndex {
  /// - Returns: Whether there is more to do; false, too, if another process or thread maintains the index.
  package func maintain(while isWanted: () -> Bool) -> Bool {
    guard isAvailable, state.mayWrite(at: clock.now()) else { return false }
    do throws(LMDBError) {
      return try maintenance.withLockIfAvailable { () throws(LMDBError) in
        // Readers of dead processes pin pages.
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
            mappedPages.count(Self.mappedBytesOfAPiece)
          },
          write: { body throws(LMDBError) in
            try tier.write(body)
            mappedPages.count(Self.mappedBytesOfAPiece)
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

  /// Ends a merge after `isWanted` returned false.
  private static let unwanted = LMDBError(LMDBError.Code(rawValue: "unwanted"), message: "the merge was cancelled")
}

/// Releases the pages of the map after every 8 MiB that a build or merge reads or writes, so that they do not count as this
/// process's memory.
final class MappedPages: Sendable {
  /// The kernel maps 16 pages around each one that is read.
  static let bytesPerFault = 64 << 10

  private static let maximum = 8 << 20

  private let environment: Environment
  private let bytes = Atomic(0)

  init(of environment: Environment) { self.environment = environment }

  /// Counts bytes that were read from the map or written to the file.
  func count(_ bytes: Int) {
    guard self.bytes.wrappingAdd(bytes, ordering: .relaxed).newValue > Self.maximum else { return }
    self.bytes.store(0, ordering: .relaxed)
    // A later read finds the pages in the page cache. A closed environment has no map.
    try? environment.releaseMappedPages()
  }
}
