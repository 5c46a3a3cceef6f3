import Foundation

/// Makes files and directories for their owner alone, whatever the umask of the process.
enum PrivateFiles {
  /// Makes a directory and those above it that are missing, each with mode 0700. Existing ones stay as they are.
  static func makeDirectory(_ path: String) throws {
    if mkdir(path, 0o700) == 0 {
      // A umask that takes rights from the owner would leave a directory of no use.
      guard chmod(path, 0o700) == 0 else { throw StorageError.lastSystemError("setting the mode of", path) }
      return
    }
    switch errno {
    case EEXIST:
      var status = stat()
      guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
        throw StorageError.system(
          path: path, operation: "making the directory", errno: ENOTDIR, reason: "a file has that name")
      }
    case ENOENT:
      let parent = (path as NSString).deletingLastPathComponent
      guard !parent.isEmpty, parent != path else { throw StorageError.lastSystemError("making the directory", path) }
      try makeDirectory(parent)
      // Not again through ENOENT: somebody who removes the parent all the time must not keep this going.
      guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
        throw StorageError.lastSystemError("making the directory", path)
      }
      guard chmod(path, 0o700) == 0 else { throw StorageError.lastSystemError("setting the mode of", path) }
    default: throw StorageError.lastSystemError("making the directory", path)
    }
  }

  /// Makes an empty file with mode 0600.
  ///
  /// - Returns: Its descriptor; `nil` if something has that name already, a symbolic link included.
  static func make(_ path: String) throws -> Int32? {
    let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      guard errno == EEXIST || errno == ELOOP else { throw StorageError.lastSystemError("making", path) }
      return nil
    }
    guard fchmod(descriptor, 0o600) == 0 else {
      let error = StorageError.lastSystemError("setting the mode of", path)
      close(descriptor)
      throw error
    }
    return descriptor
  }

  /// Removes a file that may be missing. A symbolic link is removed itself, not what it names.
  static func remove(_ path: String) throws {
    guard unlink(path) == 0 || errno == ENOENT else { throw StorageError.lastSystemError("removing", path) }
  }

  /// Makes the names in a directory durable.
  static func sync(directory: String) throws {
    let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw StorageError.lastSystemError("opening", directory) }
    defer { close(descriptor) }
    // Some file systems cannot sync a directory and say so; their names are durable or cannot be made so.
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw StorageError.lastSystemError("syncing", directory) }
  }
}
