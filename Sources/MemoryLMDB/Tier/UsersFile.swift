import FileLocks
import LMDB

/// The file `users` in a tier's directory, on which every process that has the tier open holds a shared lock, so that
/// others can be detected. The kernel releases the lock of a process that dies.
///
/// Used only while the epoch file is locked, so that no process opens or closes the tier meanwhile.
final class UsersFile: Sendable {
  /// Whether no other process or thread had the tier open when this was created.
  let isAlone: Bool
  private let lock: FileLock<LMDBError>

  init(in directory: PrivateDirectory<LMDBError>, until deadline: Deadline) throws(LMDBError) {
    lock = try FileLock(in: directory, TierFile.users)
    isAlone = try lock.tryLock(.exclusive)
    try lock.lock(.shared, until: deadline)
  }

  /// Whether no other has the tier open now. If so none can open it until this leaves.
  func isLast() throws(LMDBError) -> Bool { try lock.tryLock(.exclusive) }

  /// Ends this use of the tier; the value may live on.
  func leave() { lock.unlock() }
}
