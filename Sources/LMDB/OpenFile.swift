#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// An open file or directory, which openers lock against each other with `flock`, two of one process included. Closed with the value, and
/// by then unlocked.
package final class OpenFile: Sendable {
  package enum Mode: Sendable { case shared, exclusive }

  package let path: String
  package let descriptor: Int32

  /// - Parameter descriptor: Owned from here on.
  init(path: String, descriptor: Int32) {
    self.path = path
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// - Returns: False while somebody else has it locked. A lock that was held in another mode is lost then.
  package func tryLock(_ mode: Mode) throws(LMDBError) -> Bool {
    while flock(descriptor, (mode == .shared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0 {
      let number = errno
      if number == EWOULDBLOCK { return false }
      if number != EINTR { throw LMDBError(errno: number, "lock", path) }
    }
    return true
  }

  /// - Throws: `.busy` if somebody else has it locked until `deadline`.
  package func lock(_ mode: Mode, until deadline: Deadline) throws(LMDBError) {
    if try deadline.poll({ () throws(LMDBError) in try tryLock(mode) }) { return }
    throw LMDBError(
      .busy, message: "another process has kept \(path) locked for \(deadline.patience); look for one that is stopped")
  }

  /// Unlocking an open descriptor cannot fail.
  package func unlock() { _ = flock(descriptor, LOCK_UN) }

  /// Whether the kernel has all of a file in memory, so that nothing that befell the disk since it was written can be read from it.
  ///
  /// Cost: a fiftieth of a microsecond a page.
  package func isInMemory() throws(LMDBError) -> Bool {
    #if os(Linux)
      let size = Int(try status().st_size)
      let pageSize = Int(sysconf(Int32(_SC_PAGESIZE)))
      // A byte a page tells; 64 MiB at a time.
      var flags = [UInt8](repeating: 0, count: 1 << 14)
      let window = flags.count &* pageSize
      for offset in stride(from: 0, to: size, by: window) {
        let count = min(window, size &- offset)
        guard let map = mmap(nil, count, PROT_READ, MAP_SHARED, descriptor, off_t(offset)), map != MAP_FAILED else {
          throw LMDBError(errno: errno, "map", path)
        }
        defer { munmap(map, count) }
        guard mincore(map, count, &flags) == 0 else { throw LMDBError(errno: errno, "examine", path) }
        let pages = (count &+ pageSize &- 1) / pageSize
        guard flags.prefix(pages).allSatisfy({ $0 & 1 == 1 }) else { return false }
      }
      return true
    #else
      return false
    #endif
  }

  func status() throws(LMDBError) -> stat {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw LMDBError(errno: errno, "examine", path) }
    return status
  }
}
