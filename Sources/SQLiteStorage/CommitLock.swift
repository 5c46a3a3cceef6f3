import FileLocks
import Foundation
import Synchronization

/// The lock that every write transaction and every checkpoint holds, across processes.
///
/// SQLite before 3.51.3 can corrupt a database when two connections write and checkpoint at the same moment; with one
/// at a time it cannot. The lock is a file of its own, because opening the database file behind SQLite's back drops
/// SQLite's locks (I5). It belongs to the open file: the kernel releases it when the process dies.
///
/// The file is opened with the first use, so that a process that only reads never touches it.
final class CommitLock: Sendable {
  private let path: String
  /// Its mode decides who may hold the lock.
  private let database: String
  private let opened = Mutex<Opened?>(nil)

  private struct Opened {
    let lock: FileLock<FileError>
    let identity: FileIdentity
  }

  init(_ files: DatabaseFiles) {
    path = files.lock
    database = files.path
  }

  /// Runs `body` while no other process or connection writes or checkpoints.
  ///
  /// - Parameter keepsWaiting: Called about every millisecond with the time since the wait began.
  /// - Returns: `nil` if the wait ended without the lock.
  /// - Throws: `FileError`; what `body` throws.
  func withLock<Result>(
    whileWaiting keepsWaiting: (_ waited: Duration) -> Bool, _ body: () throws -> Result
  ) throws -> Result? {
    var current = try open()
    let isLocked = try Deadline.poll(while: keepsWaiting) { () throws(FileError) in
      let tried = current
      guard try tried.lock.tryLock(.exclusive) else { return false }
      do throws(FileError) {
        if try FileIdentity(of: path) == tried.identity { return true }
      } catch {
        tried.lock.unlock()
        throw error
      }
      // Another program removed the file, and others lock another one.
      tried.lock.unlock()
      current = try open(replacing: tried)
      return false
    }
    guard isLocked else { return nil }
    defer { current.lock.unlock() }
    return try body()
  }

  /// Runs `body` under the lock.
  ///
  /// - Throws: `StorageError.locked` after the timeout, besides.
  func withLock<Result>(timeout: Duration, _ body: () throws -> Result) throws -> Result {
    let result = try withLock(whileWaiting: { $0 < timeout }, body)
    guard let result else {
      throw StorageError.locked(path: path, milliseconds: Int(timeout.nanoseconds / 1_000_000))
    }
    return result
  }

  /// - Parameter stale: A lock on a file that no longer has the name.
  private func open(replacing stale: Opened? = nil) throws(FileError) -> Opened {
    try opened.withLock { opened throws(FileError) in
      if let opened, opened.lock !== stale?.lock { return opened }
      let file = try OpenFile<FileError>.openOrCreate(path)
      try restrict(file)
      let new = Opened(lock: FileLock(file), identity: try file.status().identity)
      opened = new
      return new
    }
  }

  /// Gives the right to lock to those who may write the database, and to no others: any user who may read the file could
  /// lock all writers out.
  private func restrict(_ file: OpenFile<FileError>) throws(FileError) {
    let lock = try file.status()
    guard lock.owner == geteuid() else { return }
    var mode: UInt32 = 0o600
    if let written = try FileStatus(of: database)?.mode {
      if written & 0o020 != 0 { mode |= 0o060 }
      if written & 0o002 != 0 { mode |= 0o006 }
    }
    if lock.mode != mode { try file.setMode(mode) }
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
