import Episodic
import Foundation
import Synchronization

/// A pipe that no child inherits unless it is given to it.
final class Pipe: Sendable {
  let reading: Int32
  let writing: Int32
  private let isWritingOpen = Mutex(true)

  /// - Throws: `.unavailable` where the process has no descriptors left.
  init() throws(MemoryError) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else {
      throw MemoryError(.unavailable, "cannot make a pipe: \(String(cString: strerror(errno))); close some files")
    }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    reading = ends[0]
    writing = ends[1]
  }

  deinit {
    closeWriting()
    close(reading)
  }

  /// Lets the reader see the end.
  func closeWriting() {
    isWritingOpen.withLock { isOpen in
      guard isOpen else { return }
      isOpen = false
      close(writing)
    }
  }
}
