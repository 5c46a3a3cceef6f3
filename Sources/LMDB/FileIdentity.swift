#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// What makes two paths the same file: links and spellings of a path share it.
struct FileIdentity: Hashable, Sendable {
  let device: UInt64
  let inode: UInt64

  init(_ status: stat) {
    device = UInt64(truncatingIfNeeded: status.st_dev)
    inode = UInt64(truncatingIfNeeded: status.st_ino)
  }

  /// `nil` if nothing is at `path`.
  init?(path: String) throws(LMDBError) {
    var status = stat()
    guard stat(path, &status) == 0 else {
      if errno == ENOENT { return nil }
      throw LMDBError(errnoOf: "examine the file", path: path)
    }
    self.init(status)
  }

  init(descriptor: Int32, path: String) throws(LMDBError) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw LMDBError(errnoOf: "examine the open file", path: path)
    }
    self.init(status)
  }
}
