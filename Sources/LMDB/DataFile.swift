import FileLocks

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A data file read without LMDB, to see whether LMDB may map it.
///
/// Only for a file that is not open as an environment in this process: closing the descriptor drops the process's
/// locks on the file. The registry's lock sees to that.
struct DataFile: ~Copyable {
  let path: String
  private let descriptor: Int32

  init(at path: String) throws(LMDBError) {
    let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { throw LMDBError(.last("open the data file", path)) }
    self.path = path
    self.descriptor = descriptor
  }

  deinit {
    close(descriptor)
  }

  /// Refuses a file that is no data file of format 1, or that lacks a page the last commit counts on.
  ///
  /// Another process may be writing meanwhile, so only a verdict on a file that stood still counts.
  ///
  /// - Throws: `.damaged`, `.versionMismatch`; `.busy` if the file never stood still.
  func validate() throws(LMDBError) {
    var state = try readState()
    for _ in 0..<16 {
      do {
        return try judge(state)
      } catch {
        let later = try readState()
        if later == state { throw error }
        state = later
      }
    }
    throw LMDBError(.busy, message: "\(path) changes faster than it can be examined")
  }

  /// Up to `count` bytes; fewer at the end of the file.
  func read(_ count: Int, at offset: Int) throws(LMDBError) -> [UInt8] {
    var failure: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let part = pread(descriptor, buffer.baseAddress.map { $0 + filled }, count - filled, off_t(offset + filled))
        if part > 0 {
          filled += part
        } else if part == 0 {
          break
        } else if errno != EINTR {
          failure = errno
          break
        }
      }
    }
    if failure != 0 { throw LMDBError(returnCode: failure, operation: "read the data file", path: path) }
    return bytes
  }

  /// Reads up to `buffer.count` bytes in place.
  ///
  /// - Returns: How many it read; fewer at the end of the file.
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(LMDBError) -> Int {
    var filled = 0
    while filled < buffer.count {
      let part = pread(
        descriptor, buffer.baseAddress.map { $0 + filled }, buffer.count - filled, off_t(offset &+ filled))
      if part > 0 {
        filled += part
      } else if part == 0 {
        break
      } else if errno != EINTR {
        throw LMDBError(.last("read the data file", path))
      }
    }
    return filled
  }

  /// Bytes in the file now.
  func size() throws(LMDBError) -> Int {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw LMDBError(.last("examine the data file", path)) }
    return Int(status.st_size)
  }

  /// Has the kernel begin to read the whole file, in its order rather than in the one it will be asked for.
  func expectReading() {
    #if os(Linux)
      _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_WILLNEED)
    #endif
  }

  private struct State: Equatable {
    let first: MetaPage?
    let second: MetaPage?
    let size: Int
  }

  /// The size comes last: a commit writes its pages before the meta page that counts on them.
  private func readState() throws(LMDBError) -> State {
    let first = MetaPage(try read(MetaPage.byteCount, at: 0))
    var second: MetaPage?
    if let first, first.pageSize <= 65_536 {
      second = MetaPage(try read(MetaPage.byteCount, at: Int(first.pageSize)))
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw LMDBError(.last("examine the data file", path)) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw LMDBError(.damaged, message: "\(path) is damaged: it is not a regular file")
    }
    return State(first: first, second: second, size: Int(status.st_size))
  }

  private func judge(_ state: State) throws(LMDBError) {
    guard let first = state.first else {
      throw LMDBError(.damaged, message: "\(path) is damaged: its \(state.size) bytes are less than a meta page")
    }
    try first.check(number: 0, of: path)
    guard let second = state.second else {
      throw LMDBError(.damaged, message: "\(path) is damaged: its \(state.size) bytes end before meta page 1")
    }
    try second.check(number: 1, of: path)
    guard first.pageSize == second.pageSize else {
      throw LMDBError(.damaged, message: "\(path) is damaged: page sizes \(first.pageSize) and \(second.pageSize)")
    }
    let newest = second.transaction > first.transaction ? second : first
    let pages = UInt64(state.size) / UInt64(newest.pageSize)
    if pages >= newest.lastPage + 1 { return }
    try FreeList(meta: newest).check(holdsPagesFrom: pages, of: self)
  }
}
