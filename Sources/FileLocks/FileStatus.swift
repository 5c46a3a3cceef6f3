import CFileLocks

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The file itself, whatever its name: two names with one identity are one file.
package struct FileIdentity: Hashable, Sendable {
  package let device: UInt64
  package let inode: UInt64

  init(device: UInt64, inode: UInt64) {
    self.device = device
    self.inode = inode
  }

  /// Which file a path names, without following a link; `nil` if there is none. For files that are written at every commit: see
  /// `episodic_file_identity`.
  package init?(of path: String) throws(FileError) {
    guard let found = try Self.withSize(of: path) else { return nil }
    self = found.identity
  }

  /// With the file's size in bytes.
  package static func withSize(of path: String) throws(FileError) -> (identity: FileIdentity, size: Int64)? {
    var (device, inode): (UInt64, UInt64) = (0, 0)
    var size: Int64 = 0
    let code = episodic_file_identity(path, &device, &inode, &size)
    if code == ENOENT || code == ENOTDIR { return nil }
    guard code == 0 else { throw FileError(errno: code, "examine", path) }
    return (FileIdentity(device: device, inode: inode), size)
  }
}

/// What the file system says of a file, as far as opening and committing depend on it.
package struct FileStatus: Hashable, Sendable {
  package enum Kind: Sendable { case regular, directory, symbolicLink, other }

  package let identity: FileIdentity
  package let kind: Kind
  /// In bytes.
  package let size: Int64
  /// Less than `size` for a file with holes.
  package let bytesOnDisk: Int64
  /// When the content last changed, in nanoseconds since 1970; the kernel's clock advances in steps of a few milliseconds.
  package let modified: Int64
  /// When the content, the mode, the owner or a name last changed. No program can set it.
  package let changed: Int64
  /// Permission bits.
  package let mode: UInt32
  package let owner: UInt32
  /// Hard links.
  package let nameCount: UInt64

  /// Of the file under a name; of a symbolic link itself, unless links are followed.
  ///
  /// - Returns: `nil` if there is none.
  package init?(of path: String, followingLinks: Bool = false) throws(FileError) {
    var status = stat()
    guard (followingLinks ? stat(path, &status) : lstat(path, &status)) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw .last("examine", path)
    }
    self.init(status)
  }

  /// Of an open file; `nil` for a descriptor that is closed.
  package init?(descriptor: Int32) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return nil }
    self.init(status)
  }

  init(_ status: stat) {
    // The types of these fields differ from system to system.
    identity = FileIdentity(
      device: UInt64(truncatingIfNeeded: status.st_dev), inode: UInt64(truncatingIfNeeded: status.st_ino))
    kind =
      switch status.st_mode & S_IFMT {
      case S_IFREG: .regular
      case S_IFDIR: .directory
      case S_IFLNK: .symbolicLink
      default: .other
      }
    size = Int64(status.st_size)
    bytesOnDisk = Int64(status.st_blocks) &* 512
    #if canImport(Darwin)
      modified = Self.nanoseconds(status.st_mtimespec)
      changed = Self.nanoseconds(status.st_ctimespec)
    #else
      modified = Self.nanoseconds(status.st_mtim)
      changed = Self.nanoseconds(status.st_ctim)
    #endif
    mode = UInt32(status.st_mode & 0o7777)
    owner = status.st_uid
    nameCount = UInt64(status.st_nlink)
  }

  private static func nanoseconds(_ time: timespec) -> Int64 {
    Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
  }
}
