#if canImport(Darwin)
  package import Darwin
#elseif canImport(Musl)
  package import Musl
#else
  package import Glibc
#endif

/// A directory of this user's, reached without following a symbolic link, and so the files in it.
///
/// A store may come from elsewhere, such as a cloned repository, and a link planted in it must not lead to a file outside:
/// what is found to be a link, or to belong to another user, is refused and left as it is.
package final class PrivateDirectory: Sendable {
  package let identity: FileIdentity
  private let file: OpenFile

  package var path: String { file.path }

  /// Creates the directory with mode 0700, whatever the umask, if `creating`; its parent must exist.
  ///
  /// - Returns: `nil` if there is none and `creating` is false.
  /// - Throws: `.foreign` for a link or another user's directory, `.invalid` for what is no directory.
  package init?(at path: String, creating: Bool) throws(LMDBError) {
    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw LMDBError(.invalid, message: "\(path.debugDescription) is not a path")
    }
    if creating {
      if mkdir(path, 0o700) == 0 {
        _ = chmod(path, 0o700)
      } else if errno != EEXIST {
        throw LMDBError(errno: errno, "create the directory", path)
      }
    }
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else {
      let number = errno
      if number == ENOENT, !creating { return nil }
      // Which of the two it is told for a link differs between systems.
      guard number == ELOOP || number == ENOTDIR else { throw LMDBError(errno: number, "open the directory", path) }
      var status = stat()
      let isLink = lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
      throw isLink ? Self.link(path) : LMDBError(.invalid, message: "\(path) is not a directory")
    }
    file = OpenFile(path: path, descriptor: descriptor)
    let status = try file.status()
    guard status.st_uid == geteuid() else {
      throw LMDBError(
        .foreign, message: "\(path) belongs to user \(status.st_uid), and this process runs as \(geteuid())")
    }
    identity = FileIdentity(status)
  }

  package func lock(until deadline: Deadline) throws(LMDBError) { try file.lock(.exclusive, until: deadline) }

  // MARK: Files in it

  /// Opens a file to read and write; creates it with mode 0600, whatever the umask, if `creating`.
  ///
  /// - Returns: `nil` if there is none and `creating` is false.
  /// - Throws: `.foreign` for a link, `.invalid` for what is no regular file.
  package func openFile(_ name: String, creating: Bool) throws(LMDBError) -> OpenFile? {
    let path = path + "/" + name
    var isNew = false
    var descriptor: Int32 = -1
    // Between the two calls it may come or go; not over and over.
    for _ in 0..<8 {
      // Non-blocking, so that a FIFO is told from a file without waiting for its other end.
      descriptor = openat(file.descriptor, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
      if descriptor >= 0 || errno != ENOENT { break }
      guard creating else { return nil }
      descriptor = openat(file.descriptor, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
      isNew = descriptor >= 0
      if isNew || errno != EEXIST { break }
    }
    guard descriptor >= 0 else {
      let number = errno
      throw number == ELOOP ? Self.link(path) : LMDBError(errno: number, "open", path)
    }
    let opened = OpenFile(path: path, descriptor: descriptor)
    if isNew, fchmod(descriptor, 0o600) != 0 { throw LMDBError(errno: errno, "set the mode of", path) }
    guard try opened.status().st_mode & S_IFMT == S_IFREG else {
      throw LMDBError(.invalid, message: "\(path) is not a regular file")
    }
    return opened
  }

  /// Of the file itself, if it is a link; `nil` if there is none.
  package func status(of name: String) throws(LMDBError) -> stat? {
    var status = stat()
    guard fstatat(file.descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
      if errno == ENOENT { return nil }
      throw LMDBError(errno: errno, "examine", path + "/" + name)
    }
    return status
  }

  /// Refuses a name under which there is anything but a regular file, for a call that opens it by its path.
  ///
  /// - Returns: The file's identity; `nil` if there is none.
  func identity(ofRegular name: String) throws(LMDBError) -> FileIdentity? {
    guard let status = try status(of: name) else { return nil }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return FileIdentity(status)
    case S_IFLNK: throw Self.link(path + "/" + name)
    default: throw LMDBError(.damaged, message: "\(path)/\(name) is damaged: it is not a regular file")
    }
  }

  /// Sets a file's times, of access and of modification.
  package func setTimes(of name: String, to time: timespec) throws(LMDBError) {
    let times = [time, time]
    guard utimensat(file.descriptor, name, times, AT_SYMLINK_NOFOLLOW) == 0 else {
      throw LMDBError(errno: errno, "date", path + "/" + name)
    }
  }

  /// Removes a file, if it is there. A link is removed itself.
  package func remove(_ name: String) throws(LMDBError) {
    if unlinkat(file.descriptor, name, 0) != 0, errno != ENOENT {
      throw LMDBError(errno: errno, "remove", path + "/" + name)
    }
  }

  /// The names in it, in no order.
  package func names() throws(LMDBError) -> [String] {
    // Of its own, for its position is shared by duplicates, and the stream closes it.
    let descriptor = openat(file.descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0, let stream = fdopendir(descriptor) else {
      let number = errno
      if descriptor >= 0 { close(descriptor) }
      throw LMDBError(errno: number, "list", path)
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

  private static func link(_ path: String) -> LMDBError {
    LMDBError(
      .foreign, message: "\(path) is a symbolic link, through which no file of a store is opened; remove the link")
  }
}
