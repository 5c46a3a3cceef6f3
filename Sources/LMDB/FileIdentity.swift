#if canImport(Darwin)
  package import Darwin
#elseif canImport(Musl)
  package import Musl
#else
  package import Glibc
#endif

/// What makes two paths the same file: links and spellings of a path share it.
package struct FileIdentity: Hashable, Sendable {
  package let device: UInt64
  package let inode: UInt64

  package init(_ status: stat) {
    device = UInt64(truncatingIfNeeded: status.st_dev)
    inode = UInt64(truncatingIfNeeded: status.st_ino)
  }

  init(descriptor: Int32, path: String) throws(LMDBError) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw LMDBError(errnoOf: "examine the open file", path: path)
    }
    self.init(status)
  }
}
