import LMDB
import Synchronization

/// The file `maintenance` in an index's directory, locked by whoever merges: one process, and in it one thread.
///
/// Nobody waits for it. A process that is killed lets go of it, and who takes it next clears away what was left half done.
final class MaintenanceLock: Sendable {
  static let name = "maintenance"

  private let file: OpenFile
  private let isHeld = Mutex(false)

  init(in directory: PrivateDirectory) throws(LMDBError) {
    guard let file = try directory.openFile(Self.name, creating: true) else { throw directory.isGone }
    self.file = file
  }

  /// - Returns: `nil` where somebody else is at it.
  func withLock<Result>(_ body: () throws(LMDBError) -> Result) throws(LMDBError) -> Result? {
    let isMine = try isHeld.withLock { isHeld throws(LMDBError) in
      if isHeld { return false }
      guard try file.tryLock(.exclusive) else { return false }
      isHeld = true
      return true
    }
    guard isMine else { return nil }
    defer {
      isHeld.withLock { isHeld in
        file.unlock()
        isHeld = false
      }
    }
    return try body()
  }
}
