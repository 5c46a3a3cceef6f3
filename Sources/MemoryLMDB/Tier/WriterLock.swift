import LMDB
import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The file `writer` in a tier's directory, locked by whoever writes.
///
/// LMDB has a lock for that, and waits for it without an end: a process that is stopped inside a write would stop every
/// other one. Here nobody waits for longer than a while, and after that not at all until the lock has come free.
final class WriterLock: Sendable {
  static let name = "writer"
  private static let patienceMicroseconds = 200_000

  private struct State {
    /// Whether the last wait was in vain.
    var isGivenUp = false
  }

  private let file: OpenFile
  /// Held by the thread that writes: the file's lock is the process's, not the thread's.
  private let state = Mutex(State())

  init(in directory: PrivateDirectory) throws(LMDBError) {
    guard let file = try directory.openFile(Self.name, creating: true) else { throw directory.isGone }
    self.file = file
  }

  /// - Parameter waits: Whether to wait for others at all, threads of this process among them.
  /// - Throws: `.busy` where others keep it; what `body` throws.
  func withLock<Result>(
    waits: Bool = true, _ body: () throws(LMDBError) -> Result
  ) throws(LMDBError) -> Result {
    guard waits else { return try withFreeLock(body) }
    return try state.withLock { state throws(LMDBError) in
      try acquire(&state, waits: true)
      defer { file.unlock() }
      return try body()
    }
  }

  private func withFreeLock<Result>(_ body: () throws(LMDBError) -> Result) throws(LMDBError) -> Result {
    let result = try state.withLockIfAvailable { state throws(LMDBError) in
      try acquire(&state, waits: false)
      defer { file.unlock() }
      return try body()
    }
    guard let result else {
      throw LMDBError(.busy, message: "another thread writes to \(file.path) just now")
    }
    return result
  }

  // Waiting is polled, since flock has no timeout. Random pauses let every waiter have its turn.
  private func acquire(_ state: inout State, waits: Bool) throws(LMDBError) {
    var waited = 0
    while try !file.tryLock(.exclusive) {
      guard waits else { throw LMDBError(.busy, message: "another process writes to \(file.path) just now") }
      guard waited < Self.patienceMicroseconds, !state.isGivenUp else {
        state.isGivenUp = true
        throw LMDBError(
          .busy, message: "another process has kept \(file.path) locked for long; look for one that is stopped")
      }
      let pause = Int.random(in: 10...(waited < 2_000 ? 50 : 500))
      usleep(UInt32(pause))
      waited += pause
    }
    state.isGivenUp = false
  }
}
