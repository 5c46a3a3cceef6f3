import CFileLocks

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The file system that a path is on, as far as a store depends on it.
package struct FileSystem: Hashable, Sendable {
  /// What kind it is, by how locks and shared memory work on it.
  package enum Kind: Hashable, Sendable {
    case local
    /// Of another machine, or through a program of this one: locks and shared memory cannot be relied on.
    case network(String)
    /// Layers of others: a file that is first written to becomes another file.
    case overlay
  }

  package let kind: Kind
  /// In bytes; `.max` if it cannot be counted in 64 bits.
  package let size: Int64
  /// In bytes, for a process without special rights.
  package let free: Int64
  /// Files that there can be; 0 if the file system does not limit them.
  package let files: UInt64
  /// Files that can still be made; without a meaning if `files` is 0.
  package let freeFiles: UInt64
  /// In bytes.
  package let blockSize: Int64
  package let isReadOnly: Bool

  package init(
    kind: Kind, size: Int64, free: Int64, files: UInt64, freeFiles: UInt64, blockSize: Int64, isReadOnly: Bool
  ) {
    self.kind = kind
    self.size = size
    self.free = free
    self.files = files
    self.freeFiles = freeFiles
    self.blockSize = blockSize
    self.isReadOnly = isReadOnly
  }

  /// - Parameter path: Of something that exists.
  package init(of path: String) throws(FileError) {
    let system = try FileSystemSpace.examine(path)
    let space = FileSystemSpace(system)
    self.init(
      kind: try Self.kind(of: path), size: space.size, free: space.free,
      files: UInt64(system.f_files), freeFiles: UInt64(system.f_favail), blockSize: space.blockSize,
      isReadOnly: UInt(system.f_flag) & UInt(ST_RDONLY) != 0)
  }

  private static func kind(of path: String) throws(FileError) -> Kind {
    #if canImport(Darwin)
      var system = statfs()
      guard statfs(path, &system) == 0 else { throw .last("examine the file system of", path) }
      let name = withUnsafeBytes(of: &system.f_fstypename) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      return ["nfs", "smbfs", "afpfs", "webdav", "macfuse", "osxfuse"].contains(name) ? .network(name) : .local
    #else
      var type: UInt32 = 0
      let code = episodic_file_system_type(path, &type)
      guard code == 0 else { throw FileError(errno: code, "examine the file system of", path) }
      return kind(magic: type)
    #endif
  }

  /// By the number that `statfs` has for it, see `linux/magic.h`.
  package static func kind(magic: UInt32) -> Kind {
    switch magic {
    case 0x6969: .network("NFS")
    case 0xFF53_4D42, 0xFE53_4D42, 0x517B: .network("SMB")
    case 0x0102_1997: .network("9P")
    case 0x6573_5546: .network("FUSE")
    case 0x5346_414F, 0x6B41_4653: .network("AFS")
    case 0x00C3_6400: .network("Ceph")
    case 0x7375_7245: .network("Coda")
    case 0x0116_1970: .network("GFS2")
    case 0x0BD0_0BD0: .network("Lustre")
    case 0x794C_7630: .overlay
    default: .local
    }
  }
}
