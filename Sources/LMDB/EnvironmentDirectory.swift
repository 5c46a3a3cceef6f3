import CLMDB
import FileLocks
import LMDBVerifier
import Synchronization

/// A directory that holds an environment's two files, locked against other openers while this value lives.
///
/// Openers, of this process and of others, examine, open and remove the files one at a time, so none of them mistakes a
/// file that another is creating for a damaged one. The lock is a `flock` on the directory itself: it needs no third
/// file, and closing it does not touch LMDB's `fcntl` locks.
struct EnvironmentDirectory: ~Copyable {
  static let dataName = "data.mdb"
  static let lockName = "lock.mdb"

  let directory: PrivateDirectory<LMDBError>
  private let lock: FileLock<LMDBError>

  var path: String { directory.path }

  /// - Throws: `.busy` if others keep it locked until `deadline`.
  init(_ directory: PrivateDirectory<LMDBError>, until deadline: Deadline) throws(LMDBError) {
    self.directory = directory
    lock = directory.lock
    try lock.lock(.exclusive, until: deadline)
  }

  /// The identity of the data file; `nil` if there is none. LMDB opens both files by their paths, so neither may be a
  /// link.
  func examine() throws(LMDBError) -> FileIdentity? {
    _ = try identity(of: Self.lockName)
    return try identity(of: Self.dataName)
  }

  private func identity(of name: String) throws(LMDBError) -> FileIdentity? {
    guard let status = try directory.status(of: name) else { return nil }
    switch status.kind {
    case .regular: return status.identity
    case .symbolicLink: throw LMDBError(.link(path + "/" + name))
    default: throw LMDBError(.damaged, message: "\(path)/\(name) is damaged: it is not a regular file")
    }
  }

  /// Refuses a data file that LMDB must not map: one that is not all there, or that contradicts itself.
  func verify(structure: Bool) throws(LMDBError) {
    do throws(DataFileError) {
      let file = try DataFile(at: path + "/" + Self.dataName)
      try file.checkCompleteness()
      if structure { try file.verifyStructure() }
    } catch {
      throw LMDBError(error)
    }
  }

  /// Data first: a lock file without a data file is a remnant, which `open` removes.
  func removeFiles() throws(LMDBError) {
    try directory.remove(Self.dataName)
    try directory.remove(Self.lockName)
  }
}

/// The environments that are open in this process, by the identity of their data file (I5).
///
/// LMDB does not detect that a process opens one file twice, and closing either then drops the locks of both: POSIX
/// ties `fcntl` locks to the process and the file, not to the descriptor. So a file is opened only under the lock of its
/// directory and if it is not in here, and an environment is closed only under this lock.
struct EnvironmentRegistry: ~Copyable {
  static let shared = Mutex(EnvironmentRegistry())

  private var entries: [FileIdentity: Entry] = [:]
  private var nextSerial: UInt64 = 1

  /// A number that no other environment of this process has had.
  mutating func makeSerial() -> UInt64 {
    defer { nextSerial &+= 1 }
    return nextSerial
  }

  mutating func insert(_ environment: Environment) {
    entries[environment.identity] = Entry(
      environment: environment, serial: environment.serial, pointer: environment.pointer, readers: environment.readers)
  }

  /// Looks for the environment that has this data file open, if one does.
  ///
  /// - Parameter found: A place outside the lock. Were the last reference to go inside, `deinit` would wait for the
  ///   lock that its own thread holds.
  /// - Throws: `.busy` while a closed environment still has transactions in flight.
  mutating func find(_ identity: FileIdentity, path: String, _ found: inout Environment?) throws(LMDBError) {
    guard let entry = entries[identity] else { return }
    found = entry.environment
    guard let found else {
      // Its last reference is gone but its deinit has not come here yet: close in its place.
      return close(identity, serial: entry.serial)
    }
    if found.isClosed {
      throw LMDBError(.busy, message: "\(path) was closed, and a transaction in it has not ended yet")
    }
  }

  /// Of an environment that is open in this process.
  func pointer(of identity: FileIdentity) -> OpaquePointer? { entries[identity]?.pointer }

  /// Closes the environment; further calls do nothing.
  mutating func close(_ identity: FileIdentity, serial: UInt64) {
    guard let entry = entries[identity], entry.serial == serial else { return }
    entries[identity] = nil
    entry.readers.drain()
    mdb_env_close(entry.pointer)
  }

  /// Leaves the environment open for as long as the process lives.
  mutating func forget(_ identity: FileIdentity, serial: UInt64) {
    if entries[identity]?.serial == serial { entries[identity] = nil }
  }

  private struct Entry: Sendable {
    weak var environment: Environment?
    let serial: UInt64
    // LMDB's handle may be used from any thread.
    nonisolated(unsafe) let pointer: OpaquePointer
    let readers: ReaderPool
  }
}
