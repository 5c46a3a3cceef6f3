import FileLocks
import Foundation

/// The blocks of the log's index, which SQLite creates when the database is opened, and maps into memory.
///
/// If there is no room for it SQLite refuses to read, although a database without a log needs none. SQLite lengthens the
/// file by one byte in each 4,096. On a file system with smaller blocks most of them stay holes, and a
/// process that writes into a hole of a mapped file on a full disk is ended by SIGBUS. So there the file gets all its
/// blocks, and some for its growth, when it is opened, and is not mapped if there is no room for them.
struct LogIndexBlocks {
  private static let sqlitePage: Int64 = 4096
  /// The index of a log of 32,000 frames, four times the length at which it is begun again.
  private static let size: Int64 = 256 << 10
  /// Of an index as SQLite makes it.
  private static let firstSize: Int64 = 32 << 10
  /// Room that is left for the log itself and for names.
  private static let reserve: Int64 = 64 << 10

  let files: DatabaseFiles

  /// Why SQLite must not make or map the index; `nil` if it may.
  ///
  /// Without a log beside it the database can be read without an index, so a full disk need not end that.
  func shortage() throws -> String? {
    let (free, hasSmallBlocks) = try freeBytes()
    let needed = hasSmallBlocks ? Self.size : Self.firstSize
    guard free < needed + Self.reserve else { return nil }
    if let index = try FileStatus(of: files.logIndex), index.size >= needed, index.bytesOnDisk >= index.size {
      return nil
    }
    return "\(files.directory) has \(free) bytes left; free some space, at least \(needed + Self.reserve) bytes"
  }

  /// Gives the file that SQLite has open all its blocks.
  ///
  /// By SQLite's own descriptor: to open the file a second time and close it would drop SQLite's locks (I5).
  func allocate() throws {
    #if os(Linux)
      guard try freeBytes().hasSmallBlocks, let index = try FileStatus(of: files.logIndex) else { return }
      guard index.bytesOnDisk < Self.size else { return }
      for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
        guard let descriptor = Int32(name) else { continue }
        // A descriptor of another thread may be closed by now.
        guard FileStatus(descriptor: descriptor)?.identity == index.identity else { continue }
        let code = posix_fallocate(descriptor, 0, off_t(Self.size))
        // A descriptor that may only read belongs to a process that writes nothing into the index.
        if code == 0 || code == EBADF || code == EOPNOTSUPP || code == EINVAL { return }
        throw FileError(errno: code, "allocate", files.logIndex)
      }
    #endif
  }

  /// What is free, and whether blocks are smaller than what SQLite touches of each.
  private func freeBytes() throws -> (free: Int64, hasSmallBlocks: Bool) {
    let space = try FileSystemSpace(of: files.directory)
    return (space.free, space.blockSize < Self.sqlitePage)
  }
}
