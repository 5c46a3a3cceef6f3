import EpisodicMemory
import Foundation
import Synchronization

/// A copy of a pipe in a temporary file, so that it can be read more than once.
///
/// The copy grows on demand, so that a rejected line ends the reading of an endless pipe. The file is unlinked as soon as
/// it is open: the system frees it however the process ends. A skipped line leaves a hole in it, which takes no space.
final class PipeCopy: Sendable {
  private struct Progress {
    /// Bytes of the pipe that have been read.
    var size: Int64 = 0
    var isAtEnd = false
    var chunk = [UInt8](repeating: 0, count: 1 << 18)
  }

  let handle: FileHandle
  private let source: FileHandle
  private let name: String
  private let directory: String
  private let progress = Mutex(Progress())

  init(of source: FileHandle, name: String) throws(MemoryError) {
    self.source = source
    self.name = name
    directory = FileManager.default.temporaryDirectory.path
    var template = Array("\(directory)/episodic-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else {
      let number = errno
      guard number != EMFILE, number != ENFILE else { throw .cannot("read", name, number, "") }
      throw MemoryError(.unavailable, "cannot copy \(name) to \(directory): \(systemMessage(number)); set TMPDIR")
    }
    unlink(template)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  }

  /// In bytes; `nil` before the end of the pipe.
  var size: Int64? { progress.withLock { $0.isAtEnd ? $0.size : nil } }

  /// Bytes read so far; `nil` after the end of the pipe.
  var sizeSoFar: Int64? { progress.withLock { $0.isAtEnd ? nil : $0.size } }

  /// Copies until the copy has `wanted` bytes or the pipe ends.
  ///
  /// - Returns: The bytes there are, at most `wanted`.
  func extend(to wanted: Int64) throws(MemoryError) -> Int64 {
    try progress.withLock { progress throws(MemoryError) in
      while progress.size < wanted {
        guard let count = try read(&progress) else { break }
        try write(progress.chunk[..<count], at: progress.size)
        progress.size += Int64(count)
      }
      return min(progress.size, wanted)
    }
  }

  /// Reads up to the next newline without copying what precedes it.
  ///
  /// - Returns: The offset after the newline, or of the end.
  func skipLine() throws(MemoryError) -> Int64 {
    try progress.withLock { progress throws(MemoryError) in
      while let count = try read(&progress) {
        let begin = progress.size
        progress.size += Int64(count)
        guard let end = progress.chunk.firstNewline(in: 0..<count) else { continue }
        try write(progress.chunk[end..<count], at: begin + Int64(end))
        return begin + Int64(end) + 1
      }
      // Makes a hole at the end part of the file.
      guard ftruncate(handle.fileDescriptor, off_t(progress.size)) == 0 else { throw cannotCopy(errno) }
      return progress.size
    }
  }

  /// Reads the next bytes of the pipe into the chunk; `nil` at the end.
  private func read(_ progress: inout Progress) throws(MemoryError) -> Int? {
    while !progress.isAtEnd {
      let got = Foundation.read(source.fileDescriptor, &progress.chunk, progress.chunk.count)
      if got > 0 { return got }
      if got == 0 {
        progress.isAtEnd = true
      } else if errno != EINTR {
        throw MemoryError(.unavailable, "cannot read \(name): \(systemMessage(errno))")
      }
    }
    return nil
  }

  private func write(_ bytes: ArraySlice<UInt8>, at offset: Int64) throws(MemoryError) {
    let number: Int32? = bytes.withUnsafeBytes { bytes in
      var done = 0
      while done < bytes.count {
        let written = pwrite(
          handle.fileDescriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done, off_t(offset) + off_t(done))
        if written >= 0 {
          done += written
        } else if errno != EINTR {
          return errno
        }
      }
      return nil
    }
    if let number { throw cannotCopy(number) }
  }

  private func cannotCopy(_ number: Int32) -> MemoryError {
    MemoryError(
      .unavailable, "cannot copy \(name) to \(directory): \(systemMessage(number)); free some space or set TMPDIR")
  }
}
