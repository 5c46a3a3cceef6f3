import Foundation
import Synchronization

/// The lock that every write transaction and every checkpoint holds, across processes.
///
/// SQLite before 3.51.3 can corrupt a database when two connections write and checkpoint at the same moment; with one
/// at a time it cannot. The lock is a file of its own, because opening the database file behind SQLite's back drops
/// SQLite's locks (I5). It belongs to the open file: the kernel releases it when the process dies.
///
/// The file is opened with the first use, so that who only reads never touches it.
final class CommitLock: Sendable {
  private let path: String
  /// Whose rights decide who may hold the lock.
  private let database: String
  private let descriptor = Mutex<Int32?>(nil)

  init(_ files: DatabaseFiles) {
    path = files.lock
    database = files.path
  }

  deinit {
    descriptor.withLock { descriptor in
      if let descriptor { close(descriptor) }
    }
  }

  /// Runs `body` while no other process or connection writes or checkpoints.
  ///
  /// - Parameter keepsWaiting: Asked every millisecond or so how to go on after having waited for so many nanoseconds.
  /// - Returns: `nil` if the wait ended without the lock.
  /// - Throws: `StorageError.system` or `.link`; what `body` throws.
  func withLock<Result>(
    whileWaiting keepsWaiting: (_ nanoseconds: UInt64) -> Bool, _ body: () throws -> Result
  ) throws -> Result? {
    guard let descriptor = try acquire(keepsWaiting) else { return nil }
    // Unlocking an open descriptor cannot fail.
    defer { _ = flock(descriptor, LOCK_UN) }
    return try body()
  }

  /// Runs `body` under the lock.
  ///
  /// - Throws: `StorageError.locked` after the timeout, besides.
  func withLock<Result>(timeout: Duration, _ body: () throws -> Result) throws -> Result {
    var waited: UInt64 = 0
    let limit = timeout.nanoseconds
    let result = try withLock(
      whileWaiting: {
        waited = $0
        return $0 < limit
      }, body)
    guard let result else { throw StorageError.locked(path: path, milliseconds: Int(waited / 1_000_000)) }
    return result
  }

  // Waiting is polled, since flock has no timeout and a stopped process must not hang the others without a bound. Random
  // pauses let every waiter have its turn.
  private func acquire(_ keepsWaiting: (UInt64) -> Bool) throws -> Int32? {
    let start = DispatchTime.now().uptimeNanoseconds
    var descriptor = try openFile()
    while true {
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
        // Somebody may have removed the file: then others lock another one.
        if try FileStatus.identity(of: path) == FileStatus.of(descriptor: descriptor, path: path).identity {
          return descriptor
        }
        descriptor = try openFile(replacing: descriptor)
      } else {
        guard errno == EWOULDBLOCK || errno == EINTR else { throw StorageError.lastSystemError("locking", path) }
      }
      let waited = DispatchTime.now().uptimeNanoseconds &- start
      guard keepsWaiting(waited) else { return nil }
      usleep(UInt32.random(in: 20...(waited < 5_000_000 ? 100 : 1000)))
    }
  }

  /// - Parameter stale: The descriptor that is of no use any more.
  private func openFile(replacing stale: Int32? = nil) throws -> Int32 {
    try descriptor.withLock { descriptor in
      if let open = descriptor, open != stale { return open }
      if let stale { close(stale) }
      descriptor = nil
      let opened = try Self.open(path, database: database)
      descriptor = opened
      return opened
    }
  }

  private static func open(_ path: String, database: String) throws -> Int32 {
    if let made = try PrivateFiles.make(path) {
      try restrict(made, path, database: database)
      return made
    }
    let descriptor = Foundation.open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw errno == ELOOP ? StorageError.link(path: path) : .lastSystemError("opening", path)
    }
    do {
      try restrict(descriptor, path, database: database)
      return descriptor
    } catch {
      close(descriptor)
      throw error
    }
  }

  /// Lets those hold the lock who may write the database, and nobody else: with the right to read it, anybody could keep all
  /// writers out.
  private static func restrict(_ descriptor: Int32, _ path: String, database: String) throws {
    let lock = try FileStatus.of(descriptor: descriptor, path: path)
    guard lock.owner == geteuid() else { return }
    var mode: mode_t = 0o600
    if let written = try FileStatus.of(database)?.mode {
      if written & 0o020 != 0 { mode |= 0o060 }
      if written & 0o002 != 0 { mode |= 0o006 }
    }
    guard lock.mode != mode, fchmod(descriptor, mode) != 0 else { return }
    throw StorageError.lastSystemError("setting the mode of", path)
  }
}

extension Duration {
  /// Rounded down, and bounded by what a clock of 64 bits can count.
  var nanoseconds: UInt64 {
    let (seconds, attoseconds) = components
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    let (product, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
    return overflow ? .max : product.addingReportingOverflow(UInt64(attoseconds / 1_000_000_000)).partialValue
  }
}
