import CFileLocks
import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A file that is being made: under the name `TARGET.partial` until it is whole, and locked as long as its maker lives.
///
/// One that is released unpublished is removed. What a killed process leaves is told by the lock, which nobody holds: see
/// `LeftoverFiles`.
package final class DraftFile: Sendable {
  package static let suffix = ".partial"
  /// Files that SQLite makes beside a database while it is written.
  package static let companions = ["-journal", "-wal", "-shm"]

  /// The name it will get.
  package let target: String
  package let file: OpenFile<FileError>
  private let isOver = Mutex(false)

  package var path: String { target + Self.suffix }

  /// Creates the file, empty and with mode 0600; its directory must exist. What a killed maker of the same file left is removed.
  ///
  /// - Throws: `FileError` with `EEXIST` if there is a file of the target's name; `.link`, `.kind` for a symbolic link or a
  ///   directory there; `.busy` if another process is making it.
  package init(of target: String) throws(FileError) {
    guard !target.isEmpty, !target.hasSuffix("/"), !target.utf8.contains(0) else {
      throw FileError(.kind, "\(target.debugDescription) is not the path of a file")
    }
    self.target = target
    try Self.requireFree(target)
    file = try Self.create(target + Self.suffix)
  }

  deinit { discard() }

  /// Gives the file its name, durably.
  ///
  /// - Throws: `FileError` with `EEXIST` if a file has got that name meanwhile; the draft stays then.
  package func publish() throws(FileError) {
    try file.sync()
    let code = episodic_rename_exclusive(path, target)
    if code == EEXIST { throw Self.exists(target) }
    guard code == 0 else { throw FileError(errno: code, "name", target) }
    isOver.withLock { $0 = true }
    try OpenFile<FileError>.directory(directory).sync()
  }

  /// Removes the file, with what SQLite made beside it, unless it was published.
  package func discard() {
    let wasOver = isOver.withLock { isOver in
      defer { isOver = true }
      return isOver
    }
    guard !wasOver else { return }
    for suffix in Self.companions + [""] { unlink(path + suffix) }
  }

  /// The directory that holds it.
  package var directory: String {
    guard let slash = target.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == target.startIndex ? "/" : String(target[..<slash])
  }

  private static func requireFree(_ target: String) throws(FileError) {
    guard let status = try FileStatus(of: target) else { return }
    switch status.kind {
    case .symbolicLink: throw .link(target)
    case .directory: throw FileError(.kind, "\(target) is a directory; name a file in it")
    case .regular, .other: throw exists(target)
    }
  }

  private static func exists(_ target: String) -> FileError {
    FileError(errno: EEXIST, "make", target, reason: "there is a file of that name; remove it, or name another")
  }

  private static func create(_ path: String) throws(FileError) -> OpenFile<FileError> {
    // Between the calls it may come or go, but not without a bound.
    for _ in 0..<8 {
      if let file = try OpenFile<FileError>.create(path) {
        // A process that removes leftovers may have been first.
        if try FileLock(file).tryLock(.exclusive), try FileIdentity(of: path) == file.status().identity { return file }
      } else if try !LeftoverFiles.removeIfAbandoned(path) {
        throw FileError(.busy, "another process is making \(path); wait for it, or name another file")
      }
    }
    throw FileError(errno: EEXIST, "create", path)
  }
}
