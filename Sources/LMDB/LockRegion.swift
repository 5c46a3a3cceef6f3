import CLMDB
import FileLocks
import Synchronization

/// The file `lock.mdb`: created with all its blocks before LMDB opens it, and mapped while the environment is open.
///
/// LMDB creates the file with a hole and writes to it through memory, which kills the process with SIGBUS if the disk is
/// full. And it waits without a bound for the lock of the reader table, even if the process that holds it is stopped.
///
/// Layout, with format 1 of the file and locks that are mutexes: magic 4, format 4, the reader table's mutex, transaction 8,
/// readers 4, rounded up to 64; the writer's mutex, rounded up to 64; a reader every 64 bytes.
final class LockRegion: Sendable {
  private static let line = 64
  private static let magic: UInt32 = 0xBEEF_C0DE
  /// Version 1, with locks by process number.
  private static let format: UInt32 = 0x1_0001
  private static let mutexOffset = 8
  private static let patience = Duration.milliseconds(100)

  private let path: String
  // Shared memory; the mutex in it may be used from any thread.
  private nonisolated(unsafe) let base: UnsafeMutableRawPointer
  private let byteCount: Int
  /// Whether the last wait timed out: then no call waits until the lock has been free.
  private let isGivenUp = Atomic(false)

  /// Creates and allocates the file, unless others use it. The directory must be locked, and this process must not have the
  /// environment open: closing the descriptor drops its locks.
  ///
  /// - Returns: `nil` if LMDB's locks are not mutexes in this file.
  /// - Throws: `.diskFull`.
  init?(in directory: PrivateDirectory<LMDBError>, maxReaders: UInt32) throws(LMDBError) {
    let file = try directory.createFile(EnvironmentDirectory.lockName)
    #if canImport(Darwin)
      return nil
    #else
      path = file.path
      let wanted = Self.byteCount(maxReaders: maxReaders)
      if try !Self.isInUse(file) {
        do throws(LMDBError) {
          try file.allocate(max(Int(try file.status().size), wanted))
        } catch {
          // Shorter than its size, it would be found with a hole.
          try file.replaceContent(with: [])
          throw error
        }
      }
      byteCount = Self.mutexOffset + MemoryLayout<pthread_mutex_t>.size
      guard try file.status().size >= byteCount,
        let base = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, file.descriptor, 0),
        base != UnsafeMutableRawPointer(bitPattern: -1)
      else { return nil }
      self.base = base
    #endif
  }

  deinit { munmap(base, byteCount) }

  /// Bytes up to the last reader of a table of 4,096.
  static let largestTable = 4096 * line + 4 * line

  /// The readers in the bytes of a lock file; none if their layout is not the known one.
  static func readers(in bytes: [UInt8]) -> [Environment.Inspection.Reader] {
    #if canImport(Darwin)
      return []
    #else
      return bytes.withUnsafeBytes { bytes in
        let mutex = MemoryLayout<pthread_mutex_t>.size
        let countOffset = mutexOffset + mutex + 8
        guard bytes.count >= countOffset + 4, bytes.loadUnaligned(as: UInt32.self) == magic,
          bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self) == format
        else { return [] }
        let count = Int(bytes.loadUnaligned(fromByteOffset: countOffset, as: UInt32.self))
        let first = lines(mutexOffset + mutex + 12) + lines(mutex)
        let present = min(count, max(bytes.count - first, 0) / line)
        return (0..<present).compactMap { number in
          let offset = first + number * line
          let process = bytes.loadUnaligned(fromByteOffset: offset + 8, as: Int32.self)
          guard process != 0 else { return nil }
          let transaction = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
          return Environment.Inspection.Reader(process: process, isReading: transaction != .max)
        }
      }
    #endif
  }

  /// Waits, at most 100 ms, until the lock of the reader table is free, so that LMDB need not wait for it.
  ///
  /// A process may be stopped with it in the nanoseconds after; LMDB offers no way to close that gap.
  ///
  /// - Throws: `.busy` if another process keeps it.
  func awaitReaderTable() throws(LMDBError) {
    #if !canImport(Darwin)
      guard base.load(as: UInt32.self) == Self.magic, base.load(fromByteOffset: 4, as: UInt32.self) == Self.format
      else {
        return
      }
      let mutex = (base + Self.mutexOffset).assumingMemoryBound(to: pthread_mutex_t.self)
      let patience = isGivenUp.load(ordering: .relaxed) ? .zero : Self.patience
      let isFree = try Deadline.after(patience).poll { () throws(LMDBError) in
        switch pthread_mutex_trylock(mutex) {
        case EBUSY: return false
        // The holder died, which leaves the table whole: a slot is free until the last write that takes it.
        case EOWNERDEAD: pthread_mutex_consistent(mutex)
        case 0: break
        // LMDB reports any other fault.
        default: return true
        }
        pthread_mutex_unlock(mutex)
        return true
      }
      isGivenUp.store(!isFree, ordering: .relaxed)
      guard isFree else {
        throw LMDBError(
          .busy, message: "another process has kept the readers in \(path) locked; look for one that is stopped")
      }
    #endif
  }

  #if !canImport(Darwin)
    /// As LMDB computes it, which otherwise would make the file longer, with a hole, or find more readers in it.
    private static func byteCount(maxReaders: UInt32) -> Int {
      let mutex = MemoryLayout<pthread_mutex_t>.size
      return lines(mutexOffset + mutex + 12) + lines(mutex) + line * Int(maxReaders)
    }

    private static func lines(_ bytes: Int) -> Int { (bytes + line - 1) / line * line }

    /// Whether another process has the environment open: each has the first byte locked.
    private static func isInUse(_ file: OpenFile<LMDBError>) throws(LMDBError) -> Bool {
      let holder = episodic_first_byte_lock(file.descriptor)
      guard holder >= 0 else { throw LMDBError(.last("examine", file.path)) }
      return holder > 0
    }
  #endif
}
