import FileLocks
import LMDB
import Synchronization

/// The files of a tier, by name.
enum TierFile {
  static let data = "data.mdb"
  /// LMDB's reader table and locks.
  static let lock = "lock.mdb"
  /// See `EpochFile`.
  static let epoch = "epoch"
  /// See `UsersFile`.
  static let users = "users"
  /// Locked by the process that writes, since LMDB waits for its own lock without a bound.
  static let writer = "writer"
  /// Locked by the thread that merges. One that takes over from a killed process first clears away what that left half
  /// done.
  static let maintenance = "maintenance"
  /// See `PolicyMap`.
  static let policy = "policy"

  static let all: Set<String> = [data, lock, epoch, users, writer, maintenance, policy]
}

/// Detecting changed files while they are open, and removing them.
extension LMDBTier {
  private static let millisecondsBetweenLooks: Int64 = 100

  /// The files when they were last examined. None of them shrinks: a smaller one takes the place of a larger one under its
  /// name.
  struct FileSizes: Sendable {
    fileprivate var data: FileSize?
    fileprivate var lock: FileSize?
    fileprivate var policy: FileSize?
  }

  fileprivate struct FileSize: Sendable {
    let identity: FileIdentity
    let bytes: Int64

    init?(_ status: FileStatus?) {
      guard let status else { return nil }
      identity = status.identity
      bytes = status.size
    }

    func isCut(since before: FileSize?) -> Bool {
      guard let before else { return false }
      return identity == before.identity && bytes < before.bytes
    }
  }

  /// Detects, at most 100 ms late, that the files were removed, replaced or cut short while they were open: a read behind
  /// the end of a mapped file kills the process with SIGBUS. A file that is cut short within those 100 ms cannot be
  /// guarded against.
  ///
  /// Cost: 10 ns; once in 100 ms a microsecond.
  ///
  /// - Throws: `.filesChanged`, from then on each time.
  func checkFiles() throws(LMDBError) {
    let now = CoarseClock.milliseconds
    guard now &- lastLook.load(ordering: .relaxed) >= Self.millisecondsBetweenLooks else { return }
    try lookAtFiles()
    lastLook.store(now, ordering: .relaxed)
  }

  func lookAtFiles() throws(LMDBError) {
    let now = FileSizes(
      data: FileSize(try place.status(of: TierFile.data)), lock: FileSize(try place.status(of: TierFile.lock)),
      policy: FileSize(try place.status(of: TierFile.policy)))
    try fileSizes.withLock { before throws(LMDBError) in
      if let lock = now.lock, lock.isCut(since: before.lock) { isLockCut.store(true, ordering: .relaxed) }
      let isSameLock = before.lock == nil || now.lock?.identity == before.lock?.identity
      guard now.lock != nil, isSameLock, !isLockCut.load(ordering: .relaxed) else { throw changed(TierFile.lock) }
      guard let data = now.data, data.identity == environment.identity, !data.isCut(since: before.data) else {
        throw changed(TierFile.data)
      }
      // Another process may have put one of another size in its place, which this one does not have mapped.
      if now.policy?.isCut(since: before.policy) == true { throw changed(TierFile.policy) }
      before = now
    }
  }

  private func changed(_ name: String) -> LMDBError {
    haveFilesChanged.store(true, ordering: .relaxed)
    return LMDBError(
      .filesChanged, message: "\(place.path)/\(name) was removed, replaced or cut short while it was open")
  }

  /// Removes the files of a tier and of those apart from it, open or not; processes that have them open go on until they
  /// next examine them. Does nothing while another process opens or closes them.
  ///
  /// - Returns: Bytes that they took on the disk.
  static func removeFiles(in directory: String) -> Int64 {
    do throws(LMDBError) {
      guard let place = try PrivateDirectory<LMDBError>(at: directory),
        let file = try EpochFile(existingIn: place)
      else { return 0 }
      var bytes: Int64 = 0
      for name in [TierFile.data, TierFile.lock, TierFile.policy] {
        guard let status = try place.status(of: name), status.kind == .regular else { continue }
        bytes &+= status.bytesOnDisk
        try place.remove(name)
      }
      try file.clear()
      for name in try place.names() where name.hasPrefix(apartPrefix) {
        bytes &+= removeFiles(in: "\(directory)/\(name)")
      }
      return bytes
    } catch {
      // The room was only a possibility; the write that needs it reports the full disk.
      return 0
    }
  }

  /// As `removeFiles`, but waits for processes that open or close them.
  ///
  /// - Throws: `.busy` if they do so until the deadline.
  static func removeFiles(in directory: String, until deadline: Deadline) throws(LMDBError) {
    guard let place = try PrivateDirectory<LMDBError>(at: directory) else { return }
    let isRemoved = try deadline.poll { () throws(LMDBError) in
      guard try place.status(of: TierFile.epoch) != nil else { return true }
      guard let file = try EpochFile(existingIn: place) else { return false }
      for name in [TierFile.data, TierFile.lock, TierFile.policy] { try place.remove(name) }
      try file.clear()
      return true
    }
    guard isRemoved else {
      throw LMDBError(
        .busy, message: "another process keeps opening or closing \(directory); look for one that is stopped")
    }
    for name in try place.names() where name.hasPrefix(apartPrefix) {
      try removeFiles(in: "\(directory)/\(name)", until: deadline)
    }
  }
}
