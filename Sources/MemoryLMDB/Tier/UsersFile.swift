import FileLocks
import LMDB

/// The file `users` in a tier's directory, which every process that has the tier open holds a shared lock on: so one can
/// tell whether there are others. The kernel gives the lock back for a process that dies.
///
/// Asked and taken only while the epoch file is held, so that nobody comes or goes meanwhile.
final class UsersFile: Sendable {
  /// Whether nobody else had the tier open when this was made.
  let isAlone: Bool
  private let lock: FileLock<LMDBError>

  init(in directory: PrivateDirectory<LMDBError>, until deadline: Deadline) throws(LMDBError) {
    lock = try FileLock(in: directory, TierFile.users)
    isAlone = try lock.tryLock(.exclusive)
    try lock.lock(.shared, until: deadline)
  }

  /// Whether nobody else has the tier open now. If so nobody can open it until this leaves.
  func isLast() throws(LMDBError) -> Bool { try lock.tryLock(.exclusive) }

  /// This does not have the tier open any more; the value may live on.
  func leave() { lock.unlock() }
}
