import CLMDB
import FileLocks
import Synchronization

/// The environments that are open in this process, by the identity of their data file (I5).
///
/// LMDB does not notice that a process opens one file twice, and closing either then drops the locks of both: POSIX
/// ties `fcntl` locks to the process and the file, not to the descriptor. So a file is opened only by whoever holds the lock of
/// its directory and has not found it here, and an environment is closed only under this lock, which nobody keeps for longer than
/// that takes.
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

  /// Closes the environment once, however often it is asked to.
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
