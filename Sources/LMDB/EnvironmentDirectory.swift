#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A directory that holds an environment's two files, locked against other processes while this value lives.
///
/// Processes open, examine and remove the files one at a time, so none of them can take a file that another is just
/// creating for a damaged one. The lock is a `flock` on the directory itself: it needs no third file, and closing it
/// does not touch LMDB's `fcntl` locks.
struct EnvironmentDirectory: ~Copyable {
  let path: String
  private let descriptor: Int32

  var dataFile: String { path + "/data.mdb" }
  var lockFile: String { path + "/lock.mdb" }

  /// `nil` if the directory does not exist and `creating` is false. Waits for other processes that hold it.
  init?(at path: String, creating: Bool) throws(LMDBError) {
    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw LMDBError(.invalid, message: "cannot open an environment at \(path.debugDescription): not a path")
    }
    if creating, mkdir(path, 0o700) != 0, errno != EEXIST {
      throw LMDBError(errnoOf: "create the directory", path: path)
    }
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw LMDBError(errnoOf: "open the directory", path: path)
    }
    while flock(descriptor, LOCK_EX) != 0 {
      if errno == EINTR { continue }
      let error = LMDBError(errnoOf: "lock the directory", path: path)
      close(descriptor)
      throw error
    }
    self.path = path
    self.descriptor = descriptor
  }

  deinit {
    close(descriptor)
  }

  /// Data first: a lock file without a data file is known to be left over, and `open` removes it.
  func removeFiles() throws(LMDBError) {
    try remove(dataFile)
    try remove(lockFile)
  }

  func remove(_ file: String) throws(LMDBError) {
    if unlink(file) != 0, errno != ENOENT {
      throw LMDBError(errnoOf: "remove the file", path: file)
    }
  }
}
