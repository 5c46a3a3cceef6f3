#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The room on the file system of a directory. What cannot be counted in 64 bits is `.max`.
package struct FileSystemSpace: Sendable {
  /// Bytes of all.
  package let size: Int64
  /// Bytes that a user without special rights may still write.
  package let free: Int64
  /// Bytes of a block.
  package let blockSize: Int64

  /// Cost: one system call.
  ///
  /// - Throws: `FileError` if there is no such directory.
  package init(of directory: String) throws(FileError) { self.init(try Self.examine(directory)) }

  init(_ system: statvfs) {
    let block = Int64(clamping: system.f_frsize)
    func bytes(_ blocks: some BinaryInteger) -> Int64 {
      let (bytes, overflow) = Int64(clamping: blocks).multipliedReportingOverflow(by: block)
      return overflow ? .max : bytes
    }
    (size, free, blockSize) = (bytes(system.f_blocks), bytes(system.f_bavail), block)
  }

  static func examine(_ path: String) throws(FileError) -> statvfs {
    var system = statvfs()
    guard statvfs(path, &system) == 0 else { throw .last("examine the file system of", path) }
    return system
  }

  /// Refuses what will not fit, before it is begun.
  ///
  /// - Throws: `FileError` with `ENOSPC`.
  package static func require(_ bytes: Int64, in directory: String, for operation: String, _ path: String)
    throws(FileError)
  {
    let free = try FileSystemSpace(of: directory).free
    guard free < bytes else { return }
    throw FileError(
      errno: ENOSPC, operation, path,
      reason: "it needs \(bytes) bytes, and \(free) are free; free some space, or name a file on another disk")
  }
}
