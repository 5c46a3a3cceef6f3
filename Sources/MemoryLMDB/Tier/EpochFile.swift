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
  /// The directory, whatever path led to it.
  struct Place: Hashable {
    let device: UInt64
    let inode: UInt64
  }

  let place: Place
  private let path: String
  private let descriptor: Int32

  /// Creates directory and file where there are none; the directory's parent must exist. Waits for other processes.
  init(in directory: String) throws(LMDBError) {
    guard !directory.isEmpty, !directory.utf8.contains(0) else {
      throw LMDBError(.invalid, message: "\(directory.debugDescription) is not a path")
    }
    if mkdir(directory, 0o700) != 0, errno != EEXIST { throw Self.error("create the directory", directory) }
    try self.init(in: directory, flags: O_CREAT, waits: true)
  }

  /// Neither creates anything nor waits.
  init(existingIn directory: String) throws(LMDBError) { try self.init(in: directory, flags: 0, waits: false) }

  private init(in directory: String, flags: Int32, waits: Bool) throws(LMDBError) {
    var status = stat()
    guard stat(directory, &status) == 0 else { throw Self.error("examine", directory) }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw LMDBError(.invalid, message: "\(directory) is not a directory")
    }
    let path = directory + "/epoch"
    let descriptor = open(path, O_RDWR | O_CLOEXEC | flags, 0o600)
    guard descriptor >= 0 else { throw Self.error("open", path) }
    while flock(descriptor, waits ? LOCK_EX : LOCK_EX | LOCK_NB) != 0 {
      if errno == EINTR { continue }
      let error = Self.error("lock", path)
      close(descriptor)
      throw error
    }
    self.place = Place(
      device: UInt64(truncatingIfNeeded: status.st_dev), inode: UInt64(truncatingIfNeeded: status.st_ino))
    self.path = path
    self.descriptor = descriptor
  }

  deinit {
    close(descriptor)
  }

  /// Whether the files beside it were made in `epoch`.
  func holds(_ epoch: Epoch) throws(LMDBError) -> Bool {
    guard let line = line(of: epoch) else { return false }
    return try content().starts(with: line)
  }

  /// Whether the data file is the one that was sealed, untouched.
  func isSealed(_ dataFile: String, in epoch: Epoch) throws(LMDBError) -> Bool {
    guard let line = line(of: epoch), let seal = Self.seal(of: dataFile) else { return false }
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

  private static let trust = Array("trusted\n".utf8)

  /// Vouches for the data file as it is now. Nobody may have it open.
  func seal(_ dataFile: String, in epoch: Epoch) throws(LMDBError) {
    guard let line = line(of: epoch) else { return }
    // A time of its own, because the clock of files ticks slowly: what writes to the file from now on, even within the
    // same tick, gives it another.
    var times = [timespec(tv_sec: 1_000_000_000, tv_nsec: .random(in: 0..<1_000_000_000)), timespec()]
    times[1] = times[0]
    guard utimensat(AT_FDCWD, dataFile, &times, 0) == 0 else { throw Self.error("date", dataFile) }
    guard let seal = Self.seal(of: dataFile) else { return }
    try write(line + seal)
  }

  private static func seal(of dataFile: String) -> [UInt8]? {
    var status = stat()
    guard stat(dataFile, &status) == 0 else { return nil }
    #if canImport(Darwin)
      let modified = status.st_mtimespec
    #else
      let modified = status.st_mtim
    #endif
    return Array("\(status.st_ino) \(status.st_size) \(modified.tv_sec) \(modified.tv_nsec)\n".utf8)
  }

  private func content() throws(LMDBError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 512)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    guard count >= 0 else { throw Self.error("read", path) }
    return Array(bytes[..<count])
  }

  private func write(_ content: [UInt8]) throws(LMDBError) {
    guard pwrite(descriptor, content, content.count, 0) == content.count,
      ftruncate(descriptor, off_t(content.count)) == 0
    else { throw Self.error("write", path) }
  }

  /// Has the next process that opens the tier remove its files; those that have it open go on.
  static func invalidate(in directory: String) throws(LMDBError) {
    let path = directory + "/epoch"
    guard truncate(path, 0) == 0 || errno == ENOENT else { throw error("empty", path) }
  }

  private func line(of epoch: Epoch) -> [UInt8]? {
    epoch.boot.map { Array("\($0) \(place.device):\(place.inode)\n".utf8) }
  }

  /// Reads `errno`, so it must be made before anything else can set it.
  static func error(_ operation: String, _ path: String) -> LMDBError {
    let number = errno
    let code: LMDBError.Code =
      switch number {
      case EACCES, EPERM, EROFS: .accessDenied
      case ENOSPC, EDQUOT: .diskFull
      case ENOTDIR, EISDIR: .invalid
      default: .unavailable
      }
    return LMDBError(
      code, returnCode: number, message: "cannot \(operation) \(path): \(String(cString: strerror(number)))")
  }
}
