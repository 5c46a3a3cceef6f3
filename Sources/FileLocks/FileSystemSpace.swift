#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The room on the file system of a directory.
package struct FileSystemSpace: Sendable {
  /// Bytes that this user may still write.
  package let free: Int64

  /// - Throws: `FileError` if there is no such directory.
  package init(of directory: String) throws(FileError) {
    var system = statvfs()
    guard statvfs(directory, &system) == 0 else { throw .last("examine the file system of", directory) }
    let (bytes, overflow) = Int64(clamping: system.f_bavail).multipliedReportingOverflow(
      by: Int64(clamping: system.f_frsize))
    free = overflow ? .max : bytes
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
