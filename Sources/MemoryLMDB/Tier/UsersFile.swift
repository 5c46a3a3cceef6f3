import LMDB

/// The file `users` in a tier's directory, which every process that has the tier open holds a shared lock on: so one can
/// tell whether there are others. The kernel gives the lock back for a process that dies.
///
/// Asked and taken only while the epoch file is held, so that nobody comes or goes meanwhile.
final class UsersFile: Sendable {
  static let name = "users"

  /// Whether nobody else had the tier open when this was made.
  let isAlone: Bool
  private let file: OpenFile

  init(in directory: PrivateDirectory, until deadline: Deadline) throws(LMDBError) {
    guard let file = try directory.openFile(Self.name, creating: true) else { throw directory.isGone }
    isAlone = try file.tryLock(.exclusive)
    try file.lock(.shared, until: deadline)
    self.file = file
  }

  /// Whether nobody else has the tier open now. If so nobody can open it until this leaves.
  func isLast() throws(LMDBError) -> Bool { try file.tryLock(.exclusive) }

  /// This does not have the tier open any more; the value may live on.
  func leave() { file.unlock() }
}
