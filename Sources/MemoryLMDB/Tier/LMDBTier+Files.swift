import LMDB
import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// What becomes of the files while they are open, and when they are in the way.
extension LMDBTier {
  static let policyName = "policy"
  private static let lockName = "lock.mdb"
  private static let millisecondsBetweenLooks: Int64 = 100

  /// The files as they were looked at last. None of them shrinks: one that has to be smaller takes the place of another.
  struct FileSizes: Sendable {
    fileprivate var data: FileSize?
    fileprivate var lock: FileSize?
    fileprivate var policy: FileSize?
  }

  fileprivate struct FileSize: Sendable {
    let identity: FileIdentity
    let bytes: Int64

    init?(_ status: stat?) {
      guard let status else { return nil }
      identity = FileIdentity(status)
      bytes = Int64(status.st_size)
    }

    func isCut(since before: FileSize?) -> Bool {
      guard let before else { return false }
      return identity == before.identity && bytes < before.bytes
    }
  }

  /// Finds, at most 100 ms late, that the files were removed, replaced or cut short under the process: who reads behind the end
  /// of a mapped file is killed by SIGBUS. A file that is cut short within those 100 ms cannot be guarded against.
  ///
  /// Cost: 10 ns; of one call in 100 ms a microsecond.
  ///
  /// - Throws: `.filesChanged`, from then on each time.
  func checkFiles() throws(LMDBError) {
    let now = Self.coarseMilliseconds()
    guard now &- lastLook.load(ordering: .relaxed) >= Self.millisecondsBetweenLooks else { return }
    try lookAtFiles()
    lastLook.store(now, ordering: .relaxed)
  }

  func lookAtFiles() throws(LMDBError) {
    let now = FileSizes(
      data: FileSize(try place.status(of: EpochFile.dataName)), lock: FileSize(try place.status(of: Self.lockName)),
      policy: FileSize(try place.status(of: Self.policyName)))
    try fileSizes.withLock { before throws(LMDBError) in
      if let lock = now.lock, lock.isCut(since: before.lock) { isLockCut.store(true, ordering: .relaxed) }
      let isSameLock = before.lock == nil || now.lock?.identity == before.lock?.identity
      guard now.lock != nil, isSameLock, !isLockCut.load(ordering: .relaxed) else { throw changed(Self.lockName) }
      guard let data = now.data, data.identity == environment.identity, !data.isCut(since: before.data) else {
        throw changed(EpochFile.dataName)
      }
      // Another process may have put one of another size in its place, which this one does not have mapped.
      if now.policy?.isCut(since: before.policy) == true { throw changed(Self.policyName) }
      before = now
    }
  }

  private func changed(_ name: String) -> LMDBError {
    haveFilesChanged.store(true, ordering: .relaxed)
    return LMDBError(
      .filesChanged, message: "\(place.path)/\(name) was removed, replaced or cut short while it was open")
  }

  private static func coarseMilliseconds() -> Int64 {
    var time = timespec()
    #if canImport(Darwin)
      clock_gettime(CLOCK_MONOTONIC_RAW_APPROX, &time)
    #else
      clock_gettime(CLOCK_MONOTONIC_COARSE, &time)
    #endif
    return Int64(time.tv_sec) &* 1000 &+ Int64(time.tv_nsec) / 1_000_000
  }

  /// Removes the files of a tier and of those apart from it, open or not; who has them open goes on with what it has until it
  /// looks. Does nothing while another process opens or closes them.
  ///
  /// - Returns: Bytes that they took on the disk.
  static func removeFiles(in directory: String) -> Int64 {
    do throws(LMDBError) {
      guard let place = try PrivateDirectory(at: directory, creating: false),
        let file = try EpochFile(existingIn: place)
      else { return 0 }
      var bytes: Int64 = 0
      for name in [EpochFile.dataName, lockName, policyName] {
        guard let status = try place.status(of: name), status.st_mode & S_IFMT == S_IFREG else { continue }
        bytes &+= Int64(status.st_blocks) &* 512
        try place.remove(name)
      }
      try file.clear()
      for name in try place.names() where name.hasPrefix(apartPrefix) {
        bytes &+= removeFiles(in: "\(directory)/\(name)")
      }
      return bytes
    } catch {
      // Nothing was promised; the write that asked for the room says what is wrong.
      return 0
    }
  }
}
