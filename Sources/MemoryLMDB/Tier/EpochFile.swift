import LMDB

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

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
  static let name = "epoch"
  static let dataName = "data.mdb"

  let directory: PrivateDirectory
  private let file: OpenFile

  /// Creates the file if there is none, in a directory that holds nothing that is not a tier's.
  ///
  /// - Throws: `.busy` if other processes keep it locked until `deadline`, `.foreign` if the directory is somebody else's.
  init(in directory: PrivateDirectory, until deadline: Deadline) throws(LMDBError) {
    if try directory.status(of: Self.name) == nil { try Self.refuseForeign(directory) }
    guard let file = try directory.openFile(Self.name, creating: true) else { throw directory.isGone }
    try file.lock(.exclusive, until: deadline)
    self.directory = directory
    self.file = file
  }

  /// Neither creates anything nor waits.
  ///
  /// - Returns: `nil` if there is none, or others hold it.
  init?(existingIn directory: PrivateDirectory) throws(LMDBError) {
    guard let file = try directory.openFile(Self.name, creating: false), try file.tryLock(.exclusive) else {
      return nil
    }
    self.directory = directory
    self.file = file
  }

  /// Files of another program must be neither written to nor removed. A tier whose epoch file was deleted still has the files
  /// that no other program makes.
  private static func refuseForeign(_ directory: PrivateDirectory) throws(LMDBError) {
    let names = try directory.names()
    if names.contains(UsersFile.name) || names.contains(WriterLock.name) { return }
    guard let foreign = names.first(where: { !TierLayout.isSubdirectory($0) && $0 != name }) else { return }
    throw LMDBError(
      .foreign,
      message: "\(directory.path) holds \(foreign), which no tier of a store has left there; move it away")
  }

  /// Whether the files beside it were made in `epoch`.
  func holds(_ epoch: Epoch) throws(LMDBError) -> Bool {
    guard let line = line(of: epoch) else { return false }
    return try content().starts(with: line)
  }

  /// Whether the data file is the one that was sealed, untouched.
  func isSealed(in epoch: Epoch) throws(LMDBError) -> Bool {
    guard let line = line(of: epoch), let seal = try seal() else { return false }
    return try content() == line + seal
  }

  /// Whether those who have the data file open know that nobody else wrote to it since it was made.
  func isTrusted(in epoch: Epoch) throws(LMDBError) -> Bool {
    guard let line = line(of: epoch) else { return false }
    return try content() == line + Self.trust
  }

  /// Says that files made from now on are of `epoch`; files of another one must be gone by then. Breaks the seal.
  ///
  /// - Parameter isTrusted: Whether the data file was sealed until now, or trusted, or is not there yet.
  func write(_ epoch: Epoch, isTrusted: Bool) throws(LMDBError) {
    try write((line(of: epoch) ?? []) + (isTrusted ? Self.trust : []))
  }

  /// Says that there are no files to be trusted.
  func clear() throws(LMDBError) { try write([]) }

  private static let trust = Array("trusted\n".utf8)

  /// Vouches for the data file as it is now. Nobody may have it open.
  ///
  /// - Parameter dataFile: The file that was open; one that has taken its place is not sealed.
  func seal(_ dataFile: FileIdentity, in epoch: Epoch) throws(LMDBError) {
    guard let line = line(of: epoch), let status = try directory.status(of: Self.dataName),
      FileIdentity(status) == dataFile
    else { return }
    // A time of its own, because the clock of files ticks slowly: what writes to the file from now on, even within the
    // same tick, gives it another.
    try directory.setTimes(
      of: Self.dataName, to: timespec(tv_sec: 1_000_000_000, tv_nsec: .random(in: 0..<1_000_000_000)))
    guard let seal = try seal() else { return }
    try write(line + seal)
  }

  /// Of the data file. The time of the last change of its status is among it, which no program can set.
  private func seal() throws(LMDBError) -> [UInt8]? {
    guard let status = try directory.status(of: Self.dataName) else { return nil }
    #if canImport(Darwin)
      let (modified, changed) = (status.st_mtimespec, status.st_ctimespec)
    #else
      let (modified, changed) = (status.st_mtim, status.st_ctim)
    #endif
    let times = [modified, changed].map { "\($0.tv_sec) \($0.tv_nsec)" }.joined(separator: " ")
    return Array("\(status.st_ino) \(status.st_size) \(times)\n".utf8)
  }

  private func content() throws(LMDBError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 512)
    let count = pread(file.descriptor, &bytes, bytes.count, 0)
    guard count >= 0 else { throw LMDBError(errno: errno, "read", file.path) }
    return Array(bytes[..<count])
  }

  private func write(_ content: [UInt8]) throws(LMDBError) {
    guard pwrite(file.descriptor, content, content.count, 0) == content.count,
      ftruncate(file.descriptor, off_t(content.count)) == 0
    else { throw LMDBError(errno: errno, "write", file.path) }
  }

  /// Has the next process that opens the tier remove its files; those that have it open go on.
  static func invalidate(in directory: PrivateDirectory) throws(LMDBError) {
    guard let file = try directory.openFile(name, creating: false) else { return }
    guard ftruncate(file.descriptor, 0) == 0 else { throw LMDBError(errno: errno, "empty", file.path) }
  }

  private func line(of epoch: Epoch) -> [UInt8]? {
    epoch.boot.map { Array("\($0) \(directory.identity.device):\(directory.identity.inode)\n".utf8) }
  }
}

extension PrivateDirectory {
  /// For a file that could not be created in a directory that was there a moment ago.
  var isGone: LMDBError { LMDBError(.unavailable, message: "\(path) was removed meanwhile") }
}
