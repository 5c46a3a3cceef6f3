import CSQLite
import Foundation

/// What `lstat` says of a file, as far as opening and committing depend on it.
struct FileStatus: Hashable, Sendable {
  /// The file itself, whatever its name: two names with one identity are one file.
  struct Identity: Hashable, Sendable {
    let device: UInt64
    let inode: UInt64
  }

  enum Kind: Sendable { case regular, symbolicLink, other }

  let identity: Identity
  let kind: Kind
  let size: Int64
  /// Less than `size` for a file with holes.
  let bytesOnDisk: Int64
  /// When the content last changed, in nanoseconds since 1970; the kernel's clock moves in steps of a few milliseconds.
  let modified: Int64
  /// Permission bits.
  let mode: mode_t
  let owner: uid_t
  let names: UInt64

  /// - Returns: `nil` if there is no such file.
  /// - Throws: `StorageError.system` if it cannot be seen.
  static func of(_ path: String) throws -> FileStatus? {
    var status = stat()
    guard lstat(path, &status) == 0 else {
      guard errno == ENOENT || errno == ENOTDIR else { throw StorageError.lastSystemError("looking at", path) }
      return nil
    }
    return FileStatus(status)
  }

  /// Which file a path names, without the rest; `nil` if there is none. For files that are written at every commit: see
  /// `episodic_file_identity`.
  static func identity(of path: String) throws -> Identity? {
    var (device, inode): (UInt64, UInt64) = (0, 0)
    let code = episodic_file_identity(path, &device, &inode)
    if code == ENOENT || code == ENOTDIR { return nil }
    guard code == 0 else {
      throw StorageError.system(
        path: path, operation: "looking at", errno: code, reason: String(cString: strerror(code)))
    }
    return Identity(device: device, inode: inode)
  }

  /// Of an open file.
  static func of(descriptor: Int32, path: String) throws -> FileStatus {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw StorageError.lastSystemError("looking at", path) }
    return FileStatus(status)
  }

  init(_ status: stat) {
    // The types of these fields differ from system to system.
    identity = Identity(
      device: UInt64(truncatingIfNeeded: status.st_dev), inode: UInt64(truncatingIfNeeded: status.st_ino))
    kind =
      switch status.st_mode & S_IFMT {
      case S_IFREG: .regular
      case S_IFLNK: .symbolicLink
      default: .other
      }
    size = Int64(status.st_size)
    bytesOnDisk = Int64(status.st_blocks) &* 512
    #if canImport(Darwin)
      let time = status.st_mtimespec
    #else
      let time = status.st_mtim
    #endif
    modified = Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    mode = status.st_mode & 0o7777
    owner = status.st_uid
    names = UInt64(status.st_nlink)
  }
}

extension StorageError {
  /// Of the system call that has just failed.
  static func lastSystemError(_ operation: String, _ path: String) -> StorageError {
    let code = errno
    return .system(path: path, operation: operation, errno: code, reason: String(cString: strerror(code)))
  }
}
