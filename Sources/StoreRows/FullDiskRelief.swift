import Dispatch
import GRDB
import Synchronization

/// Frees space on a disk that is full or below its floor, by deleting the derived files, before a write is refused.
package final class FullDiskRelief: Sendable {
  private let makeRoom = Mutex<(@Sendable () -> Void)?>(nil)
  private let disk: DiskWatch?

  package init(_ disk: DiskWatch?) { self.disk = disk }

  package func set(_ makeRoom: @escaping @Sendable () -> Void) { self.makeRoom.withLock { $0 = makeRoom } }

  /// Calls `write`; if the disk is full, frees space and calls it once more. Concurrent writes that find the disk full
  /// are all retried.
  package func retrying<Value>(_ write: () async throws -> Value) async throws -> Value {
    do {
      return try await write()
    } catch let error as DatabaseError where Self.isFullDisk(error) {
      guard await freeSpace() else { throw error }
      return try await write()
    } catch let error as DiskShortage where error.mayFreeSpace {
      guard await freeSpace() else { throw error }
      do {
        return try await write()
      } catch let error as DiskShortage {
        disk?.giveUp()
        throw error
      }
    }
  }

  /// - Returns: False if there is nothing that could be deleted.
  private func freeSpace() async -> Bool {
    guard let makeRoom = makeRoom.withLock({ $0 }) else { return false }
    // Closing files takes locks and milliseconds: not on the caller's thread.
    await withCheckedContinuation { continuation in
      DispatchQueue.global(qos: .userInitiated).async {
        makeRoom()
        continuation.resume()
      }
    }
    disk?.lookAgain()
    return true
  }

  private static func isFullDisk(_ error: DatabaseError) -> Bool {
    error.resultCode == .SQLITE_FULL || error.extendedResultCode == .SQLITE_IOERR_SHMSIZE
  }
}
