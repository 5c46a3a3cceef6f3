import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A lock on an open file or directory that processes hold against each other (`flock`).
///
/// It belongs to the open file: two of one process that opened the file twice exclude each other too, and the kernel releases it
/// when the process dies. Threads that share one value exclude each other only in `withLock` and `withLockIfAvailable`.
package final class FileLock<Failure: FileFailure>: Sendable {
  package enum Mode: Sendable { case shared, exclusive }

  package let file: OpenFile<Failure>
  /// Held by the thread that is inside `withLock`. Its value: whether the last wait timed out.
  private let hasTimedOut = Mutex(false)

  package init(_ file: OpenFile<Failure>) { self.file = file }

  /// On a file in a directory, created if there is none.
  package convenience init(in directory: PrivateDirectory<Failure>, _ name: String) throws(Failure) {
    self.init(try directory.createFile(name))
  }

  /// - Returns: False while others hold it. A lock that was held in another mode is lost then.
  package func tryLock(_ mode: Mode) throws(Failure) -> Bool {
    while flock(file.descriptor, (mode == .shared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0 {
      let number = errno
      if number == EWOULDBLOCK { return false }
      if number != EINTR { throw Failure(FileError(errno: number, "lock", file.path)) }
    }
    return true
  }

  /// - Throws: `FileError.Code.busy` if others hold it until the deadline.
  package func lock(_ mode: Mode, until deadline: Deadline) throws(Failure) {
    guard try deadline.poll({ () throws(Failure) in try tryLock(mode) }) else { throw busy(for: deadline.patience) }
  }

  /// Unlocking an open descriptor cannot fail.
  package func unlock() { _ = flock(file.descriptor, LOCK_UN) }

  /// Runs `body` under the exclusive lock, which also excludes the other threads of this process.
  ///
  /// After a wait that timed out, calls do not wait until the lock has been obtained once: a stopped process costs one timeout,
  /// not one a call.
  ///
  /// - Parameter timeout: Of the wait for other processes; threads of this one are waited for without a bound.
  /// - Throws: `FileError.Code.busy` after the timeout; what `body` throws.
  package func withLock<Result>(
    timeout: Duration, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try withLock(timeout: timeout, orThrow: { $0 }, body)
  }

  /// As `withLock(timeout:_:)`, for a body that throws errors of another type.
  ///
  /// - Parameter convert: Converts an error of the lock.
  package func withLock<Result, BodyFailure: Error>(
    timeout: Duration, orThrow convert: (Failure) -> BodyFailure, _ body: () throws(BodyFailure) -> Result
  ) throws(BodyFailure) -> Result {
    try hasTimedOut.withLock { hasTimedOut throws(BodyFailure) in
      do throws(Failure) {
        let deadline = Deadline.after(hasTimedOut ? .zero : timeout)
        hasTimedOut = try !deadline.poll { () throws(Failure) in try tryLock(.exclusive) }
        if hasTimedOut { throw busy(for: timeout) }
      } catch {
        throw convert(error)
      }
      defer { unlock() }
      return try body()
    }
  }

  /// Runs `body` under the exclusive lock, unless another process or thread holds it.
  ///
  /// - Returns: `nil` if it is held.
  package func withLockIfAvailable<Result>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result? {
    let result = try hasTimedOut.withLockIfAvailable { hasTimedOut throws(Failure) -> Result? in
      guard try tryLock(.exclusive) else { return nil }
      hasTimedOut = false
      defer { unlock() }
      return try body()
    }
    return result ?? nil
  }

  private func busy(for patience: Duration) -> Failure {
    Failure(
      FileError(
        .busy, "another process has kept \(file.path) locked for \(patience); look for one that is stopped"))
  }
}
