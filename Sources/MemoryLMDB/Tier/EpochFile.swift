import FileLocks
import LMDB

/// The file `epoch` in a tier's directory: one line with the boot and the directory its neighbours belong to, and a second
/// one: the seal, while nobody has the tier open; `trusted`, while those have it open of whom the first found it sealed.
///
/// The seal says what the data file looked like when its last user closed it. Whoever finds another file, or no seal after
/// an unclean stop, has to look at every page before LMDB may.
///
/// While this value lives, no other process opens the tier: of several that find files of another epoch, one removes
/// them, and the others find its new ones. The file is written in place, since replacing it would split the lock; a
/// line that was cut short is no epoch, and has the files removed as any other epoch would.
struct EpochFile: ~Copyable {
  let directory: PrivateDirectory<LMDBError>
  private let lock: FileLock<LMDBError>

  /// Creates the file if there is none, in a directory that holds nothing that is not a tier's.
  ///
  /// - Throws: `.busy` if other processes keep it locked until `deadline`, `.foreign` if the directory is somebody else's.
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

  /// Files of another program must be neither written to nor removed. A tier whose epoch file was deleted still has the files
  /// that no other program makes.
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

  /// Whether those who have the data file open know that nobody else wrote to it since it was made.
  func isTrusted(in boot: BootID) throws(LMDBError) -> Bool {
    guard let line = line(of: boot) else { return false }
    return try content() == line + Self.trust
  }

  /// Says that files made from now on are of `boot`; files of another one must be gone by then. Breaks the seal.
  ///
  /// - Parameter isTrusted: Whether the data file was sealed until now, or trusted, or is not there yet.
  func write(_ boot: BootID, isTrusted: Bool) throws(LMDBError) {
    try write((line(of: boot) ?? []) + (isTrusted ? Self.trust : []))
  }

  /// Says that there are no files to be trusted.
  func clear() throws(LMDBError) { try write([]) }

  private static let trust = Array("trusted\n".utf8)

  /// Vouches for the data file as it is now. Nobody may have it open.
  ///
  /// - Parameter dataFile: The file that was open; one that has taken its place is not sealed.
  func seal(_ dataFile: FileIdentity, in boot: BootID) throws(LMDBError) {
    guard let line = line(of: boot), try directory.status(of: TierFile.data)?.identity == dataFile
    else { return }
    // A time of its own, because the clock of files ticks slowly: what writes to the file from now on, even within the
    // same tick, gives it another.
    try directory.setTimes(of: TierFile.data, to: 1_000_000_000_000_000_000 + .random(in: 0..<1_000_000_000))
    guard let seal = try seal() else { return }
    try write(line + seal)
  }

  /// Of the data file. The time of the last change of its status is among it, which no program can set.
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
