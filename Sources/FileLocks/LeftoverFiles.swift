#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Drafts that killed processes left in a directory: `*.partial` that nobody holds locked, and what SQLite made beside them.
package enum LeftoverFiles {
  /// Their paths, sorted. Links and files of other users are not counted.
  package static func find(in directory: String) throws(FileError) -> [String] {
    try each(in: directory) { path throws(FileError) in try isAbandoned(path) }
  }

  /// Removes them.
  ///
  /// - Returns: What was removed, sorted.
  package static func remove(in directory: String) throws(FileError) -> [String] {
    try each(in: directory) { path throws(FileError) in try removeIfAbandoned(path) }
  }

  /// - Returns: False if its maker lives; true if it is gone, also if it was not there.
  static func removeIfAbandoned(_ path: String) throws(FileError) -> Bool {
    guard let held = try abandoned(path) else { return try FileStatus(of: path) == nil }
    // What SQLite made beside it first: without the draft nothing would lead to them.
    for suffix in DraftFile.companions + [""] where unlink(path + suffix) != 0 && errno != ENOENT {
      throw .last("remove", path + suffix)
    }
    held.unlock()
    return true
  }

  private static func isAbandoned(_ path: String) throws(FileError) -> Bool {
    guard let held = try abandoned(path) else { return false }
    held.unlock()
    return true
  }

  /// Locked, so that nobody else takes it; `nil` if it is held, gone, or no draft of this user.
  private static func abandoned(_ path: String) throws(FileError) -> FileLock<FileError>? {
    guard let status = try FileStatus(of: path), status.kind == .regular, status.owner == geteuid(),
      let file = try OpenFile<FileError>.open(path)
    else { return nil }
    let lock = FileLock(file)
    guard try lock.tryLock(.exclusive) else { return nil }
    guard try FileIdentity(of: path) == file.status().identity else {
      lock.unlock()
      return nil
    }
    return lock
  }

  private static func each(
    in directory: String, _ body: (String) throws(FileError) -> Bool
  ) throws(FileError) -> [String] {
    guard let folder = try PrivateDirectory<FileError>(at: directory) else { return [] }
    var found: [String] = []
    for name in try folder.names() where name.hasSuffix(DraftFile.suffix) {
      let path = directory + "/" + name
      if try body(path) { found.append(path) }
    }
    return found.sorted()
  }
}
