import Foundation

/// Lets one process at a time close its last connection to a database.
///
/// Of two that close at the same moment, SQLite would let neither be the last one, and the log would stay. The lock is on the
/// directory, so it needs no file, and is held for the time of a close only.
struct ClosingLock {
  let directory: String

  /// Runs `body` under the lock, or without it if another process keeps it: one that is stopped must not hold this one up,
  /// and a log that stays is as good as one that is moved.
  func withLock<Result>(timeout: Duration, _ body: () throws -> Result) rethrows -> Result {
    let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return try body() }
    // Closing the descriptor releases the lock.
    defer { close(descriptor) }
    let start = DispatchTime.now().uptimeNanoseconds
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK || errno == EINTR,
      DispatchTime.now().uptimeNanoseconds &- start < timeout.nanoseconds
    { usleep(UInt32.random(in: 50...500)) }
    return try body()
  }
}
