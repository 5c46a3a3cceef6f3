import Episodic
import Foundation

/// A descriptor that is closed with the value, or before.
final class FileDescriptor {
  let number: Int32
  private var isOpen = true

  init(_ number: Int32) { self.number = number }
  deinit { close() }

  func close() {
    if isOpen { Foundation.close(number) }
    isOpen = false
  }

  func setNonblocking(_ isNonblocking: Bool) {
    let flags = fcntl(number, F_GETFL)
    _ = fcntl(number, F_SETFL, isNonblocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK)
  }
}

/// A pipe whose ends no child process inherits unless it is given one.
struct Pipe {
  let reading: FileDescriptor
  let writing: FileDescriptor

  /// - Throws: `.unavailable` if the process has no descriptors left.
  init() throws(MemoryError) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else {
      throw MemoryError(.unavailable, "cannot make a pipe: \(String(cString: strerror(errno))); close some files")
    }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    (reading, writing) = (FileDescriptor(ends[0]), FileDescriptor(ends[1]))
  }
}
