import Dispatch
import GRDB
import Synchronization

/// What is given up for room on a full disk before a write is refused: the files that are derived from the primary.
final class FullDiskRelief: Sendable {
  private let makeRoom = Mutex<(@Sendable () -> Void)?>(nil)

  func set(_ makeRoom: @escaping @Sendable () -> Void) { self.makeRoom.withLock { $0 = makeRoom } }

  /// Writes; where the disk is full, makes room and writes once more. Of several writes that meet a full disk at once, all are
  /// tried again.
  func retrying<Value>(_ write: () async throws -> Value) async throws -> Value {
    do {
      return try await write()
    } catch let error as DatabaseError where Self.tellsOfFullDisk(error) {
      guard let makeRoom = makeRoom.withLock({ $0 }) else { throw error }
      // Closing files takes locks and milliseconds, which are not the caller's thread's.
      await withCheckedContinuation { continuation in
        DispatchQueue.global(qos: .userInitiated).async {
          makeRoom()
          continuation.resume()
        }
      }
      return try await write()
    }
  }

  private static func tellsOfFullDisk(_ error: DatabaseError) -> Bool {
    error.resultCode == .SQLITE_FULL || error.extendedResultCode == .SQLITE_IOERR_SHMSIZE
  }
}

extension SQLitePrimaryStore {
  /// - Parameter makeRoom: Called, on a thread of its own, when a write finds the disk full; the write is tried once more after it.
  public func onFullDisk(_ makeRoom: @escaping @Sendable () -> Void) { fullDisk.set(makeRoom) }
}
