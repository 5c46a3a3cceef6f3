import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The lock that every write transaction and every checkpoint holds, across processes.
///
/// SQLite before 3.51.3 can corrupt a database when two connections write and checkpoint at the same moment; with one
/// at a time it cannot. The lock is a file of its own, because opening the database file behind SQLite's back drops
/// SQLite's locks (I5). It belongs to the open file: the kernel releases it when the process dies.
final class CommitLock: Sendable {
  private let path: String
  private let descriptor: Int32
  private let timeoutMilliseconds: Int

  init(path: String, timeoutMilliseconds: Int) throws {
    self.path = path
    self.timeoutMilliseconds = timeoutMilliseconds
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw StorageError.lastSystemError("opening", path) }
  }

  deinit { close(descriptor) }

  /// Runs `body` while no other process or connection writes or checkpoints.
  ///
  /// - Throws: `StorageError.locked` after the timeout; what `body` throws.
  func withLock<Result>(_ body: () throws -> Result) throws -> Result {
    try acquire()
    // Unlocking an open descriptor cannot fail.
    defer { _ = flock(descriptor, LOCK_UN) }
    return try body()
  }

  // Waiting is polled, since flock has no timeout and a stopped process must not hang the others for ever. Random pauses
  // let every waiter have its turn.
  private func acquire() throws {
    let start = DispatchTime.now().uptimeNanoseconds
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      guard errno == EWOULDBLOCK || errno == EINTR else { throw StorageError.lastSystemError("locking", path) }
      let waited = Int((DispatchTime.now().uptimeNanoseconds - start) / 1_000_000)
      guard waited < timeoutMilliseconds else { throw StorageError.locked(path: path, milliseconds: waited) }
      usleep(UInt32.random(in: 20...(waited < 5 ? 100 : 1000)))
    }
  }
}

extension StorageError {
  static func lastSystemError(_ operation: String, _ path: String) -> StorageError {
    let code = errno
    return .system(path: path, operation: operation, errno: code, reason: String(cString: strerror(code)))
  }
}
