import FileLocks
import LMDB

/// The file `epoch` in a tier's directory. Line 1: the boot and the directory that the files beside it belong to. Line 2:
/// while no process has the tier open, the seal; while it is open, `trusted` if the first opener found it sealed.
///
/// The seal is the status of the data file when its last user closed it. An opener that finds another file, or no seal
/// after an unclean stop, verifies every page before LMDB maps it.
///
/// While this value lives, no other process opens the tier: of several that find files of another epoch, one removes
/// them, and the others find its new ones. The file is written in place, since replacing it would split the lock; a
/// line that was cut short is no epoch, and has the files removed as any other epoch would.
struct EpochFile: ~Copyable {
  let directory: PrivateDirectory<LMDBError>
  private let lock: FileLock<LMDBError>

  /// Creates the file if there is none, in a directory that holds nothing that is not a tier's.
  ///
  /// - Throws: `.busy` if other processes keep it locked until `deadline`, `.foreign` if the directory holds files of
  ///   another program.
  init(in directory: PrivateDirectory<LMDBError>, until deadline: Deadline) throws(LMDBError) {
    if try directory.status(of: TierFile.epoch) == nil { try Self.refuseForeign(directory) }
    let lock = try FileLock(in: directory, TierFile.epoch)
    try lock.lock(.exclusive, until: deadline)
    self.directory = directory
    self.lock = lock
  }

  /// Neither creates anything nor waits.
  ///
  /// - Returns: `nil` if there is none, or others hold it.
  init?(existingIn directory: PrivateDirectory<LMDBError>) throws(LMDBError) {
    guard let lock = try directory.openFile(TierFile.epoch).map({ FileLock($0) }), try lock.tryLock(.exclusive) else {
      return nil
    }
    self.directory = directory
    self.lock = lock
  }

  /// Files of another program must be neither written to nor removed. A tier whose epoch file was deleted still has files
  /// that only a tier has.
  private static func refuseForeign(_ directory: PrivateDirectory<LMDBError>) throws(LMDBError) {
    let names = try directory.names()
    if names.contains(TierFile.users) || names.contains(TierFile.writer) { return }
    guard let foreign = names.first(where: { !TierLayout.isSubdirectory($0) && $0 != TierFile.epoch }) else { return }
    throw LMDBError(
      .foreign,
      message: "\(directory.path) holds \(foreign), which no tier of a store has left there; move it away")
  }

  /// Whether the files beside it were written in `boot`.
  func holds(_ boot: BootID) throws(LMDBError) -> Bool {
    guard let line = line(of: boot) else { return false }
    return try content().starts(with: line)
  }

  /// Whether the data file is the one that was sealed, untouched.
  func isSealed(in boot: BootID) throws(LMDBError) -> Bool {
    guard let line = line(of: boot), let seal = try seal() else { return false }
    return try content() == line + seal
  }

  /// Whether only users of the tier wrote to the data file since it was created.
  func isTrusted(in boot: BootID) throws(LMDBError) -> Bool {
    guard let line = line(of: boot) else { return false }
    return try content() == line + Self.trust
  }

  /// Records that files created from now on are of `boot`; those of another one must have been removed. Breaks the seal.
  ///
  /// - Parameter isTrusted: Whether the data file was sealed until now, or trusted, or is not there yet.
  func write(_ boot: BootID, isTrusted: Bool) throws(LMDBError) {
    try write((line(of: boot) ?? []) + (isTrusted ? Self.trust : []))
  }

  /// Records that no file is to be trusted.
  func clear() throws(LMDBError) { try write([]) }

  private static let trust = Array("trusted\n".utf8)

  /// Seals the data file as it is now. No process may have it open.
  ///
  /// - Parameter dataFile: The file that was open; one that has taken its place is not sealed.
  func seal(_ dataFile: FileIdentity, in boot: BootID) throws(LMDBError) {
    guard let line = line(of: boot), try directory.status(of: TierFile.data)?.identity == dataFile
    else { return }
    // A time in the past, because the clock of files advances in steps of milliseconds: a write within the same step gives
    // it another.
    try directory.setTimes(of: TierFile.data, to: 1_000_000_000_000_000_000 + .random(in: 0..<1_000_000_000))
    guard let seal = try seal() else { return }
    try write(line + seal)
  }

  /// Of the data file. It includes the time of the last change of its status, which no program can set.
  private func seal() throws(LMDBError) -> [UInt8]? {
    guard let status = try directory.status(of: TierFile.data) else { return nil }
    return Array("\(status.identity.inode) \(status.size) \(status.modified) \(status.changed)\n".utf8)
  }

  private func content() throws(LMDBError) -> [UInt8] { try lock.file.read(512, at: 0) }

  private func write(_ content: [UInt8]) throws(LMDBError) { try lock.file.replaceContent(with: content) }

  /// Has the next process that opens the tier remove its files; those that have it open go on.
  static func invalidate(in directory: PrivateDirectory<LMDBError>) throws(LMDBError) {
    try directory.openFile(TierFile.epoch)?.replaceContent(with: [])
  }

  private func line(of boot: BootID) -> [UInt8]? {
    boot.id.map { Array("\($0) \(directory.identity.device):\(directory.identity.inode)\n".utf8) }
  }
}
