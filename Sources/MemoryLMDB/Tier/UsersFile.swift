import LMDB

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The file `users` in a tier's directory, which every process that has the tier open holds a shared lock on: so one can
/// tell whether there are others. The kernel gives the lock back for a process that dies.
///
/// Asked and taken only while the epoch file is held, so that nobody comes or goes meanwhile.
final class UsersFile: Sendable {
  /// Whether nobody else had the tier open when this was made.
  let isAlone: Bool
  private let path: String
  private let descriptor: Int32

  init(in directory: String) throws(LMDBError) {
    path = directory + "/users"
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw EpochFile.error("open", path) }
    isAlone = flock(descriptor, LOCK_EX | LOCK_NB) == 0
    while flock(descriptor, LOCK_SH) != 0 {
      if errno == EINTR { continue }
      let error = EpochFile.error("lock", path)
      close(descriptor)
      throw error
    }
  }

  deinit { close(descriptor) }

  /// Whether nobody else has the tier open now. If so nobody can open it until this leaves.
  func isLast() throws(LMDBError) -> Bool {
    if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
    guard errno == EWOULDBLOCK else { throw EpochFile.error("lock", path) }
    return false
  }

  /// This does not have the tier open any more; the value may live on.
  func leave() { _ = flock(descriptor, LOCK_UN) }
}
