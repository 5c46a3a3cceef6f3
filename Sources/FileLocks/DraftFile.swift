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
  /// Open until the draft has its name or is removed: from then on others may have the file open, and closing it here must not
  /// drop the locks that SQLite holds on it in this process (I5).
  private let opened: Mutex<OpenFile<FileError>?>

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
    opened = Mutex(try Self.create(target + Self.suffix))
  }

  deinit { discard() }

  /// The open file.
  ///
  /// - Throws: `FileError` if it was published or removed.
  package func file() throws(FileError) -> OpenFile<FileError> {
    guard let file = opened.withLock({ $0 }) else { throw FileError(errno: ENOENT, "open", path) }
    return file
  }

  /// Gives the file its name, durably.
  ///
  /// - Parameter name: Another name than that of the target, in the same file system.
  /// - Throws: `FileError` with `EEXIST` if a file has got that name meanwhile; the draft stays then.
  package func publish(as name: String? = nil) throws(FileError) {
    let name = name ?? target
    try file().sync()
    do {
      try FileRename.exclusive(path, to: name)
    } catch {
      throw error.number == EEXIST ? Self.exists(name) : error
    }
    opened.withLock { $0 = nil }
    try OpenFile<FileError>.directory(directory).sync()
    if let other = Self.directory(of: name), other != directory { try OpenFile<FileError>.directory(other).sync() }
  }

  /// Gives the file, durably, a name that another one has, which loses it in the same step.
  ///
  /// - Parameter name: In the same file system.
  package func publish(over name: String) throws(FileError) {
    try file().sync()
    guard rename(path, name) == 0 else { throw .last("name", name) }
    opened.withLock { $0 = nil }
    for directory in Set([directory, Self.directory(of: name) ?? "."]) {
      try OpenFile<FileError>.directory(directory).sync()
    }
  }

  /// Removes the file, with what SQLite made beside it, unless it was published.
  package func discard() {
    let file = opened.withLock { opened in
      defer { opened = nil }
      return opened
    }
    guard file != nil else { return }
    for suffix in Self.companions + [""] { unlink(path + suffix) }
  }

  /// The directory that holds it.
  package var directory: String { Self.directory(of: target) ?? "." }

  private static func directory(of path: String) -> String? {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return nil }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// - Throws: As `init` if the name is taken.
  package static func requireFree(_ target: String) throws(FileError) {
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
