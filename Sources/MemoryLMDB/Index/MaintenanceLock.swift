import LMDB
import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The file `maintenance` in an index's directory, locked by whoever merges: one process, and in it one thread.
///
/// Nobody waits for it. A process that is killed lets go of it, and who takes it next clears away what was left half done.
final class MaintenanceLock: Sendable {
  private let descriptor: Int32
  private let isHeld = Mutex(false)

  init(in directory: String) throws(LMDBError) {
    let path = directory + "/maintenance"
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw EpochFile.error("open", path) }
  }

  deinit { close(descriptor) }

  /// - Returns: `nil` where somebody else is at it.
  func withLock<Result>(_ body: () throws(LMDBError) -> Result) throws(LMDBError) -> Result? {
    let isMine = isHeld.withLock { isHeld in
      guard !isHeld, flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return false }
      isHeld = true
      return true
    }
    guard isMine else { return nil }
    defer {
      isHeld.withLock { isHeld in
        // Unlocking an open descriptor cannot fail.
        _ = flock(descriptor, LOCK_UN)
        isHeld = false
      }
    }
    return try body()
  }
}
