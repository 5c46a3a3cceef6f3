#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A directory of this user's, reached without following a symbolic link, and the files in it.
///
/// A store may come from elsewhere, such as a cloned repository, and a link planted in it must not lead to a file outside: a
/// link, or what belongs to another user, is refused and left as it is.
package final class PrivateDirectory<Failure: FileFailure>: Sendable {
  package let identity: FileIdentity
  private let file: OpenFile<Failure>

  package var path: String { file.path }
  /// On the directory itself.
  package var lock: FileLock<Failure> { FileLock(file) }

  /// Creates the directory with mode 0700, whatever the umask, if there is none; its parent must exist.
  ///
  /// - Throws: `FileError.Code.link`, `.owner`; `.kind` for what is no directory.
  package convenience init(creatingAt path: String) throws(Failure) {
    try Self.check(path)
    if mkdir(path, 0o700) == 0 {
      _ = chmod(path, 0o700)
    } else if errno != EEXIST {
      throw Failure(.last("create the directory", path))
    }
    let descriptor = Self.open(path)
    guard descriptor >= 0 else { throw Self.refusal(of: path) }
    try self.init(OpenFile(path: path, descriptor: descriptor))
  }

  /// - Returns: `nil` if there is none.
  /// - Throws: `FileError.Code.link`, `.owner`; `.kind` for what is no directory.
  package convenience init?(at path: String) throws(Failure) {
    try Self.check(path)
    let descriptor = Self.open(path)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw Self.refusal(of: path)
    }
    try self.init(OpenFile(path: path, descriptor: descriptor))
  }

  private init(_ file: OpenFile<Failure>) throws(Failure) {
    let status = try file.status()
    guard status.owner == geteuid() else {
      throw Failure(
        FileError(.owner, "\(file.path) belongs to user \(status.owner), and this process runs as \(geteuid())"))
    }
    self.file = file
    identity = status.identity
  }

  private static func check(_ path: String) throws(Failure) {
    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw Failure(FileError(.kind, "\(path.debugDescription) is not a path"))
    }
  }

  private static func open(_ path: String) -> Int32 {
    systemOpen(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
  }

  /// Why the directory could not be opened, by `errno`.
  private static func refusal(of path: String) -> Failure {
    let number = errno
    // Which of the two a link causes differs between systems.
    guard number == ELOOP || number == ENOTDIR else {
      return Failure(FileError(errno: number, "open the directory", path))
    }
    var status = stat()
    let isLink = lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    return Failure(isLink ? .link(path) : FileError(.kind, "\(path) is not a directory"))
  }

  // MARK: Files in it

  /// Opens a regular file to read and write.
  ///
  /// - Returns: `nil` if there is none.
  /// - Throws: `FileError.Code.link`; `.kind` for what is no regular file.
  package func openFile(_ name: String) throws(Failure) -> OpenFile<Failure>? {
    try .open(path(of: name), named: name, in: file.descriptor)
  }

  /// As `openFile`, but creates the file if there is none: empty, with mode 0600 whatever the umask.
  package func createFile(_ name: String) throws(Failure) -> OpenFile<Failure> {
    try .openOrCreate(path(of: name), named: name, in: file.descriptor)
  }

  /// Of the file itself if it is a link; `nil` if there is none.
  package func status(of name: String) throws(Failure) -> FileStatus? {
    var status = stat()
    guard fstatat(file.descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
      if errno == ENOENT { return nil }
      throw Failure(.last("examine", path(of: name)))
    }
    return FileStatus(status)
  }

  /// Sets the times of access and of modification.
  ///
  /// - Parameter time: Nanoseconds since 1970.
  package func setTimes(of name: String, to time: Int64) throws(Failure) {
    let (seconds, nanoseconds) = time.quotientAndRemainder(dividingBy: 1_000_000_000)
    let time = timespec(tv_sec: Int(seconds), tv_nsec: Int(nanoseconds))
    guard utimensat(file.descriptor, name, [time, time], AT_SYMLINK_NOFOLLOW) == 0 else {
      throw Failure(.last("date", path(of: name)))
    }
  }

  /// Removes a file, if it is there. A link is removed itself.
  package func remove(_ name: String) throws(Failure) {
    if unlinkat(file.descriptor, name, 0) != 0, errno != ENOENT { throw Failure(.last("remove", path(of: name))) }
  }

  /// Removes the directory itself.
  ///
  /// - Returns: Whether it is gone; false if it holds something.
  package func removeIfEmpty() -> Bool { rmdir(path) == 0 || errno == ENOENT }

  /// The names in it, in no order.
  package func names() throws(Failure) -> [String] {
    // A descriptor of its own, because duplicates share the position and the stream closes it.
    let descriptor = openat(file.descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0, let stream = fdopendir(descriptor) else {
      let number = errno
      if descriptor >= 0 { close(descriptor) }
      throw Failure(FileError(errno: number, "list", path))
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  private func path(of name: String) -> String { path + "/" + name }
}

extension PrivateDirectory {
  /// Creates a directory and those above it that are missing, each with mode 0700 whatever the umask. Existing ones, reached
  /// through links too, stay as they are.
  package static func createWithParents(_ path: String) throws(Failure) {
    if mkdir(path, 0o700) == 0 { return try setMode(path) }
    switch errno {
    case EEXIST:
      var status = stat()
      guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
        throw Failure(FileError(.kind, "cannot create the directory \(path): a file has that name"))
      }
    case ENOENT:
      guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash > path.startIndex else {
        throw Failure(FileError(errno: ENOENT, "create the directory", path))
      }
      try createWithParents(String(path[..<slash]))
      // Not again through ENOENT: a process that keeps removing the parent must not keep this going.
      guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw Failure(.last("create the directory", path)) }
      try setMode(path)
    default: throw Failure(.last("create the directory", path))
    }
  }

  /// A umask that takes rights from the owner would leave a directory of no use.
  private static func setMode(_ path: String) throws(Failure) {
    guard chmod(path, 0o700) == 0 else { throw Failure(.last("set the mode of", path)) }
  }
}

/// Outside the type, whose own `open` would hide it.
private func systemOpen(_ path: String, _ flags: Int32) -> Int32 { open(path, flags) }
