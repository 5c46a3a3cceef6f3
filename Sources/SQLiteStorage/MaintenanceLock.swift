import FileLocks
import Foundation
import Synchronization

/// The lock that the one process holds which maintains a database. The kernel releases it when the process dies, whatever the
/// clock says meanwhile.
///
/// Its file keeps the number of the process that holds it, or held it last.
package final class MaintenanceLock: Sendable {
  /// What an attempt to take the lock found.
  package enum Outcome: Sendable {
    /// Held until `release` is called.
    case held(release: @Sendable () -> Void)
    /// Another process or run has it; `nil` if its number is not in the file.
    case taken(pid: Int32?)
  }

  /// `nil` for a database in memory.
  private let path: String?
  /// Excludes the runs of this process, which may share the database.
  private let isHeld = Mutex(false)
  private let holds = Atomic(false)

  /// Whether this process maintains the database at this moment.
  var isHeldHere: Bool { holds.load(ordering: .relaxed) }

  init(path: String?) { self.path = path }

  /// Does not wait.
  package func take() throws -> Outcome {
    let isFree = isHeld.withLock { isHeld in
      defer { isHeld = true }
      return !isHeld
    }
    guard isFree else { return .taken(pid: getpid()) }
    do {
      guard let path else { return .held { self.isHeld.withLock { $0 = false } } }
      let file = try OpenFile<FileError>.openOrCreate(path)
      let lock = FileLock(file)
      guard try lock.tryLock(.exclusive) else {
        isHeld.withLock { $0 = false }
        return .taken(pid: try Self.holder(in: file))
      }
      Self.note(getpid(), in: file)
      holds.store(true, ordering: .relaxed)
      return .held {
        self.holds.store(false, ordering: .relaxed)
        lock.unlock()
        self.isHeld.withLock { $0 = false }
      }
    } catch {
      isHeld.withLock { $0 = false }
      throw error
    }
  }

  /// The lock is what counts: on a full disk the file stays empty, and others do not learn the number.
  private static func note(_ process: Int32, in file: OpenFile<FileError>) {
    do throws(FileError) {
      try file.replaceContent(with: Array("\(process)\n".utf8))
    } catch {}
  }

  private static func holder(in file: OpenFile<FileError>) throws -> Int32? {
    let text = String(decoding: try file.read(16, at: 0), as: UTF8.self)
    return Int32(text.trimmingCharacters(in: .whitespacesAndNewlines))
  }
}
