import Episodic
import Foundation
import Synchronization

/// A pipe that no child inherits unless it is given to it.
final class Pipe: Sendable {
  let reading: Int32
  let writing: Int32
  private let open = Mutex((reading: true, writing: true))

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
    closeReading()
    closeWriting()
  }

  /// Lets the reader see the end.
  func closeWriting() {
    open.withLock { open in
      if open.writing { close(writing) }
      open.writing = false
    }
  }

  /// Lets the writer see that nobody reads any more.
  func closeReading() {
    open.withLock { open in
      if open.reading { close(reading) }
      open.reading = false
    }
  }

  func setNonblocking(_ ends: [Int32], _ isNonblocking: Bool = true) {
    for end in ends {
      let flags = fcntl(end, F_GETFL)
      _ = fcntl(end, F_SETFL, isNonblocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK)
    }
  }
}
